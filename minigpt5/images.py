"""Between PIL pictures and the tensors of the model's eyes and brush.

`preprocess` is the official playground's way (white square, bilinear resize, centre crop, CLIP statistics);
`to_pil` and `to_tensor` speak the brush's range of [-1, 1].
"""

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from minigpt5.picture_files import MAX_BYTES, MAX_PIXELS, open_image

__all__ = [
    "CLIP_MEAN",
    "CLIP_STD",
    "MAX_BYTES",
    "MAX_PIXELS",
    "open_image",
    "pad_to_square",
    "preprocess",
    "to_pil",
    "to_tensor",
]

EYE_SIZE = 224  # pixels; the official `minigpt4.yaml`
MAX_SQUARE = (
    8192  # pixels; the square around a narrow strip of as many pixels as are allowed would take gigabytes
)
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


def pad_to_square(image: Image.Image) -> Image.Image:
    """`image` in the middle of a white square as wide as its longer side, made smaller where that is over MAX_SQUARE."""
    if max(image.size) > MAX_SQUARE and image.width != image.height:
        image = ImageOps.contain(image, (MAX_SQUARE, MAX_SQUARE))
    width, height = image.size
    if width == height:
        return image
    side = max(width, height)
    square = Image.new("RGB", (side, side), (255, 255, 255))
    square.paste(image, ((side - width) // 2, (side - height) // 2))
    return square


def preprocess(image: Image.Image, size: int = EYE_SIZE, *, pad: bool = True) -> Tensor:
    """`pixel_values` (3,size,size) float32 for the vision tower, bit for bit the official ones.

    With `pad` nothing of the picture is lost (the official playground); without, the longer side is cropped
    (the official data sets).
    """
    image = _resize_and_crop(pad_to_square(image) if pad else image, size)
    values = torch.from_numpy(np.asarray(image.convert("RGB"), dtype=np.float32).copy())
    values = values.div_(255).permute(2, 0, 1)  # (3,H,W)
    mean = torch.tensor(CLIP_MEAN).view(3, 1, 1)
    std = torch.tensor(CLIP_STD).view(3, 1, 1)
    return (values - mean) / std


def _resize_and_crop(image: Image.Image, size: int) -> Image.Image:
    width, height = image.size
    short = min(width, height)
    # the long side rounds down, the crop's offset to the nearest: torchvision's Resize and CenterCrop
    width, height = int(size * width / short), int(size * height / short)
    image = image.resize((width, height), Image.Resampling.BILINEAR)
    left, top = round((width - size) / 2), round((height - size) / 2)
    return image.crop((left, top, left + size, top + size))


def to_pil(image: Tensor) -> Image.Image:
    """A PIL picture of `image` (3,H,W) in [-1, 1]; values outside are clipped."""
    values = image.detach().float().add(1).mul(127.5).round().clamp(0, 255)
    return Image.fromarray(values.to(torch.uint8).permute(1, 2, 0).cpu().numpy())


def to_tensor(image: Image.Image) -> Tensor:
    """`image` as (3,H,W) float32 in [-1, 1]."""
    values = torch.from_numpy(np.asarray(image.convert("RGB"), dtype=np.float32).copy())
    return values.div_(127.5).sub_(1).permute(2, 0, 1).contiguous()

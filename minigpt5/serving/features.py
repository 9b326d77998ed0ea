"""What the model saw in a picture, kept by the picture's content: each is looked at once, in whatever chat it stands."""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor

from minigpt5.conversation import ImagePart
from minigpt5.model.vision import VisionTower
from minigpt5.serving.metrics import Metrics
from minigpt5.serving.prompt_positions import SeenPicture, content_key

MAX_BYTES = 64 * 2**20


class Features:
    """image_embeds (Q,D) by the picture's key; those that were not asked for the longest go first."""

    def __init__(
        self,
        vision: VisionTower,
        size: int,
        metrics: Metrics,
        *,
        one_by_one: bool = False,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        """`size` is the side of the pictures that are seen; `one_by_one` gives each a pass of its own."""
        self._vision = vision
        self._size = size
        self._metrics = metrics
        self._one_by_one = one_by_one
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[str, Tensor] = OrderedDict()

    def __contains__(self, key: str) -> bool:
        return key in self._kept

    @torch.inference_mode()
    def of(self, pictures: Sequence[SeenPicture]) -> list[Tensor]:
        """(Q,D) of each picture; those that are new are seen in one pass."""
        found = {p.key: self._kept[p.key] for p in pictures if p.key in self._kept}
        new = list({p.key: p for p in pictures if p.key not in found}.values())
        self._metrics.features_reused += len(pictures) - len(new)
        self._metrics.features_made += len(new)
        for group in [[p] for p in new] if self._one_by_one else [new] * bool(new):
            pixels = torch.stack([picture.pixel_values() for picture in group])
            for picture, seen in zip(group, self._vision(pixels.to(self._vision.query_tokens)), strict=True):
                found[picture.key] = seen.clone()
        for key, seen in found.items():
            self._keep(key, seen)
        return [found[picture.key] for picture in pictures]

    def remember(self, images: Sequence[Image.Image]) -> None:
        """Look at pictures before they are asked for."""
        self.of([SeenPicture(content_key(ImagePart(image)), image, self._size) for image in images])

    def _keep(self, key: str, seen: Tensor) -> None:
        if key not in self._kept:
            self._bytes += seen.nbytes
        self._kept[key] = seen
        self._kept.move_to_end(key)
        while self._bytes > self._max_bytes:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes

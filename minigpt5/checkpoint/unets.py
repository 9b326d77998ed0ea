"""The UNet alone, out of a model folder of ours or of a diffusers folder: a painter that was trained further."""

from __future__ import annotations

from pathlib import Path

from diffusers import UNet2DConditionModel

from minigpt5.checkpoint.store import has_part, load_part
from minigpt5.config import ModelConfig
from minigpt5.errors import CheckpointError

PART = "unet"
SHAPE = ("in_channels", "sample_size", "cross_attention_dim")


def load_unet(folder: Path, like: UNet2DConditionModel) -> UNet2DConditionModel:
    """The UNet of `folder`, in the precision and on the device of `like`.

    `folder` is a model folder, a diffusers pipeline (its `unet`) or the folder of a diffusers UNet itself. Raises
    `CheckpointError` when it is none of them, or when it does not draw the latents of `like` from its conditions.
    """
    unet = _ours(folder) if has_part(folder, PART) else _diffusers(folder)
    for name in SHAPE:
        if (got := getattr(unet.config, name)) != (expected := getattr(like.config, name)):
            raise CheckpointError(f"{folder}: got a UNet with {name} {got}, expected {expected}")
    return unet.to(like.device, like.dtype).requires_grad_(False).eval()


def _ours(folder: Path) -> UNet2DConditionModel:
    unet = UNet2DConditionModel(**ModelConfig.load(folder).unet)
    load_part(folder, PART, unet)
    return unet


def _diffusers(folder: Path) -> UNet2DConditionModel:
    place = folder / PART if (folder / PART).is_dir() else folder
    try:
        return UNet2DConditionModel.from_pretrained(place, local_files_only=True)
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise CheckpointError(
            f"{place}: got {reason!r}, expected a UNet of diffusers or a model folder"
        ) from error

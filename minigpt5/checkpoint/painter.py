"""Another painter under the same vokens: a UNet, and a VAE where there is one, of a folder in diffusers' layout.

    FOLDER/unet/config.json *.safetensors   FOLDER/scheduler/scheduler_config.json   FOLDER/vae/ (optional)

It must read conditions as wide as the mapper's and predict the noise: Stable Diffusion 2.1-base trained further, or
distilled for few steps as SD-Turbo is. All keys and shapes are verified before a number is read.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import nn

from minigpt5.checkpoint.official_config import known_settings, plain_settings, read_sizes, verify_diffusion
from minigpt5.checkpoint.official_names import UNET, VAE, Names, translate
from minigpt5.checkpoint.store import is_finite, put, verify_keys
from minigpt5.checkpoint.weight_files import Entry, close_files, entries_of_folder, read_json
from minigpt5.config import FastConfig, ModelConfig
from minigpt5.errors import CheckpointError

NAMES: dict[str, Names] = {"unet": UNET, "vae": VAE}
STEPS = 4  # of a painter of few steps


def with_painter(config: ModelConfig, folder: Path) -> ModelConfig:
    """The configuration with the painter of `folder` in place of the model's own.

    `fast` is what its scheduler says: LCM's, TCD's, or any that begins at the last timestep as SD-Turbo's does are those
    of few steps. Raises `CheckpointError` for a painter that cannot stand under these vokens.
    """
    unet = read_sizes(folder / "unet" / "config.json", ("sample_size", "cross_attention_dim", "in_channels"))
    has_vae = (folder / "vae").is_dir()
    sizes = ("block_out_channels", "latent_channels")
    vae = (
        known_settings(read_sizes(folder / "vae" / "config.json", sizes), AutoencoderKL)
        if has_vae
        else config.vae
    )
    if unet["in_channels"] != vae["latent_channels"]:
        raise CheckpointError(
            f"{folder / 'unet/config.json'}: got latents of {unet['in_channels']} channels, expected"
            f" {vae['latent_channels']} as the VAE's"
        )
    scheduler = read_json(folder / "scheduler" / "scheduler_config.json")
    painted = replace(
        config,
        unet=known_settings(unet, UNet2DConditionModel),
        vae=vae,
        scheduler=plain_settings(scheduler),
        image_size=int(unet["sample_size"]) * 2 ** (len(vae["block_out_channels"]) - 1),
        preview=config.preview if len(config.preview) == vae["latent_channels"] + 1 else (),
        fast=_fast(scheduler),
    )
    verify_diffusion(painted, folder)
    return painted


def _fast(scheduler: dict[str, Any]) -> FastConfig | None:
    match scheduler.get("_class_name"), scheduler.get("timestep_spacing"):
        case "LCMScheduler", _:
            return FastConfig("lcm", STEPS, own_unet=False)
        case "TCDScheduler", _:
            return FastConfig("tcd", STEPS, own_unet=False)
        case _, "trailing":
            return FastConfig("euler-trailing", STEPS, own_unet=False)
    return None


def paints(folder: Path | None, part: str) -> bool:
    """Whether part `part` of a model is to come from the painter's folder."""
    return folder is not None and part in NAMES and (folder / part).is_dir()


def load_painted(folder: Path, part: str, module: nn.Module) -> None:
    """Fill `module`, which may be empty, with the painter's part, tensor by tensor; raises `CheckpointError`."""
    try:
        entries: dict[str, Entry] = {}
        for key, entry in entries_of_folder(folder / part).items():
            _, name = translate(NAMES[part], key)
            entries[(name or key).removeprefix(f"{part}/")] = entry
        verify_keys({key: entry.shape for key, entry in entries.items()}, module, str(folder / part))
        for key, entry in entries.items():
            tensor = entry.read()
            if not is_finite(tensor):
                raise CheckpointError(
                    f"{entry.file}: got NaN or infinite numbers in {key}, expected finite ones"
                )
            put(module, key, tensor)
    finally:
        close_files()

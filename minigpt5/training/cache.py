"""What the frozen eyes and the frozen VAE make of a picture, kept on disk, so that each picture is worked through once.

Keyed by content: a folder for each network, named by its weights, in it a file for each picture, named by its pixels as
the network gets them and by the precision it works in. So a mirrored picture or one of another size is another entry, and
no entry is ever out of date.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from minigpt5.errors import TrainingError

Compute = Callable[[Tensor], Tensor]  # (N,3,H,W) -> (N,...)


class FeatureCache:
    """`compute`, a function of the frozen `network`, that remembers in `folder`; processes may share the folder.

    Raises `TrainingError` when `folder` cannot be written to, or an entry not be read.
    """

    def __init__(self, folder: Path, network: nn.Module, compute: Compute) -> None:
        self.folder = folder / weights_key(network)
        self.compute = compute
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrainingError(f"cache: got {folder}, expected a folder to write to: {error}") from error

    @torch.no_grad()
    def __call__(self, pictures: Tensor) -> Tensor:
        """pictures (N,3,H,W) -> (N,...): those not seen before are computed, in one batch, and saved."""
        precision = _precision(pictures.device.type)
        paths = [self.folder / f"{content_key(picture)}-{precision}.safetensors" for picture in pictures]
        new = [number for number, path in enumerate(paths) if not path.exists()]
        computed = dict(zip(new, self.compute(pictures[new]), strict=True)) if new else {}
        for number, features in computed.items():
            _save(features, paths[number])
        return torch.stack(
            [computed[n] if n in computed else _load(path, pictures) for n, path in enumerate(paths)]
        )


def content_key(tensor: Tensor) -> str:
    """A hash of the tensor's bytes, type and shape."""
    data = tensor.detach().cpu().contiguous()
    digest = hashlib.blake2b(f"{data.dtype} {tuple(data.shape)}".encode(), digest_size=16)
    digest.update(data.flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def weights_key(network: nn.Module) -> str:
    """A hash of all its weights, by name."""
    digest = hashlib.blake2b(digest_size=16)
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(f"{name} {content_key(tensor)}".encode())
    return digest.hexdigest()


def _precision(device: str) -> str:
    """That of autocast, or "own": the weights' and the pixels', which the keys tell."""
    if not torch.is_autocast_enabled(device):
        return "own"
    return str(torch.get_autocast_dtype(device)).removeprefix("torch.")


def _save(features: Tensor, path: Path) -> None:
    part = path.with_suffix(f".{os.getpid()}")  # whole or not at all, whoever else writes it
    save_file({"features": features.contiguous()}, part)
    part.replace(path)


def _load(path: Path, like: Tensor) -> Tensor:
    try:
        return load_file(path)["features"].to(like.device)
    except Exception as error:  # safetensors raises a class of its own, OSError and KeyError
        raise TrainingError(f"cache: {path} cannot be read, delete it: {error}") from error

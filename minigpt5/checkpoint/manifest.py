"""What belongs together in a model folder: `manifest.json`, the SHA-256 of its settings and the sizes of its weights,
and in how many bits the LLM is stored where it is quantized.

Weights do not tell what their numbers mean: with the configuration or the tokenizer of another model they load
and talk nonsense. Their own contents are not hashed, which would take longer than to load them; their keys,
shapes and numbers are checked when they are read.
"""

import hashlib
import json
from pathlib import Path

from minigpt5.checkpoint.quantize import stored_quantization
from minigpt5.checkpoint.store import TOKENIZER_NAME, files_of
from minigpt5.config import CONFIG_NAME
from minigpt5.errors import CheckpointError

MANIFEST_NAME = "manifest.json"
PARTS = (
    "vision",
    "language",
    "lora",
    "mapper",
    "unet",
    "unet_fast",
    "vae",
)  # of a model; others in its folder are nobody's concern


def write_manifest(folder: Path) -> None:
    """Say what `folder` holds now; to be called when all of it is written."""
    settings = {name: _checksum(folder / name) for name in (CONFIG_NAME, TOKENIZER_NAME)}
    weights = {path.name: path.stat().st_size for part in PARTS for path in files_of(folder, part)}
    mode = stored_quantization(folder)
    values = {"sha256": settings, "bytes": weights, **({"quantization": mode} if mode else {})}
    (folder / MANIFEST_NAME).write_text(json.dumps(values, indent=2) + "\n")


def verify_manifest(folder: Path) -> None:
    """Raise `CheckpointError` unless the settings and the weights in `folder` were written together."""
    path = folder / MANIFEST_NAME
    try:
        values = json.loads(path.read_text())
        checksums, sizes = dict(values["sha256"]), dict(values["bytes"])
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{path}: got no such file, expected what `convert` writes beside the weights"
        ) from error
    except OSError as error:
        raise CheckpointError(f"{path}: got {error.strerror}, expected a readable file") from error
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path}: got a damaged file, expected checksums and sizes") from error
    for name, expected in checksums.items():
        if (got := _checksum(folder / name)) != expected:
            raise CheckpointError(
                f"{folder / name}: got SHA-256 {got[:12]}, expected {expected[:12]}: it does not belong to these weights"
            )
    for name, expected in sizes.items():
        if (size := _size(folder / name)) != expected:
            raise CheckpointError(f"{folder / name}: got {size} bytes, expected {expected}")


def _checksum(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise CheckpointError(f"{path}: got {error.strerror}, expected the settings of the model") from error


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: got no such file, expected the weights of this part") from error

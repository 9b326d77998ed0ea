"""The LLM's part with quantized layers: read from a whole part or a quantized one, and written as the latter.

Layers are made one by one as their numbers come, so that beside what has been made no more is held than one layer,
and of the file what the system keeps of it mapped.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from torch import Tensor, nn

from minigpt5.checkpoint.placement import Placement
from minigpt5.checkpoint.progress import Counted
from minigpt5.checkpoint.quantize import (
    BLOCK,
    MEMBERS,
    Quantization,
    block_layers,
    dequantized,
    quantized,
    replace_layer,
    restored,
    stored_quantization,
    stored_tensors,
)
from minigpt5.checkpoint.store import (
    Change,
    Shapes,
    complete_files,
    expected_shapes,
    put,
    read_tensors,
    sharing_names,
    stored_shapes,
    verify_shapes,
    write_tensors,
)
from minigpt5.errors import CheckpointError
from minigpt5.model.language import LanguageModel

PART = "language"
NESTED = 256  # scales that share a scale


def load_quantized(
    folder: Path,
    language: LanguageModel,
    mode: Quantization,
    placement: Placement,
    changes: Mapping[str, Change] | None,
    counted: Counted,
) -> None:
    """Fill the empty `language`, the layers of its blocks in `mode`, on the device of `placement`.

    `changes` are applied to stored numbers before they are quantized; those of a part that is stored quantized are
    dequantized and quantized again. Raises `CheckpointError`.
    """
    names = sharing_names(language)
    for name, value in _quantized_layers(folder, language, mode, placement, changes or {}, counted):
        if isinstance(value, nn.Module):
            replace_layer(language, name, value)
        else:
            for other in names[name]:
                put(language, other, value, copy=True)


def write_quantized(
    folder: Path,
    out: Path,
    language: LanguageModel,
    mode: Quantization,
    placement: Placement,
    changes: Mapping[str, Change] | None,
    counted: Counted,
    file_bytes: int,
) -> None:
    """Write the part of `folder` in `mode` into `out`, in files of about `file_bytes`; `language` is an empty one."""
    shards: list[dict[str, Tensor]] = [{}]
    paths: list[Path] = []

    def flush() -> None:
        paths.append(out / f".{PART}-{len(paths) + 1}.part")
        write_tensors(paths[-1], shards.pop())
        shards.append({})

    for name, value in _quantized_layers(folder, language, mode, placement, changes or {}, counted):
        if isinstance(value, nn.Module):
            tensors = {f"{name}.{key}": tensor for key, tensor in stored_tensors(value).items()}
        else:
            tensors = {name: value.clone()}
        shards[-1].update(tensors)
        if sum(tensor.nbytes for tensor in shards[-1].values()) >= file_bytes:
            flush()
    if shards[-1]:
        flush()
    for number, path in enumerate(paths, start=1):
        name = PART if len(paths) == 1 else f"{PART}-{number}-of-{len(paths)}"
        path.rename(out / f"{name}.safetensors")


def _quantized_layers(
    folder: Path,
    language: LanguageModel,
    mode: Quantization,
    placement: Placement,
    changes: Mapping[str, Change],
    counted: Counted,
) -> Iterator[tuple[str, nn.Module | Tensor]]:
    """Each quantized layer by its name, and each other tensor, still mapped, by its own."""
    layers, stored = block_layers(language), stored_quantization(folder)
    files = complete_files(folder, PART)
    expected = _expected(language, layers, stored)
    verify_shapes(
        stored_shapes(files), expected, sharing_names(language), f"{folder.name}/{PART}.safetensors"
    )
    owners = {
        f"{name}.{member}": (name, member) for name in layers for member in _members(layers[name], stored)
    }
    waiting: dict[str, dict[str, Tensor]] = {}
    for path in files:
        for key, tensor in read_tensors(path):
            counted.add(tensor.nbytes)
            if key not in owners:
                yield key, changes[key](tensor) if key in changes else tensor
                continue
            name, member = owners[key]
            come = waiting.setdefault(name, {})
            come[member] = tensor.clone()  # of a mapped file all stays in memory that has been read
            if len(come) == len(_members(layers[name], stored)):
                change = changes.get(f"{name}.weight")
                yield name, _layer(waiting.pop(name), layers[name], mode, stored, placement, change)
    if waiting:
        raise CheckpointError(
            f"{folder.name}/{PART}.safetensors: got parts of {sorted(waiting)}, expected all"
        )


def _layer(
    tensors: dict[str, Tensor],
    like: nn.Linear,
    mode: Quantization,
    stored: Quantization | None,
    placement: Placement,
    change: Change | None,
) -> nn.Module:
    bias = tensors.pop("bias", None)
    if stored is None:
        weight = tensors["weight"]
        return quantized(change(weight) if change else weight, bias, mode, placement)
    layer = restored(tensors, (like.out_features, like.in_features), bias, mode, placement)
    return quantized(change(dequantized(layer)), bias, mode, placement) if change else layer


def _members(layer: nn.Linear, stored: Quantization | None) -> tuple[str, ...]:
    """The names of a layer's tensors in a file."""
    names = MEMBERS[stored] if stored else ("weight",)
    return (*names, "bias") if layer.bias is not None else names


def _expected(language: LanguageModel, layers: dict[str, nn.Linear], stored: Quantization | None) -> Shapes:
    """The shapes of what the part holds."""
    shapes = expected_shapes(language)
    if stored is None:
        return shapes
    for name, layer in layers.items():
        del shapes[f"{name}.weight"]
        shapes |= {f"{name}.{member}": shape for member, shape in _stored_shapes(layer, stored).items()}
    return shapes


def _stored_shapes(layer: nn.Linear, stored: Quantization) -> Shapes:
    numbers = layer.out_features * layer.in_features
    if stored == "8bit":
        values: list[tuple[int, ...] | None] = [
            (layer.out_features, layer.in_features),
            (layer.out_features,),
            (),
        ]
    else:
        scales = -(-numbers // BLOCK)
        values = [(-(-numbers // 2), 1), (scales,), (16,), (-(-scales // NESTED),), (256,), None]
    return dict(zip(MEMBERS[stored], values, strict=True))

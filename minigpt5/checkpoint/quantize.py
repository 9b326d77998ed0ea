"""Linear layers in 4 or 8 bits, as bitsandbytes has them: made of numbers, taken from a file, put into one.

The 4-bit form is NF4 in blocks of 64 with doubly quantized scales, the 8-bit form has one scale a row. What stands in a
file is what `state_dict` of bitsandbytes' layers gives, so other programs read it too:

    4 bits  X.weight  X.weight.absmax  X.weight.quant_map  X.weight.nested_absmax  X.weight.nested_quant_map
            X.weight.quant_state.bitsandbytes__nf4
    8 bits  X.weight  X.SCB  X.weight_format

A layer is made of the stored numbers, whatever the precision that it computes in, so that a model has the same
quantized weights on every machine. On a CPU the making is our own: bitsandbytes' needs 13 times the memory of the
weights and 0.9 s for 4096 x 4096 of them; the result is the same to the bit.

A CPU with AVX-512 bf16 has a fast kernel for 4-bit layers in an order of bytes of its own. bitsandbytes brings a layer
into it when the layer is first used, 0.1 s for 4096 x 4096; `arrange_for_cpu` does so in the beginning and faster.
The order is for inference alone: no gradient passes through the kernel.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import bitsandbytes as bnb
import torch
from bitsandbytes import functional
from torch import Tensor, nn

from minigpt5.checkpoint.placement import Placement
from minigpt5.checkpoint.store import files_of, stored_shapes
from minigpt5.model.language import LanguageModel

Quantization = Literal["8bit", "4bit"]

BLOCK = 64  # numbers that share a scale
CHUNK = 2**18  # numbers quantized at a time: they stay in the CPU's cache
ROWS, PAIR = (
    32,
    16,
)  # of the CPU kernel's order: rows that lie together, and their halves, one in each half of a byte
STATE = "quant_state.bitsandbytes__nf4"
MEMBERS: dict[Quantization, tuple[str, ...]] = {  # names of a layer's tensors, but for its bias
    "4bit": (
        "weight",
        "weight.absmax",
        "weight.quant_map",
        "weight.nested_absmax",
        "weight.nested_quant_map",
        f"weight.{STATE}",
    ),
    "8bit": ("weight", "SCB", "weight_format"),
}
MARKS: dict[Quantization, str] = {"4bit": f".{STATE}", "8bit": ".SCB"}  # what a key of such a file ends with


def stored_quantization(folder: Path) -> Quantization | None:
    """How the LLM of a model folder is stored; None where it is whole or missing. Raises `CheckpointError`."""
    keys = stored_shapes(files_of(folder, "language"))
    return next((mode for mode, mark in MARKS.items() if any(key.endswith(mark) for key in keys)), None)


def block_layers(language: LanguageModel) -> dict[str, nn.Linear]:
    """The layers that are quantized, by their names in the part: the linear ones of the LLM's blocks.

    Its embeddings and output layer keep their precision, because the voken rows live there.
    """
    return {
        f"llama.model.layers.{name}": module
        for name, module in language.llama.model.layers.named_modules()
        if isinstance(module, nn.Linear)
    }


def replace_layer(language: LanguageModel, name: str, layer: nn.Module) -> None:
    """Put `layer` in the place of the one of that name."""
    parent, _, child = name.rpartition(".")
    setattr(language.get_submodule(parent), child, layer)


def quantize_language(language: LanguageModel, mode: Quantization, placement: Placement) -> None:
    """Swap the linear layers of the LLM's blocks that have numbers for quantized ones on the device, in place."""
    for name, module in block_layers(language).items():
        if type(module) is nn.Linear and not any(tensor.is_meta for tensor in module.parameters()):
            bias = None if module.bias is None else module.bias.data
            replace_layer(language, name, quantized(module.weight.data, bias, mode, placement))


def quantized(weight: Tensor, bias: Tensor | None, mode: Quantization, placement: Placement) -> nn.Module:
    """A layer of `weight` (N,K) that computes in the precision of `placement`, on its device."""
    layer = _empty(weight.shape, bias, mode, placement)
    if mode == "8bit":
        layer.weight = bnb.nn.Int8Params(weight.cpu(), requires_grad=False, has_fp16_weights=False)
        return layer.to(placement.device)
    if placement.device.type == "cpu" and not weight.shape[1] % BLOCK:
        packed, state = quantize_nf4(weight)
    else:
        packed, state = functional.quantize_4bit(
            weight.to(placement.device), blocksize=BLOCK, compress_statistics=True, quant_type="nf4"
        )
    return _with_state(layer, packed, state, placement)


def restored(
    tensors: Mapping[str, Tensor],
    shape: tuple[int, int],
    bias: Tensor | None,
    mode: Quantization,
    placement: Placement,
) -> nn.Module:
    """The layer (N,K) whose tensors, by the names in `MEMBERS`, came from a file."""
    layer = _empty(shape, bias, mode, placement)
    device = placement.device
    if mode == "8bit":
        numbers, scales = tensors["weight"].to(device), tensors["SCB"].to(device)
        layer.weight = bnb.nn.Int8Params(
            numbers, requires_grad=False, has_fp16_weights=False, CB=numbers, SCB=scales
        )
        return layer
    stored = {name.removeprefix("weight."): value for name, value in tensors.items() if name != "weight"}
    state = functional.QuantState.from_dict(stored, device=device)
    return _with_state(layer, tensors["weight"].to(device), state, placement)


def stored_tensors(layer: nn.Module) -> dict[str, Tensor]:
    """What of a layer goes into a file, by the names in `MEMBERS` and `bias`."""
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in layer.state_dict().items()}


def dequantized(layer: Any) -> Tensor:
    """The weight (N,K) float32 that a layer stands for."""
    if isinstance(layer, bnb.nn.Linear8bitLt):
        return functional.int8_vectorwise_dequant(layer.weight.data, layer.weight.SCB).float()
    return functional.dequantize_4bit(layer.weight.data, layer.weight.quant_state).float()


def _empty(shape: Any, bias: Tensor | None, mode: Quantization, placement: Placement) -> Any:
    """A layer of bitsandbytes' without a weight."""
    rows, columns = shape
    kinds: dict[Quantization, Any] = {"4bit": bnb.nn.Linear4bit, "8bit": bnb.nn.Linear8bitLt}
    more: dict[Quantization, dict[str, Any]] = {
        "4bit": {"compute_dtype": placement.dtype, "quant_type": "nf4"},
        "8bit": {"has_fp16_weights": False},
    }
    layer = kinds[mode](columns, rows, bias=False, device="meta", **more[mode])
    if bias is not None:
        layer.bias = nn.Parameter(bias.to(placement.device, placement.dtype), requires_grad=False)
    if mode == "4bit":
        vars(layer)["support_avx512bf16_for_cpu"] = False  # see `arrange_for_cpu`
    return layer.requires_grad_(False).eval()


def _with_state(layer: Any, packed: Tensor, state: Any, placement: Placement) -> Any:
    state.dtype = placement.dtype  # what it is dequantized to
    layer.weight = bnb.nn.Params4bit(
        packed, requires_grad=False, quant_state=state, quant_type="nf4", module=layer, bnb_quantized=True
    )
    layer.quant_state = state
    return layer


def quantize_nf4(weight: Tensor) -> tuple[Tensor, Any]:
    """`weight` (N,K), K a multiple of 64, as (N*K/2,1) uint8 and bitsandbytes' state: what its `quantize_4bit` gives.

    Source: bitsandbytes 0.50.2, `backends/default/ops.py` (the code of a number is how many midpoints of
    neighbouring code values are below it).
    """
    code = functional.get_4bit_type("nf4", device="cpu")
    midpoints = ((code[:-1] + code[1:]) / 2).tolist()
    pieces = [_nf4_codes(piece, midpoints) for piece in weight.reshape(-1).split(CHUNK)]
    absmax = torch.cat([scales for _, scales in pieces])
    offset = absmax.mean()
    scales, nested = functional.quantize_blockwise(absmax - offset, blocksize=256)
    state = functional.QuantState(
        absmax=scales,
        shape=weight.shape,
        dtype=weight.dtype,
        blocksize=BLOCK,
        code=code,
        quant_type="nf4",
        offset=offset,
        state2=nested,
    )
    return torch.cat([packed for packed, _ in pieces])[:, None], state


def _nf4_codes(numbers: Tensor, midpoints: list[float]) -> tuple[Tensor, Tensor]:
    """Flat numbers -> two codes a byte, the first in its upper half, and the largest magnitude of each block."""
    blocks = numbers.float().view(-1, BLOCK)
    absmax = blocks.abs().amax(1)
    scaled = (blocks * (1.0 / absmax.clamp(min=1e-38))[:, None]).clamp_(-1, 1)
    codes = torch.zeros(scaled.shape, dtype=torch.uint8)
    for midpoint in midpoints:
        codes += scaled > midpoint
    pairs = codes.view(-1, 2)
    return (pairs[:, 0] << 4) | pairs[:, 1], absmax


def has_cpu_kernel() -> bool:
    """Whether this CPU has the fast kernel for 4-bit layers."""
    return bool(functional.has_avx512bf16())


def arrange_for_cpu(language: LanguageModel, placement: Placement) -> None:
    """Bring the 4-bit layers into the order of the CPU's fast kernel, if there is one; for inference alone.

    What bitsandbytes does at the first use of each layer: its `_convert_weight_packed_for_cpu` (0.50.2).
    """
    if placement.device.type != "cpu" or not has_cpu_kernel():
        return
    for layer in block_layers(language).values():
        if (
            isinstance(layer, bnb.nn.Linear4bit)
            and not layer.out_features % ROWS
            and not layer.in_features % BLOCK
        ):
            _arrange(layer)


def _arrange(layer: Any) -> None:
    weight, state = layer.weight, layer.weight.quant_state
    rows, columns = state.shape
    state.original_dtype, state.original_nested = state.dtype, state.nested
    state.original_qshape = weight.data.shape
    scales = functional.dequantize_blockwise(state.absmax, state.state2) + state.offset
    state.absmax = scales.view(rows, columns // BLOCK).T.to(torch.bfloat16).contiguous()
    state.nested = False
    del state.state2
    state.dtype, state.packing_format_for_cpu = torch.bfloat16, True
    weight.data = kernel_order(weight.data, rows)


def kernel_order(packed: Tensor, rows: int) -> Tensor:
    """Codes row by row (N*K/2,1) -> (N,K/2) in the kernel's order.

    For each 32 rows and each pair of columns there are 32 bytes: byte 2b + c has the code of row b, column c in its
    lower half and that of row b + 16, column c in its upper half.
    """
    halves = packed.view(rows // ROWS, 2, PAIR, -1)  # (N/32,2,16,K/2), the first column in the upper half
    low, high = halves[:, 0], halves[:, 1]
    first, second = (low >> 4) | (high & 0xF0), (low & 0xF) | (high << 4)
    return torch.stack([first, second], -1).transpose(1, 2).reshape(rows, -1)  # (N/32,K/2,16,2)

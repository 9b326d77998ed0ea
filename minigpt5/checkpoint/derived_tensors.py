"""Tensors of ours that the official code computes when it loads its files, as entries that are read late.

The biases of EVA's attention are joined, its linear layers rounded, and the prefix encoder, a constant once
trained, gives way to the keys and values that it makes.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from minigpt5.checkpoint.official_config import Settings, language_settings
from minigpt5.checkpoint.official_names import PREFIX, UNUSED_BLOCK
from minigpt5.checkpoint.store import listed
from minigpt5.checkpoint.weight_files import Entries, Entry
from minigpt5.errors import CheckpointError

# what `convert_weights_to_fp16` of official `eva_vit.py` rounds: linear layers and the convolution, no norms
ROUNDED = re.compile(r"patch_embed\.proj\..*|blocks\.\d+\.(attn\.qkv\.weight|attn\.proj\..*|mlp\.fc\d\..*)")
TRANSFORM = ("transform.0.weight", "transform.0.bias", "transform.2.weight", "transform.2.bias")


def eva_tensors(entries: Entries) -> Entries:
    """`eva_vit_g.pth` as official `create_eva_vit_g` reads it: its last block left out, rounded to float16."""
    used = {key: entry for key, entry in entries.items() if not key.startswith(UNUSED_BLOCK)}
    return _join_biases(
        {key: _rounded(entry) if ROUNDED.fullmatch(key) else entry for key, entry in used.items()}
    )


def _rounded(entry: Entry) -> Entry:
    """The same for the released file, which is in float16; others would lie 2e-4 beside the official output."""
    if entry.dtype != torch.float32:
        return entry
    return replace(entry, read=lambda: entry.read().half().float())


def _join_biases(entries: Entries) -> Entries:
    """EVA's attention has biases for queries and values alone; ours has one for all three, zero for keys."""
    joined = dict(entries)
    for key, query in entries.items():
        value = entries.get(key.replace("q_bias", "v_bias"))
        if not key.endswith(".attn.q_bias") or value is None:
            continue
        del joined[key], joined[value.key]
        name = key.replace("q_bias", "qkv.bias")

        def read(
            query: Callable[[], Tensor] = query.read, value: Callable[[], Tensor] = value.read
        ) -> Tensor:
            return torch.cat([query(), torch.zeros_like(query()), value()])

        joined[name] = replace(query, key=name, shape=(3 * query.shape[0],), read=read)
    return joined


def prefix_tensors(path: Path, entries: Entries, settings: Settings) -> Entries:
    """The prefix encoder as what it computes: keys and values (layers, heads, length, width of a head)."""
    encoder = {key: entry for key, entry in entries.items() if key.startswith(f"{PREFIX}.")}
    if not encoder:
        return entries
    names = [f"{PREFIX}.{name}" for name in ("embedding.weight", *TRANSFORM)]
    if missing := [name for name in names if name not in encoder]:
        raise CheckpointError(f"{path}: got no {listed(missing)}, expected a whole prefix encoder")
    language = language_settings(settings)
    layers, heads = language["num_hidden_layers"], language["num_attention_heads"]
    length, width = encoder[names[0]].shape
    shape = (layers, heads, length, width // heads)
    if encoder[names[-1]].shape != (2 * layers * width,):
        got, expected = encoder[names[-1]].shape, (2 * layers * width,)
        raise CheckpointError(f"{path}: got {names[-1]} of shape {got}, expected {expected}")
    rest = {key: entry for key, entry in entries.items() if key not in names}
    for index, side in enumerate(("keys", "values")):

        def read(index: int = index) -> Tensor:
            states = _prefix_states([encoder[name].read().float() for name in names])  # (length, 2 L D)
            return states.view(length, layers, 2, heads, -1)[:, :, index].permute(1, 2, 0, 3).contiguous()

        name = f"{PREFIX}.{side}"
        rest[name] = replace(encoder[names[0]], key=name, shape=shape, dtype=torch.float32, read=read)
    return rest


def _prefix_states(weights: list[Tensor]) -> Tensor:
    """peft's `PrefixEncoder` with its projection: embedding, Linear, tanh, Linear."""
    embedding, first, first_bias, second, second_bias = weights
    return torch.tanh(embedding @ first.T + first_bias) @ second.T + second_bias

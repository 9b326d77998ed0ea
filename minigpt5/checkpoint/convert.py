"""The official files -> a model folder of ours: `python -m minigpt5 convert`.

Every foreign name stands in the tables of this file, nowhere else. A name on the left stands for itself and
for all that begins with it and a dot; the longest one that fits decides; `{n}` is a layer's number. On the
right stands the part of our folder and, behind the slash, the name in that part; None is what the official
code does not use. A key that no line speaks of is refused, and so is a key of ours that no file fills.

Which stage a checkpoint is of, LoRA or prefix tuning is read from its keys. LoRA stays apart, exactly as
trained (part `lora`), and is merged when the model is loaded; the prefix encoder is a constant once trained,
so that its keys and values are computed here and stored in its stead.

Sources: official `model.py` (`MiniGPT5_Model.on_save_checkpoint`), MiniGPT-4 `eva_vit.py`, `Qformer.py`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from minigpt5.checkpoint.build import build_empty, parts_of
from minigpt5.checkpoint.official_config import Settings, language_settings, official_config, read_settings
from minigpt5.checkpoint.store import listed
from minigpt5.checkpoint.vicuna_tokenizer import convert_tokenizer
from minigpt5.checkpoint.weight_files import Entries, close_files, entries_of_file, entries_of_folder
from minigpt5.checkpoint.writing import Planned, write_model
from minigpt5.config import ModelConfig
from minigpt5.errors import CheckpointError

Names = dict[str, str | None]

LAYER, OUR_LAYER = "Qformer.bert.encoder.layer.{n}", "vision/qformer.encoder.layer.{n}"
BLOCK, OUR_BLOCK = "blocks.{n}", "vision/vit.encoder.layers.{n}"
PEFT = "model.llama_model.base_model.model"
PREFIX = "model.prefix_encoder"

VIT: Names = {
    "cls_token": "vision/vit.embeddings.class_embedding",
    "pos_embed": "vision/vit.embeddings.position_embedding",
    "patch_embed.proj": "vision/vit.embeddings.patch_embedding",
    f"{BLOCK}.norm1": f"{OUR_BLOCK}.layer_norm1",
    f"{BLOCK}.norm2": f"{OUR_BLOCK}.layer_norm2",
    f"{BLOCK}.attn.qkv": f"{OUR_BLOCK}.self_attn.qkv",
    f"{BLOCK}.attn.proj": f"{OUR_BLOCK}.self_attn.projection",
    f"{BLOCK}.mlp": f"{OUR_BLOCK}.mlp",
    "norm": None,
    "fc_norm": None,
    "head": None,
    "mask_token": None,
    "lm_head": None,
}
QFORMER: Names = {
    "query_tokens": "vision/query_tokens",
    "ln_vision": "vision/vit.post_layernorm",
    "Qformer.bert.embeddings.LayerNorm": "vision/qformer.layernorm",
    f"{LAYER}.attention.self": f"{OUR_LAYER}.attention.attention",
    f"{LAYER}.attention.output": f"{OUR_LAYER}.attention.output",
    f"{LAYER}.crossattention.self": f"{OUR_LAYER}.crossattention.attention",
    f"{LAYER}.crossattention.output": f"{OUR_LAYER}.crossattention.output",
    f"{LAYER}.intermediate_query": f"{OUR_LAYER}.intermediate_query",
    f"{LAYER}.output_query": f"{OUR_LAYER}.output_query",
    f"{LAYER}.intermediate": None,  # the branch that reads text
    f"{LAYER}.output": None,
    "Qformer.bert.embeddings": None,
    "Qformer.cls": None,
    "t5_proj": None,
    "opt_proj": None,
}
UNUSED_BLOCK = "blocks.39."  # official `create_eva_vit_g` has depth 39, its file one block more
MINIGPT4: Names = {"llama_proj": "vision/language_projection"}
LLM: Names = {
    "model": "language/llama.model",
    "model.embed_tokens": None,  # whole in the checkpoints, old rows changed by weight decay
    "lm_head": None,
    "model.layers.{n}.self_attn.rotary_emb": None,
}
STAGE1: Names = {
    "t2i_decoder_prompt": "mapper/queries",
    "llm_to_t2i_mapping": "mapper/transformer",
    "fc": "mapper/proj",
    "model.llama_model.model.embed_tokens": "language/llama.model.embed_tokens",
    "model.llama_model.lm_head": "language/llama.lm_head",
    f"{PREFIX}.keys": "language/prefix_keys",  # these two are `_fold_prefix`'s
    f"{PREFIX}.values": "language/prefix_values",
}
STAGE2: Names = {
    "llm_to_t2i_mapping": "mapper/transformer",
    f"{PEFT}.model.embed_tokens.modules_to_save.default": "language/llama.model.embed_tokens",
    f"{PEFT}.lm_head.modules_to_save.default": "language/llama.lm_head",
    **{
        f"{PEFT}.model.layers.{{n}}.self_attn.{name}_proj.lora_{side}.default": (
            f"lora/llama.model.layers.{{n}}.self_attn.{name}_proj.lora_{side}"
        )
        for name in "qv"
        for side in "AB"
    },
    f"{PEFT}.model.embed_tokens.original_module": None,  # what stage 2 started from, used by no forward pass
    f"{PEFT}.lm_head.original_module": None,
    f"{PREFIX}.keys": "language/prefix_keys",
    f"{PREFIX}.values": "language/prefix_values",
}
UNET: Names = {"": "unet/"}
VAE: Names = {
    "": "vae/",
    **{
        f"{side}.mid_block.attentions.{{n}}.{old}": f"vae/{side}.mid_block.attentions.{{n}}.{new}"
        for side in ("encoder", "decoder")
        for old, new in {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}.items()
    },
}
TEXT_ENCODER: Names = {
    "text_model": "text_encoder/",
    "text_model.embeddings.position_ids": None,
    "text_projection": None,
}


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the official files lie."""

    llm: Path
    vit: Path
    qformer: Path
    minigpt4: Path
    diffusion: Path
    stage1: Path
    stage2: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One of the files (or folders) opened, with the table for its names."""

    path: Path
    names: Names
    entries: Entries


def convert(
    sources: Sources,
    out: Path,
    *,
    dtype: torch.dtype | None = None,
    vit_heads: int | None = None,
    qformer_heads: int | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> ModelConfig:
    """Write the model of `sources` into the new folder `out`; `dtype` None keeps each tensor's stored precision.

    The numbers of heads of the ViT and the Q-Former are in no weight file: see `official_config`. Nothing
    appears at `out` before all of it is there; an interrupted run goes on where it stopped, part by part.
    Raises `CheckpointError`, one sentence, naming the file, what was got and what was expected.
    """
    try:
        return _convert(sources, out, dtype, (vit_heads, qformer_heads), report)
    finally:
        close_files()


def _convert(
    sources: Sources,
    out: Path,
    dtype: torch.dtype | None,
    heads: tuple[int | None, int | None],
    report: Callable[[str], None],
) -> ModelConfig:
    settings = read_settings(sources.llm, sources.diffusion, sources.qformer, *heads)
    opened = open_sources(sources, settings)
    planned = plan(opened)
    tokenizer = convert_tokenizer(sources.llm)
    shapes = {name: item.entry.shape for name, item in planned.items()}
    try:
        config = official_config(out.name, shapes, settings)
    except KeyError as missing:
        raise CheckpointError(_lacking(opened, [str(missing.args[0])])) from missing
    verify_vocabulary(planned, config, sources.llm, len(tokenizer))
    verify_diffusion(config, sources.diffusion)
    verify_plan(planned, opened, config)
    write_model(out, config, tokenizer, list(planned.values()), dtype=dtype, report=report)
    return config


def open_sources(sources: Sources, settings: Settings) -> list[Source]:
    """All files opened, none read; raises `CheckpointError` for what cannot be opened or is of another kind."""
    first = entries_of_file(sources.stage1)
    _verify_stage(sources.stage1, first, stage=1)
    opened = [
        Source(sources.vit, VIT, _used_blocks(entries_of_file(sources.vit))),
        Source(sources.qformer, QFORMER, entries_of_file(sources.qformer)),
        Source(sources.minigpt4, MINIGPT4, entries_of_file(sources.minigpt4)),
        Source(sources.llm, LLM, entries_of_folder(sources.llm)),
        Source(sources.diffusion / "unet", UNET, entries_of_folder(sources.diffusion / "unet")),
        Source(sources.diffusion / "vae", VAE, entries_of_folder(sources.diffusion / "vae")),
        Source(sources.stage1, STAGE1, _fold_prefix(sources.stage1, first, settings)),
    ]
    text_encoder = sources.diffusion / "text_encoder"
    if settings.text_encoder:
        opened.append(Source(text_encoder, TEXT_ENCODER, entries_of_folder(text_encoder)))
    if sources.stage2:
        second = entries_of_file(sources.stage2)
        _verify_stage(sources.stage2, second, stage=2)
        opened.append(Source(sources.stage2, STAGE2, _fold_prefix(sources.stage2, second, settings)))
    return opened


def plan(opened: list[Source]) -> dict[str, Planned]:
    """What becomes of every tensor, by part and name; of two sources of one tensor the later holds.

    Raises `CheckpointError` that lists the keys no table speaks of.
    """
    planned: dict[str, Planned] = {}
    for source in opened:
        unexpected = []
        for key, entry in source.entries.items():
            known, name = translate(source.names, key)
            if not known:
                unexpected.append(key)
            elif name:
                part, _, ours = name.partition("/")
                planned[name] = Planned(part, ours, entry)
        if unexpected:
            raise CheckpointError(
                f"{source.path}: got {len(unexpected)} unknown keys ({listed(unexpected)}), expected only"
                " those of the official files"
            )
    return planned


def translate(names: Names, key: str) -> tuple[bool, str | None]:
    """Whether the table speaks of `key`, and its part and name with us (None if it is not used)."""
    for stem in sorted(names, key=len, reverse=True):
        found = _match(stem, key)
        if found is None:
            continue
        target, (number, rest) = names[stem], found
        if target is None:
            return True, None
        return True, (target.replace("{n}", number) + rest).replace("/.", "/").lstrip(".")
    return False, None


def foreign_name(names: Names, name: str) -> str | None:
    """The foreign key of our part and name, None if it is not of this table."""
    back: Names = {ours: stem for stem, ours in names.items() if ours}
    known, key = translate(back, name)
    return key if known and key and translate(names, key)[1] == name else None


def _match(stem: str, key: str) -> tuple[str, str] | None:
    """The layer's number and what follows the stem in `key`, if `key` begins with it."""
    if stem == "" or stem.endswith("/"):
        return ("", "." + key[len(stem) :]) if key.startswith(stem) else None
    pattern = re.escape(stem).replace(r"\{n\}", r"(?P<n>\d+)")
    found = re.fullmatch(rf"{pattern}(?P<rest>\..+)?", key)
    return (found.groupdict().get("n") or "", found["rest"] or "") if found else None


def verify_plan(planned: dict[str, Planned], opened: list[Source], config: ModelConfig) -> None:
    """Raise `CheckpointError` unless every tensor of the model is there, of its shape, and no other."""
    expected = {
        f"{part}/{key}": tuple(tensor.shape)
        for part, module in parts_of(build_empty(config)).items()
        for key, tensor in module.state_dict().items()
    }
    ours = {name: item for name, item in planned.items() if name.partition("/")[0] in FILLED}
    if missing := [name for name in expected if name not in ours]:
        raise CheckpointError(_lacking(opened, missing))
    if unexpected := [item.entry for name, item in ours.items() if name not in expected]:
        keys = listed([entry.key for entry in unexpected])
        raise CheckpointError(f"{unexpected[0].file}: got {keys}, expected no such layer in this model")
    for name, item in ours.items():
        if item.entry.shape != expected[name]:
            raise CheckpointError(
                f"{item.entry.file}: got {item.entry.key} of shape {item.entry.shape},"
                f" expected {expected[name]}"
            )


FILLED = ("vision", "language", "mapper", "unet", "vae")


def verify_vocabulary(planned: dict[str, Planned], config: ModelConfig, llm: Path, tokens: int) -> None:
    """Raise `CheckpointError` unless the LLM folder is the one on which the checkpoint was trained."""
    embeddings = planned["language/llama.model.embed_tokens.weight"].entry
    rows, width = embeddings.shape
    if width != config.language["hidden_size"]:
        got = config.language["hidden_size"]
        raise CheckpointError(f"{llm}: got an LLM {got} wide, expected {width} as in {embeddings.file.name}")
    if rows != tokens:
        raise CheckpointError(
            f"{llm}: got a tokenizer of {tokens} tokens with the nine new ones, expected {rows} as in"
            f" {embeddings.file.name}"
        )


def verify_diffusion(config: ModelConfig, folder: Path) -> None:
    """Raise `CheckpointError` unless the diffusion model is of the kind for which the mapper was trained."""
    width, expected = config.unet.get("cross_attention_dim"), config.mapper.width
    if width != expected:
        raise CheckpointError(
            f"{folder / 'unet/config.json'}: got conditioning {width} wide, expected {expected} as the mapper's"
        )
    kind = config.scheduler.get("prediction_type", "epsilon")
    if kind != "epsilon":
        raise CheckpointError(
            f"{folder / 'scheduler/scheduler_config.json'}: got a model that predicts {kind!r}, expected"
            " 'epsilon' (Stable Diffusion 2.1-base, not 2.1)"
        )


def _lacking(opened: list[Source], names: list[str]) -> str:
    """One sentence for the names of ours that nothing fills, under the names they have in their file."""
    for source in opened:
        keys = [key for name in names if (key := foreign_name(source.names, name))]
        if keys:
            return f"{source.path}: got no {listed(keys)}, expected all keys of the official file"
    return f"the official files: got nothing for {listed(names)}, expected all of the model"


def _verify_stage(path: Path, entries: Entries, *, stage: int) -> None:
    lora = any(".lora_" in key for key in entries)
    first = any(key.startswith("fc.") for key in entries)
    got = "of stage 2 (LoRA)" if lora else "of stage 1 (fc)" if first else "without fc and without LoRA"
    if (stage == 1 and (lora or not first)) or (stage == 2 and not lora):
        expected = "stage 1 with fc.*" if stage == 1 else "stage 2 with LoRA"
        raise CheckpointError(f"{path}: got a checkpoint {got}, expected one of {expected}")


def _used_blocks(entries: Entries) -> Entries:
    return _join_biases({key: entry for key, entry in entries.items() if not key.startswith(UNUSED_BLOCK)})


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


def _fold_prefix(path: Path, entries: Entries, settings: Settings) -> Entries:
    """The prefix encoder as what it computes: keys and values (layers, heads, length, width of a head)."""
    encoder = {key: entry for key, entry in entries.items() if key.startswith(f"{PREFIX}.")}
    if not encoder:
        return entries
    names = [f"{PREFIX}.{name}" for name in ("embedding.weight", *_TRANSFORM)]
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


_TRANSFORM = ("transform.0.weight", "transform.0.bias", "transform.2.weight", "transform.2.bias")


def _prefix_states(weights: list[Tensor]) -> Tensor:
    """peft's `PrefixEncoder` with its projection: embedding, Linear, tanh, Linear."""
    embedding, first, first_bias, second, second_bias = weights
    return torch.tanh(embedding @ first.T + first_bias) @ second.T + second_bias

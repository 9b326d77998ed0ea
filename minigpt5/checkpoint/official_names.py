"""Every foreign name of a tensor, and where it goes in our folder; they stand nowhere else.

A name on the left stands for itself and for all that begins with it and a dot; the longest one that fits
decides; `{n}` is a layer's number. On the right stands the part of our folder and, behind the slash, the name
in that part; None is what the official code does not use.

Sources: official `model.py` (`MiniGPT5_Model.on_save_checkpoint`), MiniGPT-4 `eva_vit.py`, `Qformer.py`;
transformers `Blip2ForConditionalGeneration`.
"""

import re

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
BLIP2: Names = {  # transformers' layout: the names below are our own, since the classes are the same
    "query_tokens": "vision/query_tokens",
    "vision_model": "vision/vit",
    "qformer": "vision/qformer",
    "qformer.encoder.layer.{n}.intermediate": None,  # the branch that reads text
    "qformer.encoder.layer.{n}.output": None,
    "qformer.embeddings": None,
    "language_projection": None,  # MiniGPT-4 has its own
    "language_model": None,
}
BLIP2_VIT = "vision_model."  # with this begins what of it is the ViT
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
    f"{PREFIX}.keys": "language/prefix_keys",  # these two are computed, see `derived_tensors`
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

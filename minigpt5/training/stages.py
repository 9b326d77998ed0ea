"""The stages after the base parts, as data: what is trained, on which losses.

`UAS` and `MLS` are the paper's (section 3.3): unimodal alignment of the vokens with frozen LLM, then multimodal
learning with LoRA. `EYES` stands for what BLIP-2 and MiniGPT-4 did before the paper began: the vision tower is
aligned with the frozen LLM by describing pictures.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """`trainable` are prefixes of parameter names, `frozen` exceptions to them; `voken_rows` are the control
    tokens' rows of the LLM's input and output embeddings, trained with the other rows masked."""

    name: str
    trainable: tuple[str, ...]
    frozen: tuple[str, ...] = ()
    voken_rows: bool = True
    lora: bool = False
    text_weight: float = 0.01
    image_weight: float = 1.0
    caption_weight: float = 0.0
    dropped_share: float = 0.1
    drawn_limit: int = 16  # pictures of a batch that go through the UNet, the costliest part by far


EYES = Stage("eyes", ("vision.",), voken_rows=False, text_weight=1.0, image_weight=0.0, dropped_share=0.0)
UAS = Stage("uas", ("mapper.",), caption_weight=0.1, drawn_limit=8)
MLS = Stage("mls", ("mapper.", "language."), frozen=("mapper.proj", "mapper.queries"), lora=True)

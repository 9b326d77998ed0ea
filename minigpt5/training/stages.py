"""The stages after the base parts, as data: what is trained, on which losses. Every ablation is a stage of its own.

`UAS` and `MLS` are the paper's (section 3.3): unimodal alignment of the vokens with frozen LLM, then multimodal
learning with LoRA. `EYES` stands for what BLIP-2 and MiniGPT-4 did before the paper began: the vision tower is
aligned with the frozen LLM by describing pictures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Stage:
    """What a stage trains, and on what.

    `trainable` are prefixes of parameter names, `frozen` exceptions to them, `faster` those that learn at ten
    times the rate; `voken_rows` are the control tokens' rows of the LLM's input and output embeddings. The
    weights are those of the losses. `dropped_share` of the pictures to draw have their vokens replaced by zeros
    (classifier-free guidance). `drawn_limit` bounds the pictures of a batch that go through the UNet, the
    costliest part by far; `early_share` of the timesteps are drawn from the noisier half instead of from all;
    `sampled_latents` draws a picture's latents from the VAE's posterior instead of taking its mean. `fresh`
    begins with a mapper and voken rows that no stage has trained.
    """

    name: str
    trainable: tuple[str, ...]
    frozen: tuple[str, ...] = ()
    faster: tuple[str, ...] = ()
    voken_rows: bool = True
    lora: bool = False
    prefix_length: int = 0
    fresh: bool = False
    text_weight: float = 0.01
    image_weight: float = 1.0
    caption_weight: float = 0.0
    dropped_share: float = 0.1
    drawn_limit: int | None = None
    early_share: float = 0.0
    sampled_latents: bool = True


UNET = "diffusion.unet."  # the prefix of the painter's parameters

EYES = Stage("eyes", ("vision.",), voken_rows=False, text_weight=1.0, image_weight=0.0, dropped_share=0.0)
UAS = Stage("uas", ("mapper.",), faster=("mapper.",), caption_weight=0.1)
MLS = Stage("mls", ("mapper.",), frozen=("mapper.proj", "mapper.queries"), lora=True)
MLS_PREFIX = replace(
    MLS, name="mls-prefix", trainable=("mapper.", "language.prefix_"), lora=False, prefix_length=5
)
# few-step drawing, see `distil`: no words are learned
DISTIL = Stage("distil", ("diffusion.unet_fast.",), voken_rows=False, text_weight=0.0, dropped_share=0.0)

STAGES = {
    stage.name: stage
    for stage in (
        DISTIL,
        UAS,
        MLS,
        MLS_PREFIX,
        replace(MLS, name="mls-no-uas", frozen=(), fresh=True),  # nothing has trained the rest of the mapper
        replace(UAS, name="uas-no-cfg", dropped_share=0.0),
        replace(MLS, name="mls-no-cfg", dropped_share=0.0),
        replace(MLS, name="mls-captions", caption_weight=0.5),  # the paper's needs no descriptions
        replace(UAS, name="uas-no-caption-loss", caption_weight=0.0),
        replace(UAS, name="uas-no-image-loss", image_weight=0.0),
        replace(MLS, name="mls-no-image-loss", image_weight=0.0),
    )
}


def with_unet(stage: Stage) -> Stage:
    """`stage` with the UNet trained as well, as the last stage of the paper's heirs does (arXiv 2505.09568 trains its
    diffusion model with a frozen LLM); it is to learn slowly, at a rate of its own (`Schedule.own_lr`)."""
    return replace(stage, trainable=(*stage.trainable, UNET))

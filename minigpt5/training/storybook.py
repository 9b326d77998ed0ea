"""The recipe of the embedded model, from nothing to `weights/storybook`; `make storybook` runs it whole.

    vae -> grow -> latents -> painter -> polish (text-to-image)   the small "Stable Diffusion"
    words (tokenizer, LLM)                                        the small "Vicuna"
    eyes (tags) -> sight (describing pictures)                    the small "BLIP-2 + MiniGPT-4"
    uas -> mls                                                    the paper's two stages
    mapper                                                        the caption loss again, on states of the finished LLM
    details                                                       the VAE again, where everything else knows it
    distil                                                        a second UNet, for four steps without guidance
    export                                                        the shipped folder

Each step leaves its weights in `<runs>/<step>/step-*`; a step that is finished is not run again, one that was
interrupted goes on where it was.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

from diffusers import DDPMScheduler
from diffusers.models.attention_processor import AttnProcessor

from minigpt5.checkpoint.build import save_model
from minigpt5.checkpoint.store import save_part
from minigpt5.data.storybook.texts.turns import Picture, Turn
from minigpt5.errors import OptionError, TrainingError
from minigpt5.prompt import Encoded
from minigpt5.training.checkpoints import newest
from minigpt5.training.distil import Distiller, DrawingsTask, precompute_drawings
from minigpt5.training.eyes import TagTask
from minigpt5.training.mapper import MapperTask, precompute_states
from minigpt5.training.multimodal import StageTask, Teacher
from minigpt5.training.pictures import (
    EARLY_SHARE,
    TextToImageTask,
    VaeTask,
    chunk_scenes,
    grow,
    precompute_latents,
    training_caption,
)
from minigpt5.training.rows import fold_rows
from minigpt5.training.scenes import Sampler, SceneSource
from minigpt5.training.stages import EYES, Stage
from minigpt5.training.storybook_recipes import (
    DRAWINGS,
    FEW_STEPS,
    LATENT_COUNT,
    STATE_COUNT,
    STORYBOOK_MLS,
    STORYBOOK_UAS,
    StorybookRecipe,
)
from minigpt5.training.trainer import fit, processes
from minigpt5.training.words import LanguageTask
from minigpt5.training.workshop import Workshop


def train_vae(shop: Workshop) -> None:
    """The VAE at half the size, where a picture costs a third."""
    fit(
        VaeTask(shop.half_vae, shop.world, shop.config.image_size // 2),
        shop.schedules["vae"],
        shop.runs / "vae",
    )


def train_grow(shop: Workshop) -> None:
    """The VAE at full size, from the one of half the size where there is one; then its per-channel normalisation."""
    vae = shop.model.diffusion.vae
    if newest(shop.runs / "vae"):
        grow(vae, shop.half_vae)
    fit(VaeTask(vae, shop.world, shop.config.image_size), shop.schedules["grow"], shop.runs / "grow")
    shop.normalise()


def train_details(shop: Workshop) -> None:
    """The whole VAE goes on, its latents held where the UNet and the mapper know them."""
    vae = shop.model.diffusion.vae
    anchor = (shop.anchor or deepcopy(vae)).requires_grad_(False)
    fit(
        VaeTask(vae, shop.world, shop.config.image_size, anchor),
        shop.schedules["details"],
        shop.runs / "details",
    )


def train_painter(shop: Workshop, name: str = "painter", early_share: float = EARLY_SHARE) -> None:
    """UNet and text encoder on precomputed latents."""
    with processes().main_process_first():
        latents = precompute_latents(
            shop.model.diffusion.vae,
            shop.world,
            shop.runs / "latents.pt",
            LATENT_COUNT,
            shop.config.image_size,
        )
    scenes = [scene for index in range(LATENT_COUNT // 32) for scene in chunk_scenes(shop.world, index)]
    scheduler = DDPMScheduler.from_config(shop.config.scheduler)
    module = shop.module("painter")
    fit(
        TextToImageTask(
            module, shop.world, latents, scenes, shop.caption_tokenizer, scheduler, name, early_share
        ),
        shop.schedules[name],
        shop.runs / name,
    )


def train_polish(shop: Workshop) -> None:
    """The UNet alone goes on, at all timesteps alike; the text encoder stays, and with it what the mapper is to meet."""
    shop.text_encoder.requires_grad_(False)
    train_painter(shop, "polish", early_share=0.0)


def train_distil(shop: Workshop) -> None:
    """The UNet of the few steps, from drawings of the other one."""
    diffusion, rng = shop.model.diffusion, random.Random("drawings")
    student = diffusion.unet_fast
    if student is None:
        raise TrainingError("distil: got a model without `fast` in its config.json, expected one with it")
    student.set_attn_processor(AttnProcessor())
    distiller = Distiller(student, diffusion.unet, shop.config.scheduler, FEW_STEPS)
    scenes = [scene for i in range(DRAWINGS // 32) for scene in chunk_scenes(shop.world, i)]
    captions = [training_caption(shop.world, scene, rng) for scene in scenes]
    with processes().main_process_first():
        drawings = precompute_drawings(
            distiller, shop.teacher, captions, shop.runs / "drawings", diffusion.latent_shape
        )
    fit(DrawingsTask(distiller, drawings, shop.teacher), shop.schedules["distil"], shop.runs / "distil")


def train_words(shop: Workshop) -> None:
    """The LLM on dialogues in which pictures are tags."""
    schedule = shop.schedules["words"]
    task = LanguageTask(shop.module("words"), shop.tokenizer, shop.world, short_steps=schedule.steps // 2)
    fit(task, schedule, shop.runs / "words")


def train_eyes(shop: Workshop) -> None:
    """ViT and Q-Former on saying what they see as tags, in the embeddings of the LLM."""
    fit(
        TagTask(shop.module("eyes"), shop.model.vision.vit.config.image_size, shop.world),
        shop.schedules["eyes"],
        shop.runs / "eyes",
    )


def train_stage(
    shop: Workshop, name: str, stage: Stage, sampler: Sampler, teacher: Teacher | None = None
) -> None:
    """One of the stages that train through the LLM."""
    if stage.lora and not newest(shop.runs / name):  # else they are in already
        shop.model.language.add_lora(shop.config.lora)
    eye_size = shop.model.vision.vit.config.image_size
    source = SceneSource(sampler, name, shop.config.image_size, eye_size, shop.world, stage.drawn_limit)
    fit(StageTask(shop.model, stage, shop.tokenizer, source, teacher), shop.schedules[name], shop.runs / name)
    if stage.voken_rows:
        fold_rows(shop.model.language)


def describing(shop: Workshop) -> Sampler:
    """Half the pictures are to be told by their caption, half are asked about."""
    world = shop.world

    def draw(rng: random.Random) -> Encoded:
        if rng.random() < 0.5:
            scene = world.training_scene(rng, None)
            turns: tuple[Turn, ...] = (
                Turn("user", (Picture(scene), "caption")),
                Turn("assistant", (world.caption(scene),)),
            )
        else:
            turns = world.sample(rng, kind="question").messages
        return shop.encode(turns)

    return draw


def captions_to_vokens(shop: Workshop, requests: float = 0.25) -> Sampler:
    """The first stage's pairs: a bare caption and its picture; the share `requests` are requests in a chat."""
    world = shop.world

    def draw(rng: random.Random) -> Encoded:
        if rng.random() < requests:
            return shop.encode(world.sample(rng, kind="draw").messages[:2])
        scene = world.training_scene(rng, None)
        words = world.caption(scene) if rng.random() < 0.4 else world.phrase(scene, rng)
        return shop.encode_caption(words, scene)

    return draw


def pictured(shop: Workshop) -> Sampler:
    """Wordings, requests and dialogues that end in a picture; of the first two, each number of figures is as frequent."""
    world = shop.world

    def draw(rng: random.Random) -> Encoded:
        roll, figures = rng.random(), rng.randint(1, world.max_figures)
        if roll < 0.2:
            turns: tuple[Turn, ...] = ()
            while not (turns and turns[-1].pictures):
                turns = world.sample(rng, kind=rng.choice(("edit", "story"))).cut(rng)
        elif roll < 0.6:
            turns = world.opening(rng, figures)
        else:
            scene = world.training_scene(rng, figures)
            words = world.caption(scene) if rng.random() < 0.25 else world.phrase(scene, rng)
            return shop.encode_caption(words, scene)
        return shop.encode(turns)

    return draw


def train_mapper(shop: Workshop) -> None:
    """The mapper on states of the LLM as it is now."""
    shop.model.requires_grad_(False).eval()
    with processes().main_process_first():
        states = precompute_states(
            shop.model,
            shop.tokenizer,
            pictured(shop),
            shop.world,
            shop.runs / "states.pt",
            STATE_COUNT,
        )
    shop.model.mapper.requires_grad_(True)
    fit(MapperTask(shop.model.mapper, states, shop.teacher), shop.schedules["mapper"], shop.runs / "mapper")


def dialogues(shop: Workshop) -> Sampler:
    """The second stage's documents, cut after one of the assistant's turns."""

    def draw(rng: random.Random) -> Encoded:
        return shop.encode(shop.world.chat(rng))

    return draw


def export(shop: Workshop, folder: Path) -> None:
    """Write the shipped folder: LoRA merged, the text encoder beside it for further training."""
    shop.model.language.merge_lora()
    save_model(folder, shop.model.requires_grad_(False), shop.config, shop.tokenizer)
    save_part(folder, "text_encoder", shop.text_encoder)


STEPS: dict[str, Callable[[Workshop], None]] = {
    "vae": train_vae,
    "grow": train_grow,
    "painter": train_painter,
    "polish": train_polish,
    "words": train_words,
    "eyes": train_eyes,
    "sight": lambda shop: train_stage(shop, "sight", EYES, describing(shop)),
    "uas": lambda shop: train_stage(shop, "uas", STORYBOOK_UAS, captions_to_vokens(shop), shop.teacher),
    "mls": lambda shop: train_stage(shop, "mls", STORYBOOK_MLS, dialogues(shop), shop.teacher),
    "mapper": train_mapper,
    "details": train_details,
    "distil": train_distil,
}


def train_storybook(
    recipe: StorybookRecipe,
    runs: Path,
    folder: Path,
    only: list[str] | None = None,
    start: Path | None = None,
) -> None:
    """Run the steps that are not finished (or those named) from the weights in `start`, if any; then export.

    Raises `OptionError` for a step that the recipe has not.
    """
    if unknown := [name for name in only or () if name not in recipe.schedules]:
        raise OptionError(f"only: got {unknown[0]!r}, expected some of {', '.join(recipe.schedules)}")
    shop = Workshop.open(recipe, runs, start)
    for name in recipe.schedules:
        if only is None or name in only:
            STEPS[name](shop)
    if processes().is_main_process:
        export(shop, folder)

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
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DDPMScheduler
from diffusers.models.attention_processor import AttnProcessor
from transformers import CLIPTextConfig, CLIPTextModel, PreTrainedTokenizerFast

from minigpt5.checkpoint.build import build, parts_of, save_model
from minigpt5.checkpoint.store import TOKENIZER_NAME, load_part, load_tokenizer, save_part, save_tokenizer
from minigpt5.config import ModelConfig
from minigpt5.data.storybook.texts.chats import sample
from minigpt5.data.storybook.texts.phrases import caption, phrase
from minigpt5.data.storybook.texts.requests import opening
from minigpt5.data.storybook.texts.turns import Picture, Turn
from minigpt5.data.storybook.world.scene import Scene, sample_scene
from minigpt5.errors import TrainingError
from minigpt5.images import to_pil
from minigpt5.model.minigpt5 import MiniGPT5
from minigpt5.prompt import Encoded, encode_caption
from minigpt5.training.beginnings import control_ids
from minigpt5.training.checkpoints import load_trained, newest
from minigpt5.training.curves import save_grid
from minigpt5.training.distil import Distiller, DrawingsTask, precompute_drawings
from minigpt5.training.multimodal import StageTask, Teacher
from minigpt5.training.rows import fold_rows, train_rows
from minigpt5.training.stages import EYES, Stage
from minigpt5.training.trainer import fit, processes
from minigpt5.training.wide.config import BASE_VOCABULARY, STORYBOOK
from minigpt5.training.wide.eyes import Tagger, TagTask
from minigpt5.training.wide.mapper import MapperTask, precompute_states
from minigpt5.training.wide.pictures import (
    EARLY_SHARE,
    TextToImage,
    TextToImageTask,
    TokenizeCaptions,
    VaeTask,
    chunk_scenes,
    fit_preview,
    grow,
    half_size,
    normalise_latents,
    precompute_latents,
    scenes_of,
    to_pixels,
    training_caption,
)
from minigpt5.training.wide.scenes import Sampler, SceneSource
from minigpt5.training.wide.schedules import (
    DRAWINGS,
    FEW_STEPS,
    LATENT_COUNT,
    SCHEDULES,
    STATE_COUNT,
    STORYBOOK_MLS,
    STORYBOOK_UAS,
)
from minigpt5.training.wide.tags import Tags
from minigpt5.training.wide.words import LanguageTask, Reader, encode_fitting, train_tokenizer

ROWS = {"uas", "mls"}  # the steps that train the rows of the control tokens


@dataclass
class Workshop:
    """What the steps hand on: the model in the making, its tokenizer and its text encoder."""

    runs: Path
    config: ModelConfig
    model: MiniGPT5
    text_encoder: CLIPTextModel
    tokenizer: PreTrainedTokenizerFast
    half_vae: AutoencoderKL = field(init=False)  # what `vae` trains, to be grown
    anchor: AutoencoderKL | None = None  # the VAE before `details`

    def __post_init__(self) -> None:
        self.half_vae = AutoencoderKL(**half_size(self.config.vae))

    @classmethod
    def open(cls, runs: Path, start: Path | None = None) -> Workshop:
        """Random weights or those of the folder `start`; those of every run in `runs` put in, in order."""
        torch.manual_seed(0)
        runs.mkdir(parents=True, exist_ok=True)
        config = ModelConfig.load(start) if start else STORYBOOK
        with processes().main_process_first():
            if not (runs / TOKENIZER_NAME).exists():
                tokenizer = load_tokenizer(start) if start else train_tokenizer(20_000, BASE_VOCABULARY)
                save_tokenizer(runs, tokenizer)
        model, text_encoder = build(config), CLIPTextModel(CLIPTextConfig(**config.text_encoder))
        if start:
            for part, module in {**parts_of(model), "text_encoder": text_encoder}.items():
                load_part(start, part, module)
        shop = cls(runs, config, model, text_encoder, load_tokenizer(runs, config.mapper.num_vokens))
        for name in STEPS:
            shop.restore(name)
        return shop

    def restore(self, name: str) -> None:
        """Put the averaged weights of a run into the model, if there are any."""
        if newest(self.runs / name) and name in STEPS:
            if name == "mls":
                self.model.language.add_lora(self.config.lora)
            if name in ROWS:
                train_rows(self.model.language, self.control_ids)
            if name == "details":
                self.anchor = deepcopy(self.model.diffusion.vae)
            load_trained(self.module(name), self.runs / name)
            if name in ROWS:
                fold_rows(self.model.language)
            if name == "grow":
                self.normalise()

    def module(self, name: str) -> Any:
        """The nn.Module that step `name` trains."""
        match name:
            case "vae":
                return self.half_vae
            case "grow" | "details":
                return self.model.diffusion.vae
            case "painter" | "polish":
                return TextToImage(self.model.diffusion.unet, self.text_encoder)
            case "words":
                torch.manual_seed(2)
                return Reader(self.model.language, self.config.mapper.num_vokens)
            case "eyes":
                weight = self.model.language.llama.get_input_embeddings().weight.detach()
                return Tagger(self.model.vision, Tags(self.tokenizer).embed(weight))
            case "mapper":
                return self.model.mapper
            case "distil":
                return self.model.diffusion.unet_fast
            case _:
                return self.model

    def normalise(self) -> None:
        """Make the VAE's latents unit-variance, and fit the preview map to them."""
        pictures = to_pixels(scenes_of(99, 96), self.config.image_size, 99)
        self.model.diffusion.vae.eval()
        normalise_latents(self.model.diffusion.vae, pictures)
        self.config = replace(self.config, preview=fit_preview(self.model.diffusion.vae, pictures))

    @property
    def control_ids(self) -> list[int]:
        """The ids of the vokens and of the slot for pictures."""
        return control_ids(self.tokenizer, self.config.mapper.num_vokens)

    def encode(self, turns: tuple[Turn, ...]) -> Encoded:
        """Turns of a chat, the last of which is to be learned; the oldest are left out where the context is full."""
        return encode_fitting(
            turns,
            self.tokenizer,
            self.config.context_length,
            self.config.num_query_tokens,
            self.config.mapper.num_vokens,
        )

    def encode_caption(self, words: str, scene: Scene) -> Encoded:
        """Bare words and their picture."""
        return encode_caption(words, scene, self.tokenizer, num_vokens=self.config.mapper.num_vokens)

    @property
    def caption_tokenizer(self) -> TokenizeCaptions:
        """Captions for the text encoder."""
        return TokenizeCaptions(self.tokenizer, self.config.mapper.length, bos=1, eos=2, pad=0)

    @property
    def teacher(self) -> Teacher:
        """The frozen text encoder of the caption loss."""
        return Teacher(self.text_encoder.requires_grad_(False).eval(), self.caption_tokenizer)


def train_vae(shop: Workshop) -> None:
    """The VAE at half the size, where a picture costs a third."""
    fit(VaeTask(shop.half_vae, shop.config.image_size // 2), SCHEDULES["vae"], shop.runs / "vae")


def train_grow(shop: Workshop) -> None:
    """The VAE at full size, from the one of half the size where there is one; then its per-channel normalisation."""
    vae = shop.model.diffusion.vae
    if newest(shop.runs / "vae"):
        grow(vae, shop.half_vae)
    fit(VaeTask(vae, shop.config.image_size), SCHEDULES["grow"], shop.runs / "grow")
    shop.normalise()


def train_details(shop: Workshop) -> None:
    """The whole VAE goes on, its latents held where the UNet and the mapper know them."""
    vae = shop.model.diffusion.vae
    anchor = (shop.anchor or deepcopy(vae)).requires_grad_(False)
    fit(VaeTask(vae, shop.config.image_size, anchor), SCHEDULES["details"], shop.runs / "details")


def train_painter(shop: Workshop, name: str = "painter", early_share: float = EARLY_SHARE) -> None:
    """UNet and text encoder on precomputed latents."""
    with processes().main_process_first():
        latents = precompute_latents(
            shop.model.diffusion.vae, shop.runs / "latents.pt", LATENT_COUNT, shop.config.image_size
        )
    scenes = [scene for index in range(LATENT_COUNT // 32) for scene in chunk_scenes(index)]
    scheduler = DDPMScheduler.from_config(shop.config.scheduler)
    module = shop.module("painter")
    fit(
        TextToImageTask(module, latents, scenes, shop.caption_tokenizer, scheduler, name, early_share),
        SCHEDULES[name],
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
    captions = [training_caption(scene, rng) for i in range(DRAWINGS // 32) for scene in chunk_scenes(i)]
    with processes().main_process_first():
        drawings = precompute_drawings(
            distiller, shop.teacher, captions, shop.runs / "drawings", diffusion.latent_shape
        )
    fit(DrawingsTask(distiller, drawings, shop.teacher), SCHEDULES["distil"], shop.runs / "distil")


def train_words(shop: Workshop) -> None:
    """The LLM on dialogues in which pictures are tags."""
    schedule = SCHEDULES["words"]
    task = LanguageTask(shop.module("words"), shop.tokenizer, shop.config.context_length, schedule.steps // 2)
    fit(task, schedule, shop.runs / "words")


def train_eyes(shop: Workshop) -> None:
    """ViT and Q-Former on saying what they see as tags, in the embeddings of the LLM."""
    fit(
        TagTask(shop.module("eyes"), shop.model.vision.vit.config.image_size),
        SCHEDULES["eyes"],
        shop.runs / "eyes",
    )


def train_stage(
    shop: Workshop, name: str, stage: Stage, sampler: Sampler, teacher: Teacher | None = None
) -> None:
    """One of the stages that train through the LLM."""
    if stage.lora and not newest(shop.runs / name):  # else they are in already
        shop.model.language.add_lora(shop.config.lora)
    eye_size = shop.model.vision.vit.config.image_size
    source = SceneSource(sampler, name, shop.config.image_size, eye_size, stage.drawn_limit)
    fit(StageTask(shop.model, stage, shop.tokenizer, source, teacher), SCHEDULES[name], shop.runs / name)
    if stage.voken_rows:
        fold_rows(shop.model.language)


def describing(shop: Workshop) -> Sampler:
    """Half the pictures are to be told by their caption, half are asked about."""

    def draw(rng: random.Random) -> Encoded:
        if rng.random() < 0.5:
            scene = sample_scene(rng)
            turns: tuple[Turn, ...] = (
                Turn("user", (Picture(scene), "caption")),
                Turn("assistant", (caption(scene),)),
            )
        else:
            turns = sample(rng, kind="question").messages
        return shop.encode(turns)

    return draw


def captions_to_vokens(shop: Workshop, requests: float = 0.25) -> Sampler:
    """The first stage's pairs: a bare caption and its picture; the share `requests` are requests in a chat."""

    def draw(rng: random.Random) -> Encoded:
        if rng.random() < requests:
            return shop.encode(sample(rng, kind="draw").messages[:2])
        scene = sample_scene(rng)
        words = caption(scene) if rng.random() < 0.4 else phrase(scene, rng)
        return shop.encode_caption(words, scene)

    return draw


def pictured(shop: Workshop) -> Sampler:
    """Wordings, requests and dialogues that end in a picture; of the first two, each number of figures is as frequent."""

    def draw(rng: random.Random) -> Encoded:
        roll, characters = rng.random(), rng.choice((1, 2, 3))
        if roll < 0.2:
            turns: tuple[Turn, ...] = ()
            while not (turns and turns[-1].pictures):
                turns = sample(rng, kind=rng.choice(("edit", "story"))).cut(rng)
        elif roll < 0.6:
            turns = opening(rng, figures=characters)
        else:
            scene = sample_scene(rng, figures=characters)
            words = caption(scene) if rng.random() < 0.25 else phrase(scene, rng)
            return shop.encode_caption(words, scene)
        return shop.encode(turns)

    return draw


def train_mapper(shop: Workshop) -> None:
    """The mapper on states of the LLM as it is now."""
    shop.model.requires_grad_(False).eval()
    with processes().main_process_first():
        states = precompute_states(
            shop.model, shop.tokenizer, pictured(shop), shop.runs / "states.pt", STATE_COUNT
        )
    shop.model.mapper.requires_grad_(True)
    fit(MapperTask(shop.model.mapper, states, shop.teacher), SCHEDULES["mapper"], shop.runs / "mapper")


def dialogues(shop: Workshop) -> Sampler:
    """The second stage's documents, cut after one of the assistant's turns."""

    def draw(rng: random.Random) -> Encoded:
        return shop.encode(sample(rng).cut(rng))

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
    runs: Path, folder: Path, only: list[str] | None = None, start: Path | None = None
) -> None:
    """Run the steps that are not finished (or those named) from the weights in `start`, if any; then export."""
    shop = Workshop.open(runs, start)
    for name, step in STEPS.items():
        if only is None or name in only:
            step(shop)
    if processes().is_main_process:
        export(shop, folder)


def reconstruction_grid(shop: Workshop, path: Path) -> None:
    """Held-out scenes above, what the VAE makes of them below."""
    rng = random.Random(5)
    pixels = to_pixels([sample_scene(rng, held_out=True) for _ in range(8)], shop.config.image_size, 5)
    with torch.no_grad():
        vae = shop.model.diffusion.vae
        again = vae.decode(vae.encode(pixels).latent_dist.mean).sample
    save_grid([to_pil(p) for p in torch.cat([pixels, again])], path)

"""The model in the making: what the steps of the storybook's recipe (`storybook`) hand on, each run's weights put in.

Called by `storybook` and `ablations`; knows what a step trains, not on what.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL
from transformers import CLIPTextConfig, CLIPTextModel, PreTrainedTokenizerFast

from minigpt5.checkpoint.build import build, parts_of
from minigpt5.checkpoint.store import TOKENIZER_NAME, load_part, load_tokenizer, save_tokenizer
from minigpt5.config import ModelConfig
from minigpt5.data.storybook.texts.turns import Turn
from minigpt5.data.storybook.worlds import World
from minigpt5.model.minigpt5 import MiniGPT5
from minigpt5.prompt import Encoded, encode_caption
from minigpt5.training.beginnings import control_ids
from minigpt5.training.checkpoints import load_trained, newest
from minigpt5.training.eyes import Tagger
from minigpt5.training.multimodal import Teacher
from minigpt5.training.pictures import (
    TextToImage,
    TokenizeCaptions,
    fit_preview,
    half_size,
    normalise_latents,
    scenes_of,
    to_pixels,
)
from minigpt5.training.rows import fold_rows, train_rows
from minigpt5.training.storybook_recipes import (
    StorybookRecipe,
)
from minigpt5.training.tags import Tags
from minigpt5.training.trainer import Schedule, processes
from minigpt5.training.words import Reader, encode_fitting, train_tokenizer

ROWS = {"uas", "mls"}  # the steps that train the rows of the control tokens


@dataclass
class Workshop:
    """What the steps hand on: the model in the making, its tokenizer and its text encoder."""

    recipe: StorybookRecipe
    runs: Path
    config: ModelConfig
    model: MiniGPT5
    text_encoder: CLIPTextModel
    tokenizer: PreTrainedTokenizerFast
    half_vae: AutoencoderKL = field(init=False)  # what `vae` trains, to be grown
    anchor: AutoencoderKL | None = None  # the VAE before `details`

    @property
    def world(self) -> World:
        """What the recipe's pictures and texts are of."""
        return self.recipe.world

    @property
    def schedules(self) -> Mapping[str, Schedule]:
        """How long each step of the recipe is."""
        return self.recipe.schedules

    def __post_init__(self) -> None:
        self.half_vae = AutoencoderKL(**half_size(self.config.vae))

    @classmethod
    def open(cls, recipe: StorybookRecipe, runs: Path, start: Path | None = None) -> Workshop:
        """Random weights or those of the folder `start`; those of every run in `runs` put in, in order."""
        torch.manual_seed(0)
        runs.mkdir(parents=True, exist_ok=True)
        config = ModelConfig.load(start) if start else recipe.config
        with processes().main_process_first():
            if not (runs / TOKENIZER_NAME).exists():
                tokenizer = (
                    load_tokenizer(start)
                    if start
                    else train_tokenizer(recipe.world, 20_000, recipe.vocabulary)
                )
                save_tokenizer(runs, tokenizer)
        model, text_encoder = build(config), CLIPTextModel(CLIPTextConfig(**config.text_encoder))
        if start:
            for part, module in {**parts_of(model), "text_encoder": text_encoder}.items():
                load_part(start, part, module)
        shop = cls(recipe, runs, config, model, text_encoder, load_tokenizer(runs, config.mapper.num_vokens))
        for name in recipe.schedules:
            shop.restore(name)
        return shop

    def restore(self, name: str) -> None:
        """Put the averaged weights of a run into the model, if there are any."""
        if newest(self.runs / name):
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
                return Reader(self.model.language, self.world, self.config.mapper.num_vokens)
            case "eyes":
                weight = self.model.language.llama.get_input_embeddings().weight.detach()
                tags = Tags(self.tokenizer, self.world).embed(weight)
                return Tagger(self.model.vision, tags, self.world)
            case "mapper":
                return self.model.mapper
            case "distil":
                return self.model.diffusion.unet_fast
            case _:
                return self.model

    def normalise(self) -> None:
        """Make the VAE's latents unit-variance, and fit the preview map to them."""
        pictures = to_pixels(self.world, scenes_of(self.world, 99, 96), self.config.image_size, 99)
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

    def encode_caption(self, words: str, scene: Any) -> Encoded:
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

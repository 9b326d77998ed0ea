"""One task for the stages EYES, UAS and MLS: what differs between them is data (`stages`) and where samples come from."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from diffusers import DDPMScheduler
from torch import nn
from transformers import CLIPTextModel, PreTrainedTokenizerFast

from minigpt5.data.collate import Batch, collate
from minigpt5.data.storybook.captions import caption
from minigpt5.data.storybook.drawing import render
from minigpt5.images import preprocess
from minigpt5.model.minigpt5 import MiniGPT5
from minigpt5.prompt import Encoded
from minigpt5.training.losses import caption_loss, image_loss, min_snr_weight, text_loss
from minigpt5.training.pictures import TokenizeCaptions, draw_timesteps, to_pixels
from minigpt5.training.stages import Stage
from minigpt5.vokens import CONTROL_TOKENS, IMAGE_PLACEHOLDER, NUM_VOKENS, VOKENS

Sampler = Callable[[random.Random], Encoded]


@dataclass(frozen=True)
class Teacher:
    """The frozen text encoder whose caption features the mapper is to meet in the first stage."""

    text_encoder: CLIPTextModel
    tokenize: TokenizeCaptions


@dataclass(frozen=True)
class StageBatch:
    """A batch with its pictures rendered, and the random draws that its losses need."""

    batch: Batch
    pixel_values: torch.Tensor | None  # (N,3,H,W), what the eyes see
    targets: torch.Tensor | None  # (K,3,S,S) in [-1,1], the first K of the pictures to draw
    captions: list[str]
    dropped: torch.Tensor  # (G,) bool
    noise_seed: int

    def to(self, device: torch.device) -> StageBatch:
        """The same with its tensors on `device`."""
        return replace(
            self,
            batch=self.batch.to(device),
            pixel_values=None if self.pixel_values is None else self.pixel_values.to(device),
            targets=None if self.targets is None else self.targets.to(device),
            dropped=self.dropped.to(device),
        )


def choose_trainable(model: MiniGPT5, stage: Stage, control_ids: list[int]) -> None:
    """Set `requires_grad` as the stage says; with `voken_rows` mask the gradients of all other rows."""
    llama = model.language.llama
    for name, parameter in model.named_parameters():
        lora_or_mapper = stage.lora and ".lora_" in name
        wanted = name.startswith(stage.trainable) and not name.startswith(stage.frozen or ("\0",))
        parameter.requires_grad_(lora_or_mapper or (wanted and not name.startswith("language.")))
    if stage.voken_rows:
        for weight in (llama.get_input_embeddings().weight, llama.lm_head.weight):
            weight.requires_grad_(True)
            mask = torch.zeros(len(weight), 1)
            mask[control_ids] = 1
            weight.register_hook(lambda grad, mask=mask: grad * mask)


class StageTask:
    """Text loss, latent-diffusion loss and caption loss, weighted by the stage."""

    def __init__(
        self,
        model: MiniGPT5,
        stage: Stage,
        tokenizer: PreTrainedTokenizerFast,
        sampler: Sampler,
        teacher: Teacher | None = None,
    ) -> None:
        self.module: nn.Module = model
        self.model = model
        self.stage = stage
        self.sampler = sampler
        self.teacher = teacher
        self.tokenizer = tokenizer
        self.scheduler = DDPMScheduler.from_config(model.diffusion.scheduler_config)
        choose_trainable(model, stage, tokenizer.convert_tokens_to_ids(list(CONTROL_TOKENS)))

    def batches(self, batch_size: int, first_step: int) -> Iterator[StageBatch]:
        """Fresh dialogues, rendered; batch `n` depends on `n` alone."""
        step = first_step
        while True:
            rng = random.Random(f"{self.stage.name} {step}")
            yield self._render(self._collate([self.sampler(rng) for _ in range(batch_size)]), rng)
            step += 1

    def _collate(self, examples: list[Encoded]) -> Batch:
        placeholder, first = self.tokenizer.convert_tokens_to_ids([IMAGE_PLACEHOLDER, VOKENS[0]])
        queries = self.model.vision.query_tokens.shape[1]
        return collate(examples, placeholder, first, queries, self.tokenizer.eos_token_id)

    def _render(self, batch: Batch, rng: random.Random) -> StageBatch:
        seed = rng.randrange(2**31)
        size, eye = self.model.diffusion.image_size, self.model.vision.vit.config.image_size
        seen = [preprocess(render(scene, size, seed + i), eye) for i, scene in enumerate(batch.seen)]
        drawn = list(batch.drawn[: self.stage.drawn_limit]) if self.stage.image_weight else []
        return StageBatch(
            batch,
            torch.stack(seen) if seen else None,
            to_pixels(drawn, size, seed) if drawn else None,
            [caption(scene) for scene in batch.drawn],
            torch.tensor([rng.random() < self.stage.dropped_share for _ in batch.drawn], dtype=torch.bool),
            seed,
        )

    def losses(self, batch: StageBatch) -> dict[str, torch.Tensor]:
        """`loss`, and its parts where the stage has them."""
        stage, ids = self.stage, batch.batch
        hidden = self._hidden(batch)
        wanted = ids.labels[:, 1:] != -100
        text = text_loss(self.model.language.logits(hidden[:, :-1][wanted]), ids.labels[:, 1:][wanted])
        losses = {"loss": stage.text_weight * text, "text_loss": text.detach()}
        if len(ids.voken_positions) and (stage.image_weight or stage.caption_weight):
            embeds = self._prompt_embeds(hidden, batch)
            image = self._image_loss(embeds, batch)
            losses["loss"] = losses["loss"] + stage.image_weight * image
            losses["image_loss"] = image.detach()
            if stage.caption_weight and self.teacher:
                caption_term = caption_loss(embeds, self._caption_features(batch))
                losses["loss"] = losses["loss"] + stage.caption_weight * caption_term
                losses["caption_loss"] = caption_term.detach()
        return losses

    def _hidden(self, batch: StageBatch) -> torch.Tensor:
        ids = batch.batch.input_ids
        embeds = self.model.language.embed(ids)  # (B,T,D)
        if batch.pixel_values is not None:
            placeholder = self.tokenizer.convert_tokens_to_ids(IMAGE_PLACEHOLDER)
            image_embeds = self.model.vision(batch.pixel_values).to(embeds)  # (N,Q,D)
            embeds = embeds.masked_scatter((ids == placeholder)[..., None], image_embeds)
        hidden, _ = self.model.language(embeds, attention_mask=batch.batch.attention_mask)
        return hidden

    def _prompt_embeds(self, hidden: torch.Tensor, batch: StageBatch) -> torch.Tensor:
        """hidden (B,T,D) -> (G,L,C), a share of the groups replaced by zeros (paper, eq. 6)."""
        rows, starts = batch.batch.voken_positions.unbind(1)
        places = (
            starts[:, None] - 1 + torch.arange(NUM_VOKENS, device=starts.device)
        )  # the states that predict the vokens
        voken_hidden = hidden[rows[:, None], places]  # (G,V,D)
        return self.model.mapper(voken_hidden.masked_fill(batch.dropped[:, None, None], 0.0))

    def _image_loss(self, embeds: torch.Tensor, batch: StageBatch) -> torch.Tensor:
        assert batch.targets is not None
        diffusion = self.model.diffusion
        generator = torch.Generator().manual_seed(batch.noise_seed)
        with torch.no_grad():
            latents = (
                diffusion.vae.encode(batch.targets).latent_dist.mean * diffusion.vae.config.scaling_factor
            )
        noise = torch.randn(latents.shape, generator=generator).to(latents.device)
        timesteps = draw_timesteps(len(latents), generator).to(latents.device)
        noisy = self.scheduler.add_noise(latents, noise, timesteps)
        noise_pred = diffusion.unet(noisy, timesteps, encoder_hidden_states=embeds[: len(latents)]).sample
        return image_loss(noise_pred, noise, min_snr_weight(self.scheduler.alphas_cumprod, timesteps))

    @torch.no_grad()
    def _caption_features(self, batch: StageBatch) -> torch.Tensor:
        """(G,L,C); a dropped group is to map to the features of the empty caption."""
        assert self.teacher is not None
        captions = ["" if d else c for c, d in zip(batch.captions, batch.dropped.tolist(), strict=True)]
        text_encoder = self.teacher.text_encoder.to(batch.dropped.device)
        ids = self.teacher.tokenize(captions).to(batch.dropped.device)
        return text_encoder(input_ids=ids).last_hidden_state

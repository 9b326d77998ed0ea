"""One task for the stages EYES, UAS and MLS: what differs between them is data (`stages`) and where samples come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import DDPMScheduler
from torch import Tensor, nn
from transformers import CLIPTextModel, PreTrainedTokenizerFast

from minigpt5.data.collate import collate
from minigpt5.model.minigpt5 import MiniGPT5
from minigpt5.training.batches import Example, Source, StageBatch, stage_batch
from minigpt5.training.cache import Compute, FeatureCache
from minigpt5.training.losses import IGNORED, caption_loss, image_loss, min_snr_weight, text_loss
from minigpt5.training.rows import train_rows
from minigpt5.training.stages import Stage
from minigpt5.vokens import FIRST_VOKEN, IMAGE_PLACEHOLDER, control_tokens


@dataclass(frozen=True)
class Teacher:
    """The frozen text encoder whose caption features the mapper is to meet in the first stage.

    `tokenize` gives ids (B,L), padded. With `end_id` what comes after the first such id is masked (the official
    training; its pictures are drawn without a mask), otherwise padding is read like words.
    """

    text_encoder: CLIPTextModel
    tokenize: Callable[[list[str]], Tensor]
    end_id: int | None = None

    @torch.no_grad()
    def features(self, captions: list[str], device: torch.device) -> Tensor:
        """(B,L,C)"""
        ids = self.tokenize(captions).to(device)
        mask = None
        if self.end_id is not None:
            ends = (ids == self.end_id).long()
            mask = (ends.cumsum(1) - ends == 0).long()
        return self.text_encoder.to(device)(input_ids=ids, attention_mask=mask).last_hidden_state


def choose_trainable(model: MiniGPT5, stage: Stage, control_ids: list[int]) -> None:
    """Set `requires_grad` as the stage says; the rows of `control_ids` become parameters (`rows`)."""
    if stage.voken_rows:
        train_rows(model.language, control_ids)
    for name, parameter in model.named_parameters():
        added = (stage.lora and ".lora_" in name) or name.endswith(".rows")
        wanted = name.startswith(stage.trainable) and not name.startswith(stage.frozen or ("\0",))
        parameter.requires_grad_(added or wanted)


class StageTask:
    """Text loss, latent-diffusion loss and caption loss, weighted by the stage.

    With a `cache` folder what eyes and VAE, which the stage must leave frozen, make of a picture is computed once.
    """

    def __init__(
        self,
        model: MiniGPT5,
        stage: Stage,
        tokenizer: PreTrainedTokenizerFast,
        source: Source,
        teacher: Teacher | None = None,
        cache: Path | None = None,
    ) -> None:
        self.module: nn.Module = model
        self.model = model
        self.stage = stage
        self.source = source
        self.teacher = teacher
        self.tokenizer = tokenizer
        self.scheduler = DDPMScheduler.from_config(model.diffusion.scheduler_config)
        self.placeholder, self.first_voken = tokenizer.convert_tokens_to_ids([IMAGE_PLACEHOLDER, FIRST_VOKEN])
        choose_trainable(
            model, stage, tokenizer.convert_tokens_to_ids(list(control_tokens(model.mapper.num_vokens)))
        )
        self.see: Compute = self._see
        self.posterior: Compute = self._posterior
        if cache:
            assert not any(
                p.requires_grad for p in (*model.vision.parameters(), *model.diffusion.vae.parameters())
            )
            self.see = FeatureCache(cache / "eyes", model.vision, self._see)
            self.posterior = FeatureCache(cache / "vae", model.diffusion.vae, self._posterior)

    def batches(self, batch_size: int, first_step: int) -> Iterator[StageBatch]:
        """All batches from number `first_step` on."""
        return self.strided_batches(batch_size, first_step, 1)

    def strided_batches(self, batch_size: int, first: int, stride: int) -> Iterator[StageBatch]:
        """Batches number `first`, `first + stride`, ...: the share of one process."""
        yield from map(self.batch_of, self.source.batches(batch_size, first, stride))

    def batch_of(self, examples: list[Example]) -> StageBatch:
        """`examples` as one batch, all random draws of the stage included."""
        queries = self.model.vision.query_tokens.shape[1]
        encoded = [example.encoded for example in examples]
        ids = collate(encoded, self.placeholder, self.first_voken, queries, self.tokenizer.eos_token_id)
        return stage_batch(examples, ids, self.stage, self.model.diffusion.latent_shape)

    @property
    def weights(self) -> dict[str, float]:
        """What each part counts in the loss; the text loss is always there."""
        weights = {"text_loss": self.stage.text_weight}
        if self.stage.image_weight:
            weights["image_loss"] = self.stage.image_weight
        if self.stage.caption_weight and self.teacher:
            weights["caption_loss"] = self.stage.caption_weight
        return weights

    def losses(self, batch: StageBatch) -> dict[str, Tensor]:
        """`loss`, and those of its parts that the stage has; without pictures to draw these are 0."""
        weights, labels = self.weights, batch.batch.labels[:, 1:]
        hidden = self._hidden(batch)
        wanted = labels != IGNORED
        parts = {"text_loss": text_loss(self.model.language.logits(hidden[:, :-1][wanted]), labels[wanted])}
        embeds = self._prompt_embeds(hidden, batch) if len(weights) > 1 else hidden
        if "image_loss" in weights:
            parts["image_loss"] = self._image_loss(embeds, batch)
        if "caption_loss" in weights:
            parts["caption_loss"] = self._caption_loss(embeds, batch)
        weighted = [weights[name] * batch.shares.get(name, 1.0) * value for name, value in parts.items()]
        return {
            "loss": torch.stack(weighted).sum(),
            **{name: value.detach() for name, value in parts.items()},
        }

    def _hidden(self, batch: StageBatch) -> Tensor:
        ids = batch.batch.input_ids
        embeds = self.model.language.embed(ids)  # (B,T,D)
        if batch.pixel_values is not None:
            image_embeds = self.see(batch.pixel_values)
            slots = (ids == self.placeholder)[..., None]
            embeds = embeds.masked_scatter(slots, image_embeds.to(embeds))  # (N,Q,D) spliced in
        hidden, _ = self.model.language(embeds, attention_mask=batch.batch.attention_mask)
        return hidden

    def _see(self, pixel_values: Tensor) -> Tensor:
        """pixel_values (N,3,H,W) -> image_embeds (N,Q,D)"""
        vision = self.model.vision
        embeds: Tensor = vision(pixel_values.to(vision.query_tokens.dtype))
        return embeds

    @torch.no_grad()
    def _posterior(self, targets: Tensor) -> Tensor:
        """targets (K,3,S,S) -> mean and standard deviation of their latents (K,2,c,h,w)"""
        vae = self.model.diffusion.vae
        posterior = vae.encode(targets.to(vae.dtype)).latent_dist
        return torch.stack([posterior.mean.float(), posterior.std.float()], dim=1)

    def _prompt_embeds(self, hidden: Tensor, batch: StageBatch) -> Tensor:
        """hidden (B,T,D) -> (G,L,C), a share of the groups replaced by zeros (paper, eq. 6)."""
        rows, starts = batch.batch.voken_positions.unbind(1)
        # the states that predict the vokens
        places = starts[:, None] - 1 + torch.arange(self.model.mapper.num_vokens, device=starts.device)
        voken_hidden = hidden[rows[:, None], places]  # (G,V,D)
        if not len(voken_hidden):
            return hidden.new_zeros(0)
        return self.model.mapper(voken_hidden.masked_fill(batch.dropped[:, None, None], 0.0))

    def _image_loss(self, embeds: Tensor, batch: StageBatch) -> Tensor:
        if not len(batch.targets):
            return embeds.new_zeros(())
        diffusion, noise = self.model.diffusion, batch.noise
        latents, std = self.posterior(batch.targets).unbind(1)
        if self.stage.sampled_latents:
            latents = latents + std * batch.vae_noise
        latents = latents * diffusion.vae.config.scaling_factor
        noisy = self.scheduler.add_noise(latents, noise, batch.timesteps)
        dtype = diffusion.unet.dtype
        noise_pred = diffusion.unet(
            noisy.to(dtype), batch.timesteps, encoder_hidden_states=embeds[: len(latents)].to(dtype)
        ).sample
        weights = min_snr_weight(self.scheduler.alphas_cumprod, batch.timesteps)
        return image_loss(noise_pred.float(), noise, weights)

    def _caption_loss(self, embeds: Tensor, batch: StageBatch) -> Tensor:
        """A dropped group is to map to the features of the empty caption."""
        assert self.teacher is not None
        told = [index for index, caption in enumerate(batch.captions) if caption is not None]
        if not told:
            return embeds.new_zeros(())
        dropped = batch.dropped.tolist()
        captions = ["" if dropped[index] else batch.captions[index] or "" for index in told]
        return caption_loss(embeds[told], self.teacher.features(captions, embeds.device).to(embeds))

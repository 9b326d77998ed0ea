"""Consistency distillation of a model folder's painter on any data: the conditions are what the mapper makes of vokens.

The whole way of a sample to its conditioning vectors is the one of the other stages, and frozen; so the student is
led by the vokens of the conversations in which it will draw.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor

from minigpt5.checkpoint.build import LoadedModel
from minigpt5.training.batches import Source, StageBatch
from minigpt5.training.distil import Distillation, Distiller, Jumps, merge_low_rank
from minigpt5.training.multimodal import StageTask
from minigpt5.training.optim import WeightAverage
from minigpt5.training.stages import Stage

STUDENT = "diffusion.unet_fast."  # before the names of the student's weights in the model


def with_student(loaded: LoadedModel, how: Distillation) -> LoadedModel:
    """The model with the few steps that `how` is to give it, and a UNet in float32 for them."""
    diffusion = loaded.model.diffusion
    diffusion.fast = how.fast
    diffusion.unet_fast = UNet2DConditionModel(**loaded.config.unet).to(diffusion.unet.device)
    return replace(loaded, config=replace(loaded.config, fast=how.fast))


def student_weights(loaded: LoadedModel) -> dict[str, Tensor]:
    """All weights of the student by their names in the model, adapters merged."""
    student = loaded.model.diffusion.unet_fast
    assert student is not None
    merge_low_rank(student)
    return {STUDENT + name: weight for name, weight in student.state_dict().items()}


class DistilStageTask(StageTask):
    """The jumps of the model's `unet_fast` against its `unet`, on the pictures and vokens of a data set."""

    def __init__(
        self,
        loaded: LoadedModel,
        stage: Stage,
        source: Source,
        how: Distillation,
        cache: Path | None = None,
    ) -> None:
        super().__init__(loaded.model, stage, loaded.tokenizer, source, None, cache)
        diffusion = loaded.model.diffusion
        assert diffusion.unet_fast is not None
        self.distiller = Distiller(diffusion.unet_fast, diffusion.unet, diffusion.scheduler_config, how)

    def follow(self, average: WeightAverage) -> None:
        """The running average that makes the targets."""
        self.distiller.average = lambda: {
            name.removeprefix(STUDENT): weight for name, weight in average.state_dict().items()
        }

    @property
    def weights(self) -> dict[str, float]:
        """The distance is all of the loss."""
        return {"image_loss": 1.0}

    def losses(self, batch: StageBatch) -> dict[str, Tensor]:
        """The distance to the targets; of a batch without pictures to draw 0."""
        if len(batch.targets):
            image = self.distiller.loss(self._jumps(batch))
        else:
            image = 0.0 * torch.stack([p.sum() for p in self.distiller.student.parameters()]).sum()
        return {"loss": batch.shares.get("image_loss", 1.0) * image, "image_loss": image.detach()}

    @torch.no_grad()
    def _jumps(self, batch: StageBatch) -> Jumps:
        """A sample's timestep, which is any of the noise schedule's alike, names one of the solver's."""
        embeds = self._prompt_embeds(self._hidden(batch), batch)[: len(batch.targets)]
        mean, std = self.posterior(batch.targets).unbind(1)
        scale = self.model.diffusion.vae.config.scaling_factor
        latents = scale * (mean + std * batch.vae_noise)
        nodes = batch.timesteps * self.distiller.how.times // len(self.scheduler.alphas_cumprod) + 1
        noisy = self.distiller.noisy(latents, batch.noise, nodes)
        return Jumps(noisy, nodes, embeds.float(), self.model.mapper.null_embeds().to(embeds).float())

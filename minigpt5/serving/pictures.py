"""The drawing of many pictures: one pass of the UNet for all that are being drawn, whenever each of them began."""

from collections.abc import Sequence

import torch
from torch import Tensor

from minigpt5.generation.drawing import finished
from minigpt5.generation.picture import Picture, denoise, progress
from minigpt5.generation.turn import Draw
from minigpt5.model.minigpt5 import MiniGPT5
from minigpt5.serving.features import Features
from minigpt5.serving.metrics import Metrics
from minigpt5.serving.request import Request

MAX_DENOISED = 16  # pictures of one pass; beyond, the oldest requests go first
MAX_DECODED = 4  # pictures of one pass of the decoder, so that nobody's words stop for all of them


class Pictures:
    """Begins, goes on with and finishes the pictures that requests ask for, and hands out their events."""

    def __init__(
        self,
        model: MiniGPT5,
        negative: Tensor,
        features: Features,
        metrics: Metrics,
        *,
        deterministic: bool = False,
    ) -> None:
        """negative (1,L,C); `features` are those of the pictures that are seen; `deterministic` gives each picture
        passes of its own."""
        self._model = model
        self._negative = negative
        self._features = features
        self._metrics = metrics
        self._deterministic = deterministic

    @torch.inference_mode()
    def begin(self, request: Request) -> None:
        """Map the vokens and make the noise of what `request` has just asked to be drawn."""
        assert isinstance(request.ask, Draw)
        prompt_embeds = self._model.mapper(request.ask.voken_hidden)
        request.pictures = [
            Picture(order, self._model.diffusion, prompt_embeds) for order in request.ask.orders
        ]
        for picture in request.pictures:
            request.emit(picture.started())

    def groups(self, requests: Sequence[Request]) -> list[list[Request]]:
        """Whose pictures go one step on together, the oldest requests first."""
        drawing = [request for request in requests if any(not p.finished for p in request.pictures)]
        if self._deterministic:
            return [[request] for request in drawing]
        chosen: list[Request] = []
        while drawing and sum(len(r.pictures) for r in chosen) + len(drawing[0].pictures) <= MAX_DENOISED:
            chosen.append(drawing.pop(0))
        return [chosen] if chosen else []

    def step(self, requests: Sequence[Request]) -> None:
        """One denoising step for every picture of `requests`."""
        drawn = [(r, p) for r in requests for p in r.pictures if not p.finished]
        pictures = [picture for _, picture in drawn]
        denoise(self._model.diffusion, pictures, self._negative)
        self._metrics.picture_steps += len(pictures)
        self._metrics.picture_batches[len(pictures)] += 1
        for (request, _), event in zip(drawn, progress(self._model.diffusion, pictures), strict=True):
            request.emit(event)

    def ready(self, requests: Sequence[Request]) -> list[list[Request]]:
        """Whose pictures can be decoded together in this tick."""
        done = [r for r in requests if r.pictures and all(picture.finished for picture in r.pictures)]
        if self._deterministic:
            return [[request] for request in done]
        chosen: list[Request] = []
        while done and sum(len(r.pictures) for r in chosen) < MAX_DECODED:
            chosen.append(done.pop(0))
        return [chosen] if chosen else []

    def finish(self, requests: Sequence[Request]) -> None:
        """Decode the pictures of `requests` and hand them out."""
        drawn = [(request, picture) for request in requests for picture in request.pictures]
        latents = torch.cat([picture.latents for _, picture in drawn])
        images = self._model.diffusion.decode(latents)
        for (request, picture), image in zip(drawn, images, strict=True):
            assert isinstance(request.ask, Draw)
            request.emit(finished(picture.order, image, request.ask.voken_hidden))
        self._metrics.pictures += len(drawn)
        # the next turn of the chat will show them to the model
        self._features.remember([i for (r, _), i in zip(drawn, images, strict=True) if r.prompt is not None])
        for request in requests:
            request.pictures = []

"""Samples of the storybook world, made up and rendered as they are asked for."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from minigpt5.data.storybook.worlds import World
from minigpt5.images import preprocess, to_tensor
from minigpt5.prompt import Encoded
from minigpt5.training.batches import Example

Sampler = Callable[[random.Random], Encoded]


class SceneSource:
    """Endless samples of `sampler`, whose pictures are scenes of `world`; of a batch's pictures to draw `limit` are rendered."""

    def __init__(
        self,
        sampler: Sampler,
        salt: str,
        image_size: int,
        eye_size: int,
        world: World,
        limit: int | None = None,
    ) -> None:
        self.sampler = sampler
        self.world = world
        self.salt = salt
        self.image_size = image_size
        self.eye_size = eye_size
        self.limit = limit

    def batches(self, batch_size: int, first: int, stride: int) -> Iterator[list[Example]]:
        """Batches number `first`, `first + stride`, ..."""
        number = first
        while True:
            examples: list[Example] = []
            room = self.limit if self.limit is not None else 10**9
            for place in range(number * batch_size, (number + 1) * batch_size):
                examples.append(self._example(place, room))
                room -= len(examples[-1].drawn)
            yield examples
            number += stride

    def _example(self, place: int, room: int) -> Example:
        rng = random.Random(f"{self.salt} {place}")
        encoded, seed = self.sampler(rng), rng.randrange(2**31)
        render = self.world.render
        seen = [render(scene, self.image_size, seed + i) for i, scene in enumerate(encoded.images)]
        drawn = [render(scene, self.image_size, seed + i) for i, scene in enumerate(encoded.drawn[:room])]
        return Example(
            f"{self.salt} {place}",
            encoded,
            tuple(preprocess(picture, self.eye_size) for picture in seen),
            tuple(to_tensor(picture) for picture in drawn),
            tuple(self.world.caption(scene) for scene in encoded.drawn),
            seed,
        )

"""Scenes as pictures, of either storybook world: chats, fresh renders of held-out scenes, and what the VAE keeps of these.

Used by the measures of both worlds; judges nothing.
"""

import math
import random
from collections.abc import Iterator
from typing import Any

import torch
from PIL import Image

from minigpt5.conversation import Conversation
from minigpt5.data.storybook.texts.turns import Turn
from minigpt5.data.storybook.worlds import World
from minigpt5.generation.engine import Engine
from minigpt5.images import to_tensor


def to_conversation(world: World, turns: tuple[Turn, ...], size: int, seed: int) -> Conversation:
    """Turns of a document as a conversation with rendered pictures."""
    chat = Conversation()
    for turn in turns:
        parts = [p if isinstance(p, str) else world.render(p.scene, size, seed) for p in turn.parts]
        chat = chat.user(*parts) if turn.role == "user" else chat.assistant(*parts)
    return chat


def fresh_renders(world: World, salt: str, count: int, size: int) -> Iterator[tuple[Any, Image.Image]]:
    """`count` held-out scenes and their pictures; another `salt` gives others."""
    for index in range(count):
        rng = random.Random(f"{salt} {index}")
        scene = world.held_out_scene(rng)
        yield scene, world.render(scene, size, rng.randrange(2**31))


@torch.inference_mode()
def reconstruction(engine: Engine, world: World, count: int) -> float:
    """What the VAE keeps of fresh held-out renders: mean PSNR in dB, the ceiling of how sharp a picture can be."""
    vae, total = engine.model.diffusion.vae, 0.0
    for _, shown in fresh_renders(world, "reconstruction", count, engine.config.image_size):
        picture = to_tensor(shown)[None]
        again = vae.decode(vae.encode(picture.to(vae.device, vae.dtype)).latent_dist.mean).sample
        error = (again.float().cpu().clamp(-1, 1) - picture).square().mean()
        total += 10 * math.log10(4 / float(error))
    return total / count

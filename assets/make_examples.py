"""Remake the pictures of the example cards: what the shipped model draws for their texts, and two scenes to show it.

    python -m assets.make_examples

A card's icon is never drawn by rule: it is the model's own picture. Only the pictures that a card attaches, as a
user would attach one, are rendered scenes.
"""

from __future__ import annotations

import json
from pathlib import Path

import minigpt5
from minigpt5 import Conversation, GenerationOptions
from minigpt5.data.storybook.drawing import render
from minigpt5.data.storybook.scene import Character, Prop, Scene

FOLDER = Path(__file__).parent / "examples"
SEED = 7
ATTACHED = {
    "forest.png": Scene(
        (Character("frog", "green", "waving"),), "forest", "day", "rain", Prop("umbrella", "yellow")
    ),
    "meadow.png": Scene(
        (Character("mouse", "pink", "standing"),), "meadow", "day", "clear", Prop("gift", "blue")
    ),
}


def main() -> None:
    """Write every picture that `examples.json` names."""
    engine = minigpt5.load("weights/storybook")
    for name, scene in ATTACHED.items():
        render(scene, 256, SEED).save(FOLDER / name)
    for example in json.loads((FOLDER / "examples.json").read_text()):
        if example["icon"] not in ATTACHED:
            options = GenerationOptions(seed=example.get("seed", SEED), pictures="always")
            engine.reply(Conversation().user(example.get("draw", example["text"])), options).images[0].save(
                FOLDER / example["icon"]
            )


if __name__ == "__main__":
    main()

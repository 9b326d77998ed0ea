"""Does the model do as it is told? The storybook bars, through the whole chain, judged by `judge.AttributeJudge`.

Every measure takes an engine and a number of trials and returns shares in [0, 1] by name; seeds are fixed, so
a run repeats. Scenes are held-out combinations (see `data.storybook.scene`).
"""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from minigpt5.conversation import Conversation, Message, TextPart
from minigpt5.data.storybook.attributes import values_of
from minigpt5.data.storybook.captions import EVERYTHING, phrase
from minigpt5.data.storybook.documents import sample
from minigpt5.data.storybook.drawing import render
from minigpt5.data.storybook.scene import Scene, repaint, sample_scene
from minigpt5.data.storybook.texts.turns import Document, Turn
from minigpt5.data.storybook.worlds import SHIPPED
from minigpt5.evaluation.judge import AttributeJudge
from minigpt5.evaluation.rendered import fresh_renders, to_conversation
from minigpt5.evaluation.unseen import is_sensible, read_requests
from minigpt5.generation.engine import Engine, Reply
from minigpt5.options import GenerationOptions
from minigpt5.training.trainer import save_grid

CHARACTER = ("animal", "colour")
BOTH = (*CHARACTER, "second_animal", "second_colour")
SINGLE = ("animal", "colour", "action", "position", "setting", "time", "weather", "prop", "prop_colour")


@dataclass(frozen=True)
class Trial:
    """One reply and what was hoped for; kept for the contact sheet."""

    prompt: str
    reply: Reply
    right: dict[str, bool]


def pictures_from_words(engine: Engine, judge: AttributeJudge, count: int) -> Iterator[Trial]:
    """ "Draw ..." with every attribute of a held-out scene named in free words; four in five have one character."""
    for index in range(count):
        rng = random.Random(f"obedience {index}")
        scene = sample_scene(rng, held_out=True)
        words = f"Draw {phrase(scene, rng, EVERYTHING)}"
        reply = engine.reply(Conversation().user(words), GenerationOptions(seed=index))
        yield Trial(words, reply, _right(scene, reply, judge))


def _right(scene: Scene, reply: Reply, judge: AttributeJudge) -> dict[str, bool]:
    """By attribute; two characters add `second_...` and leave out `position`, a scene without a prop has
    `no prop` instead of the prop and its colour. `everything` counts neither `second_action` nor `both characters`,
    as it never did."""
    wanted = values_of(scene)
    seen = judge.name([reply.images[0]])[0] if reply.images else {}
    names = [n for n in SINGLE if scene.prop or not n.startswith("prop")]
    if len(scene.characters) == 2:
        names = [n for n in names if n != "position"] + ["second_animal", "second_colour"]
    right = {name: seen.get(name) == wanted[name] for name in names}
    if scene.prop is None:
        right["no prop"] = seen.get("prop") == wanted["prop"]
    right |= {"everything": all(right.values()), "drawn": bool(reply.images)}
    if len(scene.characters) == 2:
        right["second_action"] = seen.get("second_action") == wanted["second_action"]
        right["both characters"] = all(seen.get(name) == wanted[name] for name in BOTH)
    return right


def next_scenes(
    engine: Engine, judge: AttributeJudge, count: int, pictures_only: bool = False
) -> Iterator[Trial]:
    """The next scene of a story: is it the same character, in the same colour?"""
    for index in range(count):
        rng = random.Random(f"next scene {pictures_only} {index}")
        chat, scene = (_shown if pictures_only else _told)(engine, rng, index)
        reply = engine.reply(chat, GenerationOptions(seed=index, pictures="always"))
        seen = judge.name([reply.images[0]])[0]
        wanted = values_of(scene)
        right = {name: seen[name] == wanted[name] for name in CHARACTER}
        yield Trial(chat.messages[-1].text, reply, {**right, "character and colour": all(right.values())})


def _told(engine: Engine, rng: random.Random, seed: int) -> tuple[Conversation, Scene]:
    """A held-out story of words and pictures, cut before a picture of its hero."""
    while True:
        turns = sample(rng, held_out=True, kind="story").messages
        last = turns[-1]
        history = [p.scene for t in turns[:-1] for p in t.pictures]
        words = any(turn.text and turn.pictures for turn in turns[:-1])
        if last.pictures and history and words:
            hero = last.pictures[0].scene.characters[0]
            first = history[0].characters[0]
            if len(last.pictures[0].scene.characters) == 1 and (hero.animal, hero.colour) == (
                first.animal,
                first.colour,
            ):
                return to_conversation(SHIPPED, turns[:-1], engine.config.image_size, seed), last.pictures[
                    0
                ].scene


def _shown(engine: Engine, rng: random.Random, seed: int) -> tuple[Conversation, Scene]:
    """One to three pictures of one character, and no words but the question."""
    first = sample_scene(rng, held_out=True, characters=1)
    hero = first.characters[0]
    scenes = [first]
    for _ in range(rng.randrange(3)):
        scenes.append(repaint(sample_scene(rng, characters=1), 0, animal=hero.animal, colour=hero.colour))
    pictures = [render(scene, engine.config.image_size, seed + i) for i, scene in enumerate(scenes)]
    return Conversation().user(*pictures, "What happens next?"), first


def who_is_this(engine: Engine, count: int) -> Iterator[Trial]:
    """Asked who is in a held-out picture, does the reply name the animal and its colour?"""
    for index in range(count):
        rng = random.Random(f"who {index}")
        scene = sample_scene(rng, held_out=True, characters=1)
        chat = Conversation().user(
            render(scene, engine.config.image_size, rng.randrange(2**31)), "Who is this?"
        )
        reply = engine.reply(chat, GenerationOptions(seed=index))
        wanted = values_of(scene)
        right = {name: wanted[name] in reply.text.lower() for name in CHARACTER}
        yield Trial("Who is this?", reply, {**right, "no picture": not reply.images})


def picture_or_not(engine: Engine, count: int, wanted: bool) -> Iterator[Trial]:
    """Requests of the grammar that ask for a picture (`wanted`) or need none: is the choice right?"""
    kinds = ("draw",) if wanted else ("question", "outside", "chat")
    for index in range(count):
        rng = random.Random(f"choice {wanted} {index}")
        document = sample(rng, kind=kinds[index % len(kinds)])
        turns = _up_to_choice(document, wanted)
        chat = to_conversation(SHIPPED, turns, engine.config.image_size, index)
        reply = engine.reply(chat, GenerationOptions(seed=index, num_inference_steps=1))
        yield Trial(chat.messages[-1].text, reply, {"right": bool(reply.images) == wanted})


def _up_to_choice(document: Document, wanted: bool) -> tuple[Turn, ...]:
    """The turns before the first reply that draws, or does not, as wanted."""
    for index, turn in enumerate(document.messages):
        if turn.role == "assistant" and bool(turn.pictures) == wanted:
            return document.messages[:index]
    return document.messages[:1]


def unseen_requests(engine: Engine, judge: AttributeJudge, path: Path) -> Iterator[Trial]:
    """Typed requests in wordings that the grammar lacks: does the reply keep the rule of each? By kind, too."""
    for index, request in enumerate(read_requests(path)):
        chat = Conversation(()).add(Message("user", (TextPart(request.text),)))
        reply = engine.reply(chat, GenerationOptions(seed=index))
        right = is_sensible(request, reply, judge)
        yield Trial(request.text, reply, {"sensible": right, f"sensible, {request.expect}": right})


def shares(trials: list[Trial]) -> dict[str, float]:
    """The share that is right, by name, over the trials that have the name."""
    right: dict[str, list[bool]] = defaultdict(list)
    for trial in trials:
        for name, value in trial.right.items():
            right[name].append(value)
    return {name: sum(values) / len(values) for name, values in right.items()}


def judge_accuracy(judge: AttributeJudge, count: int, size: int) -> dict[str, float]:
    """The judge's own share of right answers on fresh held-out renders, the ceiling of every figure above."""
    right: Counter[str] = Counter()
    for scene, shown in fresh_renders(SHIPPED, "judge", count, size):
        seen = judge.name([shown])[0]
        right.update(name for name, value in values_of(scene).items() if seen[name] == value)
    return {name: right[name] / count for name in values_of(scene)}


def contact_sheet(trials: list[Trial], path: Path, columns: int = 8) -> None:
    """The first picture of each trial, in rows."""
    pictures = [t.reply.images[0] for t in trials if t.reply.images]
    if pictures:
        save_grid(pictures, path, columns)


def told(trials: list[Trial]) -> str:
    """A line of JSON for each trial: what was asked and said, how many pictures there are, and what is right."""
    rows = [
        {"asked": t.prompt, "said": t.reply.text, "pictures": len(t.reply.images), "right": t.right}
        for t in trials
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


Measure = Callable[[], Iterator[Trial]]


def measures(engine: Engine, judge: AttributeJudge, count: int, requests: Path) -> dict[str, Measure]:
    """Everything that `python -m minigpt5 evaluate` reports, by title."""
    return {
        "pictures from words": lambda: pictures_from_words(engine, judge, count),
        "next scene from pictures and words": lambda: next_scenes(engine, judge, count // 2),
        "next scene from pictures alone": lambda: next_scenes(engine, judge, count // 2, pictures_only=True),
        "who is in a picture": lambda: who_is_this(engine, count),
        "asked for a picture, draws": lambda: picture_or_not(engine, count, wanted=True),
        "needs no picture, draws none": lambda: picture_or_not(engine, count, wanted=False),
        "requests the grammar lacks": lambda: unseen_requests(engine, judge, requests),
    }

"""Requests as visitors would type them, none of them in the grammar's wordings, each with a rule of what answers it.

{"figures": {figure: [word, ...]},     the words that name it in a reply
 "phrases": {name: [phrase, ...]},
 "requests": [{"kind", "text", "before", "attached", "expect", and the rules}]}

"before" are earlier turns of the user: a text that the model answers itself, or {"text", "drawn": scene} whose answer
is given; "attached" is the scene of a picture that comes with the text. Rules: "cast" (exactly these figures, in any
order), "hero" (these, whoever else is there), "picture" (attributes), "things" (of each group one), "near" (one of
them), "absent" (none of them) for the first picture; "names" (these figures and no other), "says" (of each group one
phrase), "never", "least_words" for the words. "@name" stands for the list of phrases of that name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from minigpt5.data.storybook.texts.phrases import describe
from minigpt5.data.storybook.world.scene import Figure, Scene, Thing
from minigpt5.errors import DataError
from minigpt5.evaluation.wide.rules import kinds_in, occurs, plain, shows, shows_cast, shows_thing
from minigpt5.evaluation.wide.trials import Answer, Ask, Case, Seen

VISITORS = Path("tests/data/visitor_requests.json")
EXPECTED = ("draw", "story", "text", "any")


@dataclass(frozen=True)
class Visitors:
    """The file as it is."""

    figures: dict[str, list[str]]
    phrases: dict[str, list[str]]
    requests: list[dict[str, Any]]

    @classmethod
    def read(cls, path: Path = VISITORS) -> Visitors:
        """Raises `DataError`."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            visitors = cls(data["figures"], data["phrases"], data["requests"])
            for request in visitors.requests:
                visitors.phrases_of([*chain(*request.get("says", [])), *request.get("never", [])])
                if request["expect"] not in EXPECTED:
                    raise ValueError(f"expect {request['expect']!r}")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}: got {error!r}, expected requests and their rules") from error
        return visitors

    def cases(self, count: int, kinds: tuple[str, ...] = ()) -> Iterator[Case]:
        """`count` requests, evenly taken from all; or of those of `kinds` that stand alone."""
        alone = [r for r in self.requests if not r.get("before") and not r.get("attached")]
        of = [r for r in alone if r["kind"] in kinds] if kinds else self.requests
        for number in range(min(count, len(of))):
            yield self.case(of[number * len(of) // min(count, len(of))], number)

    def case(self, request: dict[str, Any], seed: int = 0, before: tuple[Ask, ...] = ()) -> Case:
        """The request after its earlier turns; `before` are turns of another topic."""
        earlier = tuple(map(_earlier, request.get("before", [])))
        attached = (scene_of(request["attached"]),) if "attached" in request else ()
        last = Ask((*attached, request["text"]), drawn=request["expect"] in ("draw", "story"))

        def rule(answers: tuple[Answer, ...]) -> dict[str, bool]:
            right = self.is_sensible(request, answers[-1])
            return {"all": right, request["kind"]: right}

        return Case((*before, *earlier, last), rule, seed)

    def is_sensible(self, request: dict[str, Any], answer: Answer) -> bool:
        """Whether words and picture keep every rule of the request."""
        pictured = {"draw": True, "story": True, "text": False}.get(request["expect"])
        if pictured is not None and bool(answer.seen) != pictured:
            return False
        return self._words_right(request, answer.said) and _picture_right(request, answer.first)

    def _words_right(self, request: dict[str, Any], words: str) -> bool:
        if len(words.split()) < request.get("least_words", 1):
            return False
        if occurs(self.phrases_of(request.get("never", [])), words):
            return False
        if not all(occurs(self.phrases_of(group), words) for group in request.get("says", [])):
            return False
        return "names" not in request or self.figures_named(words) == set(request["names"])

    def figures_named(self, words: str) -> set[str]:
        """The figures of which a word occurs; a teddy bear is none."""
        bare = plain(words).lower()
        for thing in ("teddy bear", "stuffed bear", "toy bear", "dog's bone"):
            bare = bare.replace(thing, " ")
        return {figure for figure, names in self.figures.items() if occurs(names, bare)}

    def phrases_of(self, names: list[str]) -> list[str]:
        """The phrases, those of "@name" written out."""
        return [
            phrase
            for name in names
            for phrase in (self.phrases[name[1:]] if name.startswith("@") else [name])
        ]


def _picture_right(request: dict[str, Any], seen: Seen) -> bool:
    return all(
        (
            "cast" not in request or shows_cast(seen, request["cast"]),
            "hero" not in request or shows_cast(seen, request["hero"], exactly=False),
            shows(seen, request.get("picture", {})),
            all(any(shows_thing(seen, thing) for thing in group) for group in request.get("things", [])),
            "near" not in request or bool(kinds_in(seen) & set(request["near"])),
            not kinds_in(seen) & set(request.get("absent", [])),
        )
    )


def _earlier(turn: str | dict[str, Any]) -> Ask:
    if isinstance(turn, str):
        return Ask((turn,))
    scene = scene_of(turn["drawn"])
    return Ask((turn["text"],), (f"Here is {describe(scene)}.", scene))


def scene_of(data: dict[str, Any]) -> Scene:
    """A scene as the files have it."""
    figures = tuple(Figure(**figure) for figure in data["figures"])
    things = tuple(Thing(**thing) for thing in data.get("things", []))
    return Scene(**{**data, "figures": figures, "things": things})

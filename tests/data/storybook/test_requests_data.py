"""The requests that a new model is measured on: well formed, of this world, and not in the grammar's wordings.

`visitor_requests.json`:

{"figures": {figure: [word, ...]},     the words that name it in a reply
 "phrases": {name: [phrase, ...]},
 "requests": [{"kind", "text",         "text" is the turn that is judged
   "before": [text | {"text", "drawn": scene}, ...],   earlier user turns: the model answers a text itself; "drawn" is
                                                       given as the answer's picture
   "attached": scene,                  a picture that comes with the text
   "expect": "draw" | "story" | "text" | "any",        a picture must come (draw, story), must not (text), or may
   "cast": [{trait: value}, ...],      exactly these figures are in the picture, in any order
   "hero": [{trait: value}, ...],      these figures are in the picture, whoever else is
   "picture": {attribute: value},      as `attributes.values_of` names them
   "things": [[thing, ...], ...],      of each group one thing is in some slot ("red balloon" or "drum")
   "near": [kind, ...],                one of these figures or things is in the picture
   "absent": [kind, ...],              none of these figures and things is
   "names": [figure, ...],             the reply names each of these figures and no other
   "says": [[phrase, ...], ...],       of each group at least one phrase occurs in the reply
   "never": [phrase, ...],             none of these occurs
   "least_words": 12}]}

The picture is the reply's first. A value is a string or a list of values of which any will do. "@name" among phrases
stands for the list of that name. Phrases in Latin letters count as whole words, those in others anywhere.

`edit_requests.json`: see `evaluation.edits`. `story_wordings.json`: {"stories": [{"text", "figure", "colour", "place", "thing", "name"?, "time"?, "weather"?}]}.
"""

import json
import random
import re
from collections import Counter
from itertools import chain
from pathlib import Path

from minigpt5.data.storybook.texts import chats
from minigpt5.data.storybook.texts.story.exchanges import ASKS, SENTENCE_ASKS
from minigpt5.data.storybook.texts.words import edits as grammar
from minigpt5.data.storybook.texts.words.requests import CLAUSE_FRAMES, REQUEST_FRAMES
from minigpt5.data.storybook.world.attributes import ATTRIBUTES, TRAITS
from minigpt5.data.storybook.world.scene import (
    CALM_PLACES,
    FIGURES,
    TOY_COLOURS,
    Figure,
    Scene,
    Thing,
    verify,
)
from minigpt5.data.storybook.world.things import THINGS, TOYS

HERE = Path(__file__).parents[1]
VISITORS = json.loads((HERE / "visitor_requests.json").read_text(encoding="utf-8"))
REQUESTS = VISITORS["requests"]
EDITS = json.loads((HERE / "edit_requests.json").read_text(encoding="utf-8"))
STORIES = json.loads((HERE / "story_wordings.json").read_text(encoding="utf-8"))["stories"]
COUNTS = {
    "draw": 90,
    "edit": 40,
    "question": 30,
    "unknown": 40,
    "story": 35,
    "talk": 40,
    "outside": 15,
    "language": 10,
}
RULES = {
    "cast", "hero", "picture", "things", "near", "absent", "names", "says", "never", "least_words",
}  # fmt: skip
RULES_OF_PICTURES = RULES - {"names", "says", "never", "least_words"}
FIELDS = RULES | {"kind", "text", "before", "attached", "expect"}
WHOLE_CHATS, CHATS_OF_A_KIND = 320, 140


def plain(text: str) -> str:
    return " ".join(re.findall(r"[\w{}']+", text.lower()))


def texts() -> list[str]:
    """Every user's text of both files."""
    found = [story["text"] for story in STORIES]
    for request in REQUESTS:
        before = [turn if isinstance(turn, str) else turn["text"] for turn in request.get("before", [])]
        found += [*before, request["text"]]
    return found


def options(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def scene_of(data: dict) -> Scene:
    figures = tuple(Figure(**figure) for figure in data["figures"])
    things = tuple(Thing(**thing) for thing in data.get("things", []))
    return Scene(**{**data, "figures": figures, "things": things})


def frames() -> list[re.Pattern[str]]:
    """The grammar's frames with two words of their own or more; their blanks take anything."""
    found = []
    for frame in (*REQUEST_FRAMES, *CLAUSE_FRAMES, *ASKS, *SENTENCE_ASKS):
        if len(plain(re.sub(r"\{\w+\}", "", frame)).split()) >= 2:
            found.append(re.compile(re.sub(r"\\\{\w+\\\}", ".+", re.escape(plain(frame)))))
    return found


def test_there_are_as_many_requests_of_each_kind_as_promised() -> None:
    assert Counter(request["kind"] for request in REQUESTS) == COUNTS
    assert len(REQUESTS) == 300
    assert len(STORIES) == 100
    assert all(2 <= len(r.get("before", [])) + 1 <= 4 for r in REQUESTS if r["kind"] == "edit")


def test_every_request_has_a_rule_that_fits_what_is_expected() -> None:
    for request in REQUESTS:
        assert set(request) <= FIELDS, request
        assert RULES & set(request), request
        assert request["expect"] in ("draw", "story", "text", "any"), request
        if request["expect"] in ("text", "any"):
            assert not RULES_OF_PICTURES & set(request), request
            assert request["says"], request
        if request["kind"] in ("draw", "edit"):
            assert request["cast"], request


def test_what_a_rule_names_is_in_the_world() -> None:
    kinds = {*FIGURES, *THINGS}
    for request in REQUESTS:
        for figure in (*request.get("cast", []), *request.get("hero", [])):
            for trait, value in figure.items():
                assert set(options(value)) <= set(TRAITS[trait]), request
        for attribute, value in request.get("picture", {}).items():
            assert set(options(value)) <= set(ATTRIBUTES[attribute]), request
        for thing in chain(*request.get("things", [])):
            colour, _, kind = thing.rpartition(" ")
            assert kind in THINGS, request
            assert not colour or (colour in TOY_COLOURS and kind in TOYS), request
        assert set(request.get("near", [])) | set(request.get("absent", [])) <= kinds, request
        assert set(request.get("names", [])) <= set(FIGURES), request
        assert len(request.get("cast", [])) <= 3, request


def test_phrases_are_told_and_used() -> None:
    assert tuple(VISITORS["figures"]) == FIGURES
    said = [phrase for r in REQUESTS for phrase in chain(*r.get("says", []), r.get("never", []))]
    assert all(phrase.strip() == phrase != "" for phrase in said)
    assert {phrase[1:] for phrase in said if phrase.startswith("@")} == set(VISITORS["phrases"])


def test_pictures_of_the_chat_can_be_drawn_and_are_asked_about() -> None:
    for request in REQUESTS:
        given = [turn["drawn"] for turn in request.get("before", []) if not isinstance(turn, str)]
        for data in [*given, request.get("attached")]:
            if data is not None:
                assert request["kind"] == "question"
                verify(scene_of(data))


def test_a_story_names_a_hero_a_place_a_time_or_weather_and_a_thing() -> None:
    for story in STORIES:
        assert set(story) <= {"text", "figure", "colour", "place", "time", "weather", "thing", "name"}, story
        assert all(story[name] in ATTRIBUTES[name] for name in ("figure", "colour", "place")), story
        surroundings = [name for name in ("time", "weather") if name in story]
        assert surroundings and all(story[name] in ATTRIBUTES[name] for name in surroundings), story
        assert story["thing"] in THINGS, story
        assert story.get("name", "") in story["text"], story
        assert not (story["place"] in CALM_PLACES and "weather" in story), story
    assert sum("name" in story for story in STORIES) >= 80
    assert {story["figure"] for story in STORIES} == set(FIGURES)


def test_no_text_is_there_twice() -> None:
    everything = [plain(text) or text for text in texts()]
    assert [text for text, count in Counter(everything).items() if count > 1] == []


def test_the_grammar_makes_none_of_the_texts() -> None:
    made = [chats.sample(random.Random(f"visitors {seed}")) for seed in range(WHOLE_CHATS)]
    for kind in chats.KINDS:
        made += [chats.sample(random.Random(f"{kind} {seed}"), kind) for seed in range(CHATS_OF_A_KIND)]
    assert len(made) == 2000
    typed = {plain(turn.text) or turn.text for chat in made for turn in chat.messages if turn.role == "user"}
    assert [text for text in texts() if (plain(text) or text) in typed] == []


def test_no_change_is_asked_for_in_the_grammars_words() -> None:
    """Their slots take anything, so that "paint the {k} {c}" is the grammar's "Paint the {t} {c}"."""
    kinds = [k if isinstance(k, list) else list(chain(*k.values())) for k in EDITS.values()]
    asked = [plain(re.sub(r"\{\w+\}", "x", text)) for text in chain(*kinds)]
    tables = [table for name, table in vars(grammar).items() if name.endswith("_EDITS")]
    known = {plain(re.sub(r"\{\w+\}", "x", text)) for text in chain(*tables)}
    assert len(asked) >= 130
    assert len(set(asked)) == len(asked)
    assert not set(asked) & known


def test_none_of_the_texts_begins_and_ends_like_a_request_frame() -> None:
    patterns = frames()
    assert len(patterns) > 250
    assert [text for text in texts() for pattern in patterns if pattern.fullmatch(plain(text))] == []

"""Questions about pictures of the chat, answered in words; none of the answers draws."""

import random

from minigpt5.data.storybook.texts.noise import typed
from minigpt5.data.storybook.texts.phrases import describe, groups, names, right_articles, thing_words
from minigpt5.data.storybook.texts.turns import Picture, Turn, assistant, user
from minigpt5.data.storybook.texts.words.lexicon import (
    FIGURES,
    MOODS,
    NUMBERS,
    PLACES,
    POSITIONS,
    TIMES,
    WEARS,
    WEATHERS,
    article,
    listing,
    looks,
    said,
    sentence,
)
from minigpt5.data.storybook.world import scene as sc
from minigpt5.data.storybook.world.scene import Figure, Scene, Thing, sample_scene
from minigpt5.data.storybook.world.things import THINGS

QUESTIONS: dict[str, tuple[str, ...]] = {
    "who": ("Who is this?", "What is this?", "Who is that?", "Who do you see?", "Who is in the picture?",
            "Which animal is it?", "What kind of animal is it?", "What animal do you see?", "who's this", "Who is there?",
            "Name the animal", "Do you know who this is?", "Guess who this is", "What creature is that?", "who is it"),
    "describe": ("Describe the picture", "What do you see?", "Describe this", "What is in the picture?",
                 "Tell me what you see", "What does the picture show?", "Can you describe the picture?",
                 "Describe it please", "What can you see here?", "Explain the picture", "what's in this image",
                 "Tell me about this picture", "caption", "Give me a caption", "What's on this picture?"),
    "colour": ("What colour is the {k}?", "What color is the {k}?", "Which colour is the {k}?", "What colour is it?",
               "What color is it?", "Tell me the colour of the {k}", "Which color does the {k} have?"),
    "action": ("What is it doing?", "What is the {k} doing?", "What does the {k} do?", "What is happening?",
               "What's going on?", "What is going on here?", "what happens in the picture", "What are they doing?"),
    "mood": ("How does the {k} feel?", "How does it feel?", "Is the {k} happy?", "What mood is the {k} in?",
             "How does the {k} look?", "Is it sad?", "Does it look happy?", "Why does the {k} look like that?"),
    "wear": ("What is the {k} wearing?", "What does the {k} wear?", "Does the {k} wear something?", "What is it wearing?",
             "What does it have on?"),
    "count": ("How many animals are there?", "How many are there?", "How many?", "How many figures do you see?",
              "Count them", "How many do you see?", "How many are in the picture?", "Is it alone?"),
    "count_kind": ("How many {s} are there?", "How many {s} do you see?", "how many {s}", "Count the {s}"),
    "where": ("Where is it?", "Where is the {k}?", "Where are they?", "Where does it play?", "What place is this?",
              "Which place is it?", "Where was this?", "where is this"),
    "time": ("What time of day is it?", "Is it day or night?", "What time is it in the picture?", "Is it night?",
             "Is it morning?", "Is it dark?", "When is it?"),
    "weather": ("What is the weather like?", "How is the weather?", "Is it raining?", "Is it snowing?",
                "What's the weather?", "What weather is it?", "Is there a storm?", "Is it foggy?"),
    "side": ("Who is on the {p}?", "What is on the {p}?", "Which one is on the {p}?", "Who stands on the {p}?"),
    "relation": ("Who is left of the {k}?", "Who is right of the {k}?", "Who is next to the {k}?",
                 "Is the {k} left of the {o}?", "Is the {k} right of the {o}?", "Who is to the left of the {k}?"),
    "things": ("What does it have?", "What things are there?", "What else is there?", "What is it holding?",
               "What else do you see?", "Is there anything else?", "What objects are there?"),
    "is_thing": ("Is there a {t}?", "Do you see a {t}?", "Can you see a {t}?", "Is there a {t} in the picture?"),
    "is_kind": ("Is this a {x}?", "Is it a {x}?", "Is there a {x}?", "Do you see a {x}?", "Is that a {x}?"),
    "is_colour": ("Is the {k} {x}?", "Is it {x}?", "Is the {k} {x} or not?"),
    "thing_colour": ("What colour is the {t}?", "What color is the {t}?", "Which colour has the {t}?"),
    "where_thing": ("Where is the {t}?", "Where do you see the {t}?"),
}  # fmt: skip
DESCRIPTIONS = ("This is {x}.", "I see {x}.", "The picture shows {x}.", "There is {x}.", "It shows {x}.")
NO_PICTURE = (
    "I don't see a picture yet. You can attach one, and I will describe it.",
    "There is no picture here yet. Shall I draw one?", "No picture has come with your words. Please attach one.",
)  # fmt: skip


def ask(scene: Scene, rng: random.Random) -> tuple[str, str]:
    """A question about one picture and its answer."""
    while True:
        kind = rng.choice((*QUESTIONS, "who", "describe", "describe", "count", "is_thing", "is_kind"))
        pair = _ANSWERS[kind](scene, rng, kind)
        if pair:
            return right_articles(pair[0]), sentence(right_articles(pair[1]))


def _question(kind: str, rng: random.Random, **blanks: str) -> str:
    return rng.choice(QUESTIONS[kind]).format(**blanks)


def _single(scene: Scene, rng: random.Random) -> Figure | None:
    """A figure whose kind no other has."""
    kinds = [f.kind for f in scene.figures]
    return rng.choice([f for f in scene.figures if kinds.count(f.kind) == 1] or [None])


def _the(group: list[Figure]) -> str:
    if len(group) == 1:
        return f"the {looks(group[0].colour, group[0].kind, group[0].kind)} is"
    return f"the {NUMBERS[len(group)]} {looks(group[0].colour, FIGURES[group[0].kind][0], group[0].kind)} are"


Answer = tuple[str, str] | None


def _who(scene: Scene, rng: random.Random, kind: str) -> Answer:
    return _question("who", rng), rng.choice(DESCRIPTIONS).format(x=names(scene))


def _describe(scene: Scene, rng: random.Random, kind: str) -> Answer:
    return _question("describe", rng), rng.choice(DESCRIPTIONS).format(
        x=describe(scene, everything=rng.random() < 0.5)
    )


def _colour(scene: Scene, rng: random.Random, kind: str) -> Answer:
    figure = _single(scene, rng)
    if figure is None or (len(scene.figures) > 1 and rng.random() < 0.2):
        if len({(f.kind, f.colour) for f in scene.figures}) == 1:
            return "What colour are they?", f"they are {scene.figures[0].colour}"
        return "What colours are they?", listing([f"the {f.kind} is {f.colour}" for f in scene.figures])
    question = _question("colour", rng, k=figure.kind)
    if "{k}" not in question and len(scene.figures) > 1 and figure.kind not in question:
        question = f"What colour is the {figure.kind}?"
    return question, rng.choice((f"it is {figure.colour}", f"the {figure.kind} is {figure.colour}"))


def _doing(figure: Figure, scene: Scene) -> str:
    held = next((t for t in scene.things if t.slot == "hand"), None)
    return (
        f"{figure.action} {thing_words(held)}"
        if held and figure.action in ("holding", "eating")
        else figure.action
    )


def _action(scene: Scene, rng: random.Random, kind: str) -> Answer:
    question = _question("action", rng, k=scene.figures[0].kind)
    figure = scene.figures[0]
    if len(scene.figures) == 1 or (figure.kind in question and _unique(scene, figure)):
        return question, rng.choice(
            (f"it is {_doing(figure, scene)}", f"the {figure.kind} is {_doing(figure, scene)}")
        )
    return question.replace(f"the {figure.kind}", "everybody"), listing(
        [f"{_the(g)} {_doing(g[0], scene)}" for g in groups(scene)]
    )


def _unique(scene: Scene, figure: Figure) -> bool:
    return [f.kind for f in scene.figures].count(figure.kind) == 1


def _mood(scene: Scene, rng: random.Random, kind: str) -> Answer:
    figure = _single(scene, rng)
    if figure is None:
        return None
    question = _question("mood", rng, k=figure.kind)
    if len(scene.figures) > 1 and figure.kind not in question:
        return None
    answer = f"the {figure.kind} is {figure.mood}"
    for mood in sc.MOODS:
        if question.startswith(("Is", "Does")) and f"{mood}?" in question:
            return question, f"{'yes' if mood == figure.mood else 'no'}, {answer}"
    return question, rng.choice(
        (answer, f"it looks {figure.mood}", f"it is {rng.choice(MOODS[figure.mood])}")
    )


def _wear(scene: Scene, rng: random.Random, kind: str) -> Answer:
    figure = _single(scene, rng)
    if figure is None:
        return None
    question = _question("wear", rng, k=figure.kind)
    if len(scene.figures) > 1 and figure.kind not in question:
        return None
    if figure.wear == "none":
        return question, f"the {figure.kind} is wearing nothing special"
    lead = "yes, " if question.startswith("Does") else ""
    return question, f"{lead}the {figure.kind} is wearing {WEARS[figure.wear][0]}"


def _count(scene: Scene, rng: random.Random, kind: str) -> Answer:
    count = len(scene.figures)
    question = _question("count", rng)
    if question == "Is it alone?":
        return question, f"{'yes' if count == 1 else 'no'}, I see {names(scene)}"
    return question, rng.choice(
        (f"I see {NUMBERS[count]}: {names(scene)}", f"{NUMBERS[count]}: {names(scene)}")
    )


def _count_kind(scene: Scene, rng: random.Random, kind: str) -> Answer:
    asked = rng.choice(scene.figures).kind if rng.random() < 0.75 else rng.choice(sc.FIGURES)
    count = [f.kind for f in scene.figures].count(asked)
    question = _question("count_kind", rng, s=FIGURES[asked][0])
    if not count:
        return question, f"there is no {asked}. I see {names(scene)}"
    noun = asked if count == 1 else FIGURES[asked][0]
    return question, f"there {'is' if count == 1 else 'are'} {NUMBERS[count]} {noun}"


def _where(scene: Scene, rng: random.Random, kind: str) -> Answer:
    question = _question("where", rng, k=scene.figures[0].kind)
    who = "they are" if len(scene.figures) > 1 else rng.choice(("it is", f"the {scene.figures[0].kind} is"))
    return question, f"{who} {PLACES[scene.place][0][0]}"


def _time(scene: Scene, rng: random.Random, kind: str) -> Answer:
    question = _question("time", rng)
    words = f"it is {TIMES[scene.time][1][0]}"
    asked = {"Is it night?": ("night",), "Is it morning?": ("morning",), "Is it dark?": ("night",)}.get(
        question
    )
    return question, f"{'yes' if scene.time in asked else 'no'}, {words}" if asked else words


def _weather(scene: Scene, rng: random.Random, kind: str) -> Answer:
    if scene.place in ("space", "undersea"):
        return None
    question = _question("weather", rng)
    words = WEATHERS[scene.weather][3][0]
    asked = {"Is it raining?": ("rain", "storm"), "Is it snowing?": ("snow",), "Is there a storm?": ("storm",),
             "Is it foggy?": ("fog",)}.get(question)  # fmt: skip
    return question, f"{'yes' if scene.weather in asked else 'no'}, {words}" if asked else words


def _side(scene: Scene, rng: random.Random, kind: str) -> Answer:
    side = rng.choice(("left", "right"))
    there = next((f for f in scene.figures if f.position == side), None)
    question = _question("side", rng, p=side)
    if there is None:
        first = scene.figures[0]
        return question, f"nobody is on the {side}. The {first.kind} is {POSITIONS[first.position][0]}"
    return question, f"{article(looks(there.colour, there.kind, there.kind))} is on the {side}"


def _relation(scene: Scene, rng: random.Random, kind: str) -> Answer:
    if len(scene.figures) < 2 or len({f.kind for f in scene.figures}) < len(scene.figures):
        return None
    i, j = rng.sample(range(len(scene.figures)), 2)
    one, other = scene.figures[i], scene.figures[j]
    question = _question("relation", rng, k=one.kind, o=other.kind)
    if question.startswith("Is"):
        right = (i < j) == ("left" in question)
        return (
            question,
            f"{'yes' if right else 'no'}, the {one.kind} is {'left' if i < j else 'right'} of the {other.kind}",
        )
    beside = {"left": scene.figures[:i], "right": scene.figures[i + 1 :]}
    found = beside["left"] if "left" in question else beside["right"] if "right" in question else (
        *scene.figures[max(0, i - 1) : i], *scene.figures[i + 1 : i + 2])  # fmt: skip
    if not found:
        return question, f"nobody is {'left' if 'left' in question else 'right'} of the {one.kind}"
    return question, listing([f"the {looks(f.colour, f.kind, f.kind)}" for f in found])


def _things(scene: Scene, rng: random.Random, kind: str) -> Answer:
    question = _question("things", rng)
    if not scene.things:
        return question, rng.choice(("there is nothing else", f"I see nothing but {names(scene)}"))
    return question, rng.choice(("there is {}", "I see {}")).format(
        listing([thing_words(t) for t in scene.things])
    )


def _is_thing(scene: Scene, rng: random.Random, kind: str) -> Answer:
    there = {t.kind for t in scene.things}
    asked = rng.choice(scene.things).kind if scene.things and rng.random() < 0.5 else rng.choice(list(THINGS))
    question = _question("is_thing", rng, t=said(asked))
    found = next((t for t in scene.things if t.kind == asked), None)
    if found:
        return question, f"yes, there is {thing_words(found)}"
    more = (
        f" I see {listing([thing_words(t) for t in scene.things])}." if there and rng.random() < 0.5 else ""
    )
    return question, f"no, there is no {said(asked)}.{more}"


def _is_kind(scene: Scene, rng: random.Random, kind: str) -> Answer:
    asked = rng.choice(scene.figures).kind if rng.random() < 0.5 else rng.choice(sc.FIGURES)
    word = asked if rng.random() < 0.75 else rng.choice(FIGURES[asked][1])
    right = asked in {f.kind for f in scene.figures}
    return _question("is_kind", rng, x=word), f"{'yes' if right else 'no'}, I see {names(scene)}"


def _is_colour(scene: Scene, rng: random.Random, kind: str) -> Answer:
    figure = _single(scene, rng)
    if figure is None:
        return None
    asked = figure.colour if rng.random() < 0.5 else rng.choice(sc.COLOURS)
    question = (
        f"Is the {figure.kind} {asked}?"
        if len(scene.figures) > 1
        else _question("is_colour", rng, k=figure.kind, x=asked)
    )
    return question, f"{'yes' if asked == figure.colour else 'no'}, the {figure.kind} is {figure.colour}"


def _toy(scene: Scene) -> Thing | None:
    return next((t for t in scene.things if t.colour), None)


def _thing_colour(scene: Scene, rng: random.Random, kind: str) -> Answer:
    toy = _toy(scene)
    return (
        (_question("thing_colour", rng, t=said(toy.kind)), f"the {said(toy.kind)} is {toy.colour}")
        if toy
        else None
    )


def _where_thing(scene: Scene, rng: random.Random, kind: str) -> Answer:
    if not scene.things:
        return None
    thing = rng.choice(scene.things)
    who = scene.figures[0].kind
    place = {"sky": "in the sky", "behind": f"behind the {who}", "beside": f"beside the {who}", "hand": f"in the {who}'s hand",
             "head": f"on the {who}'s head"}[thing.slot]  # fmt: skip
    return _question("where_thing", rng, t=said(thing.kind)), f"the {said(thing.kind)} is {place}"


_ANSWERS = {
    "who": _who, "describe": _describe, "colour": _colour, "action": _action, "mood": _mood, "wear": _wear,
    "count": _count, "count_kind": _count_kind, "where": _where, "time": _time, "weather": _weather, "side": _side,
    "relation": _relation, "things": _things, "is_thing": _is_thing, "is_kind": _is_kind, "is_colour": _is_colour,
    "thing_colour": _thing_colour, "where_thing": _where_thing,
}  # fmt: skip


def about(scene: Scene, rng: random.Random) -> tuple[Turn, Turn]:
    """A question about the picture just shown, and its answer."""
    question, reply = ask(scene, rng)
    return user(typed(question, rng)), assistant(reply)


def about_earlier(scenes: list[Scene], rng: random.Random) -> tuple[Turn, Turn]:
    """A question about one picture of several of the chat."""
    index = rng.choice([0, len(scenes) - 2])
    which = (
        "in the first picture"
        if index == 0
        else rng.choice(("in the picture before", "in the picture before that"))
    )
    if which.endswith("that"):
        which = "in the picture before the last"
    question, reply = ask(scenes[index], rng)
    return user(typed(f"{question.rstrip('?.')} {which}?", rng)), assistant(reply)


def brought(rng: random.Random, held_out: bool = False) -> tuple[list[Turn], Scene]:
    """A picture that the user attaches, with a question; and its scene."""
    scene = sample_scene(rng, held_out)
    question, reply = ask(scene, rng)
    parts = (
        (Picture(scene), typed(question, rng))
        if rng.random() < 0.6
        else (typed(question, rng), Picture(scene))
    )
    return [user(*parts), assistant(reply)], scene


def compared(before: Scene, after: Scene, rng: random.Random) -> tuple[Turn, Turn]:
    """What is not the same in two pictures."""
    question = rng.choice(("What changed?", "What is different?", "What's the difference?", "Find the difference",
                           "What has changed?", "Compare the pictures", "Spot the difference"))  # fmt: skip
    return user(Picture(before), Picture(after), typed(question, rng)), assistant(difference(before, after))


def difference(before: Scene, after: Scene) -> str:
    """What changed from one picture to the other, in words."""
    if before == after:
        return "Nothing changed. The pictures are the same."
    changes = []
    if names(before) != names(after):
        changes.append(f"first there is {names(before)}, then {names(after)}")
    for old, new in zip(before.figures, after.figures, strict=False):
        if old.action != new.action:
            changes.append(f"the {new.kind} is {new.action} now")
        if old.mood != new.mood:
            changes.append(f"the {new.kind} is {new.mood} now")
    if before.place != after.place:
        changes.append(f"now it is {PLACES[after.place][0][0]}")
    if before.time != after.time:
        changes.append(f"now it is {TIMES[after.time][1][0]}")
    if before.weather != after.weather:
        changes.append(f"now {WEATHERS[after.weather][3][0]}")
    for thing in set(after.things) - set(before.things):
        changes.append(f"there is {thing_words(thing)} now")
    for thing in set(before.things) - set(after.things):
        changes.append(f"the {said(thing.kind)} is gone")
    return " ".join(sentence(c) for c in changes[:3]) or "I see only a small difference."


def nothing_to_see(rng: random.Random) -> tuple[Turn, Turn]:
    """A question about a picture when there is none."""
    kind = rng.choice(("describe", "describe", "who", "weather", "count", "where"))
    question = rng.choice(QUESTIONS[kind]).format(k=rng.choice(sc.FIGURES), t="ball")
    return user(typed(question, rng)), assistant(rng.choice(NO_PICTURE))

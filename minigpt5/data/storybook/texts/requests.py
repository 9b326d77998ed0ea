"""Requests for one picture, in many wordings, and the replies that draw it."""

import random
from dataclasses import replace

from minigpt5.data.storybook.texts.noise import typed
from minigpt5.data.storybook.texts.phrases import (
    defaulted,
    describe,
    groups,
    phrase,
    suited,
    surroundings,
    thing_words,
    with_defaults,
)
from minigpt5.data.storybook.texts.turns import Picture, Turn, assistant, user
from minigpt5.data.storybook.texts.words.lexicon import (
    COLOURS,
    FIGURES,
    MOODS,
    NUMBERS,
    PLACES,
    SLOTS,
    TIMES,
    WEARS,
    WEATHERS,
    article,
    capital,
    looks,
    said,
    sentence,
)
from minigpt5.data.storybook.texts.words.requests import (
    AFTER,
    BEFORE,
    KEYWORD_LEADS,
    KEYWORD_TAILS,
    OPEN_REQUESTS,
    PARTIAL_REQUESTS,
    REQUEST_FRAMES,
    VERBS,
    WHO,
)
from minigpt5.data.storybook.world.scene import Scene, sample_scene

REPLIES = (
    "Here is {x}.", "Here is {x}.", "Here is {x}!", "Here you go: {x}.", "Look, {x}.", "Of course! Here is {x}.",
    "Sure! Here is {x}.", "I drew {x}.", "{X}, just for you.", "I made a picture of {x}.", "With pleasure: {x}.",
    "{X}.", "Good idea! Here is {x}.", "There you are: {x}.",
)  # fmt: skip
CLOSINGS = ("I hope you like it.", "Do you like it?", "Shall I change anything?", "Would you like a story about it?",
            "What shall I draw next?", "What should happen next?")  # fmt: skip


def chatter(text: str, rng: random.Random) -> str:
    """The blanks of a BEFORE / AFTER piece filled."""
    return text.format(who=rng.choice(WHO), age=rng.randint(3, 80))


def frame(words: str, rng: random.Random) -> str:
    """A request around the noun phrase, with chatter before and after some of the time."""
    form = rng.choice(REQUEST_FRAMES) if rng.random() < 0.7 else "{v} {x}"
    text = form.format(v=rng.choice(VERBS) if rng.random() < 0.5 else "draw", x=words, who=rng.choice(WHO))
    if rng.random() < 0.1:
        text = f"{text.rstrip('?')} {chatter(rng.choice(AFTER), rng)}"
    if rng.random() < 0.3:
        text = sentence(text, rng.choice((".", ".", "!")))
    if rng.random() < 0.1:
        text = f"{chatter(rng.choice(BEFORE), rng)} {text}"
    return text if rng.random() < 0.3 else capital(text)


def draw_request(scene: Scene, rng: random.Random) -> tuple[str, Scene]:
    """A typed request and the scene that answers it."""
    if rng.random() < 0.6:
        scene = with_defaults(scene, rng)
    scene = suited(scene)
    roll = rng.random()
    if roll < 0.07:
        return typed(keywords(scene, rng), rng), scene
    if roll < 0.14:
        return typed(in_sentences(scene, rng), rng), scene
    words = phrase(scene, rng, full=rng.random() < 0.4)
    if rng.random() < 0.12:
        words = words.removeprefix("an ").removeprefix("a ")
    if rng.random() < 0.1:
        words = _without_colour(words, scene)
    if rng.random() < 0.1 and len(scene.figures) == 1:
        return typed(_statement(words, scene, rng), rng), scene
    return typed(frame(words, rng), rng), scene


def _without_colour(words: str, scene: Scene) -> str:
    """A request that leaves the colour to the assistant."""
    for figure in scene.figures:
        words = words.replace(f"{figure.colour} ", "", 1).replace(f" in {figure.colour}", "", 1)
    return words.replace(" an ", " a ")


def _statement(words: str, scene: Scene, rng: random.Random) -> str:
    """The same as a sentence: "a blue rabbit is sleeping on the beach"."""
    action = scene.figures[0].action
    if f" {action}" in words:
        words = words.replace(f" {action}", f" is {action}", 1)
    forms = (
        "{}",
        "Draw a picture where {}",
        "Imagine: {}",
        "Show how {}",
        "{}. Draw it!",
        "A scene in which {}",
    )
    return capital(rng.choice(forms).format(words))


def keywords(scene: Scene, rng: random.Random) -> str:
    """The request as a mere list of words ("blue rabbit, beach, night")."""
    heads, tail = [], []
    for group in groups(scene):
        figure = group[0]
        noun = figure.kind if len(group) == 1 else FIGURES[figure.kind][0]
        number = "" if len(group) == 1 else f"{NUMBERS[len(group)]} "
        mood = f"{figure.mood} " if figure.mood != "happy" else ""
        heads.append(f"{number}{mood}{looks(figure.colour, noun, figure.kind)}")
        if figure.wear != "none":
            heads[-1] += f" {figure.wear}"
        if figure.action != "standing":
            heads[-1] += f" {figure.action}"
    for thing in scene.things:
        words = f"{thing.colour} {said(thing.kind)}".strip()
        tail.append(words if rng.random() < 0.6 else SLOTS[thing.slot][0].format(words))
    tail += (
        [rng.choice((PLACES[scene.place][2], PLACES[scene.place][0][0]))] if scene.place != "meadow" else []
    )
    tail += [rng.choice(TIMES[scene.time][1])] if scene.time != "day" else []
    tail += [rng.choice(WEATHERS[scene.weather][1])] if scene.weather != "clear" else []
    tail += (
        [scene.figures[0].position]
        if scene.figures[0].position != "centre" and len(scene.figures) == 1
        else []
    )
    rng.shuffle(tail)
    text = rng.choice((", ", ", ", " ", " + ", "; ", " - ", ",")).join([*heads, *tail])
    lead = rng.choice(KEYWORD_LEADS) if rng.random() < 0.5 else ""
    return f"{lead}{text}{rng.choice(KEYWORD_TAILS) if rng.random() < 0.3 else ''}"


def in_sentences(scene: Scene, rng: random.Random) -> str:
    """The request in short sentences ("Draw a blue rabbit. It is night. It has a red kite.")."""
    bare = replace(defaulted(scene, ()), figures=tuple(
        replace(f, action="standing", mood="happy", wear="none", position=f.position) for f in scene.figures))  # fmt: skip
    lead = phrase(replace(bare, place="meadow"), rng, plain=True)
    first = scene.figures[0]
    they = (
        "They are"
        if len(scene.figures) > 1
        else rng.choice(("It is", "It's", "He is", "She is", "It should be"))
    )
    more = []
    alike = len({(f.action, f.mood, f.wear) for f in scene.figures}) == 1
    for figure in [first] if alike else scene.figures:
        who = they if alike else f"The {looks(figure.colour, figure.kind, figure.kind)} is"
        if figure.action != "standing":
            held = next((t for t in scene.things if t.slot == "hand"), None)
            object_ = f" {thing_words(held)}" if held and figure.action in ("holding", "eating") else ""
            more.append(f"{who} {figure.action}{object_}")
        if figure.mood != "happy":
            more.append(f"{who} {rng.choice((figure.mood, *MOODS[figure.mood]))}")
        if figure.wear != "none":
            more.append(f"{who} wearing {rng.choice(WEARS[figure.wear])}")
    for thing in scene.things:
        if thing.slot != "hand" or not any(f.action in ("holding", "eating") for f in scene.figures):
            have = {
                "sky": "In the sky there is {}",
                "behind": "Behind it there is {}",
                "head": "On its head sits {}",
            }
            forms = (
                "There is {}",
                "Add {}",
                "Also {}",
                "Next to it is {}" if thing.slot == "beside" else "It has {}",
            )
            more.append(have.get(thing.slot, rng.choice(forms)).format(thing_words(thing)))
    more += [f"{they.split()[0]} {'are' if they.startswith('They') else 'is'} {w}" if not w.startswith("on a ") else w
             for w in surroundings(scene, rng, full=False, odd=0.3)]  # fmt: skip
    rng.shuffle(more)
    return ". ".join([frame(lead, rng).rstrip(".?!"), *map(capital, more)]) + rng.choice((".", ".", "", "!"))


def picture_reply(scene: Scene, rng: random.Random) -> Turn:
    """One sentence that names what is not a default, then the picture, at times a closing sentence."""
    words = describe(scene)
    text = rng.choice(REPLIES).format(x=words, X=capital(words))
    return assistant(text, Picture(scene), rng.choice(CLOSINGS) if rng.random() < 0.12 else "")


def open_request(scene: Scene, rng: random.Random) -> tuple[str, Scene]:
    """A request that names no figure: nothing at all, a place, a colour or a thing."""
    kind = rng.randrange(4)
    if kind == 0:
        return typed(chatter(rng.choice(OPEN_REQUESTS), rng), rng), scene
    if kind == 1:
        scene = defaulted(scene, {"place", "time", "weather"})
        said_ = " ".join(surroundings(scene, rng, full=False)) or "in the meadow"
        return typed(rng.choice(PARTIAL_REQUESTS).format(p=said_), rng), scene
    if kind == 2 and scene.things:
        scene = defaulted(scene, {"things", "action"})
        if scene.things:
            thing = scene.things[0]
            form = rng.choice(
                ("just {}", "{}", "only {}", "{} please", "something with {}", "somebody with {}")
            )
            return typed(frame(form.format(thing_words(thing)), rng), rng), replace(scene, things=(thing,))
    figure = scene.figures[0]
    scene = replace(
        defaulted(scene, ()), figures=(replace(defaulted(scene, ()).figures[0], position="centre"),)
    )
    noun = rng.choice(("animal", "one", "creature", "friend", "something"))
    colour = figure.colour if rng.random() < 0.6 else rng.choice(COLOURS[figure.colour])
    words = f"something {colour}" if noun == "something" else article(f"{colour} {noun}")
    return typed(frame(words, rng), rng), scene


def opening(rng: random.Random, held_out: bool = False, figures: int | None = None) -> tuple[Turn, Turn]:
    """A request and its picture, to which other exchanges may go on."""
    while True:
        scene = sample_scene(rng, held_out, figures)
        text, scene = draw_request(scene, rng) if rng.random() < 0.92 else open_request(scene, rng)
        if scene.held_out == held_out:
            return user(text), picture_reply(scene, rng)

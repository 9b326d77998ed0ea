"""Stories in chats: how they are asked for, told scene by scene or whole, steered, continued, and named.

The story that follows is the one that was asked for: the request is made from the same cast that the skeleton
(`bank`) is filled with.
"""

import random
from dataclasses import replace

from minigpt5.data.storybook.texts.noise import typed
from minigpt5.data.storybook.texts.phrases import phrase
from minigpt5.data.storybook.texts.requests import WHO
from minigpt5.data.storybook.texts.story import happenings
from minigpt5.data.storybook.texts.story.bank import (
    Cast,
    Skeleton,
    Told,
    a_thing,
    blanks,
    cast_for,
    fill,
    skeletons,
    tell,
    tidy,
)
from minigpt5.data.storybook.texts.turns import Picture, Turn, assistant, user
from minigpt5.data.storybook.texts.words.lexicon import (
    FIGURES,
    PLACES,
    SLOTS,
    TIMES,
    WEARS,
    WEATHERS,
    article,
    capital,
    looks,
    said,
    with_article,
)
from minigpt5.data.storybook.world.scene import Figure, Scene, sample_scene

TONE_NAMES = {
    "plain": (
        "a story",
        "a story",
        "a nice story",
        "a little story",
        "a tale",
        "a picture story",
        "a short story",
    ),
    "bedtime": (
        "a bedtime story",
        "a goodnight story",
        "a story for bedtime",
        "a calm story",
        "a sleepy story",
    ),
    "funny": (
        "a funny story",
        "a silly story",
        "something funny",
        "a story that makes me laugh",
        "a crazy story",
    ),
    "adventure": (
        "an adventure story",
        "an adventure",
        "an exciting story",
        "a thrilling story",
        "a wild adventure",
    ),
    "fairy-tale": (
        "a fairy tale",
        "a fairytale",
        "a magic story",
        "a story like a fairy tale",
        "a fairy story",
    ),
}
ASKS = (
    "Tell me {s} about {x}", "Tell me {s} about {x}", "Tell me {s} about {x}", "Tell {s} about {x}", "{s} about {x}",
    "Can you tell me {s} about {x}?", "Please tell me {s} about {x}", "I want {s} about {x}", "Write {s} about {x}",
    "Could you tell us {s} about {x}?", "Make up {s} about {x}", "I'd like {s} about {x}", "Write me {s} about {x}",
    "I'd love {s} about {x}", "Do you know {s} about {x}?", "Read me {s} about {x}", "Give me {s} about {x}",
    "Invent {s} about {x}", "My {who} wants {s} about {x}", "Let's write {s} about {x}", "Start {s} about {x}",
    "How about {s} about {x}?", "We need {s} about {x}", "story time! {x}", "Create {s} about {x}",
    "I would like to hear {s} about {x}", "Tell my {who} {s} about {x}", "{s} with {x}", "{s}: {x}",
    "Make {s} about {x}", "Begin {s} about {x}", "Once upon a time there was {x}", "Can we have {s} about {x}?",
    "Tell me {s} where {x} is the hero", "What is the story of {x}?", "Story about {x}", "Tell me about {x}",
)  # fmt: skip
SENTENCE_ASKS = ("Tell me {s}. {y}", "Tell me {s}. {y}", "{y} Tell me {s} about it.", "{y}", "Write {s}. {y}",
                 "I want {s}. {y}", "Here is my idea for {s}: {y}", "{S}, please. {y}", "Make {s} of this: {y}",
                 "Tell {s} in which {z}", "Tell me {s} where {z}", "{s} where {z}")  # fmt: skip
OPEN_ASKS = (
    "Tell me {s}", "Tell me {s}", "Can you tell me {s}?", "{S} please", "I want {s}", "I'd love {s}", "Story time",
    "Please tell me {s}", "Another story", "One more story please", "Do you know {s}?", "Write {s}", "Make up {s}",
    "Tell us {s}", "story", "A new story please", "I'd like to hear {s}", "Read me {s}", "Once upon a time...",
    "I can't sleep, tell me {s}", "Tell my {who} {s}", "{S} for my {who}", "Let's write {s}", "Start {s}",
    "It's bedtime. {S}?", "Give me {s}", "Surprise me with {s}", "tell me something", "and now {s}", "{s}!",
)  # fmt: skip
WHOLE = (" with pictures", " from start to end", ", the whole story", " in one go", " with many pictures",
         ", a complete one", ". Tell all of it", " with a beginning and an end", ", all of it", ", please with pictures")  # fmt: skip
LONG = ("long", "very long", "really long", "nice long", "whole")
NEXT_REQUESTS = (
    "What happens next?", "What happens next?", "What happens next?", "And then?", "Go on", "Continue", "Next", "More",
    "Continue the story", "What happens then?", "Please go on", "And what happened then?", "Then what?", "go on please",
    "Tell me more", "What comes next?", "Next scene", "Next page", "next page please", "and then what", "keep going",
    "I want to know what happens next", "What does {he} do next?", "Where does {he} go next?", "ok next", "Yes please",
    "continue please", "Tell me what happens next", "Draw what happens next", "Tell the next part", "Turn the page",
)  # fmt: skip
GIVEN_REQUESTS = (
    "What happens next?", "What happens next?", "Continue the story", "Continue", "Please continue this story", "Go on",
    "What comes next?", "Tell the next scene", "And then?", "Can you continue the story?", "Next?", "", "",
    "Write the next part", "What happens after that?", "Continue from here", "Then what happens?",
    "Draw and tell the next scene", "Make the next page", "How does the story go on?", "Next scene please",
    "This is my story so far. What happens next?", "Here is my story. Continue it please.",
)  # fmt: skip
LAST_REQUESTS = ("How does it end?", "How does it end?", "How does the story end?", "Now the end", "Tell me the end",
                 "What is the end of the story?", "Finish the story", "and the ending?", "End the story please",
                 "Let it end well", "Bring it to an end", "the end please")  # fmt: skip
TITLE_REQUESTS = ("What is the title?", "Give the story a title", "What is the story called?", "A title please",
                  "Title?", "Find a title for it", "What shall we call this story?", "Name the story")  # fmt: skip
WHO_IS = ("Who is {n}?", "What is {n}?", "Remind me who {n} is", "Tell me who {n} is", "who was {n} again?")
PRAISE = ("Nice story", "I like the story", "What a lovely story", "That was beautiful", "I like {n}", "I loved it",
          "{n} is so brave", "that was fun", "poor {n}", "Thank you for the story", "so sweet", "haha {n}")  # fmt: skip
PRAISE_REPLIES = ("I am glad that you like it. Shall I go on?", "{n} thanks you for listening!",
                  "Thank you! Would you like to know what happens next?", "How nice of you. Shall I tell another?")  # fmt: skip


def plan(rng: random.Random, hero: Figure | None = None) -> tuple[Skeleton, Cast, list[Told]]:
    """A skeleton, its cast, and the told story; none of its scenes but perhaps the last is held out."""
    while True:
        skeleton = rng.choice(skeletons())
        cast = cast_for(skeleton, rng, hero)
        if rng.random() < 0.15:
            cast = replace(cast, name="")
        told = tell(skeleton, cast, rng)
        if not any(scene.held_out for _, scene in told):
            return skeleton, cast, told


def hero_words(cast: Cast, rng: random.Random) -> str:
    """The hero as an author puts it: "a blue rabbit named Pip", "Pip the blue rabbit", "a blue rabbit"."""
    kind = cast.hero.kind if rng.random() < 0.75 else rng.choice(FIGURES[cast.hero.kind][1])
    who = looks(cast.hero.colour, kind, cast.hero.kind)
    if rng.random() < 0.08:
        who = kind
    if not cast.name or rng.random() < 0.3:
        return article(who)
    name = cast.name if rng.random() < 0.85 else cast.name.lower()
    return rng.choice((f"{article(who)} named {name}", f"{article(who)} called {name}", f"{name} the {who}",
                       f"{name}, {article(who)}", f"{name} the {who}"))  # fmt: skip


def premise(skeleton: Skeleton, cast: Cast, told: list[Told], rng: random.Random) -> str:
    """What the story is to be about: the skeleton's own premise, or what its first picture shows."""
    if rng.random() < 0.5:
        return _from_picture(cast, told[0][1], skeleton, rng)
    words = {**blanks(cast), "hero": hero_words(cast, rng), "friend_full": _friend_words(cast, rng)}
    text = tidy(rng.choice(skeleton.premise).format(**words, sky=""))
    text = text[:1].lower() + text[1:] if not text.startswith(cast.name or "#") else text
    if skeleton.opening_weather and rng.random() < 0.5:
        text += f" {_surroundings(cast, told[0][1], rng)}"
    return text.strip()


def _friend_words(cast: Cast, rng: random.Random) -> str:
    who = looks(cast.friend.colour, cast.friend.kind, cast.friend.kind)
    return f"{cast.friend_name} the {who}" if rng.random() < 0.6 else article(who)


def _surroundings(cast: Cast, scene: Scene, rng: random.Random) -> str:
    """Time and weather of the first scene, if they are unusual."""
    pieces = [rng.choice(TIMES[scene.time][0])] if scene.time != "day" else []
    pieces += [rng.choice(WEATHERS[scene.weather][0])] if scene.weather != "clear" else []
    rng.shuffle(pieces)
    if len(pieces) == 2 and rng.random() < 0.4:
        return f"on {article(f'{rng.choice(WEATHERS[scene.weather][2])} {TIMES[scene.time][2]}')}"
    return " ".join(pieces)


def _from_picture(cast: Cast, scene: Scene, skeleton: Skeleton, rng: random.Random) -> str:
    """The hero and what the first picture shows, in any order."""
    hero = hero_words(cast, rng)
    pieces = []
    if scene.place != "meadow" or rng.random() < 0.5:
        pieces.append(PLACES[scene.place][0][0] if rng.random() < 0.5 else rng.choice(PLACES[scene.place][0]))
    pieces.append(_surroundings(cast, scene, rng))
    wear = scene.figures[0].wear
    if wear != "none":
        hero += f" wearing {rng.choice(WEARS[wear])}"
    if cast.thing and rng.random() < 0.75:
        words = with_article(cast.thing.kind, f"{cast.thing.colour} {said(cast.thing.kind)}".strip())
        shown = next((t for t in scene.things if t.kind == cast.thing.kind), None)
        hero += " " + (rng.choice(SLOTS[shown.slot]) if shown and rng.random() < 0.5 else rng.choice(
            ("with {}", "and {}", "who has {}", "with {}"))).format(words)  # fmt: skip
    if skeleton.friend and rng.random() < 0.5:
        hero += f" and {_friend_words(cast, rng)}"
    rng.shuffle(pieces)
    return " ".join(filter(None, [hero, *pieces]))


def request(skeleton: Skeleton, cast: Cast, told: list[Told], rng: random.Random, whole: bool = False) -> str:
    """How a user asks for this story, in the tone of the skeleton or in none."""
    tone = skeleton.tone if rng.random() < 0.6 else "plain"
    name = rng.choice(TONE_NAMES[tone])
    if whole and rng.random() < 0.5:
        name = f"a {rng.choice(LONG)} {name.split(' ', 1)[1]}" if name.startswith(("a ", "an ")) else name
    who = rng.choice(WHO)
    roll = rng.random()
    if roll < 0.14:
        text = rng.choice(OPEN_ASKS).format(s=name, S=capital(name), who=who)
    elif roll < 0.32:
        words = {
            **blanks(cast),
            "Hero": capital(hero_words(cast, rng)),
            "friend_full": _friend_words(cast, rng),
        }
        told_ = tidy(rng.choice(skeleton.sentence).format(**words, sky=""))
        bare = told_.rstrip(".!")
        bare = bare if cast.name and bare.startswith(cast.name) else bare[:1].lower() + bare[1:]
        text = rng.choice(SENTENCE_ASKS).format(s=name, S=capital(name), y=told_, z=bare)
    else:
        text = rng.choice(ASKS).format(s=name, x=premise(skeleton, cast, told, rng), who=who)
    if whole and (" long " not in text or rng.random() < 0.4):
        text = text.rstrip("?.!") + rng.choice(WHOLE)
    return typed(capital(text) if rng.random() < 0.8 else text, rng)


def exchanges(rng: random.Random, hero: Figure | None = None) -> list[Turn]:
    """A story in one of its forms, as turns."""
    form = rng.choices((scene_by_scene, whole_story, from_given, from_pictures), (58, 14, 16, 12))[0]
    return form(rng, hero)


def scene_by_scene(rng: random.Random, hero: Figure | None = None) -> list[Turn]:
    """Told as it is asked for, often to the end; at times steered by the user, at times named or talked about."""
    skeleton, cast, told = plan(rng, hero)
    count = len(told) if rng.random() < 0.45 else rng.randint(1, len(told))
    turns = [user(request(skeleton, cast, told, rng)), assistant(told[0][0], Picture(told[0][1]))]
    for place, (text, scene) in enumerate(told[1:count], 1):
        last = place == len(told) - 1
        turns += [user(_next(rng, last)), assistant(text, Picture(scene))]
    if count < len(told) and rng.random() < 0.6:
        turns += steered(told[count - 1][1], cast, rng)
    return turns + _talk(skeleton, cast, rng)


def _next(rng: random.Random, last: bool) -> str:
    return typed(
        rng.choice(LAST_REQUESTS if last and rng.random() < 0.7 else NEXT_REQUESTS).format(he="it"), rng
    )


def _talk(skeleton: Skeleton, cast: Cast, rng: random.Random) -> list[Turn]:
    """At times a title, praise, or a question about the hero."""
    roll = rng.random()
    if roll < 0.12:
        return [
            user(typed(rng.choice(TITLE_REQUESTS), rng)),
            assistant(fill(rng.choice(skeleton.title), cast)),
        ]
    if roll < 0.2 and cast.name:
        who = article(looks(cast.hero.colour, cast.hero.kind, cast.hero.kind))
        return [user(typed(rng.choice(WHO_IS).format(n=cast.name), rng)), assistant(f"{cast.name} is {who}.")]
    if roll < 0.27:
        name = cast.name or f"the {cast.hero.kind}"
        said_ = typed(capital(rng.choice(PRAISE).format(n=name)), rng)
        return [user(said_), assistant(capital(rng.choice(PRAISE_REPLIES).format(n=name)))]
    return []


def steered(scene: Scene, cast: Cast, rng: random.Random, count: int = 0) -> list[Turn]:
    """The user says what happens, or asks what does, one to four times; the story does it and may end."""
    if len(scene.figures) > 2:
        scene = replace(scene, figures=(replace(scene.figures[0], position="centre"),))
    turns: list[Turn] = []
    number = count or rng.choice((1, 1, 2, 2, 3, 4))
    for place in range(number):
        after = _follow(scene, cast, rng)
        if after is None:
            return turns
        ask, (text, scene), cast = after
        ends = place == number - 1 and rng.random() < 0.25
        if ends:
            text = f"{text} {fill(rng.choice(happenings.ENDINGS), cast)}"
        asked = typed(ask, rng) if rng.random() < 0.65 and not ends else _next(rng, ends)
        turns += [user(asked), assistant(text, Picture(scene))]
    return turns


def _follow(scene: Scene, cast: Cast, rng: random.Random) -> tuple[str, Told, Cast] | None:
    friend = len(scene.figures) == 2 and scene.figures[1].kind == cast.friend.kind
    for _ in range(12):
        kind = rng.choice(happenings.possible(scene, friend))
        ask, told, changed = happenings.happen(kind, scene, cast, rng)
        if rng.random() < 0.3:
            second = rng.choice([k for k in happenings.possible(told[1], False) if k != kind])
            if {kind, second} & {"go", "time", "sky"} and second in ("go", "time", "sky", "find"):
                more, other, changed = happenings.happen(second, told[1], changed, rng)
                ask, told = f"{ask} and {more[:1].lower()}{more[1:]}", (f"{told[0]} {other[0]}", other[1])
        if not told[1].held_out:
            return ask, told, changed
    return None


def whole_story(rng: random.Random, hero: Figure | None = None) -> list[Turn]:
    """All of a story in one reply: its title, then words and picture in turn."""
    skeleton, cast, told = plan(rng, hero)
    parts: list[str | Picture] = []
    for text, scene in told:
        parts += [text, Picture(scene)]
    parts[0] = f"{fill(rng.choice(skeleton.title), cast)}: {parts[0]}"
    asked = user(request(skeleton, cast, told, rng, whole=True))
    return [asked, assistant(*parts), *_talk(skeleton, cast, rng)]


def from_given(rng: random.Random, hero: Figure | None = None) -> list[Turn]:
    """The user brings one to three scenes of a story; the reply is the next one, and more if asked."""
    _, _, told = plan(rng, hero)
    count = min(rng.choice((1, 1, 2, 2, 3)), len(told) - 1)
    form = rng.choice(("both", "both", "texts"))
    parts: list[str | Picture] = []
    for text, scene in told[:count]:
        parts += [text, Picture(scene)] if form == "both" else [text]
    ask = rng.choice(GIVEN_REQUESTS)
    parts = [*([typed(ask, rng)] if ask and rng.random() < 0.3 else []), *parts]
    if ask and len(parts) == count * (2 if form == "both" else 1):
        parts.append(typed(ask, rng))
    turns = [user(*parts), assistant(told[count][0], Picture(told[count][1]))]
    for place in range(count + 1, min(len(told), count + 1 + rng.choice((0, 0, 1, 2)))):
        turns += [
            user(_next(rng, place == len(told) - 1)),
            assistant(told[place][0], Picture(told[place][1])),
        ]
    return turns


def from_pictures(rng: random.Random, hero: Figure | None = None) -> list[Turn]:
    """The user brings a picture or two, with or without words; the story goes on from them."""
    scene = sample_scene(rng, figures=rng.choice((1, 1, 2)))
    skeleton = rng.choice(skeletons())
    cast = cast_for(skeleton, rng, scene.figures[0])
    cast = replace(cast, name="" if rng.random() < 0.6 else cast.name, thing=a_thing(skeleton, rng))
    parts: list[str | Picture] = []
    for index in range(rng.choice((1, 1, 1, 2))):
        if index:
            after = _follow(scene, cast, rng)
            if after is None:
                break
            _, (_, scene), cast = after
        if cast.name and rng.random() < 0.7:
            parts.append(typed(f"{cast.name} is {phrase(scene, rng, plain=True)}.", rng))
        parts.append(Picture(scene))
    ask = rng.choice(GIVEN_REQUESTS) or "What happens next?"
    parts = [typed(ask, rng), *parts] if rng.random() < 0.3 else [*parts, typed(ask, rng)]
    if len(scene.figures) == 2:
        cast = replace(cast, friend=scene.figures[1], friend_name=f"the {scene.figures[1].kind}")
    after = _follow(scene, cast, rng)
    if after is None:
        return from_pictures(rng, hero)
    _, (text, scene), cast = after
    return [user(*parts), assistant(text, Picture(scene)), *steered(scene, cast, rng, rng.choice((1, 2)))]

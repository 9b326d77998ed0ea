"""What can happen to anyone in any picture: for stories that the user steers, and stories without a skeleton.

A happening is a kind ("go", "night", "meet", ...); `happen` gives its words, its picture and how a user may ask for it.
"""

import random
from dataclasses import replace

from minigpt5.data.storybook.texts.edits import placed, random_thing
from minigpt5.data.storybook.texts.phrases import suited
from minigpt5.data.storybook.texts.story.bank import Cast, Told, a_name, fill
from minigpt5.data.storybook.texts.words.lexicon import MOODS, WEATHERS, looks
from minigpt5.data.storybook.world import scene as sc
from minigpt5.data.storybook.world.scene import Figure, Scene

# kind -> (what the user says, what the story says); slots as in the bank
GO = (
    ("and then {he} goes {toB}", "they go {toB}", "{N} goes {toB}", "now {he} is {B}", "then {N} travels {toB}",
     "let {him} go {toB}", "And then {N} comes {toB}", "the {who} goes {toB}", "next {he} arrives {B}",
     "what if {he} went {toB}?", "take {N} {toB}", "later {he} is {B}", "send {him} {toB}", "off {toB}!"),
    ("{N} set off {toB}. The way was long, but {he} sang all the way.",
     "So {N} went {toB}. “I have never been here before,” {he} said.",
     "Off went {N} {toB}, one step after the other, until {he} was there.",
     "After a while {N} came {toB}. Everything smelled new and exciting.",
     "“Let us see what is there,” said {N}, and went {toB}.",
     "{N} packed a small bag and walked {toB}. What a place it was!",
     "The road led {N} {toB}. {He} looked around with big eyes."))  # fmt: skip
TIMES = {
    "night": (("then it gets dark", "night falls", "and then it is night", "now it is night", "it becomes night",
               "at night", "then comes the night", "late at night"),
              ("Slowly it got dark, and the first stars came out above {N}.", "Night fell. {N} could hear an owl far away.",
               "Then it was night, and the moon looked down on the {who}.", "It became dark, but {N} was not afraid.")),
    "morning": (("the next morning", "then the sun comes up", "in the morning", "and then it is morning",
                 "the sun rises", "next morning"),
                ("The next morning the sun came up, and {N} stretched.", "When the morning came, {N} was awake before the birds.",
                 "The sun rose, and {N} said good morning to the new day.")),
    "sunset": (("then the sun goes down", "in the evening", "evening comes", "at sunset", "it is getting late"),
               ("The sun went down, and the sky turned orange above {N}.", "In the evening {N} watched the sun go to bed.",
                "It was getting late. The sun sank, and {N} felt calm.")),
    "day": (("the next day", "then it is day again", "on the next day", "a new day comes", "later that day"),
            ("The next day was bright, and {N} was full of plans.", "A new day came. {N} could hardly wait.",
             "Then it was day again, and {N} went on.")),
}  # fmt: skip
SKIES = {
    "rain": ("It began to rain. Big drops fell on {N}, and {he} laughed.", "Then the rain came, and {N} got very wet.",
             "Plip, plop! Rain fell on the {who}."),
    "snow": ("It began to snow. {N} caught a snowflake with {his} tongue.", "Snow fell softly, and soon everything around {N} was white.",
             "“Snow!” cried {N}. White flakes danced all around {him}."),
    "storm": ("A storm came up. Thunder rolled, and {N} held on tight.", "Suddenly there was thunder and lightning above {N}!",
              "The wind howled, and lightning flashed over the {who}."),
    "fog": ("Fog crept in, and {N} could hardly see {his} own nose.", "A thick fog came. “Where is everything?” asked {N}."),
    "cloudy": ("Clouds came and covered the sky above {N}.", "Grey clouds gathered, and {N} looked up."),
    "rainbow": ("A rainbow appeared, and {N} counted its colours.", "“Look, a rainbow!” called {N}. It was the biggest ever."),
    "clear": ("The sky cleared, and {N} felt the warm light.", "Then the weather was fine again, and {N} cheered."),
}  # fmt: skip
SKY_ASKS = ("then it {t}", "and then {n}", "suddenly there is {n}", "{n} comes", "it starts to {b}", "then comes {n}",
            "what if there is {n}?", "and there is {n}")  # fmt: skip
MEET = (
    ("and then {he} meets {a_friend}", "{N} meets {a_friend}", "they meet {a_friend}", "{a_friend} comes along",
     "then {a_friend} appears", "{he} finds a friend, {a_friend}", "let {him} meet {a_friend}", "now {a_friend} joins",
     "suddenly {a_friend} is there", "{N} sees {a_friend}", "what if {he} meets {a_friend}?"),
    ("There {N} met {a_friend} called {F}. “Hello,” said {F}, “shall we go together?”",
     "Suddenly {a_friend} stood there. “I am {F},” said the {friend}. “Who are you?”",
     "{a_friend} came along, and {fhis} name was {F}. {N} and {F} liked each other at once.",
     "“Is somebody there?” asked {N}. It was {F}, {a_friend}, and {fhe} had been looking for a friend.",
     "Just then {N} bumped into {F}, {a_friend}. They both had to laugh."))  # fmt: skip
PART = (("then {F} goes home", "{F} says goodbye", "they say goodbye", "{F} leaves", "{N} goes on alone"),
        ("“I must go home now,” said {F}. {N} waved until {fhe} was out of sight.",
         "{F} had to go. “See you tomorrow,” said {N}, and went on alone."))  # fmt: skip
FIND = (
    ("and then {he} finds {a_thing}", "{N} finds {a_thing}", "there is {a_thing}", "they find {a_thing}",
     "suddenly {he} sees {a_thing}", "{he} gets {a_thing}", "let {him} find {a_thing}", "{a_thing} appears",
     "someone gives {him} {a_thing}", "what if there was {a_thing}?", "now with {a_thing}"),
    ("And what was that? {N} found {a_thing}! “Whose {thing} is this?” {he} wondered.",
     "There, all by itself, was {a_thing}. {N} could not believe {his} luck.",
     "{N} looked twice. It really was {a_thing}, the finest {thing} in the world.",
     "Then {he} saw {a_thing}. “I have always wanted a {thing},” said {N}.",
     "“Oh, {a_thing}!” said {N}. {He} had never seen one so close."))  # fmt: skip
LOSE = (("then the {thing} is gone", "{he} loses the {thing}", "the {thing} disappears", "somebody takes the {thing}",
         "the {thing} is lost"),
        ("But then the {thing} was gone! {N} looked everywhere, high and low.",
         "“Where is the {thing}?” cried {N}. It had been here a minute ago."))  # fmt: skip
FEEL = {
    "happy": ("{N} was so happy that {he} hummed a tune.", "That made {N} smile from ear to ear."),
    "sad": ("{N} felt sad, and a tear rolled down {his} cheek.", "“I want to go home,” sighed {N}."),
    "angry": ("{N} was cross and stamped {his} foot.", "“That is not fair!” said {N}, and {he} was really angry."),
    "surprised": ("{N} stared. {He} had not expected that at all!", "“Oh!” said {N}, with a mouth as round as an apple."),
}  # fmt: skip
FEEL_ASKS = ("{he} is {m}", "now {he} is {m}", "and then {he} gets {m}", "that makes {him} {m}", "{N} becomes {m}",
             "{N} is very {m}")  # fmt: skip
DO = {
    "standing": ("{N} stood still and listened.", "{N} waited a little.", "{N} looked around carefully."),
    "waving": ("{N} waved to everyone.", "{N} waved with both arms.", "“Hello!” called {N}, and waved."),
    "jumping": ("{N} jumped as high as {he} could.", "{N} jumped up and down.", "Hop, hop, hop went {N}."),
    "sleeping": ("Then {N} lay down and slept.", "{N} was so tired that {he} fell asleep.", "{N} slept and dreamed."),
    "sitting": ("{N} sat down to think.", "{N} sat down for a rest.", "There {N} sat and looked around."),
    "running": ("{N} ran as fast as the wind.", "{N} ran and ran.", "“Catch me!” called {N}, and ran."),
    "dancing": ("{N} danced in a circle.", "{N} could not help dancing.", "{N} danced until {his} feet were warm."),
}  # fmt: skip
DO_ASKS = (
    "then {he} {s}",
    "{N} {s}",
    "now {he} is {g}",
    "and {N} is {g}",
    "let {him} {b}",
    "{he} starts {g}",
)
ENDINGS = (
    "And that was the best day of all for {N}.", "So {N} went home, and everything was good.",
    "From that day on {N} often told this story.", "And if {he} is not asleep, {N} is still laughing.",
    "“What a day,” said {N}, and that was that.", "At home there was hot soup for {N}, and a warm bed.",
    "That is how {N} became the happiest {who} far and wide.", "And {N} never forgot it.",
)  # fmt: skip


def possible(scene: Scene, has_friend: bool) -> list[str]:
    """The kinds of happenings that can follow the scene."""
    kinds = ["go", "go", "go", "time", "do", "feel"]
    kinds += ["sky", "sky"] if scene.place not in ("space", "undersea") else []
    kinds += (
        ["meet", "meet"]
        if len(scene.figures) == 1
        else ["part"]
        if has_friend and len(scene.figures) == 2
        else []
    )
    return (
        kinds
        + (["lose"] if len(scene.things) == 1 else [])
        + (["find", "find"] if len(scene.things) < 2 else [])
    )


def happen(kind: str, scene: Scene, cast: Cast, rng: random.Random) -> tuple[str, Told, Cast]:
    """How a user asks for it, the scene as it is told and shown, and the cast after it."""
    cast = replace(cast, here=scene.place, there=scene.place)
    calm = replace(scene, figures=tuple(replace(f, action="standing", mood="happy") for f in scene.figures))
    calm = suited(calm)
    asks, told, new, cast = _DOINGS[kind](calm, cast, rng)
    doing = rng.choice(list(DO))
    pieces = [rng.choice(told)]
    if kind not in ("do", "feel") and rng.random() < 0.7:
        pieces.append(rng.choice(DO[doing]))
        new = _hero(new, action=doing)
    return fill_ask(rng.choice(asks), cast), (fill(" ".join(pieces), cast), suited(new)), cast


def fill_ask(template: str, cast: Cast) -> str:
    """A user's words with the slots filled."""
    friend = looks(cast.friend.colour, cast.friend.kind, cast.friend.kind)
    return fill(template.replace("{a_friend}", f"a {friend}"), cast)


def _hero(scene: Scene, **changes: str) -> Scene:
    return replace(scene, figures=(replace(scene.figures[0], **changes), *scene.figures[1:]))


_Doing = tuple[tuple[str, ...], tuple[str, ...], Scene, Cast]


def _go(scene: Scene, cast: Cast, rng: random.Random) -> _Doing:
    there = rng.choice([p for p in sc.PLACES if p != scene.place])
    return *GO, suited(replace(scene, place=there)), replace(cast, there=there)


def _time(scene: Scene, cast: Cast, rng: random.Random) -> _Doing:
    new = rng.choice([t for t in sc.TIMES if t != scene.time])
    return *TIMES[new], replace(scene, time=new), cast


def _sky(scene: Scene, cast: Cast, rng: random.Random) -> _Doing:
    new = rng.choice([w for w in sc.WEATHERS if w != scene.weather])
    name = WEATHERS[new][1][0].removeprefix("a ")
    verb = {"rain": "rain", "snow": "snow", "storm": "storm"}.get(new)
    asks = tuple(a for a in SKY_ASKS if verb or ("{t}" not in a and "{b}" not in a))
    noun = {"cloudy": "clouds", "clear": "a clear sky", "rainbow": "a rainbow", "storm": "a storm"}.get(
        new, name
    )
    asks = tuple(a.replace("{t}", f"{verb}s").replace("{b}", str(verb)).replace("{n}", noun) for a in asks)
    return asks, SKIES[new], replace(scene, weather=new), cast


def _meet(scene: Scene, cast: Cast, rng: random.Random) -> _Doing:
    hero = scene.figures[0]
    friend = Figure(
        rng.choice([k for k in sc.FIGURES if k != hero.kind]),
        rng.choice([c for c in sc.COLOURS if c != hero.colour]),
    )
    pronoun = rng.choice(("he", "she"))
    cast = replace(cast, friend=friend, friend_pronoun=pronoun, friend_name=a_name(pronoun, rng))
    told = tuple(text.replace("{a_friend}", "a {friend}") for text in MEET[1])
    return MEET[0], told, placed(replace(scene, figures=(hero, friend))), cast


def _part(scene: Scene, cast: Cast, rng: random.Random) -> _Doing:
    return *PART, replace(scene, figures=(replace(scene.figures[0], position="centre"),)), cast


def _find(scene: Scene, cast: Cast, rng: random.Random) -> _Doing:
    thing = None
    while thing is None:
        thing = random_thing(scene, rng)
    return *FIND, replace(scene, things=(*scene.things, thing)), replace(cast, thing=thing)


def _lose(scene: Scene, cast: Cast, rng: random.Random) -> _Doing:
    lost = scene.things[0]
    return *LOSE, suited(replace(scene, things=())), replace(cast, thing=lost)


def _feel(scene: Scene, cast: Cast, rng: random.Random) -> _Doing:
    mood = rng.choice([m for m in sc.MOODS if m != "happy" or rng.random() < 0.3])
    word = mood if rng.random() < 0.7 else rng.choice(MOODS[mood])
    return tuple(a.replace("{m}", word) for a in FEEL_ASKS), FEEL[mood], _hero(scene, mood=mood), cast


def _do(scene: Scene, cast: Cast, rng: random.Random) -> _Doing:
    action = rng.choice([a for a in DO if a != "standing"])
    base = {"waving": "wave", "jumping": "jump", "sleeping": "sleep", "sitting": "sit", "running": "run",
            "dancing": "dance"}[action]  # fmt: skip
    asks = tuple(a.replace("{s}", f"{base}s").replace("{g}", action).replace("{b}", base) for a in DO_ASKS)
    return asks, DO[action], _hero(scene, action=action), cast


_DOINGS = {"go": _go, "time": _time, "sky": _sky, "meet": _meet, "part": _part, "find": _find, "lose": _lose,
           "feel": _feel, "do": _do}  # fmt: skip

"""Questions about pictures, answered in words; none of the answers draws."""

from __future__ import annotations

import random

from minigpt5.data.storybook import scene as sc
from minigpt5.data.storybook.captions import caption, describe
from minigpt5.data.storybook.dialogs import opening
from minigpt5.data.storybook.edits import edit
from minigpt5.data.storybook.texts.noise import typed
from minigpt5.data.storybook.texts.turns import Document, Picture, Turn, assistant, user
from minigpt5.data.storybook.words import (
    ANIMAL_WORDS,
    NUMBERS,
    POSITION_WORDS,
    PROP_WORDS,
    SETTING_WORDS,
    TIME_WORDS,
    article,
    fix_articles,
    sentence,
)

QUESTIONS = {
    "who": ("Who is this?", "What animal is this?", "Which animal is it?", "What is this?", "Who is that?",
    "Who do you see?",
            "What kind of animal is it?", "What animal do you see?", "Who is in the picture?",
            "What is in the picture?",
            "Name the animal", "which animal", "Is this a cat or what?", "Do you know who this is?",
            "Who's this?", "what's this",
            "Guess the animal", "Can you tell me what animal this is?", "Who am I looking at?",
            "What creature is that?"),
    "colour": ("What colour is it?", "What color is it?", "Which colour is the {a}?",
    "What color is the {a}?", "What colour is the {a}?",
               "Tell me the colour", "Colour?", "What is its colour?", "what color",
               "Which color does the {a} have?", "How is it coloured?"),
    "action": ("What is it doing?", "What is the {a} doing?", "What does it do?", "What is he doing?",
    "What's she doing?", "What is happening?",
               "What is going on here?", "What does the {a} do?", "What are they doing?",
               "Is it sleeping or what?", "What's happening here?",
               "Tell me what the {a} is doing", "what happens in the picture", "What's going on?",
               "Is it awake?"),
    "count": ("How many animals are there?", "How many?", "How many are there?",
    "How many animals do you see?", "Count the animals",
              "Is it alone?", "Is there more than one animal?", "How many animals are in the picture?",
              "How many characters?", "count them",
              "Can you count the animals?", "Are there two animals?"),
    "where": ("Where is it?", "Where is the {a}?", "What place is this?", "Where are they?",
    "Where was this taken?", "Which place do you see?",
              "Where does this happen?", "What is in the background?", "What's behind the {a}?", "where",
              "Where is this?", "What is the place?",
              "Is this the beach?", "In which place is the {a}?"),
    "time": ("What time is it?", "Is it day or night?", "When is it?", "When does this happen?",
    "What time of day is it?", "Is it night?",
             "Is it dark?", "What time of day do you see?", "Is it early or late?", "Which time of day",
             "Is it daytime?", "Is the sun setting?"),
    "weather": ("What is the weather like?", "How is the weather?", "Is it raining?", "Is it snowing?",
    "What's the weather?", "weather?",
                "What weather do you see?", "Is it raining in the picture?", "Does it rain?",
                "Does it snow?", "Tell me the weather in the picture",
                "What kind of weather is it?", "Is the weather good here?"),
    "prop": ("What is it holding?", "What does it have?", "What is the {a} holding?",
    "What thing do you see?", "What else is there?",
             "Is it holding something?", "What does the {a} have?", "What is next to it?",
             "What object is in the picture?", "Which toy does it have?",
             "What has it got?", "What is the thing beside it?", "Does it have anything?",
             "What's that next to the {a}?"),
    "prop_colour": ("What colour is the {k}?", "What color is the {k}?", "Which colour does the {k} have?",
    "The {k} is what colour?",
                    "Tell me the colour of the {k}", "And the {k}, what color?"),
    "position": ("Where in the picture is the {a}?", "On which side is the {a}?",
    "Is it on the left or on the right?", "Left or right?",
                 "Is the {a} in the middle?", "Which side is the {a} on?",
                 "Where does the {a} stand, left or right?"),
    "sides": ("Who is on the left?", "Which is on the left?", "Which animal is on the left?",
    "What is on the left?", "who's on the left"),
    "sides_right": ("Who is on the right?", "Which is on the right?", "Which animal is on the right?",
    "What is on the right?", "who stands right"),
    "describe": ("Describe this picture", "Describe the picture", "Describe this", "What do you see?",
    "What can you see?", "What is this a picture of?",
                 "Tell me what you see", "Describe this image", "What does this picture show?",
                 "What's in this picture?", "Caption this",
                 "Write a caption", "Describe it", "Tell me about this picture",
                 "Say what is in the picture", "Please describe this picture",
                 "Can you describe this picture?", "What do you see in the image?", "Describe what you see",
                 "Explain this picture",
                 "Could you describe what is shown?", "Put this picture into words",
                 "In one sentence, what is this?", "What is shown here?",
                 "Give me a description", "Describe everything", "Describe it in detail",
                 "What is on this drawing?", "What did I draw?"),
    "is_animal": ("Is this a {x}?", "Is it a {x}?", "Is there a {x}?", "Do you see a {x}?",
    "Is that a {x}?", "Can you see a {x}?", "Is there a {x} in the picture?"),
    "is_prop": ("Is there a {k}?", "Do you see a {k}?", "Can you see a {k}?", "Does it have a {k}?",
    "Is there a {k} in the picture?", "Is it holding a {k}?"),
    "is_colour": ("Is it {x}?", "Is the {a} {x}?", "Is the animal {x}?"),
}  # fmt: skip
CHANGED_QUESTIONS = ("What changed?", "What is different?", "What has changed?", "What's the difference?",
    "Find the difference", "Compare the pictures",
                     "What is the difference between the two?", "How are they different?",
                     "Spot the difference", "Compare these two", "what's new",
                     "Tell me what changed", "Which thing is different?", "What is not the same?",
                     "Can you spot the difference?", "Compare them")  # fmt: skip
SAME_QUESTIONS = ("Are they the same?", "Is it the same picture?", "Are these the same?",
    "Is this the same?", "Same or different?", "Do they look the same?",
                  "Are the two pictures equal?", "Are these two pictures identical?", "Do these match?",
                  "Are both pictures alike?", "Is the second one the same as the first?")  # fmt: skip
DESCRIPTIONS = (
    "This is {x}.",
    "I see {x}.",
    "The picture shows {x}.",
    "You can see {x}.",
    "There is {x}.",
    "It shows {x}.",
    "It is {x}.",
)


def _subject(scene: sc.Scene) -> str:
    return scene.characters[0].animal


def _each(scene: sc.Scene, words: list[str]) -> str:
    """ "is" or, for two characters, a sentence for each."""
    return " and ".join(
        f"the {c.colour} {c.animal} is {w}" for c, w in zip(scene.characters, words, strict=True)
    )


def answer(kind: str, question: str, scene: sc.Scene, rng: random.Random) -> str:
    """The short answer to a question of that kind."""
    two = len(scene.characters) == 2
    first = scene.characters[0]
    if kind in ("who", "describe"):
        words = " and ".join(article(f"{c.colour} {c.animal}") for c in scene.characters)
        if kind == "describe":
            words = describe(scene, rng) if rng.random() < 0.4 else caption(scene)
        return rng.choice(DESCRIPTIONS).format(x=words)
    if kind == "colour":
        if two:
            return sentence(" and ".join(f"the {c.animal} is {c.colour}" for c in scene.characters))
        return rng.choice((f"It is {first.colour}.", f"The {first.animal} is {first.colour}."))
    if kind == "action":
        awake = "No, it is asleep. " if first.action == "sleeping" else "Yes, it is awake. "
        lead = awake if "awake" in question and not two else ""
        one = rng.choice((f"It is {first.action}.", f"The {first.colour} {first.animal} is {first.action}."))
        return lead + (sentence(_each(scene, [c.action for c in scene.characters])) if two else one)
    if kind == "count":
        return _count(question, scene, rng)
    if kind in ("where", "time", "weather"):
        return _surroundings(kind, question, scene, rng)
    if kind == "position":
        if two:
            return sentence(_each(scene, [POSITION_WORDS[c.position][0] for c in scene.characters]))
        yes = (
            ("Yes, it" if first.position == "centre" else "No, it")
            if "middle" in question
            else f"The {first.animal}"
        )
        return f"{yes} is {POSITION_WORDS[first.position][0]}."
    if kind in ("sides", "sides_right"):
        side = "right" if kind == "sides_right" else "left"
        there = [c for c in scene.characters if c.position == side]
        if not there:
            where = POSITION_WORDS[first.position][0]
            return f"Nobody is on the {side}. The {first.colour} {first.animal} is {where}."
        return sentence(f"{article(f'{there[0].colour} {there[0].animal}')} is on the {side}")
    return _thing(kind, question, scene, rng)


def _count(question: str, scene: sc.Scene, rng: random.Random) -> str:
    count = len(scene.characters)
    names = " and ".join(article(f"{c.colour} {c.animal}") for c in scene.characters)
    if question.startswith(("Is it alone", "Is there more", "Are there two")):
        yes = (count == 1) == question.startswith("Is it alone")
        return f"{'Yes' if yes else 'No'}, I see {NUMBERS[count]}: {names}."
    noun = "animal" if count == 1 else "animals"
    are = "is" if count == 1 else "are"
    return rng.choice(
        (
            f"There {are} {NUMBERS[count]} {noun}: {names}.",
            f"I see {NUMBERS[count]} {noun}.",
            f"{NUMBERS[count].title()}: {names}.",
        )
    )


def _surroundings(kind: str, question: str, scene: sc.Scene, rng: random.Random) -> str:
    if kind == "where":
        place = SETTING_WORDS[scene.setting][0]
        if question.startswith("Is this"):
            return f"Yes, it is {place}." if scene.setting == "beach" else f"No, it is {place}."
        who = "They are" if len(scene.characters) == 2 else rng.choice(("It is", f"The {_subject(scene)} is"))
        return f"{who} {place}."
    if kind == "time":
        words = {"day": "day", "sunset": "sunset", "night": "night"}[scene.time]
        for asked, name in (
            ("night?", "night"),
            ("dark", "night"),
            ("daytime", "day"),
            ("setting", "sunset"),
        ):
            if question.startswith("Is ") and asked in question and "or" not in question:
                return f"{'Yes' if scene.time == name else 'No'}, it is {words}."
        return rng.choice((f"It is {words}.", sentence(TIME_WORDS[scene.time][0]), f"I think it is {words}."))
    words = {"clear": "the sky is clear", "rain": "it is raining", "snow": "it is snowing"}[scene.weather]
    for asked, name in (("rain", "rain"), ("snow", "snow"), ("good", "clear")):
        if asked in question:
            return f"{'Yes' if scene.weather == name else 'No'}, {words}."
    return rng.choice((sentence(words), sentence(f"{words} in this picture"), f"I see that {words}."))


def _thing(kind: str, question: str, scene: sc.Scene, rng: random.Random) -> str:
    first = scene.characters[0]
    if kind == "prop":
        if not scene.prop:
            return rng.choice(
                ("It has nothing.", "There is nothing else.", f"The {first.animal} has nothing with it.")
            )
        words = article(f"{scene.prop.colour} {scene.prop.kind}")
        return sentence(rng.choice((words, f"it has {words}", f"there is {words}", f"I see {words}")))
    if kind == "prop_colour" and scene.prop:
        return rng.choice((f"It is {scene.prop.colour}.", f"The {scene.prop.kind} is {scene.prop.colour}."))
    return rng.choice(DESCRIPTIONS).format(x=caption(scene))


def _yes_no(kind: str, scene: sc.Scene, rng: random.Random) -> tuple[str, str]:
    """A question of whether something is there, and its answer."""
    first = scene.characters[0]
    true = rng.random() < 0.5
    if kind == "is_animal":
        wrong = [a for a in sc.ANIMALS if a not in {c.animal for c in scene.characters}]
        animal = first.animal if true else rng.choice(wrong)
        said = animal if rng.random() < 0.7 else rng.choice(ANIMAL_WORDS[animal])
        names = " and ".join(article(f"{c.colour} {c.animal}") for c in scene.characters)
        return rng.choice(QUESTIONS[kind]).format(x=said), f"{'Yes' if true else 'No'}, it is {names}."
    if kind == "is_prop":
        true = true and scene.prop is not None
        wrong = [k for k in sc.PROPS if not scene.prop or k != scene.prop.kind]
        thing = scene.prop.kind if true and scene.prop else rng.choice(wrong)
        said = thing if rng.random() < 0.7 else rng.choice(PROP_WORDS[thing])
        have = (
            f"there is {article(f'{scene.prop.colour} {scene.prop.kind}')}"
            if scene.prop
            else f"there is no {thing}"
        )
        return rng.choice(QUESTIONS[kind]).format(k=said), f"{'Yes' if true else 'No'}, {have}."
    colour = first.colour if true else rng.choice([c for c in sc.ANIMAL_COLOURS if c != first.colour])
    reply = f"{'Yes' if true else 'No'}, the {first.animal} is {first.colour}."
    return rng.choice(QUESTIONS[kind]).format(x=colour, a=first.animal), reply


def ask(scene: sc.Scene, rng: random.Random) -> tuple[str, str]:
    """A question about one picture and its answer."""
    kind = rng.choice(_KINDS)
    while (kind == "prop_colour" and not scene.prop) or (kind == "is_colour" and len(scene.characters) == 2):
        kind = rng.choice(_KINDS)
    if kind.startswith("is_"):
        question, reply = _yes_no(kind, scene, rng)
        question = fix_articles(question)
    else:
        thing = scene.prop.kind if scene.prop else "toy"
        question = rng.choice(QUESTIONS[kind]).format(a=_subject(scene), k=thing)
        reply = answer(kind, question, scene, rng)
    return typed(question, rng), fix_articles(reply)


_KINDS = [*QUESTIONS, "describe", "describe", "describe", "who", "action"]


def _beside(text: str, pictures: list[Picture], rng: random.Random) -> Turn:
    return user(*pictures, text) if rng.random() < 0.6 else user(text, *pictures)


def difference(before: sc.Scene, after: sc.Scene) -> str:
    """What is not the same, in words."""
    if before == after:
        return "Nothing changed. The pictures are the same."
    if len(before.characters) != len(after.characters):
        gone = len(before.characters) > len(after.characters)
        who = (before if gone else after).characters[1]
        return sentence(f"the {who.colour} {who.animal} {'is gone' if gone else 'came along'}")
    old, new = before.characters[0], after.characters[0]
    changes = []
    if (old.animal, old.colour) != (new.animal, new.colour):
        changes.append(f"the {old.colour} {old.animal} became {article(f'{new.colour} {new.animal}')}")
    if old.action != new.action:
        changes.append(f"the {new.animal} is {new.action} now")
    if old.position != new.position:
        changes.append(f"the {new.animal} is now {POSITION_WORDS[new.position][0]}")
    if before.setting != after.setting:
        changes.append(
            f"now they are {SETTING_WORDS[after.setting][0]}"
            if len(after.characters) == 2
            else f"now it is {SETTING_WORDS[after.setting][0]}"
        )
    if before.time != after.time:
        changes.append(
            {"day": "now it is day", "sunset": "now the sun is setting", "night": "now it is night"}[
                after.time
            ]
        )
    if before.weather != after.weather:
        changes.append(
            {"clear": "now the sky is clear", "rain": "now it is raining", "snow": "now it is snowing"}[
                after.weather
            ]
        )
    if before.prop != after.prop:
        words = article(f"{after.prop.colour} {after.prop.kind}") if after.prop else ""
        changes.append(
            f"there is {words} now" if words else f"the {before.prop.kind if before.prop else 'toy'} is gone"
        )
    return " ".join(sentence(change) for change in changes[:3])


def _unlike(question: str) -> str:
    return "They are different." if question.startswith("Same") else "No."


def _two_pictures(rng: random.Random) -> Document:
    before = sc.sample_scene(rng)
    after, same = before, rng.random() < 0.2
    pair = None if same else edit(before, rng)
    if pair:
        after = pair[1].pictures[0].scene
    if rng.random() < 0.35:
        question = rng.choice(SAME_QUESTIONS)
        reply = (
            ("They are the same." if question.startswith("Same") else "Yes, they are the same.")
            if before == after
            else f"{_unlike(question)} {difference(before, after)}"
        )
    else:
        question, reply = rng.choice(CHANGED_QUESTIONS), difference(before, after)
    return Document(
        (_beside(typed(question, rng), [Picture(before), Picture(after)], rng), assistant(reply)), "question"
    )


def example(rng: random.Random, held_out: bool = False) -> Document:
    """One to three questions about brought pictures, or about the picture just drawn."""
    roll = rng.random()
    if roll < 0.2 and not held_out:
        return _two_pictures(rng)
    turns: list[Turn] = []
    if roll < 0.5:
        turns += opening(rng, held_out)
        scene = turns[-1].pictures[0].scene
    else:
        scene = sc.sample_scene(rng, held_out)
        if rng.random() < 0.3:
            scene = sc.repaint(scene, 0, action=rng.choice(sc.ACTIONS))
    for _ in range(rng.choice((1, 1, 2, 2, 3))):
        question, reply = ask(scene, rng)
        asked = user(question) if turns else _beside(question, [Picture(scene)], rng)
        turns += [asked, assistant(reply)]
    return Document(tuple(turns), "question")


def nothing_to_see(rng: random.Random, held_out: bool = False) -> Document:
    """A question about a picture when there is none."""
    kind = rng.choice(("describe", "describe", "who", "weather", "action", "count"))
    question = rng.choice(QUESTIONS[kind]).format(a=rng.choice(sc.ANIMALS), k="ball")
    reply = rng.choice((
        "I don't see a picture yet. You can attach one, and I will describe it.",
        "There is no picture here yet. Shall I draw one?",
        "I can't see a picture. Please add one or ask me to draw.",
        "No picture has come with your words. Please attach one.",
    ))  # fmt: skip
    return Document((user(typed(question, rng)), assistant(reply)), "question")

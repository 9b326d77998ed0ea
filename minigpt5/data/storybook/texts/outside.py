"""Requests that no picture book can meet (facts, sums, news, code) and keys pressed at random: honest answers."""

import random
import string

from minigpt5.data.storybook.texts.noise import typed
from minigpt5.data.storybook.texts.turns import Turn, assistant, user
from minigpt5.data.storybook.texts.words.lexicon import article, capital, sentence
from minigpt5.data.storybook.texts.words.outside import (
    CANNOT,
    GIBBERISH_REPLIES,
    QUESTIONS,
    TOPIC_FRAMES,
    TOPICS,
)
from minigpt5.data.storybook.world import scene as sc

OFFERS = ("Shall I draw {x} instead?", "But I can draw {x}. Would you like that?", "How about {x}?",
          "I can tell you a story about {x}, if you like.", "I could draw {x} for you.", "Try: draw {x}.")  # fmt: skip


def somebody(rng: random.Random) -> str:
    """ "a blue rabbit", any."""
    return article(f"{rng.choice(sc.COLOURS)} {rng.choice(sc.FIGURES)}")


def example(rng: random.Random) -> tuple[Turn, Turn]:
    """One such request and its answer, without a picture."""
    roll = rng.random()
    if roll < 0.12:
        return user(gibberish(rng)), assistant(rng.choice(GIBBERISH_REPLIES).format(x=somebody(rng)))
    if roll < 0.2:
        a, b = rng.randint(1, 999), rng.randint(1, 99)
        text = f"{rng.choice(('What is', 'Calculate', 'whats', 'Solve', 'how much is', ''))} {a} {rng.choice('+-*/')} {b}"
        text = text.strip() + rng.choice(("", "?"))
    else:
        asked = rng.choice(TOPIC_FRAMES).format(t=rng.choice(TOPICS))
        text = rng.choice(QUESTIONS) if rng.random() < 0.6 else capital(asked)
    return user(typed(text, rng)), assistant(
        f"{rng.choice(CANNOT)} {sentence(rng.choice(OFFERS).format(x=somebody(rng)))}"
    )


def gibberish(rng: random.Random) -> str:
    """Keys pressed at random, lone marks, numbers."""
    kind = rng.randrange(4)
    if kind == 0:
        return "".join(rng.choice(string.ascii_lowercase) for _ in range(rng.randint(4, 14)))
    if kind == 1:
        words = (
            "".join(rng.choice("asdfghjklqwe") for _ in range(rng.randint(2, 7)))
            for _ in range(rng.randint(2, 4))
        )
        return " ".join(words)
    if kind == 2:
        return rng.choice("!.*-_=+@%&") * rng.randint(1, 6)
    return "".join(rng.choice(string.digits + string.punctuation) for _ in range(rng.randint(2, 9)))

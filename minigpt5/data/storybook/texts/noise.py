"""How people really type: lower case, no punctuation, typos, filler words. Applied to user text only."""

import random

ROUGH_SHARE = 0.35
FILLERS = ("um", "hey", "ok so", "pls", "uh", "well", "hmm", "so", "ok", "hi", "hello", "yo", "please", "now",
           "oh", "alright", "right", "umm", "hey there", "ooh", "lol", "heyy", "and", "but",
           "dear computer")  # fmt: skip
TAILS = ("pls", "please", "thanks", "thx", "ok", "ok?", "plz", "lol", ":)", "!!", "...", "??", "!!!", "haha",
         "thank you", "xx", "please!", "ty", "now", "ok thanks", "?", "!")  # fmt: skip
SHORT_FORMS = {"you": "u", "are": "r", "please": "pls", "what is": "whats", "can you": "can u", "I'm": "im",
               "don't": "dont", "can't": "cant", "want to": "wanna", "picture": "pic", "and": "n",
               "with": "w/",
               "going to": "gonna", "colour": "color", "centre": "center", "favourite": "fav",
               "because": "cuz",
               "show me": "gimme", "I would like": "i wanna", "what's": "whats", "it's": "its"}  # fmt: skip
NEAR = {"a": "sq", "e": "wr", "i": "uo", "o": "ip", "s": "ad", "d": "sf", "t": "ry", "n": "bm", "r": "et",
        "l": "k", "m": "n", "u": "iy", "h": "gj", "b": "vn", "g": "fh", "p": "o", "w": "qe",
        "y": "tu"}  # fmt: skip


def roughen(text: str, rng: random.Random) -> str:
    """The text as typed in a hurry: one to four of the noises."""
    for _ in range(rng.choice((1, 1, 2, 2, 3, 4))):
        text = rng.choice(_NOISES)(text, rng)
    return text


def typed(text: str, rng: random.Random) -> str:
    """The user's text: rough 35 % of the time."""
    return roughen(text, rng) if text and rng.random() < ROUGH_SHARE else text


def _lower(text: str, rng: random.Random) -> str:
    return text.lower()


def _bare(text: str, rng: random.Random) -> str:
    return "".join(ch for ch in text if ch not in ".,!?'") or text


def _filler(text: str, rng: random.Random) -> str:
    return f"{rng.choice(FILLERS)}{rng.choice((' ', ' ', ', '))}{text[:1].lower()}{text[1:]}"


def _tail(text: str, rng: random.Random) -> str:
    return f"{text.rstrip('.!?')} {rng.choice(TAILS)}"


def _shout(text: str, rng: random.Random) -> str:
    return (
        text.upper()
        if rng.random() < 0.3
        else text.title()
        if rng.random() < 0.2
        else text.rstrip(".!?") + "!!"
    )


def _short(text: str, rng: random.Random) -> str:
    for long, short in SHORT_FORMS.items():
        if f" {long} " in f" {text} " and rng.random() < 0.7:
            text = f" {text} ".replace(f" {long} ", f" {short} ").strip()
    return text


def _typo(text: str, rng: random.Random) -> str:
    """One or two letters swapped, dropped, doubled or mistaken, never a word's first."""
    for _ in range(rng.choice((1, 1, 2))):
        if len(text) < 6:
            return text
        at = rng.randrange(1, len(text) - 2)
        ch = text[at]
        if not (ch.isalpha() and text[at - 1].isalpha()):
            continue
        kind = rng.randrange(4)
        if kind == 0:
            text = text[:at] + text[at + 1] + ch + text[at + 2 :]
        elif kind == 1:
            text = text[:at] + text[at + 1 :]
        elif kind == 2:
            text = text[:at] + ch + text[at:]
        else:
            text = text[:at] + rng.choice(NEAR.get(ch.lower(), ch)) + text[at + 1 :]
    return text


_NOISES = (_lower, _lower, _lower, _bare, _bare, _filler, _tail, _typo, _typo, _typo, _short, _shout)

"""WordNet as the system has it (Debian `wordnet-base`): nouns and verbs that the picture book lacks, and for each
the nearest thing that it has, by hypernyms.

Read only when training texts or their tests are made; chatting never needs it. A word of several senses counts as
its first. Words for which `is_held_out_word` is true are never in a training text.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from minigpt5.data.storybook.texts.words.lexicon import FIGURES, OTHER_THING_WORDS, PLACES, said
from minigpt5.data.storybook.world.things import THINGS
from minigpt5.errors import DataError

FOLDER = Path("/usr/share/wordnet")
HELD_OUT_SHARE = 0.1
SHORTEST, LONGEST = 3, 11  # letters
MAX_STEPS = 6  # hypernym links between a word and what is still called near
# lexicographer file -> what stands for its words where no hypernym is near
OF_FILE = {
    "03": "gem", "04": "football", "05": "dog", "06": "box", "07": "gem", "08": "bone", "09": "book", "10": "letter",
    "11": "fireworks", "12": "teddy-bear", "13": "soup", "14": "child", "15": "globe", "16": "magic-wand",
    "17": "rock", "18": "child", "19": "star", "20": "potted-plant", "21": "coin", "22": "candle", "23": "puzzle",
    "24": "puzzle", "25": "box", "26": "bell", "27": "rock", "28": "clock",
}  # fmt: skip
# words of WordNet that stand for a kind under another name, or whose hypernyms are worth an anchor of their own
ANCHORS = {
    "canine": "dog", "wolf": "dog", "feline": "cat", "leopard": "tiger", "rodent": "mouse", "squirrel": "squirrel",
    "marsupial": "kangaroo", "ape": "monkey", "primate": "monkey", "bird": "bird", "waterfowl": "duck",
    "raptor": "eagle", "hawk": "eagle", "wader": "flamingo", "poultry": "chicken", "fish": "fish",
    "reptile": "crocodile", "lizard": "crocodile", "amphibian": "frog", "arachnid": "spider", "insect": "bee",
    "moth": "butterfly", "mollusk": "snail", "crustacean": "crab", "cephalopod": "octopus", "worm": "snake",
    "ungulate": "horse", "equine": "horse", "bovine": "cow", "deer": "giraffe", "antelope": "giraffe",
    "goat": "sheep", "swine": "pig", "cetacean": "whale", "seal": "dolphin", "mammal": "bear", "carnivore": "bear",
    "person": "child", "worker": "child", "tree": "tree", "shrub": "potted-plant", "flower": "tulip",
    "herb": "clover", "fungus": "mushroom", "vegetable": "carrot", "fruit": "apple", "berry": "strawberry",
    "citrus": "lemon", "bread": "bread", "cake": "cake", "dessert": "cupcake", "candy": "candy", "meat": "hamburger",
    "beverage": "milk", "soup": "soup", "dish": "soup", "cheese": "cheese", "grain": "corn", "sandwich": "hamburger",
    "car": "taxi", "vehicle": "truck", "boat": "ship", "ship": "ship", "aircraft": "airplane", "bicycle": "bicycle",
    "train": "train", "building": "house", "house": "house", "dwelling": "house", "tower": "church", "shop": "house",
    "furniture": "chair", "seat": "chair", "bed": "bed", "table": "chair", "container": "box", "vessel": "bucket",
    "bag": "backpack", "bottle": "milk", "tool": "hammer", "weapon": "sword", "gun": "sword", "knife": "sword",
    "instrument": "magnifying-glass", "clothing": "glove", "garment": "glove", "shoe": "shoe", "footwear": "shoe",
    "jewelry": "ring", "toy": "teddy-bear", "doll": "teddy-bear", "game": "puzzle", "ball": "ball", "book": "book",
    "picture": "map", "document": "letter", "paper": "letter", "machine": "robot", "computer": "computer",
    "telephone": "telephone", "lamp": "lantern", "light": "lantern", "money": "money-bag", "stone": "rock",
    "mineral": "gem", "star": "star", "planet": "planet", "moon": "moon", "fabric": "sock", "rope": "sock",
    "fire": "campfire", "water": "bucket", "mountain": "volcano", "spirit": "child", "ghost": "child",
    "monster": "dragon", "dinosaur": "dinosaur", "plant": "potted-plant", "drum": "drum", "piano": "piano",
    "guitar": "guitar", "violin": "violin", "horn": "trumpet", "clock": "clock", "camera": "camera", "key": "key",
    "door": "door", "fence": "ladder", "box": "box", "basket": "basket", "hat": "shoe", "medicine": "potted-plant",
}  # fmt: skip
PLACE_ANCHORS = {
    "room": "bedroom", "bathroom": "bedroom", "kitchen": "kitchen", "restaurant": "kitchen", "building": "city",
    "shop": "city", "street": "city", "city": "city", "town": "village", "village": "village", "house": "village",
    "palace": "castle", "fortress": "castle", "castle": "castle", "farm": "farm", "barn": "farm", "garden": "garden",
    "park": "garden", "yard": "garden", "lake": "lake", "river": "lake", "stream": "lake", "sea": "beach",
    "ocean": "beach", "shore": "beach", "beach": "beach", "reef": "undersea", "island": "island",
    "mountain": "mountains", "hill": "mountains", "cave": "mountains", "volcano": "mountains", "valley": "mountains",
    "glacier": "mountains", "desert": "desert", "forest": "forest", "jungle": "forest", "swamp": "lake",
    "field": "meadow", "grassland": "meadow", "planet": "space", "star": "space", "galaxy": "space",
    "country": "meadow", "school": "city", "hospital": "city", "church": "village",
}  # fmt: skip
ACTION_OF_FILE = {"29": "sitting", "30": "jumping", "31": "sitting", "32": "waving", "33": "jumping", "34": "sitting",
                  "35": "waving", "36": "dancing", "37": "dancing", "38": "running", "39": "sitting", "40": "standing",
                  "41": "waving", "42": "standing", "43": "standing"}  # fmt: skip


_UNFIT = re.compile(
    r"offensive|slur|obscen|derogat|disparag|vulgar|sexual|genital|ethnic|prostitut|penis|vagina|tribe|people|descent|"
    r"native of|inhabitant|member of the|race|religio|faith|slave|kill|murder|torture|drug|excre|fece|urin|death|corpse"
)


@dataclass(frozen=True, slots=True)
class _Synset:
    file: str  # lexicographer file, two digits
    above: tuple[int, ...]  # offsets of the hypernyms
    unfit: bool  # for a picture book, by its gloss


def is_held_out_word(word: str) -> bool:
    """True for one word in ten, by a fixed hash: kept for measuring."""
    return int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big") < HELD_OUT_SHARE * 2**32


def _lines(name: str) -> list[str]:
    path = FOLDER / name
    if not path.exists():
        raise DataError(f"got no {path}, expected WordNet's files: install the system's package wordnet-base")
    return [line for line in path.read_text(encoding="latin-1").splitlines() if line[:2] != "  "]


@cache
def _synsets() -> dict[int, _Synset]:
    found = {}
    for line in _lines("data.noun"):
        fields = line.split("|", 1)[0].split()
        words = int(fields[3], 16)
        at = 4 + 2 * words
        links = [fields[at + 1 + 4 * i : at + 5 + 4 * i] for i in range(int(fields[at]))]
        gloss = line.partition("|")[2]
        found[int(fields[0])] = _Synset(
            fields[1], tuple(int(k[1]) for k in links if k[0] in ("@", "@i")), bool(_UNFIT.search(gloss))
        )
    return found


def _index(part: str) -> dict[str, int]:
    """Every one-word lemma and its first sense."""
    found = {}
    for line in _lines(f"index.{part}"):
        fields = line.split()
        word = fields[0]
        if word.isascii() and word.isalpha() and word.islower():
            found[word] = int(fields[-int(fields[2])])
    return found


def _above(offset: int) -> dict[int, int]:
    """The synset and all its hypernyms with their distances in links."""
    found: dict[int, int] = {}
    edge, steps = [offset], 0
    while edge:
        found |= {o: steps for o in edge if o not in found}
        edge = [a for o in edge for a in _synsets()[o].above if a not in found]
        steps += 1
    return found


def _known() -> set[str]:
    """Words that the picture book has."""
    words = {w for k, (p, one, more) in FIGURES.items() for w in (k, p, *one, *more)}
    words |= {w for k in THINGS for w in (said(k), *OTHER_THING_WORDS.get(k, ()))}
    words |= {noun for _, _, noun in PLACES.values()} | {
        "sea",
        "sun",
        "snow",
        "rain",
        "hat",
        "crown",
        "scarf",
    }
    return words | {"story", "picture", "tale", "thing", "animal", "friend", "one", "end", "drawing", "image"}


def _near(anchors: dict[str, str], offset: int) -> str | None:
    """The kind whose anchor is the fewest links away, over at most `MAX_STEPS` links."""
    best: tuple[int, str] | None = None
    down = _reached(tuple(sorted(anchors.items())))
    for place, steps in _above(offset).items():
        if place in down:
            distance = steps + down[place][0]
            if steps <= MAX_STEPS and (best is None or distance < best[0]):
                best = (distance, down[place][1])
    return best[1] if best else None


@cache
def _reached(anchors: tuple[tuple[str, str], ...]) -> dict[int, tuple[int, str]]:
    """For every synset at most two links above an anchor: how far it is, and the anchor's kind."""
    nouns = _index("noun")
    found: dict[int, tuple[int, str]] = {}
    for word, kind in anchors:
        for place, steps in _above(nouns[word]).items() if word in nouns else ():
            if steps <= 1 and (place not in found or steps < found[place][0]):
                found[place] = (steps, kind)
    return found


@cache
def nouns() -> dict[str, str]:
    """noun -> the nearest kind of figure or thing."""
    index, known = _index("noun"), _known()
    own = {said(k): k for k in (*FIGURES, *THINGS) if " " not in said(k)}
    anchors = {**own, **ANCHORS}
    found = {}
    for word, offset in index.items():
        if SHORTEST <= len(word) <= LONGEST and word not in known and word.rstrip("s") not in known:
            if _synsets()[offset].unfit:
                continue
            found[word] = _near(anchors, offset) or OF_FILE[_synsets()[offset].file]
    return found


@cache
def places() -> dict[str, str]:
    """noun for a place -> the nearest place."""
    index, known = _index("noun"), _known()
    found = {}
    for word, offset in index.items():
        near = (
            _near(PLACE_ANCHORS, offset) if SHORTEST <= len(word) <= LONGEST and word not in known else None
        )
        if near:
            found[word] = near
    return found


@cache
def verbs() -> dict[str, str]:
    """-ing form of a verb -> the nearest action."""
    files = {int(line.split()[0]): line.split()[1] for line in _lines("data.verb")}
    known = {
        "stand",
        "wave",
        "jump",
        "hop",
        "sleep",
        "nap",
        "sit",
        "run",
        "dance",
        "hold",
        "eat",
        "be",
        "have",
        "do",
    }
    found = {}
    for word, offset in _index("verb").items():
        if SHORTEST <= len(word) <= 9 and word not in known:
            found[_ing(word)] = ACTION_OF_FILE[files[offset]]
    return found


def _ing(verb: str) -> str:
    """The -ing form by the rules of spelling."""
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")):
        return verb[:-1] + "ing"
    short = (
        len(verb) <= 4
        and verb[-1] not in "aeiouwxy"
        and verb[-2] in "aeiou"
        and verb[-3:-2] not in tuple("aeiou")
    )
    return verb + (verb[-1] if short else "") + "ing"

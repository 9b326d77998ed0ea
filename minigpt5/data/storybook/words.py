"""The words for what pictures show: per attribute, the canonical word first, then how people also say it."""

from __future__ import annotations

ANIMAL_WORDS = {
    "rabbit": ("rabbit", "bunny", "bunny rabbit", "little rabbit", "hare", "rabbit"),
    "bear": ("bear", "teddy bear", "teddy", "bear cub", "little bear", "bear"),
    "cat": ("cat", "kitty", "kitten", "kitty cat", "pussycat", "cat"),
    "dog": ("dog", "puppy", "doggy", "pup", "puppy dog", "little dog", "doggie", "dog"),
    "elephant": ("elephant", "baby elephant", "little elephant", "elephant"),
    "frog": ("frog", "froggy", "toad", "little frog", "frog"),
    "mouse": ("mouse", "little mouse", "tiny mouse", "mousey", "mouse"),
    "owl": ("owl", "owlet", "baby owl", "little owl", "owl"),
}
PLURALS = {
    "rabbit": "rabbits", "bear": "bears", "cat": "cats", "dog": "dogs", "elephant": "elephants",
    "frog": "frogs", "mouse": "mice", "owl": "owls",
}  # fmt: skip
COLOUR_WORDS = {
    "blue": ("blue", "light blue", "sky blue", "bright blue", "blue"),
    "green": ("green", "bright green", "lime green", "dark green", "green"),
    "pink": ("pink", "light pink", "rosy", "bright pink", "pink"),
    "purple": ("purple", "violet", "lilac", "lavender", "purple"),
    "orange": ("orange", "bright orange", "orange"),
    "brown": ("brown", "chocolate brown", "dark brown", "brown"),
    "yellow": ("yellow", "golden", "bright yellow", "lemon yellow", "yellow"),
}
ACTION_WORDS = {
    "standing": ("standing", "standing still", "just standing there", "standing around", "standing up"),
    "waving": (
        "waving", "saying hello", "saying hi", "waving hello", "waving at us", "waving its paw",
        "greeting us",
        "waving goodbye", "waving at me", "who waves", "that is waving",
    ),
    "jumping": (
        "jumping", "hopping", "leaping", "bouncing", "jumping up high", "jumping for joy",
        "jumping up and down",
        "who jumps", "that is jumping", "leaping in the air",
    ),
    "sleeping": (
        "sleeping", "napping", "asleep", "taking a nap", "snoozing", "dozing", "fast asleep", "having a nap",
        "who sleeps", "that is sleeping", "having a little sleep",
    ),
}  # fmt: skip
ACTION_ADJECTIVES = {
    "standing": ("standing",),
    "waving": ("waving", "friendly waving"),
    "jumping": ("jumping", "hopping", "leaping", "bouncing"),
    "sleeping": ("sleeping", "sleepy", "napping", "dozing"),
}
ACTION_VERBS = {  # base form, third person, past
    "standing": ("stand", "stands", "stood"),
    "waving": ("wave", "waves", "waved"),
    "jumping": ("jump", "jumps", "jumped"),
    "sleeping": ("sleep", "sleeps", "slept"),
}
POSITION_WORDS = {
    "left": ("on the left", "to the left", "on the left side", "on the left hand side", "at the left"),
    "centre": ("in the middle", "in the centre", "in the center", "right in the middle"),
    "right": ("on the right", "to the right", "on the right side", "on the right hand side", "at the right"),
}
SETTING_WORDS = {
    "beach": (
        "on the beach", "at the beach", "by the sea", "on the shore", "at the seaside", "on the sand",
        "by the ocean", "on a beach", "near the sea", "at the shore", "on a sandy beach",
    ),
    "forest": (
        "in the forest", "in the woods", "among the trees", "in a forest", "under the trees", "in the wood",
        "deep in the forest", "between the trees",
    ),
    "meadow": (
        "in the meadow", "in a meadow", "on the grass", "in a field", "in the fields", "in a green meadow",
        "in the grass", "on a meadow",
    ),
    "mountains": (
        "in the mountains", "in the hills", "on a mountain", "up in the mountains", "near the mountains",
        "on a hill", "up in the hills", "by the mountains",
    ),
    "village": (
        "in the village", "in a village", "in town", "near the houses", "in a little town",
        "between the houses",
        "in front of the houses", "in a small village", "by the houses",
    ),
    "desert": (
        "in the desert", "in a desert", "in the hot desert", "out in the desert", "among the sand dunes",
        "in the dry desert",
    ),
}  # fmt: skip
SETTING_NOUNS = {  # preposition, canonical noun, other nouns
    "beach": ("on", "beach", ("beach", "shore")),
    "forest": ("in", "forest", ("forest", "wood")),
    "meadow": ("in", "meadow", ("meadow", "field")),
    "mountains": ("in", "mountains", ("mountains", "hills")),
    "village": ("in", "village", ("village", "little town")),
    "desert": ("in", "desert", ("desert",)),
}
TIME_WORDS = {
    "day": (
        "during the day", "in the daytime", "by day", "in daylight", "in the middle of the day", "at noon",
        "in the day", "at daytime",
    ),
    "sunset": (
        "at sunset", "at dusk", "as the sun goes down", "while the sun sets", "at sundown", "in the sunset",
        "with a sunset", "in the evening", "in the evening light", "as the sun sets",
    ),
    "night": (
        "at night", "under the moon", "in the dark", "at midnight", "under the stars", "in the moonlight",
        "by moonlight", "at nighttime", "in the night", "under a starry sky", "late at night",
    ),
}  # fmt: skip
WEATHER_WORDS = {
    "clear": ("under a clear sky", "in clear weather", "with a clear sky", "in nice weather", "without rain"),
    "rain": (
        "in the rain", "while it rains", "in the pouring rain", "when it is raining", "in rainy weather",
        "with rain falling", "while it's raining", "getting rained on", "in wet weather",
    ),
    "snow": (
        "in the snow", "while it snows", "in a snowstorm", "with snow falling", "in snowy weather",
        "when it is snowing", "while it's snowing", "with snowflakes", "in winter",
    ),
}  # fmt: skip
WEATHER_ADJECTIVES = {"clear": ("clear",), "rain": ("rainy", "wet"), "snow": ("snowy", "white and snowy")}
WEATHER_NAMES = {"clear": ("clear sky", "clear"), "rain": ("rain", "rainy", "raining"), "snow": ("snow",
    "snowy", "snowing", "winter")}
WEATHER_SENTENCES = {
    "clear": ("The sky is clear", "The weather is nice", "There are no clouds", "Clear sky"),
    "rain": ("It is raining", "It rains", "Let it rain", "The weather is rainy", "It's raining",
    "Rain is falling", "With rain"),
    "snow": ("It is snowing", "It snows", "Let it snow", "Snow is falling", "It's snowing", "There is snow",
    "With snow"),
}  # fmt: skip
TIME_NOUNS = {"day": "day", "sunset": "evening", "night": "night"}
PROP_WORDS = {
    "balloon": ("balloon", "party balloon", "balloon"),
    "umbrella": ("umbrella", "parasol", "brolly", "umbrella"),
    "ball": ("ball", "beach ball", "bouncy ball", "ball"),
    "kite": ("kite", "flying kite", "kite"),
    "gift": ("gift", "present", "gift box", "wrapped present", "birthday present"),
    "flower": ("flower", "pretty flower", "blossom", "flower"),
    "book": ("book", "storybook", "picture book", "book"),
    "boat": ("boat", "toy boat", "little boat", "sailing boat", "boat"),
}
PROP_LINKS = (
    "with {}", "holding {}", "and {}", "next to {}", "who has {}", "beside {}", "near {}", "that has {}",
    "carrying {}", "with {}", "with {}", "plus {}",
)  # fmt: skip
PROP_PLURALS = {
    "balloon": "balloons", "umbrella": "umbrellas", "ball": "balls", "kite": "kites", "gift": "gifts",
    "flower": "flowers", "book": "books", "boat": "boats",
}  # fmt: skip
NICE_WORDS = ("cute", "little", "sweet", "happy", "lovely", "tiny", "funny", "small", "big", "nice",
    "friendly",
              "fluffy", "pretty", "adorable", "beautiful", "cheerful", "good", "silly", "magical",
              "cuddly")  # fmt: skip

NAMES = {
    "he": ("Pip", "Max", "Tom", "Leo", "Bruno", "Oscar", "Finn", "Milo", "Otto", "Sam", "Ben", "Toby", "Hugo",
           "Jasper", "Theo", "Louis", "Felix", "Barnaby", "Rufus", "Charlie", "Monty", "Jack", "Teddy",
           "Ollie"),
    "she": ("Luna", "Mia", "Daisy", "Lily", "Rosie", "Bella", "Coco", "Nora", "Ivy", "Poppy", "Ruby", "Molly",
            "Zoe", "Ella", "Hazel", "Willow", "Penny", "Tilly", "Olive", "Maya", "Clara", "Dot", "Nina",
            "Anna"),
}  # fmt: skip
PRONOUNS = {"he": ("he", "him", "his"), "she": ("she", "her", "her")}
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven")


def article(noun: str) -> str:
    """The noun phrase with "a" or "an"."""
    return ("an " if noun[0].lower() in "aeiou" else "a ") + noun


def sentence(text: str, end: str = ".") -> str:
    """The text with a capital first letter and an end mark if it has none."""
    text = text.strip()
    text = text[:1].upper() + text[1:]
    return text if text[-1] in ".!?" else text + end


def listing(words: list[str] | tuple[str, ...], last: str = "and") -> str:
    """ "a, b and c"."""
    words = list(words)
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + f" {last} {words[-1]}"


def fix_articles(text: str) -> str:
    """ "a orange" and "a elephant" set right."""
    for word in ("orange", "elephant", "owl", "umbrella"):
        text = text.replace(f" a {word}", f" an {word}")
    return text

"""The words for what pictures show: for each value the canonical word first, then how people also say it.

Called by every text module; knows nothing of sentences (`phrases`) nor of pixels.
"""

from minigpt5.data.storybook.world.things import THINGS

# kind -> (plural, other words for one, other words for several)
FIGURES: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "rabbit": ("rabbits", ("bunny", "bunny rabbit", "hare", "little bunny"), ("bunnies",)),
    "bear": ("bears", ("bear cub", "grizzly", "little bear", "brown bear cub"), ("bear cubs",)),
    "cat": ("cats", ("kitty", "kitten", "kitty cat", "pussycat"), ("kittens", "kitties")),
    "dog": ("dogs", ("puppy", "doggy", "pup", "doggie", "hound"), ("puppies", "pups")),
    "elephant": ("elephants", ("baby elephant", "little elephant"), ("baby elephants",)),
    "frog": ("frogs", ("froggy", "toad", "little frog"), ("toads", "froggies")),
    "mouse": ("mice", ("little mouse", "tiny mouse", "mousey"), ("little mice",)),
    "owl": ("owls", ("owlet", "baby owl", "little owl"), ("owlets",)),
    "fox": ("foxes", ("fox cub", "little fox", "vixen"), ("fox cubs",)),
    "lion": ("lions", ("lion cub", "lioness", "little lion"), ("lion cubs",)),
    "tiger": ("tigers", ("tiger cub", "little tiger"), ("tiger cubs",)),
    "pig": ("pigs", ("piglet", "piggy", "little pig", "hog"), ("piglets", "piggies")),
    "panda": ("pandas", ("panda bear", "panda cub", "baby panda"), ("panda bears",)),
    "penguin": ("penguins", ("baby penguin", "little penguin"), ("little penguins",)),
    "monkey": ("monkeys", ("little monkey", "ape", "chimp"), ("apes", "little monkeys")),
    "hedgehog": ("hedgehogs", ("little hedgehog", "baby hedgehog"), ("little hedgehogs",)),
    "duck": ("ducks", ("duckling", "ducky", "little duck"), ("ducklings", "duckies")),
    "dragon": ("dragons", ("baby dragon", "little dragon"), ("baby dragons",)),
    "robot": ("robots", ("bot", "android", "little robot", "toy robot"), ("androids",)),
    "child": ("children", ("kid", "boy", "girl", "little boy", "little girl"), ("kids", "boys", "girls")),
}  # fmt: skip
COLOURS: dict[str, tuple[str, ...]] = {
    "blue": ("light blue", "sky blue", "bright blue", "dark blue", "navy blue"),
    "green": ("bright green", "lime green", "dark green", "grass green"),
    "pink": ("light pink", "rosy", "bright pink"),
    "purple": ("violet", "lilac", "lavender"),
    "orange": ("bright orange", "ginger"),
    "brown": ("chocolate brown", "dark brown", "light brown"),
    "yellow": ("golden", "bright yellow", "lemon yellow", "gold"),
    "red": ("bright red", "dark red", "scarlet", "cherry red"),
    "grey": ("gray", "light grey", "dark grey", "silver"),
    "white": ("snow white", "snowy white", "pure white"),
    "black": ("jet black", "pitch black", "dark black"),
}
# action -> (base, third person, past, -ing wordings of which the first is canonical)
ACTIONS: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "standing": ("stand", "stands", "stood", ("standing", "standing still", "standing around")),
    "waving": ("wave", "waves", "waved",
               ("waving", "saying hello", "waving hello", "waving at us", "waving goodbye", "saying hi")),
    "jumping": ("jump", "jumps", "jumped",
                ("jumping", "hopping", "leaping", "bouncing", "jumping for joy", "jumping up and down")),
    "sleeping": ("sleep", "sleeps", "slept",
                 ("sleeping", "napping", "asleep", "taking a nap", "snoozing", "dozing", "fast asleep")),
    "sitting": ("sit", "sits", "sat", ("sitting", "sitting down", "seated", "sitting quietly", "resting")),
    "running": ("run", "runs", "ran",
                ("running", "racing", "running fast", "dashing", "running around", "rushing", "jogging")),
    "dancing": ("dance", "dances", "danced",
                ("dancing", "dancing around", "dancing happily", "doing a dance", "twirling")),
    "holding": ("hold", "holds", "held", ("holding", "carrying", "holding up", "clutching")),
    "eating": ("eat", "eats", "ate", ("eating", "munching", "nibbling", "having", "munching on", "tasting")),
}  # fmt: skip
MOODS: dict[str, tuple[str, ...]] = {
    "happy": ("cheerful", "smiling", "joyful", "glad"),
    "sad": ("unhappy", "crying", "tearful", "gloomy"),
    "angry": ("cross", "furious", "grumpy", "mad"),
    "surprised": ("astonished", "amazed", "startled", "shocked"),
}
WEARS: dict[str, tuple[str, ...]] = {
    "hat": ("a hat", "a top hat", "a tall hat", "his hat", "her hat"),
    "crown": ("a crown", "a golden crown", "a king's crown"),
    "scarf": ("a scarf", "a warm scarf", "a woolly scarf"),
    "glasses": ("glasses", "a pair of glasses", "spectacles", "eyeglasses"),
}
POSITIONS: dict[str, tuple[str, ...]] = {
    "left": ("on the left", "to the left", "on the left side", "at the left"),
    "centre": ("in the middle", "in the centre", "in the center", "right in the middle"),
    "right": ("on the right", "to the right", "on the right side", "at the right"),
}
# place -> (phrases, the way there, the noun)
PLACES: dict[str, tuple[tuple[str, ...], str, str]] = {
    "beach": (("on the beach", "at the beach", "by the sea", "at the seaside", "on the sand", "by the ocean",
               "on the shore"), "to the beach", "beach"),
    "forest": (("in the forest", "in the woods", "among the trees", "under the trees", "deep in the forest",
                "in a forest"), "into the forest", "forest"),
    "meadow": (("in the meadow", "on the grass", "in a field", "in the fields", "in a green meadow",
                "in the grass", "on a meadow"), "to the meadow", "meadow"),
    "mountains": (("in the mountains", "in the hills", "on a mountain", "up in the mountains", "on a hill"),
                  "into the mountains", "mountains"),
    "village": (("in the village", "in a village", "in a little town", "between the houses",
                 "in a small village"), "to the village", "village"),
    "desert": (("in the desert", "in the hot desert", "out in the desert", "among the sand dunes"),
               "into the desert", "desert"),
    "city": (("in the city", "in a big city", "downtown", "among the skyscrapers", "in the streets of a city"),
             "to the city", "city"),
    "castle": (("at the castle", "in the castle", "in front of a castle", "by the castle", "at a castle"),
               "to the castle", "castle"),
    "farm": (("on the farm", "on a farm", "by the barn", "in the farmyard", "at the farm"),
             "to the farm", "farm"),
    "lake": (("by the lake", "at the lake", "at a lake", "beside a lake", "by the pond", "on the lake"),
             "to the lake", "lake"),
    "undersea": (("under the sea", "underwater", "under water", "at the bottom of the sea", "in the deep sea",
                  "under the ocean"), "down under the sea", "sea floor"),
    "space": (("in space", "in outer space", "among the stars", "out in space", "on the moon", "on a planet"),
              "into space", "space"),
    "bedroom": (("in the bedroom", "in a bedroom", "in the nursery", "in the children's room"),
                "into the bedroom", "bedroom"),
    "kitchen": (("in the kitchen", "in a kitchen", "by the stove"), "into the kitchen", "kitchen"),
    "garden": (("in the garden", "in a garden", "in the backyard", "among the flowers", "in the flower garden"),
               "into the garden", "garden"),
    "island": (("on the island", "on an island", "on a desert island", "on a tropical island"),
               "to the island", "island"),
}  # fmt: skip
# time -> (phrases, names, the noun for "on a ... night")
TIMES: dict[str, tuple[tuple[str, ...], tuple[str, ...], str]] = {
    "morning": (("in the morning", "at dawn", "early in the morning", "at sunrise", "in the early morning",
                 "as the sun rises"), ("morning", "dawn", "sunrise"), "morning"),
    "day": (("during the day", "in the daytime", "by day", "in daylight", "at noon"),
            ("day", "daytime", "noon"), "day"),
    "sunset": (("at sunset", "at dusk", "as the sun goes down", "at sundown", "in the evening",
                "as the sun sets"), ("sunset", "evening", "dusk"), "evening"),
    "night": (("at night", "under the stars", "in the dark", "at midnight", "in the moonlight",
               "late at night"), ("night", "nighttime", "midnight"), "night"),
}  # fmt: skip
# weather -> (phrases, names, adjectives, sentences)
WEATHERS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "clear": (("under a clear sky", "in clear weather", "with a clear sky", "in nice weather"),
              ("clear sky", "clear", "nice weather"), ("clear", "fine"),
              ("the sky is clear", "the weather is nice", "there is not a cloud in the sky")),
    "cloudy": (("under a cloudy sky", "in cloudy weather", "under grey clouds", "with many clouds"),
               ("clouds", "cloudy", "overcast"), ("cloudy", "overcast"),
               ("it is cloudy", "there are many clouds", "the sky is full of clouds")),
    "rain": (("in the rain", "while it rains", "in the pouring rain", "in rainy weather", "with rain falling"),
             ("rain", "rainy", "raining"), ("rainy", "wet"),
             ("it is raining", "it rains", "rain is falling")),
    "storm": (("in a storm", "in a thunderstorm", "during a storm", "with thunder and lightning",
               "in stormy weather"), ("storm", "stormy", "thunderstorm"), ("stormy",),
              ("there is a storm", "a storm is raging", "there is thunder and lightning")),
    "snow": (("in the snow", "while it snows", "with snow falling", "in snowy weather", "in winter",
              "in a snowstorm"), ("snow", "snowy", "snowing"), ("snowy",),
             ("it is snowing", "it snows", "snow is falling")),
    "fog": (("in the fog", "in foggy weather", "in the mist", "in thick fog"), ("fog", "foggy", "misty"),
            ("foggy", "misty"), ("it is foggy", "there is fog", "the fog is thick")),
    "rainbow": (("under a rainbow", "with a rainbow", "with a rainbow in the sky", "below a rainbow"),
                ("rainbow", "a rainbow"), ("rainbow",),
                ("there is a rainbow", "a rainbow is in the sky", "a rainbow shines")),
}  # fmt: skip
# how a thing stands in a picture; {} is "a red kite"
SLOTS: dict[str, tuple[str, ...]] = {
    "hand": ("holding {}", "with {}", "carrying {}", "who has {}", "who holds {}", "with {} in its hand"),
    "head": ("with {} on its head", "with {} sitting on its head", "with {} on top of its head"),
    "beside": ("next to {}", "beside {}", "near {}", "with {} beside it", "standing by {}", "by {}"),
    "sky": ("with {} in the sky", "and {} in the sky", "under {}", "with {} above", "and {} up in the sky"),
    "behind": ("in front of {}", "with {} behind it", "with {} in the background", "and {} behind"),
}
# how one asks for a thing where the slot is the kind's usual one
PLAIN_LINKS = ("with {}", "with {}", "and {}", "plus {}", "together with {}")
OTHER_THING_WORDS = {kind: thing.words[1:] for kind, thing in THINGS.items()}
NICE = ("cute", "little", "sweet", "lovely", "tiny", "funny", "small", "big", "nice", "friendly", "fluffy",
        "pretty", "adorable", "silly", "magical", "cuddly")  # fmt: skip
NUMBERS = ("zero", "one", "two", "three", "four", "five")
PRONOUNS = {
    "he": {"he": "he", "him": "him", "his": "his", "himself": "himself"},
    "she": {"he": "she", "him": "her", "his": "her", "himself": "herself"},
}
NAMES = {
    "he": ("Pip", "Max", "Tom", "Leo", "Bruno", "Oscar", "Finn", "Milo", "Otto", "Sam", "Ben", "Toby", "Hugo",
           "Jasper", "Theo", "Louis", "Felix", "Barnaby", "Rufus", "Charlie", "Monty", "Jack", "Teddy", "Ollie",
           "Arthur", "Albert", "George", "Henry", "Noah", "Liam", "Lucas", "Paul", "Ahmed", "Carlos", "Peter",
           "David", "Ali", "Lars", "Mark", "Omar", "Bob", "Walter", "Ravi", "Kenji", "Mateo"),
    "she": ("Luna", "Mia", "Daisy", "Lily", "Rosie", "Bella", "Coco", "Nora", "Ivy", "Poppy", "Ruby", "Molly",
            "Zoe", "Ella", "Hazel", "Willow", "Penny", "Tilly", "Olive", "Maya", "Clara", "Dot", "Nina", "Anna",
            "Ada", "Emma", "Olivia", "Sophie", "Marie", "Laura", "Yuki", "Priya", "Susan", "Sara", "Jana",
            "Ines", "Julia", "Lea", "Alice", "Greta", "Matilda", "Frida", "Wanda", "Aisha", "Elsa"),
}  # fmt: skip


def said(kind: str) -> str:
    """The canonical words for a thing: "teddy bear" for "teddy-bear"."""
    return THINGS[kind].noun if kind in THINGS else kind


def with_article(kind: str, noun: str) -> str:
    """ "a kite", "an apple", "some honey": `noun`, which stands for the thing `kind`, with its article."""
    some = THINGS[kind].some and " of " not in noun
    return f"some {noun}" if some else article(noun)


def looks(colour: str, noun: str, kind: str) -> str:
    """ "blue rabbit"; a child is told by the colour of its clothes, "child in blue"."""
    return f"{noun} in {colour}" if kind == "child" else f"{colour} {noun}"


def article(noun: str) -> str:
    """The noun phrase with "a" or "an"."""
    vowel = noun[:1].lower() in "aeiou" and not noun.lower().startswith(
        ("uni", "ukulele", "one", "use", "eu")
    )
    return ("an " if vowel else "a ") + noun


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def sentence(text: str, end: str = ".") -> str:
    """The text with a capital first letter and an end mark if it has none."""
    text = capital(text.strip())
    return text if text[-1:] in ".!?" else text + end


def listing(words: list[str] | tuple[str, ...], last: str = "and") -> str:
    """ "a, b and c"."""
    words = list(words)
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + f" {last} {words[-1]}"

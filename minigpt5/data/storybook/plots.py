"""Stories as data: each plot is a row of beats, each beat some wordings and what changes in the picture.

Slots: {N} name, {who} "blue rabbit", {he} {him} {his}, {F} the friend's name, {friend} "green cat",
{p} the prop with its colour (also {k}, {u}), {A} {B} two places ("in the forest"), {toA} {toB} ways there,
{one_day} {then} {soon} connectors.
Changes: setting "A" / "B", time, weather, action, prop True / False, friend True / False, both (the friend's
action). What a beat does not change stays; only the action falls back to standing.
"""

from __future__ import annotations

Beat = tuple[tuple[str, ...], dict[str, object]]

LOST: tuple[Beat, ...] = (
    (
        (
            "{N} was a {who} who lived {A}. {he} had a {p} and took it everywhere.",
            "There once was a {who} called {N}. {he} stood {A} with {his} favourite {p}.",
            "{A}, there lived a {who} named {N}. The {p} was {his} best toy.",
        ),
        {"setting": "A", "prop": True},
    ),
    (
        (
            "{one_day} a strong wind blew the {p} away. {N} jumped up to catch it, but it was gone.",
            "{then} the wind took the {p}! The {who} jumped and jumped, but the wind was faster.",
            "{one_day} {N} played too wildly, and the {p} flew away. The {who} jumped after it.",
        ),
        {"prop": False, "action": "jumping"},
    ),
    (
        (
            "{N} wanted it back, so {he} walked {toB}. It began to rain, but the {who} did not give up.",
            "The {who} went {toB} to look for it. Rain fell on {his} head.",
            "{N} searched for a long time. {soon} {he} came {toB}, and it was raining.",
        ),
        {"setting": "B", "weather": "rain"},
    ),
    (
        (
            "{then} the rain stopped. There was the {p}! The {who} waved with joy.",
            "At last the sky was clear again, and {N} saw the {p}. {he} waved at it like at an old friend.",
            "The sun came out, and the {p} was right there {B}! {N} waved happily.",
        ),
        {"weather": "clear", "prop": True, "action": "waving"},
    ),
    (
        (
            "When night came, the {who} slept {B}, with the {p} beside {him}. The end.",
            "That night {N} slept {B} under a clear sky. The {p} never left {him} again.",
            "At night {he} was so tired that {he} slept right there. {N} held the {p} tight.",
        ),
        {"time": "night", "action": "sleeping"},
    ),
)
FRIEND: tuple[Beat, ...] = (
    (
        (
            "{N} was a {who} who was often alone. {he} stood {A} and wished for a friend.",
            "Once there was a {who} named {N}. {he} lived {A} and had nobody to play with.",
            'A {who} called {N} stood {A}. "I would like a friend," {he} said.',
        ),
        {"setting": "A"},
    ),
    (
        (
            '{one_day} {N} went {toB}. "Hello, is anybody here?" called the {who}, and waved.',
            "So the {who} walked {toB} and waved to everyone {he} saw.",
            "{he} packed {his} things and went {toB}. {N} waved at the birds, but they flew away.",
        ),
        {"setting": "B", "action": "waving"},
    ),
    (
        (
            '{then} {he} met {F}, a {friend}. "Shall we be friends?" asked {N}.',
            '{soon} a {friend} came along. "I am {F}," it said to the {who}. They stood side by side.',
            "A {friend} named {F} was there too, all alone. {N} and {F} looked at each other and smiled.",
        ),
        {"friend": True},
    ),
    (
        (
            "They were so happy that they jumped up and down. {F} the {friend} jumped the highest.",
            "{N} and {F} jumped around {B} all day. The {who} had never laughed so much.",
            "The {who} and the {friend} jumped for joy together.",
        ),
        {"action": "jumping", "both": "jumping"},
    ),
    (
        (
            "When the sun set, the two friends waved goodbye. They would meet again tomorrow.",
            "At sunset {N} and {F} waved to the sun. Now the {who} was never alone again.",
            'The sun went down. {F} and {N} waved. "See you tomorrow!" said the {who}. The end.',
        ),
        {"time": "sunset", "action": "waving", "both": "waving"},
    ),
)
GIFT: tuple[Beat, ...] = (
    (
        (
            "It was the birthday of {F}, the {friend}. {N}, a {who}, stood {A} and had no present.",
            "{N} was a {who}. Tomorrow was the birthday of {his} friend {F}. {A}, {he} thought about a present.",
            '"What can I give to {F}?" thought {N}. The {who} stood {A} and thought hard.',
        ),
        {"setting": "A"},
    ),
    (
        (
            "{he} looked {B}, and there {he} found a {p}. The {who} jumped for joy!",
            '{then} {he} went {toB} and found a {p}. "This is perfect!" said {N}, and jumped.',
            "{soon} {N} came {toB}. A {p} was lying there! The {who} jumped up high.",
        ),
        {"setting": "B", "prop": True, "action": "jumping"},
    ),
    (
        (
            "The way back was long and it was snowing. {N} carried the {p} through the snow.",
            "It began to snow, but the {who} held the {p} and kept going.",
            'Snow fell from the sky. "I must not lose the {p}," said the {who}.',
        ),
        {"weather": "snow"},
    ),
    (
        (
            "At last {N} met {F} {A}, and it had stopped snowing. {he} gave the {p} to the {friend}, and both "
            "jumped.",
            '{F} the {friend} was waiting {A}, under a clear sky. "A {p}! Thank you!" They both jumped.',
            "The snow stopped, and {N} found {F} {A}. The {friend} loved the {p}. They jumped together.",
        ),
        {"setting": "A", "weather": "clear", "friend": True, "action": "jumping", "both": "jumping"},
    ),
    (
        (
            "In the evening, as the sun went down, the {who} and the {friend} stood together. It was the best "
            "birthday.",
            "At sunset they looked at the {p} together. {N} was glad that {F} was so happy.",
        ),
        {"time": "sunset", "both": "standing"},
    ),
)
SNOW: tuple[Beat, ...] = (
    (
        (
            "{N} the {who} had never seen snow. Every day {he} stood {A} and looked at the clear sky.",
            "A {who} named {N} lived {A}. {he} had only one wish: {he} wanted to see snow.",
        ),
        {"setting": "A"},
    ),
    (
        (
            "At night {he} slept {A} and dreamed of white hills.",
            "That night {N} slept and dreamed of snow. The {who} smiled in {his} sleep.",
        ),
        {"time": "night", "action": "sleeping"},
    ),
    (
        (
            "In the morning, by day, everything was white. It was snowing! The {who} jumped up and down.",
            "When {he} woke up it was day, and snow was falling. {N} jumped out of bed and into the snow.",
        ),
        {"time": "day", "weather": "snow", "action": "jumping"},
    ),
    (
        (
            "{N} went {toB} to see more snow. There {he} found a {p} and waved to show it to everyone.",
            "The {who} ran {toB}. In the snow lay a {p}! {N} waved at the sky to say thank you.",
        ),
        {"setting": "B", "prop": True, "action": "waving"},
    ),
    (
        (
            "When the sun set, snow was still falling. The {who} stood {B} and felt very lucky.",
            "At sunset the snow looked pink and gold. {N} stood still {B} and watched it fall. The end.",
        ),
        {"time": "sunset"},
    ),
)
RAIN: tuple[Beat, ...] = (
    (
        (
            "{N} was a {who} who did not like to get wet. {he} stood {A} and looked at the clouds.",
            'Little {N}, a {who}, stood {A}. "I hope it stays dry," {he} said.',
        ),
        {"setting": "A"},
    ),
    (
        (
            '{then} it began to rain. "Oh no!" cried the {who}, and jumped from stone to stone.',
            "Drip, drop! The rain came down. {N} jumped over the puddles.",
        ),
        {"weather": "rain", "action": "jumping"},
    ),
    (
        (
            '{F}, a {friend}, came by and waved. "Take my {u}!" said {F}.',
            "{then} a {friend} waved at {him}. It was {F}, and {F} had a {u} for two.",
        ),
        {"friend": True, "prop": "umbrella", "both": "waving"},
    ),
    (
        (
            "Under the {u} it was dry and warm. The {who} and the {friend} stood close together in the rain.",
            "{N} and {F} stood under the {u} and listened to the rain. It sounded like music.",
        ),
        {"both": "standing"},
    ),
    (
        (
            "In the evening the rain stopped. {N} and {F} jumped for joy at sunset. Now {N} liked the rain.",
            "At sunset the sky was clear again. The two friends jumped through the last puddles.",
        ),
        {"time": "sunset", "weather": "clear", "action": "jumping", "both": "jumping"},
    ),
)
KITE: tuple[Beat, ...] = (
    (
        (
            "{N} the {who} had a new {k}. {he} stood {A} and waited for the wind.",
            "A {who} called {N} had made a {k}. {he} stood {A} and wanted it to fly higher than the trees.",
        ),
        {"setting": "A", "prop": "kite"},
    ),
    (
        (
            "There was no wind at all. The {who} jumped and jumped, but the {k} fell down.",
            "{N} jumped as high as {he} could. But the {k} would not fly {A}.",
        ),
        {"action": "jumping"},
    ),
    (
        (
            '"I need more wind," said {N}. So {he} carried the {k} {toB}.',
            "So the {who} walked {toB}, where the wind is strong, and held the {k} up.",
        ),
        {"setting": "B"},
    ),
    (
        (
            "Whoosh! The {k} went up into the sky. The {who} waved at it {B}.",
            "{then} the wind came, and up it went! {N} waved at the {k} in the sky.",
        ),
        {"action": "waving"},
    ),
    (
        (
            "At night {N} slept {B}. The {k} slept beside {him}, and the moon watched over them.",
            "When it was night, the {who} slept and dreamed that {he} could fly like the {k}. The end.",
        ),
        {"time": "night", "action": "sleeping"},
    ),
)
BOOK: tuple[Beat, ...] = (
    (
        (
            "{N}, a {who}, found a {k} {A}. {he} wondered what was in it.",
            "{one_day} a {who} named {N} stood {A}. At {his} feet lay a {k}.",
        ),
        {"setting": "A", "prop": "book"},
    ),
    (
        (
            'The {k} told of a place far away. "I want to go there!" said {N}, and jumped up.',
            "It was full of pictures. The {who} was so excited that {he} jumped.",
        ),
        {"action": "jumping"},
    ),
    (
        (
            "So {he} took the {k} and walked {toB}. It looked just like in the {k}!",
            "{N} followed the pictures in the {k} and came {toB}.",
        ),
        {"setting": "B"},
    ),
    (
        (
            "The sun went down. The {who} waved at the last light and read one more page of the {k}.",
            "At sunset {N} waved to the sun and closed the {k}.",
        ),
        {"time": "sunset", "action": "waving"},
    ),
    (
        (
            "At night the {who} slept {B}, with the {k} as a pillow. Good night, {N}!",
            "It was night, and {N} slept with the {k} beside {him}. {he} dreamed of new stories.",
        ),
        {"time": "night", "action": "sleeping"},
    ),
)
BOAT: tuple[Beat, ...] = (
    (
        (
            "{N} was a {who} who lived {A}, far from the sea. {he} had a little {k} and a big dream.",
            "Far from the sea, {A}, lived a {who} named {N}. {he} had a {k}, but no water for it.",
        ),
        {"setting": "inland", "prop": "boat"},
    ),
    (
        (
            '"I will go to the sea!" {he} said. The {who} waved goodbye at sunset and took the {k} along.',
            '{one_day} at sunset {he} waved goodbye to everyone. "My {k} and I will find the sea," said {N}.',
        ),
        {"time": "sunset", "action": "waving"},
    ),
    (
        (
            "{he} walked all night. When {he} was tired, the {who} slept {B} with the {k}.",
            "The way was long. At night {N} slept {B}, close to the {k}.",
        ),
        {"setting": "inland2", "time": "night", "action": "sleeping"},
    ),
    (
        (
            "The next day {N} saw the beach! The {who} jumped up and down on the sand with the {k}.",
            'By day {he} came to the beach at last. "The sea!" cried the {who}, and jumped.',
        ),
        {"setting": "beach", "time": "day", "action": "jumping"},
    ),
    (
        (
            "{N} put the {k} on the water and stood on the beach. It was the happiest day of {his} life.",
            "The {k} danced on the waves. The {who} stood on the beach and smiled. The end.",
        ),
        {},
    ),
)
FLOWER: tuple[Beat, ...] = (
    (
        (
            "{F}, the {friend}, was sad. {N}, a {who}, wanted to help and stood {A}, thinking.",
            "{N} was a kind {who}. {A}, {he} heard that {his} friend {F} was ill, and wanted to help.",
        ),
        {"setting": "A"},
    ),
    (
        (
            '"A flower makes everyone smile," {he} said. It rained, but the {who} went {toB} to find one.',
            "{he} went {toB} in the rain to look for a flower.",
        ),
        {"setting": "B", "weather": "rain"},
    ),
    (
        (
            "And there it was, a {k}! {N} jumped with joy in the rain.",
            "{soon} {he} saw a {k} in the rain. The {who} jumped over a puddle to get it.",
        ),
        {"prop": "flower", "action": "jumping"},
    ),
    (
        (
            "The rain stopped and the sun set. {N} brought the {k} to {F}. The {friend} waved and smiled.",
            'At sunset, under a clear sky, {he} gave the {k} to {F} the {friend}. {F} waved. "Thank you!"',
        ),
        {"time": "sunset", "weather": "clear", "friend": True, "both": "waving"},
    ),
    (
        (
            "At night both friends slept {B}, and the {k} stood between them. The end.",
            "That night the {who} and the {friend} slept well. Nobody was sad anymore.",
        ),
        {"time": "night", "action": "sleeping", "both": "sleeping"},
    ),
)
MOON: tuple[Beat, ...] = (
    (
        (
            "{N} the {who} wanted to see the moon. But {A}, {he} fell asleep at every sunset.",
            "A {who} called {N} lived {A}. {he} had never seen the stars, for {he} was always asleep at sunset.",
        ),
        {"setting": "A", "time": "sunset", "action": "sleeping"},
    ),
    (
        (
            "{one_day} at sunset {N} had an idea. {he} jumped up and down to stay awake.",
            '"Today I will stay awake!" said the {who}. At sunset {he} jumped around {A}.',
        ),
        {"action": "jumping"},
    ),
    (
        (
            "{soon} it was night. The {who} walked {toB}, where the sky is big.",
            "Night came. {N} went {toB} and looked up.",
        ),
        {"setting": "B", "time": "night"},
    ),
    (
        (
            "There it was, round and bright! {N} waved at the moon {B}.",
            'The moon was shining, and the {who} waved at it. "Hello, moon!"',
        ),
        {"action": "waving"},
    ),
    (
        (
            "Then the {who} slept {B} in the moonlight, and {he} dreamed of the stars. The end.",
            "{he} was very tired now. {N} slept under the stars until the morning.",
        ),
        {"action": "sleeping"},
    ),
)
JUMP: tuple[Beat, ...] = (
    (
        (
            "{N} was a small {who}. {he} stood {A} and wanted to jump as high as the clouds.",
            "All the animals could jump, but {N} could not. The {who} stood {A} and watched them.",
        ),
        {"setting": "A"},
    ),
    (
        (
            '{he} went {toB} to practise. {F}, a {friend}, waved. "I can teach you!" said {F}.',
            '{then} {he} met a {friend} {B}. It waved and said: "I am {F}. I will help you."',
        ),
        {"setting": "B", "friend": True, "both": "waving"},
    ),
    (
        (
            'First {F} jumped, then {N} jumped. "Higher!" said the {friend}. The {who} laughed.',
            "The {friend} and the {who} jumped all day. Each time {N} got a little higher.",
        ),
        {"action": "jumping", "both": "jumping"},
    ),
    (
        (
            "After that they were so tired that they slept {B} until sunset.",
            "When the sun set, {N} and {F} were asleep. They had jumped enough for one day.",
        ),
        {"time": "sunset", "action": "sleeping", "both": "sleeping"},
    ),
)
SHY: tuple[Beat, ...] = (
    (
        (
            "{N} was a shy {who}. {he} stood {A} and never said hello to anyone.",
            "Once upon a time there was a {who} named {N}, who was very shy. {he} always stood alone {A}.",
        ),
        {"setting": "A"},
    ),
    (
        (
            '{one_day} {he} found a {p}. "Who has lost it?" {N} wondered.',
            "{then} {he} saw a {p} in front of {him}. It was not {his} own.",
        ),
        {"prop": True},
    ),
    (
        (
            'The {who} took the {p} {toB}. "I must be brave," {he} thought, and waved for the first time.',
            "{he} carried the {p} {toB}, took a deep breath, and waved.",
        ),
        {"setting": "B", "action": "waving"},
    ),
    (
        (
            '"That is mine!" said {F}, a {friend}, and jumped for joy. "Thank you, {N}!"',
            'A {friend} jumped up. "My {p}!" it said. "I am {F}. Let us play together!"',
        ),
        {"friend": True, "both": "jumping"},
    ),
    (
        (
            "At night the {who} and the {friend} slept side by side {B}. {N} was not shy anymore.",
            "They played until night. Then {N} and {F} slept {B}, and the {who} was happy.",
        ),
        {"time": "night", "action": "sleeping", "both": "sleeping"},
    ),
)
SLEEPY: tuple[Beat, ...] = (
    (
        (
            "{N} could not sleep. It was night, and the {who} stood {A}, wide awake.",
            "It was late at night, but the {who} {N} was not tired. {he} stood {A} and looked at the stars.",
        ),
        {"setting": "A", "time": "night"},
    ),
    (
        (
            "{he} jumped a hundred times {A}. It did not help.",
            '"I will jump until I am tired," said {N}. The {who} jumped and jumped in the dark.',
        ),
        {"action": "jumping"},
    ),
    (
        (
            "{then} {he} walked {toB}. Snow began to fall, soft and quiet.",
            "The {who} went for a walk {toB}. It was so quiet there, and snow was falling.",
        ),
        {"setting": "B", "weather": "snow"},
    ),
    (
        (
            "There lay a {p}. {N} waved at it and yawned.",
            "{he} found a {p} in the snow and waved to the moon. Now {he} felt a little tired.",
        ),
        {"prop": True, "action": "waving"},
    ),
    (
        (
            "At last the {who} slept {B}, next to the {p}. Sleep well, {N}!",
            "{N} closed {his} eyes and slept in the snow, warm and happy. The end.",
        ),
        {"action": "sleeping"},
    ),
)
DESERT: tuple[Beat, ...] = (
    (
        (
            "{N}, a {who}, lived {A}. {one_day} {he} heard of a {p} hidden in the desert.",
            '"There is a {p} in the desert," said an old bird. {N} the {who} listened {A}.',
        ),
        {"setting": "green"},
    ),
    (
        (
            "The {who} waved goodbye and went into the hot desert.",
            "So {N} walked into the desert. {he} waved at every cactus.",
        ),
        {"setting": "desert", "action": "waving"},
    ),
    (
        (
            "When night came it was cold. {N} slept in the desert, all alone.",
            "{he} walked until night and then slept on the sand of the desert.",
        ),
        {"time": "night", "action": "sleeping"},
    ),
    (
        (
            "The next day the {who} saw something shine. It was the {p}! {N} jumped high.",
            "By day {he} found the {p} at last, and the {who} jumped for joy in the desert.",
        ),
        {"time": "day", "prop": True, "action": "jumping"},
    ),
    (
        (
            "At sunset {N} was home again {A} with the {p}. Everyone wanted to hear {his} story.",
            "{he} brought the {p} home {A}. The {who} stood there at sunset and told {his} story. The end.",
        ),
        {"setting": "green", "time": "sunset"},
    ),
)
HIDE: tuple[Beat, ...] = (
    (
        (
            '{N} the {who} and {F} the {friend} stood {A}. "Let us play hide and seek!" said {N}.',
            "{F}, a {friend}, and {N}, a {who}, were best friends. They stood {A} and wanted to play.",
        ),
        {"setting": "A", "friend": True},
    ),
    (
        (
            "{F} ran away to hide. Now the {who} was alone and jumped up to look around.",
            '{N} counted to ten while {F} hid. Then the {who} jumped up. "Here I come!"',
        ),
        {"friend": False, "action": "jumping"},
    ),
    (
        (
            "{N} looked {B}, but nobody was there. It began to rain.",
            "The {who} searched {B} in the rain. Where was {F}?",
        ),
        {"setting": "B", "weather": "rain"},
    ),
    (
        (
            '"Found you!" There sat {F}, and the {friend} waved. They laughed in the rain.',
            '{then} a paw waved at {him}. It was {F}, the {friend}! "You found me!"',
        ),
        {"friend": True, "both": "waving"},
    ),
    (
        (
            "The rain stopped and the sun set. The {who} and the {friend} slept {B}, tired from playing.",
            "At sunset, under a clear sky, both were asleep {B}. What a good game! The end.",
        ),
        {"time": "sunset", "weather": "clear", "action": "sleeping", "both": "sleeping"},
    ),
)
PLOTS = (LOST, FRIEND, GIFT, SNOW, RAIN, KITE, BOOK, BOAT, FLOWER, MOON, JUMP, SHY, SLEEPY, DESERT, HIDE)

# per plot: what a story is asked to be about; {x} in the second row is the hero
HINTS: dict[int, tuple[tuple[str, ...], tuple[str, ...]]] = {
    0: (("{x} who loses a {kind}", "{x} and a lost {kind}", "{x} who looks for its {kind}",
        "{x} with a missing {kind}"), ("a lost toy", "the wind", "losing something", "a lost {kind}")),
    1: (("{x} who wants a friend", "{x} who makes a new friend", "{x} who is lonely",
        "{x} looking for a friend"), ("friendship", "making friends", "a new friend", "two friends")),
    2: (("{x} who looks for a present", "{x} and a birthday party", "{x} with a gift for a friend"),
        ("a birthday", "a birthday present", "giving", "a party")),
    3: (("{x} who has never seen snow", "{x} and the first snow", "{x} in winter"), ("snow",
        "the first snow", "winter", "a wish")),
    4: (("{x} who does not like rain", "{x} in the rain", "{x} who gets wet"), ("rain", "a rainy day",
        "an umbrella", "bad weather")),
    5: (("{x} who wants to fly a kite", "{x} with a kite", "{x} and the wind"), ("a kite", "flying", "wind")),
    6: (("{x} who finds a book", "{x} and a magic book", "{x} who loves books"), ("a book", "reading",
        "a secret book")),
    7: (("{x} who wants to see the sea", "{x} and a boat", "{x} on a long trip"), ("the sea",
        "a long journey", "a boat", "travelling")),
    8: (("{x} who wants to help a sick friend", "{x} who finds a flower", "a kind friend, {x}"),
        ("kindness", "a flower", "helping others", "being ill")),
    9: (("{x} who wants to see the moon", "{x} and the stars", "{x} who looks at the moon"), ("the moon",
        "the stars", "the night sky")),
    10: (("{x} who learns to jump", "{x} that cannot jump", "{x} who wants to jump high"),
        ("learning something", "jumping", "practice")),
    11: (("a shy {bare}", "{x} who is shy", "{x} who is afraid to say hello"), ("courage", "being shy",
        "being brave")),
    12: (("{x} who can't sleep", "{x} that is not tired", "{x} awake at night"), ("going to sleep",
        "a sleepless night", "bedtime")),
    13: (("{x} who looks for treasure", "{x} on a big adventure", "{x} lost in the desert"),
        ("an adventure", "a treasure", "the desert")),
    14: (("{x} who plays hide and seek", "{x} playing with a friend", "two friends who play"), ("a game",
        "hide and seek", "playing")),
}  # fmt: skip

"""The things of the world as a table: what they are called, where they may be drawn, and by which emoji.

Knows nothing of scenes or pixels. The eight toys have no emoji: they are drawn by hand, in a colour of choice.
"""

from __future__ import annotations

from dataclasses import dataclass

SLOTS = ("beside", "sky", "behind", "hand", "head")


@dataclass(frozen=True)
class ThingKind:
    """One kind of thing.

    `words` are singular nouns as people say them, the usual one first; `slots` are where it may be drawn, the
    natural one first; `some` is true for nouns that take "some" in place of "a"; `emoji` is "" for a toy.
    """

    id: str
    words: tuple[str, ...]
    slots: tuple[str, ...]
    emoji: str = ""
    some: bool = False

    @property
    def noun(self) -> str:
        """The usual word for it."""
        return self.words[0]


# One kind a line: id (with "~" before nouns that take "some"), emoji, other words for it.
_SKY = """
moon 🌕 full moon
star ⭐ yellow star, golden star
comet ☄ shooting star, falling star, meteor
rocket 🚀 spaceship, rocket ship, spacecraft
airplane ✈ aeroplane, plane, jet, aircraft
helicopter 🚁 chopper
planet 🪐 Saturn, ringed planet
flying-saucer 🛸 UFO, alien ship
bee 🐝 bumblebee, honeybee
eagle 🦅 hawk, falcon
bat 🦇 flying bat
dove 🕊 white dove, pigeon
~fireworks 🎆 firework
parachute 🪂 skydiver
parrot 🦜 macaw
"""
_SKY_OR_HEAD = """
butterfly 🦋 monarch butterfly
bird 🐦 little bird, birdie
"""
_BEHIND = """
house 🏠 home, cottage, little house
tent ⛺ camping tent
tree 🌳 leafy tree, oak
pine 🌲 pine tree, fir tree, fir
palm 🌴 palm tree, coconut tree
cactus 🌵 green cactus
ferris-wheel 🎡 big wheel
bus 🚌 coach, school bus
train 🚂 steam train, locomotive, steam engine
tractor 🚜 farm tractor
fire-engine 🚒 fire truck
ambulance 🚑 rescue car
taxi 🚕 cab, yellow taxi
car 🚗 automobile, red car
truck 🚚 lorry, delivery van, van
ship 🚢 steamship, ocean liner, big ship
volcano 🌋 erupting volcano
school 🏫 schoolhouse
hospital 🏥 clinic
church ⛪ chapel
hut 🛖 straw hut, cabin
fountain ⛲ water fountain
"""
_BESIDE = """
snowman ⛄ snow man
pumpkin 🎃 jack-o'-lantern, Halloween pumpkin
bicycle 🚲 bike, pushbike
scooter 🛴 kick scooter
skateboard 🛹 board
sled 🛷 sledge, sleigh, toboggan
chair 🪑 wooden chair, seat
bed 🛏 cosy bed
sofa 🛋 couch, settee
door 🚪 wooden door
ladder 🪜 stepladder
piano 🎹 keyboard
computer 💻 laptop
television 📺 TV, telly
radio 📻 old radio
campfire 🔥 fire, bonfire
rock 🪨 stone, boulder
log 🪵 wooden log, piece of wood
mailbox 📫 letterbox, postbox
box 📦 parcel, cardboard box, package
globe 🌍 model of the earth
money-bag 💰 bag of money, sack of gold
crystal-ball 🔮 magic ball
teapot 🫖 pot of tea
potted-plant 🪴 plant, houseplant, pot plant
mushroom 🍄 toadstool
anchor ⚓ ship's anchor
telescope 🔭 spyglass
drum 🥁 snare drum
statue 🗿 stone statue, stone head
"""
_ANIMALS = """
dinosaur 🦕 dino, brontosaurus
whale 🐳 spouting whale
camel 🐫 two-humped camel
giraffe 🦒 tall giraffe
cow 🐄 dairy cow
horse 🐎 pony
unicorn 🦄 magic unicorn
sheep 🐑 lamb
zebra 🦓 striped zebra
kangaroo 🦘 wallaby
snail 🐌 slug
turtle 🐢 tortoise
crab 🦀 red crab
octopus 🐙 squid
fish 🐠 tropical fish, goldfish
dolphin 🐬 porpoise
shark 🦈 great white shark
snake 🐍 serpent
crocodile 🐊 alligator, croc
hippo 🦛 hippopotamus
squirrel 🐿 chipmunk
chicken 🐓 hen, rooster
peacock 🦚 peafowl
flamingo 🦩 pink flamingo
swan 🦢 white swan
spider 🕷 tarantula
"""
_BESIDE_OR_HEAD = """
chick 🐤 baby chick, baby bird
"""
_FOOD = """
apple 🍎 red apple
pear 🍐 green pear
banana 🍌 ripe banana
cherry 🍒 pair of cherries
strawberry 🍓 ripe strawberry
lemon 🍋 sour lemon
peach 🍑 ripe peach
pineapple 🍍 sweet pineapple
watermelon 🍉 slice of watermelon, melon
~grapes 🍇 bunch of grapes
carrot 🥕 orange carrot
~corn 🌽 ear of corn, maize, corn on the cob
~bread 🍞 loaf of bread, loaf, toast
~cheese 🧀 piece of cheese
pizza 🍕 slice of pizza
hamburger 🍔 burger, cheeseburger
cookie 🍪 biscuit
cake 🎂 birthday cake
cupcake 🧁 muffin
pie 🥧 apple pie
candy 🍬 sweet, bonbon
lollipop 🍭 lolly
ice-cream 🍦 ice-cream cone, ice cream cone
doughnut 🍩 donut
~chocolate 🍫 bar of chocolate, chocolate bar
~honey 🍯 jar of honey, pot of honey, honey pot
~milk 🥛 glass of milk
egg 🥚 brown egg
~soup 🍲 bowl of soup, stew
~popcorn 🍿 bag of popcorn
"""
_HAND = """
key 🔑 golden key
lantern 🏮 paper lantern, red lantern, lamp
candle 🕯 burning candle
flashlight 🔦 torch
magnifying-glass 🔍 magnifier
magic-wand 🪄 wand
paintbrush 🖌 brush
pencil ✏ yellow pencil
hammer 🔨 mallet
axe 🪓 hatchet
sword 🗡 dagger
shield 🛡 knight's shield
camera 📷 photo camera
telephone ☎ phone, red telephone
clock ⏰ alarm clock
guitar 🎸 electric guitar
violin 🎻 fiddle
trumpet 🎺 horn, bugle
bell 🔔 golden bell
microphone 🎤 mic
trophy 🏆 golden cup, cup
medal 🏅 gold medal
gem 💎 diamond, jewel, gemstone
ring 💍 diamond ring
coin 🪙 gold coin, penny
map 🗺 treasure map
letter ✉ envelope
scroll 📜 parchment
teddy-bear 🧸 stuffed bear, toy bear
puzzle 🧩 jigsaw, puzzle piece
basketball 🏀 orange ball
football ⚽ soccer ball
bucket 🪣 pail
basket 🧺 picnic basket
broom 🧹 broomstick
backpack 🎒 rucksack, school bag
shell 🐚 seashell
rose 🌹 red rose
tulip 🌷 pink tulip
sunflower 🌻 big sunflower
clover 🍀 four-leaf clover, shamrock
feather 🪶 quill
bone 🦴 dog's bone
sock 🧦 pair of socks
shoe 👟 sneaker, trainer
glove 🧤 mitten
~scissors ✂ pair of scissors
"""
_TOYS = (
    ThingKind("balloon", ("balloon", "party balloon"), ("hand", "beside", "sky")),
    ThingKind("umbrella", ("umbrella", "parasol", "brolly"), ("hand", "beside")),
    ThingKind("ball", ("ball", "beach ball", "bouncy ball"), ("hand", "beside")),
    ThingKind("kite", ("kite", "flying kite"), ("hand", "beside", "sky")),
    ThingKind("gift", ("gift", "present", "gift box", "birthday present"), ("hand", "beside")),
    ThingKind("flower", ("flower", "pretty flower", "blossom"), ("hand", "beside")),
    ThingKind("book", ("book", "storybook", "picture book"), ("hand", "beside")),
    ThingKind("boat", ("boat", "toy boat", "sailing boat", "sailboat"), ("beside", "hand")),
)


def _kinds(table: str, *slots: str) -> tuple[ThingKind, ...]:
    kinds = []
    for line in table.strip().splitlines():
        name, emoji, others = line.split(" ", 2)
        id_ = name.removeprefix("~")
        noun = id_.replace("-", " ")
        words = (noun, *others.split(", "))
        kinds.append(ThingKind(id_, words, slots, emoji, some=name.startswith("~")))
    return tuple(kinds)


_ANIMAL_KINDS = (*_kinds(_ANIMALS, "beside"), *_kinds(_BESIDE_OR_HEAD, "beside", "head"))
_FOOD_KINDS = _kinds(_FOOD, "hand", "beside")

THINGS: dict[str, ThingKind] = {
    kind.id: kind
    for kind in (
        *_TOYS,
        *_kinds(_SKY, "sky"),
        *_kinds(_SKY_OR_HEAD, "sky", "head"),
        *_kinds(_BEHIND, "behind"),
        *_kinds(_BESIDE, "beside"),
        *_ANIMAL_KINDS,
        *_FOOD_KINDS,
        *_kinds(_HAND, "hand", "beside"),
    )
}
TOYS = tuple(kind.id for kind in _TOYS)
FOODS = tuple(kind.id for kind in _FOOD_KINDS)
ANIMALS = tuple(kind.id for kind in _ANIMAL_KINDS)  # those that stand beside a figure
IN_SLOT: dict[str, tuple[str, ...]] = {
    slot: tuple(kind.id for kind in THINGS.values() if slot in kind.slots) for slot in SLOTS
}

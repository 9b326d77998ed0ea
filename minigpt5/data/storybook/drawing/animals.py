"""The eight animals, face-on, about 55 units tall; the origin of a figure is the ground between its feet."""

from __future__ import annotations

from minigpt5.data.storybook.drawing.canvas import INK, WHITE, Canvas, Colour, darker, lighter, tinted
from minigpt5.data.storybook.drawing.heads import draw_ears, draw_face
from minigpt5.data.storybook.scene import Character

COLOURS: dict[str, Colour] = {
    "blue": (88, 178, 244),
    "green": (112, 200, 84),
    "pink": (255, 148, 194),
    "purple": (152, 96, 208),
    "orange": (250, 136, 36),
    "brown": (150, 96, 60),
    "yellow": (255, 220, 84),
}
LIFT = 14.0


def draw_character(
    canvas: Canvas, character: Character, place: tuple[float, float], zoom: float, expression: int
) -> None:
    """The character with its feet at `place`, or above it when jumping."""
    colour = COLOURS[character.colour]
    x, y = place
    _shadow(canvas.at(x, y, zoom), character.action)
    if character.action == "sleeping":
        _asleep(canvas.at(x, y, zoom), character.animal, colour)
        return
    lift = LIFT if character.action == "jumping" else 0.0
    _awake(canvas.at(x, y - lift, zoom), character, colour, expression)


def _shadow(figure: Canvas, action: str) -> None:
    """A soft ellipse: the colour of the ground itself, darkened in two steps."""
    reach = {"jumping": 14, "sleeping": 25}.get(action, 18)
    px, py = figure.place(0, 0.5)
    sample = figure.image.getpixel((int(px), min(int(py), figure.image.height - 1)))
    assert isinstance(sample, tuple)  # the picture is RGB
    ground: Colour = (sample[0], sample[1], sample[2])
    plain = Canvas(figure.image, origin=figure.origin, zoom=figure.zoom)
    for grow, dim in ((1.5, 0.84), (0.0, 0.7)):
        plain.disc(0, 0.8, reach + grow, 4 + grow * 0.6, tinted(ground, (dim, dim, dim)), outline=0)


def _tail(figure: Canvas, animal: str, colour: Colour, low: bool) -> None:
    shift = 8 if low else 0
    if animal == "cat":
        figure.limb(
            (
                (10 + shift, -6),
                (20 + shift, -5),
                (25 + shift * 0.6, -12),
                (24 + shift * 0.6, -20),
                (19 + shift * 0.6, -22),
            ),
            5,
            colour,
        )
    elif animal == "mouse":
        figure.limb(
            ((10 + shift, -4), (20 + shift, -3), (26 + shift * 0.5, -8), (25 + shift * 0.5, -16)),
            2,
            (255, 178, 190),
            1.4,
        )
    elif animal == "dog":
        figure.limb(((11 + shift, -9), (19 + shift, -15), (21 + shift, -20)), 4.5, darker(colour))
    elif animal == "rabbit":
        figure.disc(14 + shift * 1.2, -8, 5, 5, lighter(colour, 0.8))


def _awake(figure: Canvas, character: Character, colour: Colour, expression: int) -> None:
    animal, action = character.animal, character.action
    owl = animal == "owl"
    head = (0.0, -37.0)
    _tail(figure, animal, colour, low=False)
    draw_ears(figure, animal, head, colour)
    foot = (255, 168, 56) if owl else darker(colour, 0.12)
    spread = 10 if action == "jumping" else 8
    for side in (-1, 1):
        figure.disc(side * spread, -3.5, 6.2, 3.8, foot)
    width = 16.5 if owl else 14
    figure.disc(0, -15, width, 13.5, colour)
    figure.disc(0, -13, width * 0.66, 9.8, lighter(colour, 0.62), outline=0)
    if owl:
        for x, y in ((-4, -12), (4, -12), (0, -7.5)):
            figure.stroke(((x - 2.4, y - 2), (x, y), (x + 2.4, y - 2)), 1.3, colour)
    draw_face(figure, animal, head, colour, expression, asleep=False)
    for side in (-1, 1):
        raised = action == "jumping" or (action == "waving" and side == -1)
        _arm(figure, side, raised, owl, colour)
    if action == "waving":
        for reach in (0, 4.5):
            figure.arc(-25, -43, 8 + reach, 8 + reach, 205, 265, 1.9, WHITE)


def _arm(figure: Canvas, side: int, raised: bool, owl: bool, colour: Colour) -> None:
    if owl:
        wing = darker(colour, 0.2)
        if raised:
            figure.oval(side * 21.5, -29, 5.6, 13, side * 32, wing)
        else:
            figure.oval(side * 16.5, -15, 5, 10.5, -side * 12, wing)
        return
    if raised:
        figure.limb(((side * 13, -20), (side * 20, -29), (side * 24.5, -42)), 7, colour)
        figure.disc(side * 24.5, -42.5, 2.2, 2.2, lighter(colour, 0.6), outline=0)
    else:
        figure.limb(((side * 13, -21), (side * 16.5, -12)), 6.4, colour)


def _asleep(figure: Canvas, animal: str, colour: Colour) -> None:
    owl = animal == "owl"
    head = (-5.0, -17.5)
    _tail(figure, animal, colour, low=True)
    figure.disc(18, -3.5, 6, 3.8, (255, 168, 56) if owl else darker(colour, 0.12))
    figure.disc(4, -10.5, 20.5, 10.5, colour)
    figure.disc(9, -7, 12, 6, lighter(colour, 0.62), outline=0)
    draw_ears(figure, animal, head, colour)
    draw_face(figure, animal, head, colour, 0, asleep=True)
    figure.limb(((-18, -3), (-11, -2.8)), 5.4, darker(colour, 0.2) if owl else colour)
    figure.limb(((2, -2.8), (9, -3)), 5.4, darker(colour, 0.2) if owl else colour)
    for x, y, size in ((12, -37, 6.5), (18, -50, 9.5)):
        letter = ((x, y), (x + size, y), (x, y + size), (x + size, y + size))
        figure.stroke(letter, 4.6, WHITE)
        figure.stroke(letter, 2.4, INK)

"""The colours of the figures: a main colour and what goes with it, so that each reads by day and by night."""

from __future__ import annotations

from dataclasses import dataclass

from minigpt5.data.storybook.world.drawing.canvas import INK, WHITE, Colour, darker, lighter

PINK: Colour = (255, 172, 186)
BLUSH: Colour = (255, 120, 130)
BEAK: Colour = (255, 168, 56)
SKIN: Colour = (250, 206, 168)
HAIR: Colour = (88, 50, 40)


@dataclass(frozen=True)
class Coat:
    """A figure's colours: `dark` for paws and manes, `deep` for stripes, `pale` for bellies, `ink` for lines,
    `mask` for the white of a penguin, `rimmed` where eyes need a white rim.
    """

    main: Colour
    dark: Colour
    deep: Colour
    pale: Colour
    ink: Colour = INK
    mask: Colour = WHITE
    rimmed: bool = False


def _coat(main: Colour) -> Coat:
    return Coat(main, darker(main, 0.28), darker(main, 0.62), lighter(main, 0.7))


COATS: dict[str, Coat] = {
    "blue": _coat((88, 178, 244)),
    "green": _coat((112, 200, 84)),
    "pink": _coat((255, 148, 194)),
    "purple": _coat((152, 96, 208)),
    "orange": _coat((250, 136, 36)),
    "brown": _coat((150, 96, 60)),
    "yellow": _coat((255, 220, 84)),
    "red": _coat((222, 40, 48)),
    "grey": _coat((152, 158, 172)),
    "white": Coat((252, 252, 254), (186, 198, 220), (118, 128, 156), (218, 228, 244), mask=(200, 214, 236)),
    "black": Coat(
        (62, 58, 74), (112, 108, 128), (176, 172, 192), (186, 182, 200), (236, 232, 242), rimmed=True
    ),
}

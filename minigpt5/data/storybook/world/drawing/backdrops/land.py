"""What the places are painted with: a tinted canvas that knows the weather, hills, trees and houses."""

from __future__ import annotations

import math

from minigpt5.data.storybook.world.drawing.canvas import Canvas, Colour, Points, darker, mix

SOFT = 1.0
TRUNK: Colour = (150, 104, 66)
LEAF: Colour = (62, 156, 84)
LAMPLIGHT: Colour = (255, 214, 96)
SNOW_WHITE: Colour = (248, 251, 255)


class Land:
    """A place in the making: its canvas, the variant of its shapes, the time of day and the weather."""

    def __init__(self, canvas: Canvas, variant: int, time: str, weather: str) -> None:
        self.canvas = canvas
        self.variant = variant
        self.time = time
        self.weather = weather
        self.snowy = weather == "snow"
        self.night = time == "night"

    def dusted(self, colour: Colour, share: float = 0.72) -> Colour:
        """The colour of a ground or roof, whitened when snow lies."""
        return mix(colour, SNOW_WHITE, share) if self.snowy else colour

    def hill(self, y: float, height: float, waves: float, phase: float, top: Colour, bottom: Colour) -> None:
        """A wavy ground from `y` to the lower edge."""
        shift = phase + 2.1 * self.variant
        edge = [(x, y + height * math.sin(x / 128 * waves * 2 * math.pi + shift)) for x in range(0, 129, 2)]
        self.canvas.gradient([*edge, (128, 128), (0, 128)], self.dusted(top), self.dusted(bottom))

    def sea(self, y: float, bottom: float, waves: Points) -> None:
        """Water from `y` to `bottom` with small crests at the points."""
        canvas = self.canvas
        canvas.gradient(((0, y), (128, y), (128, bottom), (0, bottom)), (38, 138, 196), (122, 218, 222))
        for x, crest in waves:
            for side in (-4, 4):
                canvas.arc(x + side, crest, 4, 2.4, 0, 180, 1.3, (214, 244, 250))

    def palm(self, foot: Points, leaves: tuple[float, float]) -> None:
        """A palm whose trunk follows the points up to its leaves."""
        canvas, (x, y) = self.canvas, leaves
        canvas.limb(foot, 4.5, TRUNK, SOFT)
        for angle in (-165, -125, -70, -20, 25, 150):
            turn = math.radians(angle)
            px, py = x + 10 * math.cos(turn), y + 8 * math.sin(turn)
            canvas.oval(px, py, 11, 3.6, angle, self.dusted(LEAF), SOFT)
        for nut in (-2.5, 2.0):
            canvas.disc(x + nut, y + 3, 2.4, 2.4, (120, 76, 48), SOFT)

    def pine(self, x: float, foot: float, height: float, colour: Colour) -> None:
        """A fir of three tiers."""
        canvas, half = self.canvas, height * 0.27
        canvas.box(x - 2.5, foot - 6, x + 2.5, foot, (92, 62, 46), 0)
        for share, width in ((0.12, 1.0), (0.38, 0.8), (0.62, 0.58)):
            low, tip = foot - height * share, foot - height * min(1.0, share + 0.42)
            reach = half * width
            canvas.shape(((x - reach, low), (x, tip), (x + reach, low)), colour, 0.9, darker(colour, 0.35))
            if self.snowy:
                edge = tip + (low - tip) * 0.55
                cap = ((x - reach * 0.55, edge), (x, tip), (x + reach * 0.55, edge))
                canvas.shape(cap, SNOW_WHITE, 0)

    def pane(self, x: float, y: float, width: float, height: float, frame: float = SOFT) -> None:
        """A window pane with its upper left corner at (x, y), lit at night."""
        if self.night:
            Canvas(self.canvas.image).box(x, y, x + width, y + height, LAMPLIGHT, frame)
        else:
            self.canvas.box(x, y, x + width, y + height, (176, 218, 236), frame)

    def flower(self, x: float, y: float, colour: Colour, size: float = 1.0) -> None:
        """A small blossom of the ground."""
        for turn in range(5):
            angle = turn * 2 * math.pi / 5
            px, py = x + 2.8 * size * math.cos(angle), y + 2.8 * size * math.sin(angle)
            self.canvas.disc(px, py, 2 * size, 2 * size, colour, 0.6, darker(colour, 0.4))
        self.canvas.disc(x, y, 1.9 * size, 1.9 * size, (255, 206, 64), 0)

    def fence(self, y: float, colour: Colour) -> None:
        """A picket fence across the picture, its rails at `y`."""
        ink = darker(colour, 0.45)
        for rail in (y, y + 7):
            self.canvas.stroke(((-2, rail), (130, rail)), 4.4, ink)
            self.canvas.stroke(((-2, rail), (130, rail)), 2.8, colour)
        for x in range(4, 130, 15):
            picket = ((x - 2, y + 14), (x - 2, y - 4), (x, y - 6.5), (x + 2, y - 4), (x + 2, y + 14))
            self.canvas.shape(picket, colour, 0.8, ink)

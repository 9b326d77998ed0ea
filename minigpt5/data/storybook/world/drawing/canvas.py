"""A drawing surface in picture units (128 across, y down) with outlined, tinted shapes.

Colours are tinted when they are drawn, so the time of day costs no pass over the pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Tint = tuple[float, float, float]
Points = Sequence[tuple[float, float]]

UNITS = 128
OVERSAMPLING = 2
INK: Colour = (50, 36, 48)
WHITE: Colour = (255, 255, 255)
PLAIN: Tint = (1.0, 1.0, 1.0)
OUTLINE = 1.9


@lru_cache(maxsize=4096)
def tinted(colour: Colour, tint: Tint) -> Colour:
    """The colour multiplied by the tint."""
    red, green, blue = (min(255, max(0, round(c * t))) for c, t in zip(colour, tint, strict=True))
    return red, green, blue


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`first` with `share` of `second`."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def lighter(colour: Colour, share: float = 0.55) -> Colour:
    """The colour moved towards a warm white."""
    return mix(colour, (255, 250, 240), share)


def darker(colour: Colour, share: float = 0.25) -> Colour:
    """The colour moved towards the ink."""
    return mix(colour, INK, share)


@lru_cache(maxsize=64)
def unit_circle(count: int = 32) -> tuple[tuple[float, float], ...]:
    """Points of the circle of radius 1."""
    return tuple((math.cos(2 * math.pi * i / count), math.sin(2 * math.pi * i / count)) for i in range(count))


class Canvas:
    """Shapes on an image; `origin` and `zoom` place a figure that has its own coordinates."""

    def __init__(
        self,
        image: Image.Image,
        tint: Tint = PLAIN,
        origin: tuple[float, float] = (0.0, 0.0),
        zoom: float = 1.0,
    ) -> None:
        self.image = image
        self.draw = ImageDraw.Draw(image)
        self.tint = tint
        self.origin = origin
        self.zoom = zoom
        self.pixels = image.width / UNITS
        self.scale = self.pixels * zoom

    def at(self, x: float, y: float, zoom: float = 1.0) -> Canvas:
        """The same image with the origin moved to (x, y)."""
        return Canvas(self.image, self.tint, (x, y), zoom)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Pixel coordinates of a point."""
        return self.origin[0] * self.pixels + x * self.scale, self.origin[1] * self.pixels + y * self.scale

    def disc(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        fill: Colour,
        outline: float = OUTLINE,
        ink: Colour = INK,
    ) -> None:
        """An upright ellipse, its outline outside of it."""
        px, py = self.place(x, y)
        for grow, colour in ((outline * self.pixels, ink), (0.0, fill)):
            if grow or colour is fill:
                a, b = rx * self.scale + grow, ry * self.scale + grow
                self.draw.ellipse((px - a, py - b, px + a, py + b), fill=tinted(colour, self.tint))

    def oval(
        self, x: float, y: float, rx: float, ry: float, angle: float, fill: Colour, outline: float = OUTLINE
    ) -> None:
        """An ellipse turned clockwise by `angle` degrees, its outline outside of it."""
        px, py = self.place(x, y)
        cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        for grow, colour in ((outline * self.pixels, INK), (0.0, fill)):
            if grow or colour is fill:
                a, b = rx * self.scale + grow, ry * self.scale + grow
                points = [
                    (px + a * u * cos - b * v * sin, py + a * u * sin + b * v * cos) for u, v in unit_circle()
                ]
                self.draw.polygon(points, fill=tinted(colour, self.tint))

    def shape(self, points: Points, fill: Colour, outline: float = OUTLINE, ink: Colour = INK) -> None:
        """A polygon with rounded outline."""
        placed = [self.place(x, y) for x, y in points]
        if outline:
            self._rounded(placed + placed[:2], 2 * outline * self.pixels, ink)
        self.draw.polygon(placed, fill=tinted(fill, self.tint))

    def stroke(self, points: Points, width: float, fill: Colour = INK) -> None:
        """A line with round ends."""
        self._rounded([self.place(x, y) for x, y in points], width * self.scale, fill)

    def limb(self, points: Points, width: float, fill: Colour, outline: float = OUTLINE) -> None:
        """A thick outlined line with round ends."""
        placed = [self.place(x, y) for x, y in points]
        self._rounded(placed, width * self.scale + 2 * outline * self.pixels, INK)
        self._rounded(placed, width * self.scale, fill)

    def mark(self, points: Points, width: float, fill: Colour = WHITE) -> None:
        """A line with an ink border, so that it shows on light and on dark grounds."""
        placed = [self.place(x, y) for x, y in points]
        self._rounded(placed, (width + 2.2) * self.scale, INK)
        self._rounded(placed, width * self.scale, fill)

    def box(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        fill: Colour,
        outline: float = OUTLINE,
        ink: Colour = INK,
    ) -> None:
        """An upright rectangle with slightly rounded corners when outlined."""
        (left, top), (right, bottom) = self.place(x0, y0), self.place(x1, y1)
        if outline:
            grow = outline * self.pixels
            edge = (left - grow, top - grow, right + grow, bottom + grow)
            self.draw.rounded_rectangle(edge, grow, fill=tinted(ink, self.tint))
        self.draw.rectangle((left, top, right, bottom), fill=tinted(fill, self.tint))

    def block(self, x0: float, y0: float, x1: float, y1: float, radius: float, fill: Colour) -> None:
        """An outlined rectangle with round corners of `radius`."""
        (left, top), (right, bottom) = self.place(x0, y0), self.place(x1, y1)
        for grow, colour in ((OUTLINE * self.pixels, INK), (0.0, fill)):
            edge = (left - grow, top - grow, right + grow, bottom + grow)
            self.draw.rounded_rectangle(edge, radius * self.scale + grow, fill=tinted(colour, self.tint))

    def arc(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        start: float,
        end: float,
        width: float,
        fill: Colour = INK,
    ) -> None:
        """Part of an ellipse, degrees clockwise from the right."""
        steps = 10
        angles = [math.radians(start + (end - start) * i / steps) for i in range(steps + 1)]
        self.stroke([(x + rx * math.cos(a), y + ry * math.sin(a)) for a in angles], width, fill)

    def gradient(self, points: Points, top: Colour, bottom: Colour) -> None:
        """A polygon filled from `top` to `bottom` colour over its own height."""
        placed = [self.place(x, y) for x, y in points]
        mask = Image.new("L", self.image.size)
        ImageDraw.Draw(mask).polygon(placed, fill=255)
        upper, lower = min(p[1] for p in placed), max(p[1] for p in placed)
        rows = np.arange(self.image.height, dtype=np.float64)
        share = np.clip((rows - upper) / max(lower - upper, 1.0), 0.0, 1.0)[:, None]
        first, last = np.array(tinted(top, self.tint)), np.array(tinted(bottom, self.tint))
        column = np.round(first + (last - first) * share).astype(np.uint8)[:, None, :]
        self.image.paste(
            Image.fromarray(column).resize(self.image.size, Image.Resampling.NEAREST), (0, 0), mask
        )

    def _rounded(self, placed: list[tuple[float, float]], width: float, fill: Colour) -> None:
        colour, radius = tinted(fill, self.tint), width / 2
        self.draw.line(placed, fill=colour, width=max(1, round(width)))
        for px, py in placed:
            self.draw.ellipse((px - radius, py - radius, px + radius, py + radius), fill=colour)

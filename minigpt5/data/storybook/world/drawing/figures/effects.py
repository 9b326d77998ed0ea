"""Marks around a figure that tell its action: lines of speed, notes, crumbs, the Z of sleep."""

from __future__ import annotations

from minigpt5.data.storybook.world.drawing.canvas import INK, WHITE, Canvas, Colour

NOTES: tuple[Colour, ...] = ((255, 224, 92), (255, 150, 196))
CRUMB: Colour = (232, 176, 104)


def draw_effects(figure: Canvas, action: str) -> None:
    """What belongs to the action; standing, sitting and holding have no marks."""
    if action == "waving":
        for reach in (6.5, 11.5):
            figure.mark(_bow(-24, -44, reach), 1.9)
    elif action == "jumping":
        for x, y in ((-11, 5), (0, 6.5), (11, 5)):
            figure.mark(((x, y), (x, y + 5)), 2)
    elif action == "running":
        for x, y, reach in ((-25, -41, 9), (-26, -29, 9), (-27, -17, 7)):
            figure.mark(((x - reach, y), (x, y)), 2.2)
    elif action == "dancing":
        _note(figure, -27, -52, NOTES[0])
        _note(figure, 23, -55, NOTES[1])
    elif action == "sleeping":
        _sleep(figure)


def _bow(x: float, y: float, reach: float) -> list[tuple[float, float]]:
    return [
        (x - reach * dx, y - reach * dy) for dx, dy in ((0.9, -0.42), (0.99, 0.1), (0.8, 0.6), (0.3, 0.95))
    ]


def _note(figure: Canvas, x: float, y: float, colour: Colour) -> None:
    stem = ((x + 3, y), (x + 3, y - 13), (x + 8.5, y - 9.5))
    figure.stroke(stem, 5)
    figure.oval(x, y, 4.4, 3.4, -20, colour, 1.5)
    figure.stroke(stem, 2.4, colour)


def _sleep(figure: Canvas) -> None:
    for x, y, size in ((13, -36, 7), (19, -50, 10)):
        letter = ((x, y), (x + size, y), (x, y + size), (x + size, y + size))
        figure.stroke(letter, 5, WHITE)
        figure.stroke(letter, 2.6, INK)


def draw_crumbs(figure: Canvas) -> None:
    """Crumbs that fall from what is eaten."""
    for x, y, size in ((3, -19, 1.8), (0, -13, 1.5), (-5, -18, 1.4), (6, -9, 1.6), (-3, -8, 1.3)):
        figure.disc(x, y, size, size, CRUMB, 0.9)

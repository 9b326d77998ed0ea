"""Heads of the animals: ears that stand behind the head, then the head with its face."""

from __future__ import annotations

from minigpt5.data.storybook.drawing.canvas import INK, WHITE, Canvas, Colour, darker, lighter, mix

Point = tuple[float, float]
PINK: Colour = (255, 172, 186)
BLUSH: Colour = (255, 120, 130)
BEAK: Colour = (255, 168, 56)


def draw_ears(figure: Canvas, animal: str, head: Point, colour: Colour) -> None:
    """What shows behind the head."""
    x, y = head
    for side in (-1, 1):
        if animal == "rabbit":
            figure.oval(x + side * 8.5, y - 23, 5.6, 15, side * 9, colour)
            figure.oval(x + side * 8.5, y - 22, 2.6, 10.5, side * 9, PINK, 0)
        elif animal == "bear":
            figure.disc(x + side * 13.5, y - 13, 6.5, 6.5, colour)
            figure.disc(x + side * 13.5, y - 13, 3.4, 3.4, lighter(colour), 0)
        elif animal == "cat":
            figure.shape(((x + side * 18, y - 4), (x + side * 17, y - 25), (x + side * 3, y - 13)), colour)
            figure.shape(((x + side * 15.5, y - 9), (x + side * 15, y - 20), (x + side * 8, y - 12)), PINK, 0)
        elif animal == "elephant":
            figure.disc(x + side * 20, y - 1, 11.5, 14.5, colour)
            figure.disc(x + side * 21, y, 7.5, 10, mix(colour, PINK, 0.65), 0)
        elif animal == "mouse":
            figure.disc(x + side * 16.5, y - 14, 12, 12, colour)
            figure.disc(x + side * 16.5, y - 14, 7.6, 7.6, PINK, 0)
        elif animal == "owl":
            figure.shape(
                ((x + side * 18, y - 3), (x + side * 18.5, y - 21), (x + side * 5, y - 13)),
                darker(colour, 0.2),
            )


def draw_face(
    figure: Canvas, animal: str, head: Point, colour: Colour, expression: int, asleep: bool
) -> None:
    """The head with eyes, cheeks and what makes the animal; `expression` 0-2 varies the smile."""
    x, y = head
    rx, ry = {"frog": (20.5, 14.5), "mouse": (17, 15), "elephant": (17, 16)}.get(animal, (18.5, 16))
    if animal == "frog":
        for side in (-1, 1):
            figure.disc(x + side * 10.5, y - 13, 8, 8, colour)
    figure.disc(x, y, rx, ry, colour)
    for side in (-1, 1):
        figure.disc(x + side * 12, y + 5.5, 3.4, 2.3, mix(colour, BLUSH, 0.6), 0)
    if animal == "frog":
        for side in (-1, 1):
            figure.disc(x + side * 10.5, y - 12.5, 7.9, 7.9, colour, 0)
    FACES[animal](figure, head, colour)
    _eyes(figure, animal, head, asleep)
    if animal == "frog":
        figure.arc(x, y - 1, 13, 9 + expression * 0.7, 15, 165, 1.9)
    elif animal not in ("elephant", "owl"):
        _smile(figure, x, y + 8.3, expression, asleep)


def _eyes(figure: Canvas, animal: str, head: Point, asleep: bool) -> None:
    x, y = head
    apart, height = {"frog": (10.5, -13.5), "owl": (7.8, -2), "elephant": (8, -3)}.get(animal, (7.5, -2))
    for side in (-1, 1):
        ex, ey = x + side * apart, y + height
        if asleep:
            figure.arc(ex, ey - 0.5, 3.8, 3.2, 10, 170, 2)
            continue
        if animal == "frog":
            figure.disc(ex, ey, 5.6, 5.6, WHITE, 0.9)
        big = 3.7 if animal in ("owl", "frog") else 2.8
        figure.disc(ex, ey, big, big * 1.18, INK, 0)
        figure.disc(ex - 0.9, ey - 1.5, 1.3, 1.3, WHITE, 0)


def _smile(figure: Canvas, x: float, y: float, expression: int, asleep: bool) -> None:
    if expression == 2 and not asleep:
        figure.disc(x, y + 1.6, 2.8, 2.4, (190, 52, 66), 0.9)
        return
    reach = 2.8 + expression * 0.6
    for side in (-1, 1):
        figure.arc(x + side * reach, y - 0.4, reach, 2.6, 10, 170, 1.5)


def _nose(figure: Canvas, x: float, y: float, colour: Colour, size: float = 2.4) -> None:
    figure.disc(x, y, size, size * 0.75, colour, 0.7)


def _rabbit(figure: Canvas, head: Point, colour: Colour) -> None:
    x, y = head
    figure.disc(x, y + 7, 7.5, 5.5, lighter(colour, 0.7), 0)
    figure.shape(((x - 2, y + 9), (x + 2, y + 9), (x + 2, y + 13.2), (x - 2, y + 13.2)), WHITE, 0.7)
    _nose(figure, x, y + 4, (255, 120, 150))


def _bear(figure: Canvas, head: Point, colour: Colour) -> None:
    x, y = head
    figure.disc(x, y + 6.5, 9, 7, lighter(colour, 0.75), 0)
    _nose(figure, x, y + 3.4, INK, 3.3)


def _cat(figure: Canvas, head: Point, colour: Colour) -> None:
    x, y = head
    for dx in (-4.5, 0, 4.5):
        figure.stroke(((x + dx, y - 14), (x + dx, y - 9 - (0 if dx else -2))), 2, darker(colour, 0.45))
    figure.disc(x, y + 7, 6.5, 4.8, lighter(colour, 0.75), 0)
    for side in (-1, 1):
        for dy in (3, 7):
            figure.stroke(((x + side * 11, y + 4 + dy * 0.5), (x + side * 23, y + dy)), 1.2)
    _nose(figure, x, y + 4.2, (255, 120, 150), 2)


def _dog(figure: Canvas, head: Point, colour: Colour) -> None:
    x, y = head
    figure.disc(x + 7.5, y - 2.5, 6, 6.5, lighter(colour, 0.6), 0)
    for side in (-1, 1):
        figure.oval(x + side * 18.5, y + 3, 5.6, 14.5, -side * 8, darker(colour, 0.38))
    figure.disc(x, y + 6.5, 9, 6.6, lighter(colour, 0.75), 0)
    figure.disc(x, y + 12, 2.8, 3.6, (246, 84, 104), 0.9)
    _nose(figure, x, y + 3.2, INK, 3)


def _elephant(figure: Canvas, head: Point, colour: Colour) -> None:
    x, y = head
    trunk = ((x, y + 2), (x, y + 9), (x - 1.5, y + 15), (x - 7, y + 17))
    figure.limb(trunk, 6.6, lighter(colour, 0.18))
    for step in (6, 10):
        figure.stroke(((x - 2.4, y + step), (x + 2.4, y + step)), 1.1, darker(colour, 0.35))


def _frog(figure: Canvas, head: Point, colour: Colour) -> None:
    x, y = head
    for side in (-1, 1):
        figure.disc(x + side * 2, y - 1, 0.8, 0.8, INK, 0)


def _mouse(figure: Canvas, head: Point, colour: Colour) -> None:
    x, y = head
    figure.disc(x, y + 7, 7, 5, lighter(colour, 0.75), 0)
    for side in (-1, 1):
        figure.stroke(((x + side * 9, y + 7), (x + side * 18, y + 6)), 1.1)
    _nose(figure, x, y + 4, (240, 84, 120), 2.8)


def _owl(figure: Canvas, head: Point, colour: Colour) -> None:
    x, y = head
    for side in (-1, 1):
        figure.disc(x + side * 7.8, y - 2, 7.6, 8, lighter(colour, 0.82), 1, darker(colour, 0.4))
    figure.shape(((x - 3.4, y + 3), (x + 3.4, y + 3), (x, y + 10)), BEAK, 1.3)


FACES = {
    "rabbit": _rabbit,
    "bear": _bear,
    "cat": _cat,
    "dog": _dog,
    "elephant": _elephant,
    "frog": _frog,
    "mouse": _mouse,
    "owl": _owl,
}

"""What shows behind a body: tails, wings and the spikes of a hedgehog."""

from __future__ import annotations

from minigpt5.data.storybook.world.drawing.canvas import Canvas
from minigpt5.data.storybook.world.drawing.figures.coats import Coat
from minigpt5.data.storybook.world.drawing.figures.ears import HORN, spikes

LOW = 8.0  # how far a lying body moves its tail to the right


def draw_tail(figure: Canvas, kind: str, coat: Coat, lying: bool = False) -> None:
    """The tail at the right of the body, further right when lying; some kinds show none."""
    shift = LOW if lying else 0.0
    if kind in ("cat", "tiger", "monkey", "lion"):
        _long(figure, kind, coat, shift)
    elif kind == "mouse":
        figure.limb(((10 + shift, -4), (20 + shift, -3), (26 + shift * 0.5, -8), (25 + shift * 0.5, -16)), 2,
                    (255, 178, 190), 1.4)  # fmt: skip
    elif kind == "dog":
        figure.limb(((11 + shift, -9), (19 + shift, -15), (21 + shift, -20)), 4.5, coat.dark)
    elif kind == "rabbit":
        figure.disc(14 + shift * 1.2, -8, 5, 5, coat.pale)
    elif kind == "fox":
        _brush(figure, coat, shift)
    elif kind == "pig":
        curl = ((12, -10), (17, -9), (20, -12), (18, -15.5), (15.5, -13), (18, -9.5), (22, -9))
        figure.limb([(x + shift, y) for x, y in curl], 1.6, coat.dark, 1.3)
    elif kind == "duck":
        figure.shape(((8 + shift, -12), (22 + shift, -19), (20 + shift, -12), (24 + shift, -9), (10 + shift, -4)),
                     coat.main)  # fmt: skip
    elif kind == "hedgehog":
        _quills(figure, coat, lying)
    elif kind == "dragon":
        _dragon(figure, coat, shift, lying)


def _long(figure: Canvas, kind: str, coat: Coat, shift: float) -> None:
    tip = 0.6 * shift
    path: list[tuple[float, float]] = [(10 + shift, -6), (20 + shift, -5), (25 + tip, -12), (24 + tip, -20)]
    if kind == "monkey":
        path += [(20 + tip, -24), (16.5 + tip, -21), (19 + tip, -17.5)]
    elif kind in ("cat", "tiger"):
        path.append((19 + tip, -22))
    figure.limb(path, {"cat": 5, "tiger": 5}.get(kind, 3), coat.main, 1.7)
    if kind == "lion":
        figure.disc(24 + tip, -22, 4.6, 5.2, coat.deep)
    elif kind == "tiger":
        for x, y, dx, dy in ((18 + shift, -5.4, 0, 2.2), (25 + tip, -12, 2.2, 0), (24 + tip, -18.5, 2.2, 0)):
            figure.stroke(((x - dx, y - dy), (x + dx, y + dy)), 2.4, coat.deep)


def _brush(figure: Canvas, coat: Coat, shift: float) -> None:
    figure.limb(((11 + shift, -5), (19 + shift, -9)), 6, coat.main)
    figure.oval(22 + shift, -16, 6.6, 12, 22, coat.main)
    figure.limb(((12 + shift, -5), (19 + shift, -9)), 6, coat.main, 0)
    figure.oval(24.4 + shift, -22.4, 4.6, 5.4, 22, (255, 252, 246), 0)


def _quills(figure: Canvas, coat: Coat, lying: bool) -> None:
    if lying:
        figure.shape(spikes(5, -11, 22.5, 12.5, 15, 7), coat.dark)
    else:
        figure.shape(spikes(0, -15, 16.5, 14.5, 13, 6.5), coat.dark)


def _dragon(figure: Canvas, coat: Coat, shift: float, lying: bool) -> None:
    if not lying:
        for side in (-1, 1):
            wing = ((11, -22), (22, -40), (37, -42), (33, -33), (35, -25), (27, -25), (24, -17), (12, -12))
            figure.shape([(side * x, y) for x, y in wing], coat.dark)
    tail = [(10 + shift, -4), (18 + shift, -3.4), (25 + shift * 0.7, -7), (29 + shift * 0.6, -14)]
    for x, y in tail[1:3]:
        figure.shape(((x - 4, y - 2), (x - 1, y - 9.5), (x + 4, y - 3)), HORN, 1.3)
    figure.limb(tail, 5, coat.main)
    x, y = tail[-1]
    figure.shape(((x - 6, y), (x + 1, y - 9), (x + 6, y + 1)), coat.dark, 1.5)

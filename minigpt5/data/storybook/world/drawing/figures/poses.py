"""Bodies and limbs in every action; the origin is the ground between the feet, a figure is about 55 units tall."""

from __future__ import annotations

from minigpt5.data.storybook.world.drawing.canvas import Canvas, Colour, Points
from minigpt5.data.storybook.world.drawing.figures.coats import BEAK, SKIN, Coat

WINGED = ("owl", "penguin", "duck")
WIDE = {"owl": 16.5, "penguin": 16.5, "duck": 15.5}
LAMPS: tuple[Colour, ...] = ((255, 92, 92), (255, 220, 84), (104, 214, 120))

# The joints of the right arm from the shoulder to the paw; the left arm is their mirror image.
ARMS: dict[str, Points] = {
    "down": ((13, -21), (16.5, -12)),
    "up": ((13, -20), (20, -29), (24.5, -42)),
    "swing": ((13, -20), (24, -21), (29, -33)),
    "ahead": ((12, -20), (22, -17), (27, -24)),
    "back": ((12, -20), (22, -19), (23, -10)),
    "lap": ((13, -21), (17.5, -12)),
    "hold": ((13, -20), (18.5, -13), (14.5, -8)),
    "bite": ((13, -19), (21, -10), (22, -12)),
}
ARMS_OF: dict[str, tuple[str, str]] = {  # left and right arm of an action
    "standing": ("down", "down"),
    "waving": ("up", "down"),
    "jumping": ("up", "up"),
    "sitting": ("lap", "lap"),
    "running": ("back", "ahead"),
    "dancing": ("swing", "swing"),
    "holding": ("hold", "hold"),
    "eating": ("down", "bite"),
}
RAISED = ("up", "swing", "ahead")


def draw_arm(figure: Canvas, kind: str, coat: Coat, side: int, arm: str, dy: float = 0.0) -> None:
    """The arm or wing of a side (-1 is left), `dy` lower than that of a standing figure."""
    joints = [(side * x, y + dy) for x, y in ARMS[arm]]
    (x0, y0), (x1, y1) = joints[0], joints[-1]
    if kind in WINGED:
        width = 5.2 if arm in ("down", "lap") else 6.2
        figure.limb(((x0, y0 + 1), *joints[1:-1], (x1, y1 + 2)), width * 1.5, coat.dark)
        return
    colour = {"panda": coat.deep, "robot": coat.dark}.get(kind, coat.main)
    figure.limb(joints, 7 if arm in RAISED else 6.4, colour)
    if kind == "child":
        figure.disc(x1, y1, 2.9, 2.9, SKIN, 1)
    elif arm in RAISED:
        figure.disc(x1, y1, 2.2, 2.2, coat.pale, 0)


def foot_colour(kind: str, coat: Coat) -> Colour:
    """The colour of feet and shoes."""
    if kind in WINGED:
        return BEAK
    return {"panda": coat.deep, "robot": coat.deep}.get(kind, coat.dark)


def draw_legs(figure: Canvas, kind: str, coat: Coat, action: str) -> None:
    """The feet under, before or beside the body."""
    foot = foot_colour(kind, coat)
    leg = coat.deep if kind == "panda" else coat.main
    if action == "running":
        figure.limb(((6, -9), (15, -7), (20, -4)), 6.4, leg)
        figure.oval(22, -4, 6.2, 3.8, -24, foot)
        figure.limb(((-6, -9), (-15, -6), (-21, -9)), 6.4, leg)
        figure.oval(-23.5, -10, 3.8, 6.2, 24, foot)
    elif action == "dancing":
        figure.disc(-7, -3.5, 6.2, 3.8, foot)
        figure.limb(((6, -8), (15, -7), (21, -9)), 6.4, leg)
        figure.oval(23, -10, 3.8, 6.2, 14, foot)
    else:
        spread = {"jumping": 10.0}.get(action, 8.0)
        for side in (-1, 1):
            figure.disc(side * spread, -3.5, 6.2, 3.8, foot)


def draw_soles(figure: Canvas, kind: str, coat: Coat) -> None:
    """The feet of one who sits, seen from below, in front of the body."""
    foot = foot_colour(kind, coat)
    for side in (-1, 1):
        figure.oval(side * 13, -4.5, 7.4, 8, side * 16, foot)
        if kind not in (*WINGED, "robot"):
            figure.oval(side * 13, -3.6, 4.4, 4.8, side * 16, coat.pale, 0)


def draw_body(figure: Canvas, kind: str, coat: Coat, dy: float = 0.0) -> None:
    """The upright body, `dy` lower than that of a standing figure."""
    y, wide = -15 + dy, WIDE.get(kind, 14.0)
    if kind == "robot":
        figure.block(-13.5, y - 11, 13.5, y + 12, 3, coat.main)
        figure.box(-8.5, y - 4, 8.5, y + 6.5, coat.pale, 1.1)
        for i, colour in enumerate(LAMPS):
            figure.disc(-5.2 + 5.2 * i, y + 1.4, 1.8, 1.8, colour, 0.6)
        return
    figure.disc(0, y, wide, 13.5, coat.main)
    if kind == "child":
        for step in (1.5, 6.5):
            figure.disc(0, y + step, 1.5, 1.5, coat.pale, 0)
        return
    if kind == "penguin":
        figure.disc(0, y + 1, 12.4, 11.6, coat.mask, 0)
        return
    figure.disc(0, y + 2, wide * 0.66, 9.8, coat.pale, 0)
    _markings(figure, kind, coat, y)


def _markings(figure: Canvas, kind: str, coat: Coat, y: float) -> None:
    if kind == "owl":
        for dx, dy in ((-4, 3), (4, 3), (0, 7.5)):
            figure.stroke(((dx - 2.4, y + dy - 2), (dx, y + dy), (dx + 2.4, y + dy - 2)), 1.3, coat.main)
    elif kind == "tiger":
        for side in (-1, 1):
            for dy in (-1, 5):
                figure.stroke(((side * 13, y + dy), (side * 8.5, y + dy + 1)), 2.4, coat.deep)
    elif kind == "dragon":
        for dy in (-2.5, 2, 6.5):
            figure.stroke(((-6.5, y + dy), (6.5, y + dy)), 1.4, coat.dark)


def draw_lying(figure: Canvas, kind: str, coat: Coat) -> None:
    """The body of one who sleeps, with a foot at its right end."""
    figure.disc(18, -3.5, 6, 3.8, foot_colour(kind, coat))
    if kind == "robot":
        figure.block(-14, -19, 24, -1, 4, coat.main)
        figure.box(12, -14, 21, -6, coat.pale, 1.1)
        return
    if kind == "child":
        figure.disc(11, -11, 20, 11.5, coat.main)
        for button in (17, 23):
            figure.disc(button, -12, 1.6, 1.6, coat.pale, 0)
        return
    figure.disc(4, -10.5, 20.5, 10.5, coat.main)
    if kind == "penguin":
        figure.disc(9, -7.5, 13, 7, coat.mask, 0)
    else:
        figure.disc(9, -7, 12, 6, coat.pale, 0)
    if kind == "tiger":
        for x in (12, 17.5):
            figure.stroke(((x, -18.5), (x + 1.5, -12.5)), 2.6, coat.deep)


def draw_front_paws(figure: Canvas, kind: str, coat: Coat) -> None:
    """The paws before one who sleeps."""
    paw = {"panda": coat.deep, "robot": coat.dark}.get(kind, coat.main)
    paw = coat.dark if kind in WINGED else paw
    figure.limb(((-18, -3), (-11, -2.8)), 5.4, paw)
    figure.limb(((2, -2.8), (9, -3)), 5.4, paw)
    if kind == "child":
        for x in (-11, 2):
            figure.disc(x, -2.8, 2.9, 2.9, SKIN, 1)

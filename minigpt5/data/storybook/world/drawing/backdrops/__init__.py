"""The places at four times of day and in seven weathers, painted once each and cached.

One backdrop takes 3 * size**2 bytes; the 800 of one size take 157 MB at 256 px.
"""

from __future__ import annotations

from functools import lru_cache

from PIL import Image

from minigpt5.data.storybook.world.drawing.backdrops import built, indoors, waters, wild
from minigpt5.data.storybook.world.drawing.backdrops.land import Land
from minigpt5.data.storybook.world.drawing.backdrops.sky import draw_sky
from minigpt5.data.storybook.world.drawing.backdrops.weather import draw_weather
from minigpt5.data.storybook.world.drawing.canvas import OVERSAMPLING, Canvas, Tint
from minigpt5.data.storybook.world.scene import INDOORS

__all__ = ["VARIANTS", "backdrop"]

VARIANTS = 2
TINTS: dict[str, Tint] = {
    "morning": (1.0, 0.94, 0.7),
    "day": (1.0, 1.0, 1.0),
    "sunset": (1.0, 0.74, 0.6),
    "night": (0.43, 0.48, 0.74),
}
DIMS = {"cloudy": 0.94, "rain": 0.84, "storm": 0.68}
SNOW_GLOW = 0.3
PAINTERS = {**wild.PAINTERS, **waters.PAINTERS, **built.PAINTERS, **indoors.PAINTERS}


def _tint(time: str, weather: str, indoor: bool) -> Tint:
    red, green, blue = TINTS[time]
    if indoor:
        return red, green, blue
    if weather == "snow":
        red, green, blue = (share + (1 - share) * SNOW_GLOW for share in (red, green, blue))
    dim = DIMS.get(weather, 1.0)
    dim = max(dim, 0.82) if time == "night" else dim
    return red * dim, green * dim, blue * dim


@lru_cache(maxsize=1024)
def backdrop(place: str, time: str, weather: str, variant: int, size: int) -> Image.Image:
    """The painted place, `size` across; shared, so copy it before drawing on it."""
    pixels = size * OVERSAMPLING
    image = Image.new("RGB", (pixels, pixels))
    indoor = place in INDOORS
    canvas = Canvas(image, _tint(time, weather, indoor))
    if not indoor:
        draw_sky(canvas, place, time, weather)
    PAINTERS[place](Land(canvas, variant, time, weather))
    if not indoor:
        draw_weather(canvas, time, weather, variant)
    return image.reduce(OVERSAMPLING)

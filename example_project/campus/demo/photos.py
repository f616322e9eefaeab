"""Photos as a camera makes them: large, lying on their side, with the place in them."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PIL import Image, ImageDraw, ImageFilter

from deliverystore.streams import Data

from .homework import Homework

_WIDTH, _HEIGHT = 2400, 1600
# As the standard for notes in photos numbers them (Exif 2.32).
_MAKE, _MODEL, _ORIENTATION, _GPS = 0x010F, 0x0110, 0x0112, 0x8825
_TURNED = 6  # a quarter to the right makes it upright again
PLACE = "46.5586 N, 7.8353 E"
_PLACE = {1: "N", 2: (46.0, 33.0, 31.0), 3: "E", 4: (7.0, 50.0, 7.0)}

WHERE = """\
Where to stand

From the station, take the path along the river to the second bridge. In the middle
of it, look up the valley: the four photos are of this view, on one day.

In the morning, fog. At noon there is not much to see but green. Come in the evening.
At night, wait ten minutes until your eyes have got used to it.
"""


@dataclass(frozen=True, kw_only=True)
class _Light:
    """The colours of an hour, and where sun or moon is, of the whole picture."""

    sky: str
    horizon: str
    far: str
    near: str
    sun: str
    at: tuple[float, float]
    size: float


_LIGHTS = {
    "morning": _Light(
        sky="#8fb3d9",
        horizon="#f6d9c0",
        far="#9db0c0",
        near="#3f5a55",
        sun="#fff4d8",
        at=(0.22, 0.42),
        size=0.05,
    ),
    "noon": _Light(
        sky="#3f86d8",
        horizon="#cfe6f7",
        far="#7fa58f",
        near="#2f6b3c",
        sun="#ffffff",
        at=(0.55, 0.14),
        size=0.04,
    ),
    "evening": _Light(
        sky="#4b3c78",
        horizon="#ff9a5a",
        far="#84506e",
        near="#2a1f38",
        sun="#ffe0a0",
        at=(0.74, 0.5),
        size=0.07,
    ),
    "night": _Light(
        sky="#060a1c",
        horizon="#1f2f57",
        far="#131c38",
        near="#05070f",
        sun="#f2f2e0",
        at=(0.3, 0.2),
        size=0.03,
    ),
}


def photos() -> Homework:
    """Return the homework with the photos, which are made when they are called."""
    files: dict[str, Callable[[], Data]] = {
        f"{name}.jpg": partial(_photo, light) for name, light in _LIGHTS.items()
    }
    files["where to stand.txt"] = lambda: WHERE
    return Homework(student="mei", assignment="photos", files=files)


def _photo(light: _Light) -> bytes:
    exif = Image.Exif()
    exif[_MAKE], exif[_MODEL] = "Example", "Camera 1"
    exif[_ORIENTATION] = _TURNED
    exif.get_ifd(_GPS).update(_PLACE)
    # As a camera that is held upright stores what it sees.
    picture = _landscape(light).transpose(Image.Transpose.ROTATE_90)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=88, exif=exif)
    return file.getvalue()


def _landscape(light: _Light) -> Image.Image:
    """Return a picture that is higher than wide."""
    width, height = _HEIGHT, _WIDTH
    slope = Image.linear_gradient("L").resize((width, int(height * 0.62)))
    picture = Image.new("RGB", (width, height), light.near)
    sky = Image.composite(
        Image.new("RGB", slope.size, light.horizon),
        Image.new("RGB", slope.size, light.sky),
        slope,
    )
    picture.paste(sky)
    _shine(picture, light)
    draw = ImageDraw.Draw(picture)
    for number in range(4):
        colour = _between(light.far, light.near, number / 3)
        draw.polygon(_ridge(number, width, height), colour)
    return picture


def _shine(picture: Image.Image, light: _Light) -> None:
    """Paint sun or moon, with a glow around it."""
    x, y = light.at[0] * picture.width, light.at[1] * picture.height
    radius = light.size * picture.height
    glow = Image.new("L", (picture.width // 8, picture.height // 8))
    draw = ImageDraw.Draw(glow)
    draw.circle((x / 8, y / 8), radius / 4, 110)
    soft = glow.filter(ImageFilter.GaussianBlur(radius / 10)).resize(picture.size)
    picture.paste(light.sun, mask=soft)
    ImageDraw.Draw(picture).circle((x, y), radius, light.sun)


def _ridge(number: int, width: int, height: int) -> list[tuple[float, float]]:
    """Return the outline of a range of hills; the higher the number, the nearer."""
    base = height * (0.5 + 0.12 * number)
    steep = height * (0.09 - 0.012 * number)
    points = [
        (x, base - steep * _height(x / width * (3.2 - 0.4 * number) + 1.7 * number))
        for x in range(0, width + 1, 10)
    ]
    return [*points, (width, height), (0, height)]


def _height(at: float) -> float:
    return sum(math.sin(at * 2.1**n * 2 + n * n) / 1.9**n for n in range(6))


def _between(one: str, other: str, share: float) -> str:
    pairs = [(int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)

"""Reading and writing pictures with Pillow, which the extra "images" installs."""

from __future__ import annotations

import io
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from PIL import Image, ImageCms, UnidentifiedImageError

from deliverystore.exceptions import ProcessingFailed

# How much larger than needed a picture is unpacked, so that it stays sharp.
_GAP = 2.0
_OPAQUE, _TRANSPARENT = "RGB", "RGBA"
# Of these, pixels can be mixed; those of others are numbers of colours, or 16 bits.
_SMOOTH = {"L", "LA", "RGB", "RGBA", "CMYK"}
_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError)
_NO_PICTURE = "It cannot be read as a picture: it is damaged, or of another kind."
# How the camera was held (Exif 2.3, 4.6.4), and what turns the picture back.
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def load(
    path: Path, *, formats: Collection[str], longest: int, max_pixels: int
) -> Image.Image:
    """Return a picture the right way up, with no notes; its longer side is at most so.

    Its colours are those of the web, sRGB. Raise ProcessingFailed if it is none, or
    has too many pixels.
    """
    if not path.stat().st_size:
        raise ProcessingFailed("The file is empty.")
    try:
        with Image.open(path, formats=list(formats)) as opened:
            _check_size(opened, max_pixels)
            return _clean(opened, longest)
    except Image.DecompressionBombError as error:
        # Pillow has a limit of its own, and has looked at it before us.
        most = min(max_pixels, 2 * (Image.MAX_IMAGE_PIXELS or max_pixels))
        raise _too_large(most) from error
    except UnidentifiedImageError as error:
        # It says the path, which is no business of who reads this.
        raise ProcessingFailed(_NO_PICTURE, taken=", ".join(formats)) from error
    except ProcessingFailed:
        raise
    except _UNREADABLE as error:
        told = str(error).replace(str(path), path.name)
        raise ProcessingFailed(_NO_PICTURE, error=told) from error


def shrink(picture: Image.Image, longest: int) -> None:
    """Make a picture smaller, if it is larger."""
    picture.thumbnail((longest, longest), reducing_gap=_GAP)


def save(picture: Image.Image, path: Path, *, quality: int) -> Path:
    """Save a picture as JPEG or, if it is transparent, as PNG; return the path."""
    if picture.mode == _TRANSPARENT:
        path = path.with_suffix(".png")
        picture.save(path, "PNG", optimize=True)
    else:
        path = path.with_suffix(".jpg")
        picture.save(path, "JPEG", quality=quality, optimize=True, progressive=True)
    return path


def _check_size(picture: Image.Image, most: int) -> None:
    pixels = picture.width * picture.height
    if pixels > most:
        raise _too_large(most, width=picture.width, height=picture.height)


def _too_large(most: int, **metadata: object) -> ProcessingFailed:
    text = f"The picture has too many pixels; at most {most:,} are published."
    return ProcessingFailed(text, **metadata)


def _clean(opened: Image.Image, longest: int) -> Image.Image:
    """Return the pixels of a picture, turned as its notes say, without these."""
    turn = _turn(opened)
    picture = _smooth(opened)
    # Of a JPEG, fewer pixels are unpacked in the first place.
    shrink(picture, longest)
    picture = _in_srgb(picture, opened.info.get("icc_profile"))
    if turn is not None:
        picture = picture.transpose(turn)
    mode = _TRANSPARENT if _is_transparent(picture) else _OPAQUE
    # A new one: notes would follow the old one into its files.
    clean = Image.new(mode, picture.size)
    clean.paste(picture.convert(mode))
    return clean


def _turn(picture: Image.Image) -> Image.Transpose | None:
    """Return what turns a picture the right way up, None if that is not known."""
    try:
        return _TURNS.get(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - notes may be damaged in any way; here are pixels
        return None


def _smooth(picture: Image.Image) -> Image.Image:
    """Return a picture that stays smooth when it is made smaller."""
    if picture.mode.startswith("I"):
        # 16 bits of grey; convert() would leave all but the darkest white.
        return picture.point(lambda value: value * (1 / 256)).convert("L")
    if picture.mode in _SMOOTH and "transparency" not in picture.info:
        return picture
    is_transparent = picture.has_transparency_data
    return picture.convert(_TRANSPARENT if is_transparent else _OPAQUE)


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Return a picture in the colours of the web; phones have some of their own."""
    if profile:
        mode = _TRANSPARENT if picture.mode == _TRANSPARENT else _OPAQUE
        # With a profile that is damaged, or of other colours, they stay as they are.
        with suppress(ImageCms.PyCMSError, OSError, ValueError):
            converted = ImageCms.profileToProfile(
                picture,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode=mode,
            )
            return converted or picture
    return picture


def _is_transparent(picture: Image.Image) -> bool:
    """Tell whether something is to be seen through a picture."""
    if not picture.has_transparency_data:
        return False
    return any(picture.convert(_TRANSPARENT).getchannel("A").histogram()[:255])

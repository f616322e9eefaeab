"""Reading and writing pictures with Pillow, which the extra "images" installs."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from PIL import Image, ImageOps

from deliverystore.exceptions import ProcessingFailed

# How much larger than needed a picture is unpacked, so that it stays sharp.
_GAP = 2.0
_OPAQUE, _TRANSPARENT = "RGB", "RGBA"
_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError)


def load(
    path: Path, *, formats: Collection[str], longest: int, max_pixels: int
) -> Image.Image:
    """Return a picture the right way up, with no notes; its longer side is at most so.

    Raise ProcessingFailed if it is none, or has too many pixels.
    """
    try:
        with Image.open(path, formats=list(formats)) as opened:
            _check_size(opened, max_pixels)
            # Of a JPEG, fewer pixels are unpacked in the first place.
            shrink(opened, longest)
            return _clean(opened)
    except Image.DecompressionBombError as error:
        raise ProcessingFailed(f"The picture is too large: {error}") from error
    except ProcessingFailed:
        raise
    except _UNREADABLE as error:
        text = "It cannot be read as a picture: it is damaged, or of another kind."
        raise ProcessingFailed(text, error=str(error)) from error


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
        raise ProcessingFailed(
            f"The picture has {pixels:,} pixels; at most {most:,} are published.",
            width=picture.width,
            height=picture.height,
        )


def _clean(picture: Image.Image) -> Image.Image:
    """Return the pixels of a picture, turned as its notes say, without these."""
    turned = ImageOps.exif_transpose(picture)
    mode = _TRANSPARENT if turned.has_transparency_data else _OPAQUE
    # A new one: notes would follow the old one into its files.
    clean = Image.new(mode, turned.size)
    clean.paste(turned.convert(mode))
    return clean

"""What a publication keeps of an error, whatever a media processor has raised."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from deliverystore.exceptions import ProcessingFailed

# No database takes all of these, and only some say so early.
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
# The output of a program can be in it, however much that is.
_MAX_TEXT = 10_000
_MAX_NAME = 200
_MAX_DEPTH = 10


def failure(error: Exception) -> dict[str, object]:
    """Return the fields of a publication that failed with an error."""
    metadata = error.metadata if isinstance(error, ProcessingFailed) else {}
    return {
        "error_class": _text(type(error).__name__)[:_MAX_NAME],
        "error": _text(error),
        "error_metadata": _plain(metadata),
    }


def _plain(value: object, depth: int = 0) -> object:
    """Return what JSON can hold of a value; of all else, what is shown of it."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, Mapping) and depth < _MAX_DEPTH:
        return {_text(key): _plain(one, depth + 1) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and depth < _MAX_DEPTH:
        return [_plain(one, depth + 1) for one in value]
    return _text(value)


def _text(value: object) -> str:
    """Return the beginning of a text that every database takes."""
    try:
        text = str(value)
    except Exception:  # noqa: BLE001 - of an error, at least its class is to be told
        text = f"<{type(value).__name__}>"
    if len(text) > _MAX_TEXT:
        text = f"{text[:_MAX_TEXT]}…"
    return _NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", text)

"""Numbers as people read them, in the units of the Django admin."""

from __future__ import annotations

from django.template.defaultfilters import filesizeformat


def human_size(size: int) -> str:
    """Return a number of bytes like "312 bytes", "48.3 KB" or "100.0 MB"."""
    return filesizeformat(size).replace("\xa0", " ")


def short_digest(digest: str) -> str:
    """Return the beginning of a digest, enough to tell files apart by eye."""
    algorithm, _, value = digest.partition(":")
    return f"{algorithm}:{value[:12]}…"

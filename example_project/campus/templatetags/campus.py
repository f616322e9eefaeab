"""What the templates of Campus need beside Django's own filters."""

from __future__ import annotations

from django import template

from deliverystore import paths
from example_project.campus.units import short_digest

register = template.Library()
register.filter("short_digest", short_digest)


@register.filter
def kind(filename: str) -> str:
    """Return what the badge of a file says: its extension, if that is short."""
    extension = paths.extension(filename).removeprefix(".")
    return extension.upper() if 0 < len(extension) <= 4 else "file"

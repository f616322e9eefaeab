"""What the templates of Campus need beside Django's own filters."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.timesince import timesince, timeuntil

from deliverystore import paths
from example_project.campus.units import short_digest

register = template.Library()
register.filter("short_digest", short_digest)


@register.filter
def distance(moment: datetime) -> str:
    """Return how far away a moment is, past or to come, in its largest unit."""
    now = timezone.now()
    measure = timesince if moment < now else timeuntil
    return measure(moment, now, depth=1)


@register.filter
def kind(filename: str) -> str:
    """Return what the badge of a file says: its extension, if that is short."""
    extension = paths.extension(filename).removeprefix(".")
    return extension.upper() if 0 < len(extension) <= 4 else "file"

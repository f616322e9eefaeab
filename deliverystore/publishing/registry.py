"""The media processors of all apps, by name."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TypeVar

from django.utils.module_loading import autodiscover_modules

from deliverystore import named
from deliverystore.exceptions import ProcessorNotFound, PublishingRefused
from deliverystore.models import FileMeta
from deliverystore.publishing.processors import MediaProcessor

logger = logging.getLogger(__name__)

Processor = TypeVar("Processor", bound=type[MediaProcessor])

# In the order of registration; several of one name are a mistake that a check tells.
_registered: list[type[MediaProcessor]] = []


def register(processor: Processor) -> Processor:
    """Make a media processor known: a decorator for an app's media_processors.py."""
    if processor not in _registered:
        _registered.append(processor)
    return processor


def unregister(processor: type[MediaProcessor]) -> None:
    """Make a media processor unknown again. Raise ValueError if it is not known."""
    _registered.remove(processor)


def autodiscover() -> None:
    """Import media_processors.py of every installed app."""
    autodiscover_modules("media_processors")


def get_processors() -> dict[str, type[MediaProcessor]]:
    """Return all media processors by name, in the order in which they are asked."""
    return named.by_name(_registered)


def get_processor(name: str) -> MediaProcessor:
    """Return a new media processor, for one job. Raise ProcessorNotFound."""
    processors = get_processors()
    if name not in processors:
        known = ", ".join(sorted(processors)) or "none"
        text = f"There is no media processor {name!r}; there are: {known}."
        raise ProcessorNotFound(text)
    return processors[name]()


def choose(filemeta: FileMeta, name: str = "") -> str:
    """Return the name of the first media processor that takes a file.

    If one is named, it is that one. Raise ProcessorNotFound, or PublishingRefused if
    the file is not taken.
    """
    for one in [name] if name else get_processors():
        if get_processor(one).is_eligible(filemeta):
            return one
    who = f"The media processor {name!r} does not take" if name else "Nobody publishes"
    known = ", ".join(get_processors()) or "none"
    where = (
        f" There are: {known}. They are registered in media_processors.py of an app "
        "in INSTALLED_APPS."
    )
    raise PublishingRefused(
        f"{who} {filemeta.filename!r} ({filemeta.content_type}): "
        "is_eligible() of a media processor says which files it takes."
        f"{'' if name else where}"
    )


def is_taken(filemeta: FileMeta) -> bool:
    """Tell whether a media processor takes a file, or fails when it is asked.

    A mistake in it is told when the file is published.
    """
    try:
        choose(filemeta)
    except PublishingRefused:
        return False
    except Exception:
        logger.exception("A media processor cannot say whether it takes %s", filemeta)
    return True


def clashes() -> Iterator[tuple[str, list[type[MediaProcessor]]]]:
    """Yield each name that several media processors have."""
    return named.clashes(_registered)

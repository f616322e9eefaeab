"""The processors of all apps, by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.utils.module_loading import autodiscover_modules
from django.utils.text import capfirst

from deliverystore import named
from deliverystore.datacenter.modelprocessor import ModelProcessor
from deliverystore.datacenter.processors import BatchProcessor
from deliverystore.datacenter.words import did_you_mean, listed
from deliverystore.exceptions import ProcessorNotFound

Processor = TypeVar("Processor", bound=type[BatchProcessor])

# Of more processors, only so many are named to who asks for another one.
_MAX_LISTED = 50
# In the order of registration; several of one name are a mistake that a check tells.
_registered: list[type[BatchProcessor]] = []


def register(processor: Processor) -> Processor:
    """Make a processor known: a decorator for classes in an app's processors.py."""
    if processor not in _registered:
        _registered.append(processor)
    return processor


def unregister(processor: type[BatchProcessor]) -> None:
    """Make a processor unknown again. Raise ValueError if it is not known."""
    _registered.remove(processor)


def autodiscover() -> None:
    """Import processors.py of every installed app."""
    autodiscover_modules("processors")


def get_processors() -> dict[str, type[BatchProcessor]]:
    """Return all processors by name, sorted; of several of one name, the first."""
    return dict(sorted(named.by_name(_registered).items()))


def get_processor(name: str) -> BatchProcessor:
    """Return a new processor, for one run. Raise ProcessorNotFound."""
    processors = get_processors()
    if name not in processors:
        known = listed(list(processors), most=_MAX_LISTED)
        text = f"There is no processor {name!r}; there are: {known}."
        question = did_you_mean(name, list(processors))
        raise ProcessorNotFound(f"{text} {capfirst(question)}".strip())
    return processors[name]()


def faults(processor: type[BatchProcessor]) -> list[str]:
    """Return which names in a processor name nothing."""
    one = processor()
    try:
        cells = one.get_cells()
    except FieldDoesNotExist as error:
        return [f"{error}."]
    named = [("key field", name) for key in one.keys for name in key]
    named += [("aliased field", name) for name in one.aliases]
    return [
        f"the {what} {name!r} is none of its fields."
        for what, name in named
        if name not in cells
    ]


def leaves_save_out(processor: type[BatchProcessor]) -> bool:
    """Tell whether a model has a save() of its own, and nobody said to do without."""
    if not issubclass(processor, ModelProcessor):
        return False
    own = [one for one in processor.__mro__ if issubclass(one, ModelProcessor)]
    said = any("use_bulk" in vars(one) for one in own if one is not ModelProcessor)
    return processor.model.save is not Model.save and not said


def clashes() -> Iterator[tuple[str, list[type[BatchProcessor]]]]:
    """Yield each name that several processors have."""
    return named.clashes(_registered)

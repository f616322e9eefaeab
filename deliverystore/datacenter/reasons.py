"""Why work in the background broke off: what is logged, and what may be said of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from deliverystore.datacenter import registry
from deliverystore.exceptions import DeliveryStoreError

if TYPE_CHECKING:
    from deliverystore.models.leased import Leased

logger = logging.getLogger(__name__)
# Not below the logger of the data center: a traceback may have values in it.
tracebacks = logging.getLogger("deliverystore.processors")


def reason(work: Leased, error: Exception) -> str:
    """Log that work broke off, and return why: without values that must not be seen."""
    name = type(error).__name__
    logger.error("%s broke off: %s", work, name)
    tracebacks.error("%s broke off", work, exc_info=error)
    return f"{name}: {error}" if _may_be_told(work, error) else name


def _may_be_told(work: Leased, error: Exception) -> bool:
    if isinstance(error, DeliveryStoreError | OSError):
        return True
    processor = registry.get_processors().get(work.processor)
    return processor is not None and not processor.sensitive

"""The rows: what was handed in, by whom, and what is known of each file."""

from __future__ import annotations

from deliverystore.models.counter import Counter
from deliverystore.models.delivery import Delivery
from deliverystore.models.filemeta import Condition, FileMeta
from deliverystore.models.removal import Removal
from deliverystore.models.upload import Upload

__all__ = ["Condition", "Counter", "Delivery", "FileMeta", "Removal", "Upload"]

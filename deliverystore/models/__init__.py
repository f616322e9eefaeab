"""The rows: what was handed in, by whom, and what is known of each file."""

from __future__ import annotations

from deliverystore.models.check import Check, Finding
from deliverystore.models.counter import Counter
from deliverystore.models.datacenter import DataFileInfo, DataNameLock
from deliverystore.models.delivery import Delivery
from deliverystore.models.exports import Export
from deliverystore.models.failures import FailedRow, FailureGroup, ValueCorrection
from deliverystore.models.filemeta import Condition, FileMeta
from deliverystore.models.imports import ImportRun
from deliverystore.models.kvstore import StoredRemoval, StoredTerm, StoredValue
from deliverystore.models.mappings import SavedMapping
from deliverystore.models.publishing import Publication, PublishedFile
from deliverystore.models.removal import Removal
from deliverystore.models.upload import Upload

__all__ = [
    "Check",
    "Condition",
    "Counter",
    "DataFileInfo",
    "DataNameLock",
    "Delivery",
    "Export",
    "FailedRow",
    "FailureGroup",
    "FileMeta",
    "Finding",
    "ImportRun",
    "Publication",
    "PublishedFile",
    "Removal",
    "SavedMapping",
    "StoredRemoval",
    "StoredTerm",
    "StoredValue",
    "Upload",
    "ValueCorrection",
]

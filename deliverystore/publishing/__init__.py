"""What visitors see of handed-in files: made in a workbench, kept in a public store."""

from __future__ import annotations

from deliverystore.publishing.filepaths import clean_listy_filepath
from deliverystore.publishing.jobs import Job
from deliverystore.publishing.pictures import PictureProcessor
from deliverystore.publishing.pipeline import work
from deliverystore.publishing.processors import MediaProcessor
from deliverystore.publishing.registry import register
from deliverystore.publishing.removing import count_due, sweep
from deliverystore.publishing.starting import left, may_publish, publish, unpublish
from deliverystore.publishing.storage import (
    BasicFileStorage,
    CloudFileStorage,
    StorageInterface,
)
from deliverystore.publishing.stores import public_store, queue_store
from deliverystore.publishing.workbench import Workbench, WorkbenchManager

__all__ = [
    "BasicFileStorage",
    "CloudFileStorage",
    "Job",
    "MediaProcessor",
    "PictureProcessor",
    "StorageInterface",
    "Workbench",
    "WorkbenchManager",
    "clean_listy_filepath",
    "count_due",
    "left",
    "may_publish",
    "public_store",
    "publish",
    "queue_store",
    "register",
    "sweep",
    "unpublish",
    "work",
]

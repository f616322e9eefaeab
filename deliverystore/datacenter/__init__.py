"""Files with rows: where they wait, and what becomes of their rows."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from deliverystore.datacenter.encodings import ENCODINGS, Offer
from deliverystore.datacenter.free_names import OnTaken
from deliverystore.datacenter.problems import Code, Problem
from deliverystore.datacenter.reader import Report, check, open_table
from deliverystore.datacenter.tables import (
    Batch,
    Layout,
    Position,
    Record,
    Table,
    is_blank,
)

if TYPE_CHECKING:
    from deliverystore.datacenter.center import DataCenter
    from deliverystore.datacenter.distribution import make_results_folder
    from deliverystore.datacenter.earlier import Earlier
    from deliverystore.datacenter.files import DataCenterFile
    from deliverystore.datacenter.journal import Distribution
    from deliverystore.datacenter.runs import start_run
    from deliverystore.datacenter.uploading import Uploaded

__all__ = [
    "ENCODINGS",
    "Batch",
    "Code",
    "DataCenter",
    "DataCenterFile",
    "Distribution",
    "Earlier",
    "Layout",
    "Offer",
    "OnTaken",
    "Position",
    "Problem",
    "Record",
    "Report",
    "Table",
    "Uploaded",
    "check",
    "is_blank",
    "make_results_folder",
    "open_table",
    "start_run",
]

# These stand on models, which cannot be imported before the apps are ready; a table
# can be read without.
_LATER = {
    "DataCenter": "center",
    "DataCenterFile": "files",
    "Distribution": "journal",
    "Earlier": "earlier",
    "Uploaded": "uploading",
    "make_results_folder": "distribution",
    "start_run": "runs",
}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)

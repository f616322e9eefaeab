"""Exports: the objects of models as files that can be imported again."""

from __future__ import annotations

from deliverystore.datacenter.exports.exporters import ModelExporter
from deliverystore.datacenter.exports.files import (
    count_expired,
    delete_export,
    left,
    open_export,
    sweep,
)
from deliverystore.datacenter.exports.permissions import exporters_for, may_export
from deliverystore.datacenter.exports.starting import repeat, start_export
from deliverystore.datacenter.exports.working import work
from deliverystore.datacenter.exports.writing import chunks

__all__ = [
    "ModelExporter",
    "chunks",
    "count_expired",
    "delete_export",
    "exporters_for",
    "left",
    "may_export",
    "open_export",
    "repeat",
    "start_export",
    "sweep",
    "work",
]

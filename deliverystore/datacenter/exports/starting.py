"""Exports that begin: who may is asked, and what cannot work is said at once."""

from __future__ import annotations

from collections.abc import Mapping

from deliverystore.datacenter import logs
from deliverystore.datacenter.center import DataCenter
from deliverystore.datacenter.exports import permissions, tasks
from deliverystore.datacenter.exports.exporters import ModelExporter
from deliverystore.datacenter.exports.working import expiry
from deliverystore.datacenter.exports.writing import check_format
from deliverystore.exceptions import ExportRefused
from deliverystore.models import Export, leases
from deliverystore.models.access import User


def start_export(
    processor: str,
    user: User | None = None,
    *,
    filters: Mapping[str, str] | None = None,
    file_format: str = Export.Format.CSV,
    for_spreadsheet: bool = False,
    enqueue: bool = True,
) -> Export:
    """Begin to export the objects of a processor's model; return the export.

    filters name fields, and the values, written as in cells, that the objects must
    have; an empty one means none. for_spreadsheet keeps the cells of a CSV file from
    being formulas. A worker does it once the transaction is committed, unless enqueue
    says that the caller will.

    Raise NotPermitted, ProcessorNotFound, ExportRefused if something does not fit,
    MissingExtra if a workbook needs the extra "xlsx".
    """
    permissions.ask(user, processor)
    check_format(file_format)
    ModelExporter.named(processor, filters=filters)
    # That there is a place for the file is asked now, too.
    DataCenter()
    export = Export(
        processor=processor,
        user_id=user.pk if user else None,
        filters=dict(filters or {}),
        format=file_format,
        for_spreadsheet=for_spreadsheet,
        expires=expiry(),
    )
    export.save(force_insert=True)
    logs.log_event("export", processor, user, format=file_format, export=export.pk)
    if enqueue:
        tasks.enqueue(export)
    return export


def repeat(export: Export, user: User | None = None) -> None:
    """Hand an export that broke off, or whose worker died, to a worker again.

    Raise NotPermitted, or ExportRefused if it is over or has a worker.
    """
    permissions.ask_owner(user, export)
    if not leases.is_left(export):
        raise ExportRefused(f"Export {export.pk} is over, or a worker is at it.")
    tasks.enqueue(export)

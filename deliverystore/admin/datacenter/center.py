"""The files of the data center."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from deliverystore.admin.datacenter.base import DataCenterPages
from deliverystore.admin.datacenter.deleting import DeletingPages
from deliverystore.admin.datacenter.downloads import DownloadPages
from deliverystore.admin.datacenter.files import FileLists
from deliverystore.admin.datacenter.logs import LogPages
from deliverystore.admin.datacenter.preview import PreviewPages
from deliverystore.admin.datacenter.processors import ProcessorPages
from deliverystore.admin.datacenter.upload import UploadPages
from deliverystore.models import DataFileInfo

if TYPE_CHECKING:
    from django.urls import URLPattern

_FAMILIES = (
    FileLists,
    UploadPages,
    PreviewPages,
    DownloadPages,
    DeletingPages,
    ProcessorPages,
    LogPages,
)


@admin.register(DataFileInfo)
class DataCenterAdmin(DataCenterPages):
    """The menu entry "Data center", and what there is to see of its files.

    It stands for no rows of its model, so Django's pages for these are left out.
    """

    tabs = ("pending", "unfinished", "finished", "deleted", "processors", "logs")

    class Media:
        css = {"all": ("deliverystore/datacenter-files.css",)}

    def get_urls(self) -> list[URLPattern]:
        return [url for family in _FAMILIES for url in family(self).urls()]

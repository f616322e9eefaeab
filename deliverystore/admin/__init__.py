"""The pages of the Django admin."""

from __future__ import annotations

from deliverystore.admin.check import CheckAdmin
from deliverystore.admin.datacenter import (
    DataCenterAdmin,
    ExportAdmin,
    ImportRunAdmin,
)
from deliverystore.admin.delivery import DeliveryAdmin
from deliverystore.admin.publishing import PublicationAdmin
from deliverystore.admin.storedvalue import StoredValueAdmin

__all__ = [
    "CheckAdmin",
    "DataCenterAdmin",
    "DeliveryAdmin",
    "ExportAdmin",
    "ImportRunAdmin",
    "PublicationAdmin",
    "StoredValueAdmin",
]

"""The pages of the data center: files, imports, exports, logs and figures."""

from __future__ import annotations

from deliverystore.admin.datacenter.center import DataCenterAdmin
from deliverystore.admin.datacenter.exports import ExportAdmin
from deliverystore.admin.datacenter.runs import ImportRunAdmin

__all__ = ["DataCenterAdmin", "ExportAdmin", "ImportRunAdmin"]

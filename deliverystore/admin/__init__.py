"""The pages of the Django admin."""

from __future__ import annotations

from deliverystore.admin.check import CheckAdmin
from deliverystore.admin.delivery import DeliveryAdmin

__all__ = ["CheckAdmin", "DeliveryAdmin"]

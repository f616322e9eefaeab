"""What is stored, copied into another store."""

from __future__ import annotations

from deliverystore.copying.files import GOOD, Copied, Copier, Outcome
from deliverystore.copying.running import copy_all, totals

__all__ = ["GOOD", "Copied", "Copier", "Outcome", "copy_all", "totals"]

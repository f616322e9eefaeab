"""System checks: a wrong setting is said at start, with what to type instead."""

from __future__ import annotations

from deliverystore.checks.every import check_settings

__all__ = ["check_settings"]

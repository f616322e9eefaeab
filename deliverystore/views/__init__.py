"""The views: downloads and receipts."""

from __future__ import annotations

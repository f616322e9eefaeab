"""The Django app for files that people hand in."""

from __future__ import annotations

__version__ = "0.1.0"

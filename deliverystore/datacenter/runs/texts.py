"""Any text as the database takes it: as JSON, or as a digest to be found by."""

from __future__ import annotations

import hashlib
import json


def dumped(value: object) -> str:
    """Return JSON in ASCII: any cell can be stored, whatever is in it."""
    return json.dumps(value)


def group_key(*parts: str) -> str:
    """Return a digest of texts of any length."""
    return hashlib.sha256(dumped(parts).encode()).hexdigest()

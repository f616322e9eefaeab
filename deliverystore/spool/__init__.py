"""A spool: a folder through which processes hand files to each other, without locks."""

from __future__ import annotations

from deliverystore.spool.claims import Claim
from deliverystore.spool.configured import SpoolLook, get_spools, look_at_spools
from deliverystore.spool.counting import SpoolStatus
from deliverystore.spool.recovering import Recovery
from deliverystore.spool.store import FileStore

__all__ = [
    "Claim",
    "FileStore",
    "Recovery",
    "SpoolLook",
    "SpoolStatus",
    "get_spools",
    "look_at_spools",
]

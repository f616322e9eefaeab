"""Everything that is stored compared with everything that is known, both ways."""

from __future__ import annotations

from deliverystore.checking.advice import advice
from deliverystore.checking.beginning import begin, give_up_elsewhere
from deliverystore.checking.budget import Budget
from deliverystore.checking.names import check_names
from deliverystore.checking.repairing import Repairer, Repairing
from deliverystore.checking.running import run

__all__ = [
    "Budget",
    "Repairer",
    "Repairing",
    "advice",
    "begin",
    "check_names",
    "give_up_elsewhere",
    "run",
]

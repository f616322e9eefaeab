"""All scenarios, in groups, and what is expected of each group."""

from __future__ import annotations

import logging

from tests.durability.powercut import LIMIT
from tests.durability.proof import Scenario, prove
from tests.durability.report import Report

GROUPS = {
    "files": "Files: stores, moves, uploads",
    "spool": "Files: the spool",
    "kvstore": "Files: the key-value store",
    "kvstore-none": "Files: the key-value store without syncs, killed",
    "django": "Files: Django's FileSystemStorage",
    "sqlite": "Deliveries: rows and bytes, SQLite",
    "postgresql": "Deliveries: rows and bytes, PostgreSQL",
    "kvstore-sqlite": "Key-value stores: rows and data, SQLite",
    "kvstore-postgresql": "Key-value stores: rows and data, PostgreSQL",
    "mutants": "Files: this app, made wrong",
}
# Where problems must be found, or else nothing is proved.
_WRONG = {"django", "mutants"}
# What a database server keeps elsewhere, no power cut here can touch; and without syncs
# nothing is promised of one.
_ONLY_FAULTS = {"postgresql", "kvstore-postgresql", "kvstore-none"}
# A database writes much between two syncs, and opening it takes long.
_LIMITS = {"sqlite": 12, "kvstore-sqlite": 12}


def scenarios(group: str) -> list[Scenario]:
    """Return the scenarios of a group; Django must be set up."""
    from tests.durability import kvstores, mutants, rows, spools, stores
    from tests.durability.upkeep import upkeep
    from tests.durability.values import values

    make = {
        "files": stores.ours,
        "spool": spools.of_spools,
        "kvstore": kvstores.of_kvstores,
        "kvstore-none": kvstores.without_syncs,
        "django": stores.djangos,
        "sqlite": lambda: [*rows.on_sqlite(), *upkeep(rows.on_sqlite)],
        "postgresql": lambda: [*rows.on_postgresql(), *upkeep(rows.on_postgresql)],
        "kvstore-sqlite": lambda: [*values(rows.on_sqlite)],
        "kvstore-postgresql": lambda: [*values(rows.on_postgresql)],
        "mutants": mutants.mutants,
    }[group]
    return list(make())


def prove_one(group: str, position: int, every: int) -> Report:
    """Prove one scenario, in a process that is set up."""
    logging.disable(logging.CRITICAL)
    return prove(
        scenarios(group)[position],
        limit=max(4, _LIMITS.get(group, LIMIT) // every),
        every=every,
        states=group not in _ONLY_FAULTS,
    )


def is_as_promised(group: str, report: Report) -> bool:
    """Tell whether all is well or, where something is wrong, that this was seen."""
    return bool(report.problems) == (group in _WRONG)

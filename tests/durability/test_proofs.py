"""A short form of `python -m tests.durability`: every so-many-th fault."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.strace, pytest.mark.processes]


def prove(*words, every=1):
    """Return the reports of the scenarios that the words choose."""
    command = [sys.executable, "-m", "tests.durability", "--json", "--every", every]
    done = subprocess.run(
        [*map(str, command), *words], check=True, capture_output=True, timeout=300
    )
    reports = json.loads(done.stdout)
    assert reports
    return reports


def problems(reports):
    kinds = ("order_problems", "state_problems", "fault_problems")
    return [problem for report in reports for kind in kinds for problem in report[kind]]


def test_stores_keep_the_whole_old_or_the_whole_new_through_cuts_and_faults():
    reports = prove("files: add, Fs, ", "files: replace, FsHier, ", every=8)

    assert problems(reports) == []
    assert all(report["states"] >= 4 and report["faults"] >= 8 for report in reports)


def test_moves_removals_and_resumed_uploads_lose_nothing():
    reports = prove("files: move", "files: remove, Fs, ", "files: append", every=5)

    assert problems(reports) == []


def test_a_spool_loses_nothing_that_is_handed_over_claimed_or_given_back():
    reports = prove("spool: hand over", "spool: claim and", "spool: recover", every=10)

    assert problems(reports) == []
    assert len(reports) == 6


def test_a_key_value_store_keeps_data_and_metadata_together():
    reports = prove("kvstore: set a", "kvstore: delete", "kvstore: trans", every=30)
    killed = prove("kvstore-none: ", every=30)

    assert problems([*reports, *killed]) == []
    assert [len(reports), len(killed)] == [5, 7]


@pytest.mark.parametrize(
    "database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
)
def test_rows_and_bytes_agree_wherever_it_breaks(database):
    reports = prove(f"{database}: add file,", f"{database}: remove a", every=25)

    assert problems(reports) == []
    assert all(report["faults"] >= 3 for report in reports)


@pytest.mark.parametrize(
    "database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
)
def test_values_in_the_database_and_their_data_agree_wherever_it_breaks(database):
    names = ("change many,", "regret a part,")
    reports = prove(*(f"kvstore-{database}: {name}" for name in names), every=40)

    assert problems(reports) == []
    assert len(reports) == 2
    assert all(report["faults"] >= 3 for report in reports)


@pytest.mark.parametrize("upkeep", ["sweep all", "check and repair", "copy all files"])
def test_what_removes_and_replaces_bytes_takes_none_from_a_row(upkeep):
    [report] = prove(f"sqlite: {upkeep}", every=30)

    assert problems([report]) == []
    assert report["faults"] >= 3


def test_djangos_storage_is_seen_to_break():
    reports = prove("django: save, ", every=6)

    [save] = reports
    assert save["broken_states"] > 10
    assert save["broken_faults"] > 0
    assert any("under a final name" in problem for problem in save["order_problems"])


def test_each_way_to_make_the_app_wrong_is_seen():
    # A call can fail in at least four ways: of these, one is tried.
    reports = prove("mutants: ", every=4)

    assert len(reports) == 12
    assert [report["name"] for report in reports if not problems([report])] == []

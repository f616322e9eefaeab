"""Names in a data center."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverystore.datacenter import naming
from deliverystore.datacenter.naming import Kind
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.exceptions import InvalidName

SOURCES = st.builds(
    "{}{}".format,
    st.text(st.characters(exclude_characters="/\x00", exclude_categories=["Cs"]))
    | st.sampled_from(["N", "N.csv", "N.create.pending", "N.xlsx", "a.b", "N.CSV"]),
    st.sampled_from([".csv", ".CSV", ".tsv", ".xlsx", ".Xlsx"]),
).filter(lambda name: not name.startswith("."))
MODES = st.sampled_from(Mode)


def test_the_names_of_the_table():
    assert naming.pending_name("N.csv", "create") == "N.create.pending.csv"
    assert naming.finished_name("N.csv", "create") == "N.create.finished.csv"


@pytest.mark.parametrize(
    ("name", "source", "kind", "mode"),
    [
        ("N.csv", "N.csv", Kind.SOURCE, ""),
        ("N.create.pending.csv", "N.csv", Kind.PENDING, "create"),
        ("N.Remove.Pending.CSV", "N.csv", Kind.PENDING, "remove"),
        ("N.update.finished.csv", "N.csv", Kind.FINISHED, "update"),
        ("N.xlsx.create.pending.csv", "N.xlsx", Kind.PENDING, "create"),
        ("N.later.pending.csv", "N.later.pending.csv", Kind.SOURCE, ""),
        ("pending.csv", "pending.csv", Kind.SOURCE, ""),
        ("N.create.pending.xlsx", "N.create.pending.xlsx", Kind.SOURCE, ""),
    ],
)
def test_a_name_is_taken_apart(name, source, kind, mode):
    assert naming.parse(name) == naming.DataName(source=source, kind=kind, mode=mode)


@given(source=SOURCES, mode=MODES)
def test_what_is_put_together_is_taken_apart_again(source, mode):
    pending = naming.parse(naming.pending_name(source, mode))
    finished = naming.parse(naming.finished_name(source, mode))

    assert (pending.source, pending.kind, pending.mode) == (source, "pending", mode)
    assert (finished.source, finished.kind, finished.mode) == (source, "finished", mode)


def test_a_mode_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="'replace' is no mode"):
        naming.pending_name("N.csv", "replace")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("students.csv", "students.csv"),
        ("my students  2026.CSV", "my_students_2026.CSV"),
        ("tab\u00a0and\u3000space.tsv", "tab_and_space.tsv"),
        (" edges .csv", "edges_.csv"),
        ("N.create.pending.csv", "N.create.pending.csv"),
        ("Prüfung.XLSX", "Prüfung.XLSX"),
        ("Pru\u0308fung.csv", "Prüfung.csv"),
        (f"{'n' * 196}.create.pending.csv", f"{'n' * 196}.create.pending.csv"),
    ],
)
def test_a_name_is_cleaned(given, kept):
    assert naming.clean_name(given) == kept


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".csv",
        "  .csv",
        ".hidden.csv",
        ".journal.N.csv",
        "students",
        "students.txt",
        "students.csv.exe",
        "csv",
        "../students.csv",
        "finished/students.csv",
        "C:\\students.csv",
        "nul\x00.csv",
        "line\nend.csv",
        "\u202evsc.exe.csv",
        "\ud800.csv",
        f"{'n' * 197}.csv",
        f"{'ü' * 99}.csv",
        f"{'n' * 197}.create.pending.csv",
    ],
)
def test_a_hostile_name_is_refused(name):
    with pytest.raises(InvalidName):
        naming.clean_name(name)


@given(name=st.text())
def test_a_name_is_clean_or_refused(name):
    try:
        cleaned = naming.clean_name(name)
    except InvalidName:
        return
    assert naming.clean_name(cleaned) == cleaned
    assert naming.clean_path(cleaned) == cleaned


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("N.csv", ["N_2.csv", "N_3.csv"]),
        ("N.create.pending.csv", ["N_2.create.pending.csv", "N_3.create.pending.csv"]),
        ("finished/N.v1.csv", ["finished/N.v1_2.csv", "finished/N.v1_3.csv"]),
    ],
)
def test_other_names_stay_in_their_folder_and_of_their_kind(name, others):
    assert list(itertools.islice(naming.alternatives(name), 3)) == [name, *others]


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "..",
        "/etc/passwd",
        "../N.csv",
        "finished/../../N.csv",
        "elsewhere/N.csv",
        "unfinished/.journal.N.csv",
        ".staged.csv",
        "N\x00.csv",
    ],
)
def test_a_path_that_leads_out_is_refused(path):
    with pytest.raises(InvalidName):
        naming.clean_path(path)


@pytest.mark.parametrize("path", ["N.csv", "finished/N.csv", "deleted/finished/N.csv"])
def test_a_path_in_a_data_center_is_taken(path):
    assert naming.clean_path(path) == path


@pytest.mark.parametrize(
    "source",
    [
        "n" * 221 + ".csv",
        "é" * 110 + "n.csv",
        "n" * 216 + ".xlsx",
        "n" * 221 + ".create.pending.csv",
    ],
)
def test_a_name_has_to_leave_room_for_those_of_the_results(source):
    naming.check_results(source, "create")

    with pytest.raises(InvalidName, match="too long by 1 bytes"):
        naming.check_results(f"x{source}", "create")


def test_what_cannot_be_shown_is_not_listed():
    assert naming.is_visible("finished/N.csv")
    assert not naming.is_visible("finished/.N.csv")
    assert not naming.is_visible("caf\udce9.csv")
    assert not naming.is_visible("weird\\b.csv")

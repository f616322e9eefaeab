"""Where the files of a run go, and that no interruption changes that."""

from __future__ import annotations

import datetime
import io
import itertools
import tempfile
from pathlib import Path

import pytest
from django.utils import timezone

from deliverystore.datacenter import DataCenter, make_results_folder, runs
from deliverystore.datacenter import journal as journals
from deliverystore.datacenter.distribution import RESULTS_PREFIX
from deliverystore.datacenter.merging import merged
from deliverystore.exceptions import (
    FileDamaged,
    FileNotFound,
    InvalidName,
)
from deliverystore.streams import CHUNK_SIZE
from tests.datacenter.imports import start
from tests.datacenter.places import (
    PLACES,
    Fuse,
    Killed,
    content_of,
    fragile_centers,
    fused_system,
    hidden_in,
    names_in,
    put,
    read,
)

pytestmark = pytest.mark.django_db

HEADER = "id,name\r\n"
FAILED = "id,name,--ERRORS--\r\n"


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path, monkeypatch):
    """Keep what interrupted runs leave behind out of the system's folder."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))


@pytest.fixture(params=PLACES)
def center(request, tmp_path):
    return DataCenter(PLACES[request.param](tmp_path / "center"))


@pytest.fixture
def folder_center(tmp_path):
    return DataCenter(tmp_path / "center")


class Run:
    """What a run has written: the rows that went in, and those that failed."""

    def __init__(self, source, finished, failed=(), header=HEADER, **options):
        self.folder = make_results_folder()
        self.source = source
        self.failed = failed
        self.options = options
        self.finished_file = self.folder / "myfinished.csv"
        self.pending_file = self.folder / "mypending.csv" if failed else None
        self.finished_file.write_bytes("".join([header, *finished]).encode())
        if self.pending_file:
            self.pending_file.write_bytes("".join([FAILED, *failed]).encode())

    def distribute(self, center):
        return center.distribute_processed_files(
            not self.failed,
            self.source,
            self.finished_file,
            self.pending_file,
            **self.options,
        )


# -- The table ---------------------------------------------------------------------


def test_a_run_without_failures_leaves_the_original_and_its_rows_in_finished(center):
    put(center, "N.csv", "the original")

    done = Run("N.csv", ["1,ada\r\n"]).distribute(center)

    assert content_of(center) == {
        "finished/N.csv": "the original",
        "finished/N.create.finished.csv": f"{HEADER}1,ada\r\n",
    }
    assert done.original == "finished/N.csv"
    assert done.finished == "finished/N.create.finished.csv"
    assert done.pending is None


def test_a_run_with_failures_leaves_the_source_in_unfinished(center):
    put(center, "N.csv", "the original")

    done = Run("N.csv", ["1,ada\r\n"], failed=["2,,no name\r\n"]).distribute(center)

    assert content_of(center) == {
        "N.create.pending.csv": f"{FAILED}2,,no name\r\n",
        "finished/N.create.finished.csv": f"{HEADER}1,ada\r\n",
        "unfinished/N.csv": "the original",
    }
    assert done.pending == "N.create.pending.csv"
    assert done.original == "unfinished/N.csv"


def test_three_failing_runs_in_a_row_and_then_one_that_works(center):
    put(center, "N.csv", "the original")
    Run("N.csv", ["1,ada\r\n"], failed=["2,,x\r\n", "3,,x\r\n"]).distribute(center)
    Run("N.create.pending.csv", ["2,bob\r\n"], failed=["3,,y\r\n"]).distribute(center)
    Run("N.create.pending.csv", [], failed=["3,,z\r\n"]).distribute(center)

    assert content_of(center) == {
        "N.create.pending.csv": f"{FAILED}3,,z\r\n",
        "finished/N.create.finished.csv": f"{HEADER}1,ada\r\n2,bob\r\n",
        "unfinished/N.csv": "the original",
    }

    Run("N.create.pending.csv", ["3,cleo\r\n"]).distribute(center)

    assert content_of(center) == {
        "finished/N.csv": "the original",
        "finished/N.create.finished.csv": f"{HEADER}1,ada\r\n2,bob\r\n3,cleo\r\n",
    }
    assert hidden_in(center) == []


def test_it_works_as_the_ancestor_told_it(folder_center):
    """The same steps as in Kofa's document, down to what a listing shows."""
    root = Path(folder_center.location)

    def distribute(source, *, create_pending=True):
        folder = make_results_folder()
        pending = folder / "mypendingsource.csv" if create_pending else None
        finished = folder / "myfinishedsource.csv"
        for path in filter(None, (root / source, pending, finished)):
            path.write_text("blah")
        folder_center.distribute_processed_files(
            not create_pending, root / source, finished, pending, mode="create"
        )
        assert not folder.exists()

    folders = ("", "finished", "unfinished")

    def listing():
        return [sorted(p.name for p in (root / f).iterdir()) for f in folders]

    empty = ["deleted", "finished", "logs", "unfinished"]
    both = ["mysource.create.finished.csv", "mysource.csv"]
    waiting = sorted([*empty, "mysource.create.pending.csv"])

    distribute("mysource.csv", create_pending=False)
    assert listing() == [empty, both, []]

    for name in both:
        (root / "finished" / name).unlink()
    distribute("mysource.csv")
    assert listing() == [waiting, both[:1], ["mysource.csv"]]
    distribute("mysource.create.pending.csv")
    distribute("mysource.create.pending.csv")
    assert listing() == [waiting, both[:1], ["mysource.csv"]]
    distribute("mysource.create.pending.csv", create_pending=False)
    assert listing() == [empty, both, []]


def test_a_run_in_another_mode_has_files_of_its_own(center):
    put(center, "N.xlsx", "the original")

    Run("N.xlsx", [], failed=["2,,x\r\n"], mode="update").distribute(center)
    Run("N.xlsx.update.pending.csv", ["2,b\r\n"], mode="update").distribute(center)

    assert names_in(center) == [
        "finished/N.xlsx",
        "finished/N.xlsx.update.finished.csv",
    ]


def test_a_pending_file_that_is_run_in_another_mode_makes_room_for_its_own(center):
    put(center, "N.csv")
    Run("N.csv", [], failed=["2,,x\r\n"]).distribute(center)

    Run("N.create.pending.csv", [], failed=["2,,y\r\n"], mode="update").distribute(
        center
    )

    assert names_in(center) == [
        "N.update.pending.csv",
        "finished/N.create.finished.csv",
        "finished/N.update.finished.csv",
        "unfinished/N.csv",
    ]


def test_the_original_can_stay_where_it_is(center):
    put(center, "N.csv", "the original")

    done = Run("N.csv", ["1,ada\r\n"], move_orig=False).distribute(center)

    assert done.original is None
    assert names_in(center) == ["N.csv", "finished/N.create.finished.csv"]


# -- Finished files ----------------------------------------------------------------


def appended(center, first, second):
    put(center, "finished/N.create.finished.csv", first)
    put(center, "N.create.pending.csv")
    run = Run("N.create.pending.csv", [], header=second)
    run.distribute(center)
    return read(center, "finished/N.create.finished.csv")


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        ("a,b\r\n1,2\r\n", "a,b\r\n3,4\r\n", "a,b\r\n1,2\r\n3,4\r\n"),
        ("a,b\r\n1,2\r\n", "b,a\r\n4,3\r\n", "a,b\r\n1,2\r\n3,4\r\n"),
        ("a,b\r\n1,2\r\n", "c,a\r\n5,3\r\n", "a,b,c\r\n1,2,\r\n3,,5\r\n"),
        ("a,b\r\n", "b,a\r\n", "a,b\r\n"),
        ("a,b\r\n", "b,a\r\n2,1\r\n", "a,b\r\n1,2\r\n"),
        ("a,b\r\n1,2\r\n", "a,b\r\n", "a,b\r\n1,2\r\n"),
        ("", "", ""),
        ("", "a,b\r\n1,2\r\n", "a,b\r\n1,2\r\n"),
        ("a,b\r\n1,2\r\n", "", "a,b\r\n1,2\r\n"),
        ("a,b\n1,2", "a,b\n3,4", "a,b\r\n1,2\r\n3,4\r\n"),
        ("\ufeffa,b\r\n1,2\r\n", "\ufeffb,a\r\n4,3\r\n", "a,b\r\n1,2\r\n3,4\r\n"),
        ("a,a\r\n1,2\r\n", "a,b,a\r\n3,4,5\r\n", "a,a,b\r\n1,2,\r\n3,5,4\r\n"),
        ("a,b\r\n1\r\n", "b,a\r\n4\r\n", "a,b\r\n1,\r\n,4\r\n"),
        ("a\r\n1,2\r\n", "a\r\n3,4\r\n", "a\r\n1,2\r\n3,4\r\n"),
        ('a\r\n"x\r\ny"\r\n', 'a\r\n"z,""q"""\r\n', 'a\r\n"x\r\ny"\r\n"z,""q"""\r\n'),
        ("ä\r\nß\r\n", "ä\r\n€\r\n", "ä\r\nß\r\n€\r\n"),
        ('a\r\n""\r\n', "a\r\n\r\n1\r\n", 'a\r\n""\r\n1\r\n'),
    ],
)
def test_finished_files_are_merged_by_column(folder_center, first, second, both):
    assert appended(folder_center, first, second) == both


def test_a_large_cell_and_bytes_that_are_no_text_are_appended_as_they_are(
    folder_center,
):
    cell = "x" * 1_000_000
    put(folder_center, "finished/N.create.finished.csv", "a\r\n1\r\n")
    put(folder_center, "N.create.pending.csv")
    run = Run("N.create.pending.csv", [f"{cell}\r\n"], header="a\r\n")
    with run.finished_file.open("ab") as file:
        file.write(b"caf\xe9\r\n")
    run.distribute(folder_center)

    [content] = [b"".join(folder_center.place.chunks("finished/N.create.finished.csv"))]
    assert content == f"a\r\n1\r\n{cell}\r\n".encode() + b"caf\xe9\r\n"


def test_files_of_several_megabytes_are_merged_piece_by_piece():
    rows = ["x" * 300_000 + f"{n}\r\n" for n in range(8)]
    first = io.BytesIO(("a\r\n" + "".join(rows[:4])).encode())
    second = io.BytesIO(("a\r\n" + "".join(rows[4:])).encode())

    pieces = list(merged(first, second))

    assert b"".join(pieces).decode() == "a\r\n" + "".join(rows)
    assert len(pieces) > 1
    assert max(map(len, pieces)) < CHUNK_SIZE + len(rows[0]) + 4


def test_a_whole_finished_file_takes_the_place_of_the_old_one(center):
    put(center, "finished/N.create.finished.csv", "old")
    put(center, "N.create.pending.csv")

    Run("N.create.pending.csv", ["1,ada\r\n"], append=False).distribute(center)

    assert read(center, "finished/N.create.finished.csv") == f"{HEADER}1,ada\r\n"


# -- Nothing is overwritten --------------------------------------------------------


def test_files_of_an_earlier_upload_of_the_same_name_stay_as_they_are(center):
    for content in ("first", "second"):
        put(center, "N.csv", content)
        done = Run("N.csv", [f"1,{content}\r\n"]).distribute(center)

    assert content_of(center) == {
        "finished/N.csv": "first",
        "finished/N.create.finished.csv": f"{HEADER}1,first\r\n",
        "finished/N_2.csv": "second",
        "finished/N_2.create.finished.csv": f"{HEADER}1,second\r\n",
    }
    assert done.original == "finished/N_2.csv"


def test_a_new_file_of_a_name_whose_rows_still_wait_begins_a_family_of_its_own(center):
    put(center, "N.csv", "first")
    Run("N.csv", [], failed=["1,,x\r\n"]).distribute(center)
    put(center, "N.csv", "second")
    Run("N.csv", [], failed=["2,,x\r\n"]).distribute(center)

    Run("N_2.create.pending.csv", ["2,b\r\n"]).distribute(center)

    assert names_in(center) == [
        "N.create.pending.csv",
        "finished/N.create.finished.csv",
        "finished/N_2.create.finished.csv",
        "finished/N_2.csv",
        "unfinished/N.csv",
    ]
    assert read(center, "finished/N_2.csv") == "second"


def test_a_pending_file_without_an_original_can_be_finished_all_the_same(center):
    put(center, "N.create.pending.csv")

    done = Run("N.create.pending.csv", ["1,ada\r\n"]).distribute(center)

    assert done.original is None
    assert names_in(center) == ["finished/N.create.finished.csv"]


# -- What is handed in -------------------------------------------------------------


def test_a_source_that_does_not_wait_here_is_refused(folder_center, tmp_path):
    (tmp_path / "N.csv").write_text("elsewhere")
    run = Run("N.csv", [])

    with pytest.raises(FileNotFound, match=r"N\.csv"):
        run.distribute(folder_center)
    for source in (tmp_path / "N.csv", "../N.csv", "finished/N.csv", "N.txt", "/"):
        run.source = source
        with pytest.raises(InvalidName):
            run.distribute(folder_center)
    assert run.finished_file.exists()


def test_a_symbolic_link_is_no_source(folder_center, tmp_path):
    (tmp_path / "secret.csv").write_text("secret")
    (tmp_path / "center" / "N.csv").symlink_to(tmp_path / "secret.csv")

    with pytest.raises(FileNotFound):
        Run("N.csv", []).distribute(folder_center)


def test_failed_rows_need_their_file(folder_center):
    put(folder_center, "N.csv")
    run = Run("N.csv", [])
    run.failed = ["something"]

    with pytest.raises(ValueError, match="give the file"):
        run.distribute(folder_center)


def test_a_result_that_is_not_there_is_missed(folder_center, tmp_path):
    put(folder_center, "N.csv")

    with pytest.raises(FileNotFound, match=r"nowhere\.csv"):
        folder_center.distribute_processed_files(
            True, "N.csv", tmp_path / "nowhere.csv", None
        )
    run = Run("N.csv", [])
    run.finished_file = run.folder / "mistyped.csv"
    with pytest.raises(FileNotFound, match=r"mistyped\.csv"):
        run.distribute(folder_center)


def test_only_a_folder_that_was_made_for_results_is_removed(folder_center, tmp_path):
    parent = tmp_path / "parent"
    parent.mkdir()
    (parent / "precious.txt").write_text("precious")
    (parent / "finished.csv").write_text(HEADER)
    put(folder_center, "N.csv")

    folder_center.distribute_processed_files(
        True, "N.csv", parent / "finished.csv", None
    )

    assert [path.name for path in parent.iterdir()] == ["precious.txt"]
    folder = make_results_folder()
    assert folder.name.startswith(RESULTS_PREFIX)
    assert folder.parent == Path(tempfile.gettempdir())
    folder.rmdir()


def test_what_else_is_in_the_folder_for_results_goes_but_not_a_folder(folder_center):
    put(folder_center, "N.csv")
    run = Run("N.csv", [])
    (run.folder / "scratch.txt").write_text("scratch")
    run.distribute(folder_center)
    assert not run.folder.exists()

    put(folder_center, "M.csv")
    run = Run("M.csv", [])
    (run.folder / "below").mkdir()
    run.distribute(folder_center)
    assert [path.name for path in run.folder.iterdir()] == ["below"]
    (run.folder / "below").rmdir()
    run.folder.rmdir()


# -- Interruptions -----------------------------------------------------------------

STORY = [
    ("N.csv", ["1,ada\r\n"], ["2,,x\r\n", "3,,x\r\n"]),
    ("N.create.pending.csv", ["2,bob\r\n"], ["3,,y\r\n"]),
    ("N.create.pending.csv", [], ["3,,z\r\n"]),
    ("N.create.pending.csv", ["3,cleo\r\n"], []),
]


def tell(center, chapter, interrupted):
    """Do the runs of the story up to a chapter; before that, try and be interrupted."""
    put(center, "N.csv", "the original")
    for number, (source, finished, failed) in enumerate(STORY[: chapter + 1]):
        run = Run(source, finished, failed)
        if number == chapter:
            interrupted(center, run)
        run.distribute(center)
        assert not run.folder.exists()
    return content_of(center)


def rows_of(center, run):
    """Return all text that is anywhere: in the data center, or still to be moved."""
    files = [read(center, entry.name) for entry in center.place.all_entries()]
    left = run.folder.iterdir() if run.folder.exists() else []
    return "".join([*files, *(path.read_bytes().decode() for path in left)])


def interruptions(fuse, *, again=False):
    """Yield what interrupts a run at its first moment, its second, and so on."""
    ended = False
    for moment in itertools.count():

        def interrupted(center, run, moment=moment):
            nonlocal ended
            for _ in range(2 if again else 1):
                try:
                    with fuse.blows_at(moment):
                        run.distribute(center)
                except Killed:
                    text = rows_of(center, run)
                    assert all(
                        row in text for row in STORY_ROWS[run.source, *run.failed]
                    )
                else:
                    ended = True

        yield interrupted
        if ended:
            return


STORY_ROWS = {
    (source, *failed): ["the original", *finished, *failed]
    for source, finished, failed in STORY
}


@pytest.mark.processes
@pytest.mark.parametrize("chapter", range(len(STORY)))
@pytest.mark.parametrize(
    ("kind", "again"),
    [("folder", False), ("folder", True), ("storage", False), ("replacing", True)],
)
def test_a_distribution_that_was_stopped_at_any_call_of_its_storage_can_be_repeated(
    tmp_path, kind, again, chapter
):
    fuse = Fuse()
    new_center = fragile_centers(tmp_path, fuse)[kind]
    undisturbed = tell(new_center(), chapter, lambda *_: None)
    moments = 0

    for interrupted in interruptions(fuse, again=again):
        center = new_center()
        assert tell(center, chapter, interrupted) == undisturbed
        journals.remove_litter(
            center.place, timezone.now() + datetime.timedelta(days=2)
        )
        assert hidden_in(center) == []
        moments += 1

    assert moments > 10


@pytest.mark.processes
@pytest.mark.parametrize("chapter", range(len(STORY)))
def test_a_distribution_that_was_stopped_at_any_change_of_a_file_can_be_repeated(
    tmp_path, chapter
):
    undisturbed = tell(DataCenter(tmp_path / "undisturbed"), chapter, lambda *_: None)
    fuse = Fuse()
    moments = 0

    with fused_system(fuse):
        for interrupted in interruptions(fuse):
            center = DataCenter(tmp_path / f"center-{moments}")
            assert tell(center, chapter, interrupted) == undisturbed
            moments += 1

    assert moments > 10


def stopped_when(folder, run_of, condition):
    """Return a data center, and its run, that was stopped once a condition held."""
    fuse = Fuse()
    new_center = fragile_centers(folder, fuse)["folder"]
    for moment in itertools.count():
        center, run = new_center(), run_of()
        put(center, "N.csv", "the original")
        with pytest.raises(Killed), fuse.blows_at(moment):
            run.distribute(center)
        if condition(center):
            return center, run
    raise AssertionError


def test_a_distribution_is_ended_without_the_files_of_its_run(tmp_path):
    """They may lie in a folder that the machine empties when it starts."""
    center, run = stopped_when(
        tmp_path,
        lambda: Run("N.csv", ["1,ada\r\n"], ["2,,x\r\n"]),
        lambda center: list(journals.left(center.place)),
    )
    for file in run.folder.iterdir():
        file.unlink()

    assert center.finish_distributions() == 1

    assert names_in(center) == [
        "N.create.pending.csv",
        "finished/N.create.finished.csv",
        "unfinished/N.csv",
    ]
    assert hidden_in(center) == []
    assert center.finish_distributions() == 0
    assert run.distribute(center) is None
    assert not run.folder.exists()


def test_a_file_that_came_in_after_an_interruption_is_not_taken_for_the_source(
    tmp_path,
):
    center, run = stopped_when(
        tmp_path,
        lambda: Run("N.csv", ["1,ada\r\n"]),
        lambda center: not center.place.exists("N.csv"),
    )
    put(center, "N.csv", "dropped in meanwhile")

    run.distribute(center)

    assert read(center, "N.csv") == "dropped in meanwhile"
    assert read(center, "finished/N.csv") == "the original"


def test_a_journal_that_somebody_has_dropped_in_is_not_followed(folder_center):
    put(folder_center, "N.csv")
    name = journals.journal_name("N.csv")
    put(folder_center, name, '{"inputs": {}, "steps": [], "result": {}}')

    with pytest.raises(FileDamaged, match="move it away"):
        folder_center.finish_distributions()
    with pytest.raises(FileDamaged, match="move it away"):
        Run("N.csv", []).distribute(folder_center)

    assert names_in(folder_center) == ["N.csv"]


def test_a_journal_that_cannot_be_read_does_not_stop_the_others(tmp_path):
    center, _ = stopped_when(
        tmp_path,
        lambda: Run("N.csv", ["1,ada\r\n"]),
        lambda center: list(journals.left(center.place)),
    )
    put(center, journals.journal_name("A.csv"), "junk")
    put(center, journals.journal_name("Z.csv"), "junk")

    with pytest.raises(FileDamaged, match="was not written by this site"):
        center.finish_distributions()

    assert names_in(center) == ["finished/N.create.finished.csv", "finished/N.csv"]


def test_a_journal_that_cannot_be_read_stops_no_import_of_another_file(
    settings, folder_center
):
    settings.DELIVERY_STORE_DATACENTER_ROOT = folder_center.location
    put(folder_center, journals.journal_name("A.csv"), "junk")

    run = runs.work(start(folder_center, ("A", "Arts")))

    assert run.state == run.State.FINISHED


def test_a_name_that_is_too_long_for_its_results_is_refused_before_a_step(center):
    name = put(center, "n" * 222 + ".csv")
    run = Run(name, ["1,ada\r\n"])

    with pytest.raises(InvalidName, match="too long by 1 bytes"):
        run.distribute(center)

    assert names_in(center) == [name]
    assert hidden_in(center) == []
    assert run.finished_file.exists()


def test_what_was_staged_recently_is_not_litter(folder_center):
    staged = put(folder_center, journals.staged_name("token", "finished"))

    folder_center.finish_distributions()

    assert hidden_in(folder_center) == [staged]

"""Claims: one taker for each file, and what becomes of it."""

from __future__ import annotations

import errno
import logging
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deliverystore import fsops
from deliverystore.exceptions import ClaimLost
from deliverystore.spool import FileStore, Recovery, SpoolStatus

LATER = datetime(2100, 1, 1, tzinfo=UTC)


class Broken(Exception):
    pass


def test_without_a_file_there_is_no_claim(store):
    assert store.claim() is None
    assert list(store.claims()) == []


def test_a_claim_knows_its_file(store, put, path):
    put("a", content=b"12345", age=3600)
    before = datetime.now(UTC)

    claim = store.claim()

    assert (claim.filename, claim.size, claim.attempt) == ("a", 5, 1)
    assert claim.path.parent == path / "cur"
    assert claim.path.read_bytes() == b"12345"
    assert claim.token in repr(claim)
    assert timedelta(minutes=59) < before - claim.modified < timedelta(minutes=61)
    left = claim.expires - before
    assert timedelta(minutes=5, seconds=-1) < left < timedelta(minutes=5, seconds=9)
    assert store.list("cur") == [str(claim.path)]
    with claim.open() as file:
        assert file.read() == b"12345"


def test_files_are_claimed_oldest_first(store, put):
    for age in (3, 9, 5, 1, 7):
        put(f"{age}", age=age)

    assert [claim.filename for claim in store.claims()] == ["9", "7", "5", "3", "1"]


def test_only_as_many_are_claimed_as_were_asked_for_and_when_they_are(store, put):
    for number in range(5):
        put(f"{number}")

    claims = store.claims(3)

    assert len(store.list("new")) == 5
    next(claims)
    assert len(store.list("new")) == 4
    assert len(list(claims)) == 2
    assert len(store.list("new")) == 2


def test_a_block_that_ends_removes_the_file(store, put, names):
    put("a")

    with store.claim() as claim:
        assert claim.path.exists()

    assert names("new") == names("cur") == []


def test_a_block_that_raises_gives_the_file_back_and_counts(store, put, names):
    put("a", content=b"12")

    for attempt in (1, 2):
        with pytest.raises(Broken), store.claim() as claim:  # noqa: PT012
            assert (claim.filename, claim.attempt) == ("a", attempt)
            raise Broken

    assert store.list("cur") == store.failed() == []
    [again] = store.claims()
    assert (again.filename, again.attempt, again.size) == ("a", 3, 2)


def test_after_the_last_attempt_the_file_goes_to_failed(store, put, caplog):
    put("a", content=b"poison")

    for _ in range(3):
        with pytest.raises(Broken), store.claim():
            raise Broken

    assert store.claim() is None
    [failed] = store.failed()
    assert Path(failed).read_bytes() == b"poison"
    assert "Attempt 3 at 'a' failed" in caplog.messages[-1]


def test_a_worker_that_is_asked_to_end_does_not_count(store, put):
    put("a")

    for _ in range(5):
        with pytest.raises(KeyboardInterrupt), store.claim():
            raise KeyboardInterrupt

    assert store.claim().attempt == 1


def test_a_released_file_waits_as_if_nothing_had_happened(store, put):
    put("a")

    for _ in range(5):
        store.release(store.claim())

    assert store.claim().attempt == 1


def test_a_file_that_came_meanwhile_under_its_name_is_not_replaced(store, put):
    put("a", content=b"first")
    claim = store.claim()
    put("a", content=b"second")

    claim.fail()

    found = {one.path.read_bytes(): one.filename for one in store.claims()}
    assert found == {b"first": "a", b"second": "a"}


def test_a_failed_file_can_be_tried_again(store, put):
    put("a")
    FileStore(store.path, max_attempts=1).claim().fail()
    [failed] = store.failed()

    store.retry(failed)

    assert store.failed() == []
    assert store.claim().attempt == 1


def test_a_claim_that_was_ended_in_its_block_is_left_alone(store, put):
    put("a")
    with store.claim() as claim:
        claim.release()
    assert len(store.list("new")) == 1

    with pytest.raises(Broken), store.claim() as claim:  # noqa: PT012
        claim.done()
        raise Broken
    assert store.list("new") == store.list("cur") == store.failed() == []


@pytest.mark.parametrize(
    ("first", "ended"), [("done", "done"), ("release", "released"), ("fail", "failed")]
)
@pytest.mark.parametrize("second", ["done", "release", "fail", "renew", "open"])
def test_what_is_over_cannot_be_ended_again(store, put, first, ended, second):
    put("a")
    claim = store.claim()
    assert claim.ended is None
    getattr(claim, first)()

    with pytest.raises(ClaimLost, match=rf"'a' is over: it was {ended} before\."):
        getattr(claim, second)()

    assert claim.ended == ended

    assert len(store.list("new")) == (first != "done")


@pytest.mark.parametrize("end", ["done", "release", "fail", "renew", "open"])
def test_who_lost_the_lease_does_nothing_to_the_next_one(store, put, end):
    put("a", content=b"12")
    slow = store.claim()
    assert store.recover(LATER) == Recovery(waiting=1)
    quick = store.claim()

    with pytest.raises(ClaimLost, match="'a' is over: its lease ended"):
        getattr(slow, end)()

    assert quick.path.read_bytes() == b"12"
    assert store.list("new") == []
    assert slow.token != quick.token
    quick.done()


def test_a_block_without_its_lease_says_so_or_lets_its_own_error_through(
    store, put, caplog
):
    put("a")
    with pytest.raises(ClaimLost), store.claim():
        store.recover(LATER)
    with pytest.raises(Broken), store.claim():  # noqa: PT012
        store.recover(LATER)
        raise Broken
    assert "lease ended" in caplog.text


def test_a_claim_is_kept_until_its_lease_ends(store, put):
    put("a")
    claim = store.claim()

    assert store.recover() == Recovery()
    assert store.recover(claim.expires - timedelta(seconds=1)) == Recovery()
    assert store.recover(claim.expires + timedelta(seconds=1)) == Recovery(waiting=1)


def test_a_renewed_claim_is_kept_for_longer(store, put):
    put("a")
    claim = store.claim()
    old_end, old_path = claim.expires, claim.path
    time.sleep(0.01)

    with claim.open() as file:
        claim.renew()
        assert claim.expires > old_end
        assert file.read() == b"content"

    assert not old_path.exists()
    assert claim.path.exists()
    claim.done()
    assert store.list("cur") == []


def test_a_file_whose_worker_dies_each_time_fails_at_last(store, put):
    put("poison")

    for expected in (Recovery(waiting=1), Recovery(waiting=1), Recovery(failed=1)):
        assert store.claim() is not None
        assert store.recover(LATER) == expected

    assert len(store.failed()) == 1
    assert store.claim() is None


def test_what_move_brought_to_cur_has_no_lease(store, put, names):
    put("a")
    store.move("a", "new", "cur")

    assert store.recover(LATER) == Recovery()
    assert names("cur") == ["a"]


def test_what_may_still_be_written_to_is_not_claimed(path, put):
    store = FileStore(path, settle=timedelta(seconds=0.4))
    store.prepare()
    put("settled")
    time.sleep(0.5)
    put("growing")

    assert [claim.filename for claim in store.claims()] == ["settled"]


@pytest.fixture
def told(tmp_path):
    """Skip a test where the system does not tell which files are open for writing."""
    file = tmp_path / "file"
    with file.open("wb"):
        if not fsops.is_open_for_writing(str(file)):
            pytest.skip("the system does not tell who writes")


@pytest.mark.usefixtures("told")
def test_what_is_open_for_writing_stays_where_it_is(path, put, names):
    store = FileStore(path, settle=timedelta(seconds=0.01))
    store.prepare()
    with put("pause").open("ab") as file:
        put("after", age=1)
        time.sleep(0.05)
        assert [claim.filename for claim in store.claims()] == ["after"]
        assert names("new") == ["pause"]
        file.write(b", the rest")

    time.sleep(1.1)
    claim = store.claim()
    assert (claim.filename, claim.attempt) == ("pause", 1)
    assert claim.path.read_bytes() == b"content, the rest"


@pytest.mark.usefixtures("told")
def test_what_is_opened_at_the_last_moment_waits_again(path, put, names, monkeypatch):
    store = FileStore(path, settle=timedelta(seconds=0.01))
    store.prepare()
    file = put("a")
    time.sleep(0.05)
    take, opened = fsops.take, []

    def open_and_take(source, target):
        if not opened:
            opened.append(file.open("ab"))
        return take(source, target)

    monkeypatch.setattr(fsops, "take", open_and_take)
    assert store.claim() is None
    assert store.status() == SpoolStatus(
        waiting=1, claimed=0, overdue=0, failed=0, oldest=store.status().oldest
    )

    opened[0].close()
    time.sleep(1.1)
    claim = store.claim()
    assert (claim.filename, claim.attempt) == ("a", 1)


@pytest.mark.usefixtures("told")
def test_where_all_come_by_rename_nobody_asks_what_is_open(store, put):
    with put("a").open("ab"):
        assert store.claim().filename == "a"


@pytest.mark.parametrize("age", [7200, -7200])
def test_a_time_that_somebody_gave_a_file_does_not_say_that_it_is_whole(path, put, age):
    store = FileStore(path, settle=timedelta(seconds=0.4))
    store.prepare()
    put("copied", age=age)

    assert store.claim() is None
    time.sleep(0.5)
    assert store.claim().filename == "copied"


def test_a_claim_knows_whether_its_file_was_written_to(store, put):
    put("a")
    claim = store.claim()
    claim.renew()
    assert claim.is_unchanged()

    with claim.path.open("ab") as file:
        file.write(b"more")

    assert not claim.is_unchanged()


def test_a_name_that_says_very_many_attempts_is_a_claim_like_others(store, put):
    put("a.~999999-0123456789abcdef~")

    assert store.claim().attempt == 999_999
    assert store.recover(LATER) == Recovery(failed=1)


def test_sections_on_several_file_systems_are_told(store, put, monkeypatch):
    put("a")

    def rename(source, path):
        raise OSError(errno.EXDEV, "Invalid cross-device link", source, None, path)

    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(OSError, match="sections must be on one file system"):
        store.claim()


def test_hidden_files_folders_and_links_are_never_claimed(store, put, path):
    put(".upload.csv.Xy12")
    (path / "new" / "folder").mkdir()
    (path / "new" / "link").symlink_to("/etc/passwd")
    os.mkfifo(path / "new" / "pipe")

    assert store.claim() is None


def test_a_link_that_takes_the_place_of_a_file_is_not_followed(
    store, put, path, tmp_path
):
    put("a")
    put("b", age=1)
    store.claim().release()  # Now the names are known.
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (path / "new" / "b").unlink()
    (path / "new" / "b").symlink_to(secret)

    assert [claim.filename for claim in store.claims()] == ["a"]
    assert len(store.failed()) == 1


def test_an_open_claim_follows_no_link(store, put, tmp_path):
    put("a")
    claim = store.claim()
    claim.path.unlink()
    claim.path.symlink_to(tmp_path)

    with pytest.raises(OSError, match="symbolic link"):
        claim.open()


def test_a_name_too_long_for_a_claim_is_put_aside(store, put, caplog):
    put("x" * 251 + ".csv", content=b"long")
    put("a")

    assert [claim.filename for claim in store.claims()] == ["a"]

    [failed] = store.failed()
    assert Path(failed).read_bytes() == b"long"
    assert "too long" in caplog.text
    assert store.put_aside == 1


@pytest.mark.parametrize(
    ("name", "shortened"),
    [
        ("x" * 234 + ".pdf", "x" * 196 + ".pdf"),
        ("x." + "y" * 238, "x." + "y" * 198),
        ("é" * 119 + ".csv", "é" * 98 + ".csv"),
        ("y" * 218 + ".pdf.~999999-0123456789abcdef~", "y" * 196 + ".pdf"),
    ],
)
def test_a_name_that_was_too_long_keeps_its_extension(store, put, name, shortened):
    put(name)
    assert store.claim() is None

    store.retry(*store.failed())

    assert store.claim().filename == shortened


def test_without_sections_claims_say_what_is_missing(path):
    with pytest.raises(FileNotFoundError, match="new"):
        FileStore(path).claim()


def test_a_lost_cur_is_told_and_not_searched_for_without_end(store, put, path):
    put("a")
    (path / "cur").rmdir()

    with pytest.raises(FileNotFoundError, match="cur"):
        store.claim()


def test_the_status_counts_what_waits_is_claimed_and_failed(store, put):
    assert store.status() == SpoolStatus(
        waiting=0, claimed=0, overdue=0, failed=0, oldest=None
    )
    for number in range(4):
        put(f"{number}", age=100 - number)
    put(".hidden", age=1000)
    store.claim()
    FileStore(store.path, lease=timedelta(milliseconds=1)).claim()
    FileStore(store.path, max_attempts=1).claim().fail()
    time.sleep(0.01)

    status = store.status()

    counts = (status.waiting, status.claimed, status.overdue, status.failed)
    assert counts == (1, 2, 1, 1)
    age = datetime.now(UTC) - status.oldest
    assert timedelta(seconds=96) < age < timedelta(seconds=150)


def test_a_folder_that_is_no_spool_has_no_status(path):
    with pytest.raises(FileNotFoundError, match="new"):
        FileStore(path).status()


def test_a_limit_ends_the_counting_one_above_it(store, put):
    for number in range(9):
        put(f"{number}")
    once = FileStore(store.path, max_attempts=1)
    for claim in list(once.claims(4)):
        claim.fail()
    list(store.claims(2))

    status = store.status(limit=2)

    assert (status.waiting, status.claimed, status.failed) == (3, 2, 3)


def test_what_is_no_file_counts_as_failed_too(store, path):
    (path / "failed").mkdir()
    (path / "failed" / "link").symlink_to("/etc/passwd")

    assert len(store.failed()) == store.status().failed == 1


def test_a_lost_lease_is_logged(store, put, caplog):
    put("a")
    store.claim()

    with caplog.at_level(logging.WARNING):
        store.recover(LATER)

    assert "The lease of attempt 1 at 'a' ended" in caplog.text

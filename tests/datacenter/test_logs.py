"""What was done with files, written down and found again."""

from __future__ import annotations

import logging
import sys
import time
import tracemalloc

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.files.storage import InMemoryStorage

from deliverystore.datacenter import DataCenter, make_results_folder
from deliverystore.datacenter.logs import MAX_LINE_BYTES, log_event
from deliverystore.exceptions import FileNotFound, InvalidName, MissingExtra
from tests.datacenter.places import put

NAME = "datacenter.log"


@pytest.fixture
def center(tmp_path):
    return DataCenter(tmp_path / "center")


@pytest.fixture
def written(center):
    """A log with its backups, one of each kind."""
    put(center, "logs/datacenter.log.2026-11-20", "first upload\nother\n")
    put(center, "logs/datacenter.log.2026-11-21", "second upload\n")
    put(center, "logs/datacenter.log.10", "third upload\n")
    put(center, "logs/datacenter.log.2", "fourth upload\n")
    put(center, "logs/datacenter.log.1", "fifth upload\r\n")
    put(center, "logs/datacenter.log", "sixth upload\nlast upload")
    put(center, "logs/datacenter.log.txt", "another upload\n")
    put(center, "logs/datacenter", "another upload\n")
    return center


# -- Finding -----------------------------------------------------------------------


def test_lines_come_from_the_log_and_its_backups_oldest_first(written):
    assert list(written.query_logfiles(NAME, "upload$")) == [
        "first upload",
        "second upload",
        "third upload",
        "fourth upload",
        "fifth upload",
        "sixth upload",
        "last upload",
    ]


def test_a_page_of_the_matches_is_given(written):
    query = r"\bupload"

    assert list(written.query_logfiles(NAME, query, limit=2, start=3)) == [
        "fourth upload",
        "fifth upload",
    ]
    assert list(written.query_logfiles(NAME, query, start=6)) == ["last upload"]
    assert len(list(written.query_logfiles(NAME, query, limit=0))) == 7


def test_dated_backups_with_a_dash_belong_to_the_log_too(center):
    put(center, "logs/datacenter.log-20261121", "second\n")
    put(center, "logs/datacenter.log-20261120", "first\n")
    put(center, "logs/datacenter.log", "third\n")

    assert list(center.query_logfiles(NAME, ".")) == ["first", "second", "third"]


def test_a_log_in_a_storage_is_searched_alike():
    center = DataCenter(InMemoryStorage())
    put(center, f"logs/{NAME}", "one\ntwo\n")

    assert list(center.query_logfiles(NAME, "t.o")) == ["two"]


def test_text_is_matched_by_its_characters_and_what_is_no_text_is_shown_as_such(center):
    center.place.replace(f"logs/{NAME}", ["grün\n".encode(), b"gr\xfcn\n"])

    assert list(center.query_logfiles(NAME, "^gr.n$")) == ["grün"]
    assert list(center.query_logfiles(NAME, "(?i)^GRÜ|^gr")) == ["grün", "gr�n"]


@pytest.mark.parametrize(
    "query", ["(", "a{5000}", "(?P<x>", r"(a)\1", "(?=a)", "\ud800", "a" * 501]
)
def test_a_bad_expression_is_refused_at_once(written, query):
    with pytest.raises(ValueError, match="expression"):
        written.query_logfiles(NAME, query)


@pytest.mark.parametrize(
    "basename",
    ["../N.csv", "/etc/passwd", "..", "", "logs/datacenter.log", "a\\b", "x\x00"],
)
def test_a_basename_does_not_leave_the_logs(written, basename):
    put(written, "N.csv", "secret\n")

    with pytest.raises(InvalidName):
        written.query_logfiles(basename, "secret")


def test_a_link_in_the_logs_is_not_followed(written, tmp_path):
    (tmp_path / "secret").write_text("secret\n")
    (tmp_path / "center" / "logs" / "link.log").symlink_to(tmp_path / "secret")

    with pytest.raises(FileNotFound):
        written.query_logfiles("link.log", "secret")


def test_a_log_that_is_not_there_is_missed(center):
    with pytest.raises(FileNotFound, match=r"nothing\.log"):
        center.query_logfiles("nothing.log", "x")


def test_a_malicious_expression_takes_no_longer_than_another(center):
    put(center, f"logs/{NAME}", "a" * 10_000 + "!\n")
    begin = time.perf_counter()

    for query in ("^(a+)+$", "^(a|a)*$", "(a*)*b", "(.*a){20}b"):
        assert list(center.query_logfiles(NAME, query)) == []

    assert time.perf_counter() - begin < 5


def test_a_long_line_is_cut_and_the_next_one_is_whole(center):
    put(center, f"logs/{NAME}", f"{'x' * 3 * MAX_LINE_BYTES}end\nnext\n")

    lines = list(center.query_logfiles(NAME, "."))

    assert [len(line) for line in lines] == [MAX_LINE_BYTES, 4]
    assert list(center.query_logfiles(NAME, "end")) == []


def test_memory_does_not_grow_with_a_log(center):
    center.place.replace(f"logs/{NAME}", (b"x" * 1_000_000 for _ in range(30)))
    tracemalloc.start()
    try:
        assert len(list(center.query_logfiles(NAME, "x", limit=5))) == 1
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 2_000_000


def test_without_the_extra_it_says_what_to_install(written, monkeypatch):
    monkeypatch.setitem(sys.modules, "re2", None)

    with pytest.raises(MissingExtra, match=r"deliverystore\[logs\]"):
        written.query_logfiles(NAME, "x")


# -- Writing -----------------------------------------------------------------------


def test_an_event_is_one_line_with_the_user(caplog):
    caplog.set_level(logging.INFO, "deliverystore.datacenter")

    log_event("upload", "N.csv", User(username="ada\nupload 'M.csv'"), bytes=5)
    log_event("run", "evil\nname.csv", AnonymousUser())
    log_event("run", "N.csv")

    assert caplog.messages == [
        r"""upload 'N.csv' user="ada\nupload 'M.csv'" bytes=5""",
        r"run 'evil\nname.csv' user=''",
        "run 'N.csv' user=None",
    ]


@pytest.mark.django_db
def test_everything_that_is_done_with_a_file_is_logged_without_its_cells(
    center, caplog, tmp_path
):
    caplog.set_level(logging.INFO, "deliverystore.datacenter")
    (tmp_path / "other").mkdir()
    user = User(username="ada", is_superuser=True)
    center.upload("N.csv", b"cell\n", user=user)
    deleted = center.delete("N.csv", user=user)
    center.restore(deleted, user=user)
    finished = make_results_folder() / "finished.csv"
    finished.write_text("cell\n")
    center.distribute_processed_files(True, "N.csv", finished, None, user=user)
    center.set_storage_path(tmp_path / "other", user=user)

    assert [message.split()[0] for message in caplog.messages] == [
        "upload",
        "delete",
        "restore",
        "distribute",
        "move",
    ]
    assert all("user='ada'" in message for message in caplog.messages)
    assert "cell" not in caplog.text

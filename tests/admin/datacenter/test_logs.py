"""The tab Logs: files, and lines that match a regular expression."""

from __future__ import annotations

import sys

import pytest

from tests.admin.datacenter.people import person, url, words
from tests.datacenter.places import put

pytestmark = pytest.mark.django_db

LOG = "logs/datacenter.log"


@pytest.fixture
def search(client, center):
    """Return the page of logs, as it is for who may see them."""
    client.force_login(person("logviewer"))

    def search(**params):
        response = client.get(url("logs"), params)
        assert response.status_code == 200
        return response

    return search


def test_the_files_are_listed_and_downloaded(search, client, center):
    put(center, LOG, "one\n")
    put(center, f"{LOG}.1", "two\n")

    response = search()
    download = client.get(url("download"), {"file": LOG})

    assert "datacenter.log 4 bytes" in words(response)
    assert response.context_data["names"] == ["datacenter.log"]
    assert b"".join(download.streaming_content) == b"one\n"
    assert download["Content-Type"] == "text/plain; charset=utf-8"


def test_before_anything_was_logged_it_says_what_to_do(search):
    assert "There is no log yet." in words(search())


def test_lines_that_match_are_found_in_backups_too_the_oldest_first(search, center):
    put(center, LOG, "upload c\nother\n")
    put(center, f"{LOG}.1", "upload b\n")
    put(center, f"{LOG}.2", "upload a\n")

    found = search(log="datacenter.log", q="^up.oad").context_data["lines"]

    assert found == ["upload a", "upload b", "upload c"]


def test_nothing_is_searched_before_somebody_asks(search, center):
    put(center, LOG, "one\n")

    assert "one" not in words(search())
    assert search(q="").context_data["lines"] == ["one"]


def test_lines_come_in_pages(search, center):
    put(center, LOG, "".join(f"line {n}\n" for n in range(250)))

    first, last = search(q="line"), search(q="line", p="3")

    assert len(first.context_data["lines"]) == 100
    assert "p=2" in first.context_data["next"]
    assert last.context_data["lines"][0] == "line 200"
    assert not last.context_data["next"]
    assert 'start="201"' in last.text


@pytest.mark.parametrize(
    ("query", "reason"),
    [("(", "is no regular expression"), ("x" * 600, "longer than 500 characters")],
)
def test_a_bad_expression_is_told_and_kept(search, center, query, reason):
    put(center, LOG, "one\n")

    response = search(q=query)

    assert reason in words(response)
    assert f'value="{query}"' in response.text


def test_nothing_matches(search, center):
    put(center, LOG, "one\n")

    assert "No line matches." in words(search(q="two"))


def test_without_the_extra_it_is_named(search, center, monkeypatch):
    put(center, LOG, "one\n")
    monkeypatch.setitem(sys.modules, "re2", None)

    assert "deliverystore[logs]" in words(search(q="one"))


@pytest.mark.parametrize(
    "log", ["../x", "..", "/etc/passwd", "x", "a/b", "\0", "y" * 999]
)
def test_no_name_leaves_the_folder_of_logs(search, center, log):
    put(center, LOG, "one\n")
    put(center, "secret.csv", "secret\n")

    response = search(log=log, q="")

    assert response.context_data["lines"] == []
    assert response.context_data["problem"]


def test_lines_are_shown_inertly_and_cut(search, center):
    put(center, LOG, "<script>alert(1)</script>\n" + "x" * 10_000 + "\n")

    response = search(q="")

    assert "<script>alert" not in response.text
    assert "x" * 1000 in response.text
    assert "x" * 1001 not in response.text


def test_logs_are_for_those_who_may_see_them(client, center):
    put(center, LOG, "one\n")
    client.force_login(person("importer"))

    assert client.get(url("logs")).status_code == 403
    assert client.get(url("download"), {"file": LOG}).status_code == 403

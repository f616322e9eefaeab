"""The bar on the terminal."""

from __future__ import annotations

import io
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from deliverystore.management.progress import progress


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def size(monkeypatch):
    """Without one, there is no room for a bar."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")


def shown(stream, **options):
    with progress(2048, unit="bytes", stream=stream, **options) as bar:
        bar.advance(1024)
        time.sleep(0.15)
        bar.advance(512)
    return stream.getvalue()


def test_a_terminal_shows_how_far_it_is_and_is_clean_again_afterwards():
    text = shown(Terminal())

    assert "| 1.50k/2.00k [" in text
    assert text.endswith("\r")
    assert text.rsplit("\r", 2)[1].isspace()


def test_nothing_is_shown_where_nobody_watches():
    assert shown(io.StringIO()) == ""
    assert shown(Terminal(), hidden=True) == ""


def test_standard_error_is_where_it_is_shown(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())

    with progress(3, unit="files") as bar:
        bar.advance()

    assert "0/3 [" in sys.stderr.getvalue()


def test_nothing_is_shown_without_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)

    assert shown(Terminal()) == ""


def test_what_is_printed_aside_has_a_line_of_its_own():
    terminal = Terminal()

    with progress(3, unit="files", stream=terminal) as bar, bar.aside():
        terminal.write("a line\n")

    before, after = terminal.getvalue().split("a line\n")
    assert before.endswith("\r")
    assert after.startswith("\r")


def test_threads_advance_it_together():
    with progress(None, unit="files", stream=Terminal()) as bar:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: [bar.advance() for _ in range(500)], range(8)))

        assert bar._bar.n == 4000

from __future__ import annotations

import pytest

from example_project.campus.demo.story import width
from example_project.campus.templatetags.campus import kind
from example_project.campus.units import short_digest


def test_a_short_digest_names_its_algorithm():
    assert short_digest("sha256:0123456789abcdef") == "sha256:0123456789ab…"


@pytest.mark.parametrize(
    ("filename", "badge"),
    [
        ("a.PDF", "PDF"),
        ("archive.tar.gz", "GZ"),
        ("README", "file"),
        ("x.numbers", "file"),
    ],
)
def test_a_badge_has_at_most_four_letters(filename, badge):
    assert kind(filename) == badge


def test_columns_of_a_terminal_are_counted_in_every_script():
    assert width("Отчёт.txt") == 9
    assert width("報告書.txt") == 10
    assert width("e\u0301") == 1

"""How numbers, times and bars look."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from deliverystore.admin.datacenter import looks
from deliverystore.models import ImportRun


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.01, "0.1 s"),
        (0.163, "0.2 s"),
        (9.94, "9.9 s"),
        (12.4, "12 s"),
        (180, "3 min"),
    ],
)
def test_the_time_that_work_took_fits_the_speed_that_is_told(seconds, text):
    now = timezone.now()
    run = ImportRun(started=now, ended=now + timedelta(seconds=seconds))

    assert looks.took(run) == text


def test_what_has_not_ended_took_no_time_yet():
    assert looks.took(ImportRun(started=timezone.now())) == ""


@pytest.mark.parametrize(
    ("finished", "failed", "blank"),
    [(9_965, 70, 0), (999_999, 1, 1), (1, 999_999, 0), (0, 0, 0), (0, 3, 0)],
)
def test_in_a_bar_what_is_there_at_all_is_seen(finished, failed, blank):
    counts = {"finished": finished, "failed": failed, "blank": blank}
    parts = looks.bar(ImportRun(rows=sum(counts.values()), **counts))

    for part in parts:
        assert (part.length >= 2) == (counts[part.name] > 0), part
    assert sum(part.length for part in parts) == pytest.approx(
        100 if any(counts.values()) else 0
    )
    assert [part.start for part in parts] == pytest.approx(
        [0, parts[0].length, parts[0].length + parts[1].length]
    )

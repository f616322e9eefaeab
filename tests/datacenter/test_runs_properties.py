"""Whatever is in a file, whenever its import is killed: no row is lost or doubled."""

from __future__ import annotations

import csv
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deliverystore.datacenter import runs
from deliverystore.models import ImportRun
from tests.datacenter.imports import work_killed
from tests.datacenter.places import put, read
from tests.school.models import Faculty

pytestmark = pytest.mark.django_db

KINDS = {
    "good": "F{n},Faculty {n}",
    "bad": "F-is-far-too-long-{n},x",
    "twice": "F0,again",
    "ragged": "R{n},x,more",
    "quoted": '"Q{n}","of two\r\nlines"',
    "blank": " , ",
    "empty": "",
}
NUMBERS = itertools.count()


def records(text):
    return list(csv.reader(text.splitlines(keepends=True)))[1:]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kinds=st.lists(st.sampled_from(list(KINDS)), max_size=25),
    batch_size=st.integers(1, 8),
    kills=st.lists(st.integers(0, 3), max_size=4),
    cancel_after=st.none() | st.integers(0, 3),
    on_error=st.sampled_from(ImportRun.OnError.values),
)
def test_rows_in_are_finished_or_pending_or_blank(
    center, kinds, batch_size, kills, cancel_after, on_error
):
    Faculty.objects.all().delete()
    name = f"f{next(NUMBERS)}.csv"
    lines = [KINDS[kind].format(n=n) for n, kind in enumerate(kinds)]
    put(center, name, "\r\n".join(["code,name", *lines]) + "\r\n")
    run = runs.start_run(name, "faculty", "create", on_error=on_error, enqueue=False)

    for after in kills:
        if not work_killed(run, after=after, batch_size=batch_size):
            break
        run.refresh_from_db()
        assert Faculty.objects.count() == run.finished
    run.refresh_from_db()
    if not run.is_over:
        count = itertools.count()

        def maybe_cancel(run):
            if next(count) == cancel_after:
                runs.cancel(run)

        run = runs.work(run, batch_size=batch_size, advance=maybe_cancel)

    assert Faculty.objects.count() == run.finished
    assert run.rows == run.finished + run.failed + run.blank == len(kinds)
    assert run.blank == sum(kind in ("blank", "empty") for kind in kinds)
    assert run.is_over
    assert (run.state == "finished") == (run.failed == 0)
    assert run.failed_rows.count() == run.failed
    if run.rows:
        finished = records(read(center, run.finished_file))
        pending = records(read(center, run.pending_file)) if run.failed else []
        assert (len(finished), len(pending)) == (run.finished, run.failed)

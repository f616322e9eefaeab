"""The list of imports: how each went, at a cost that does not grow."""

from __future__ import annotations

import pytest

from deliverystore.datacenter import runs
from deliverystore.models import ImportRun
from tests.admin.datacenter.helpers import (
    imported,
    queries_of,
    run_url,
    some_failed,
    who_may,
    words,
)
from tests.datacenter.imports import start

pytestmark = pytest.mark.django_db

LIST = "/admin/deliverystore/importrun/"


def test_it_shows_how_each_import_went_the_newest_first(center, show):
    imported(center, ("A", "Arts"), ("", ""), name="good.csv")
    some_failed(center, name="bad.csv")
    text = words(show(LIST))

    assert text.index("bad.csv") < text.index("good.csv")
    assert "faculty, create" in text
    assert "some rows failed" in text
    assert "2 in, 3 failed" in text
    assert "1 in, 1 blank" in text


@pytest.mark.parametrize("state", ImportRun.State.values)
def test_it_is_green_only_if_every_row_is_in(center, show, state):
    run = some_failed(center)
    ImportRun.objects.filter(pk=run.pk).update(state=state)
    if state == "finished":
        counts = {"failed": 0, "rows": 2}
        ImportRun.objects.filter(pk=run.pk).update(**counts)
    text = show(LIST)

    is_green = "deliverystore-good" in text or "deliverystore-bar-done" in text
    assert is_green == (state == "finished")
    # A word says it, too.
    assert str(ImportRun.State(state).label) in words(text)


def test_one_that_runs_has_a_progress_bar(center, show):
    run = start(center, *[(f"F{n}", "") for n in range(100)])
    runs.work(run, batch_size=50, is_stopped=iter([False, True]).__next__)

    assert '<progress max="100" value="' in show(LIST)


def test_it_can_be_searched_and_filtered(center, show):
    imported(center, ("A", "Arts"), name="winter.csv")
    run = some_failed(center, name="summer.csv")

    def listed(**params):
        text = words(show(LIST, **params))
        return [name for name in ("winter.csv", "summer.csv") if name in text]

    assert listed(q="MMER") == ["summer.csv"]
    assert listed(q=str(run.pk)) == ["summer.csv"]
    assert listed(state__exact="finished") == ["winter.csv"]
    assert listed(processor="student") == []
    assert listed(processor="faculty", dry_run__exact="0") == listed()
    assert listed(q="\0") == listed()
    assert "Show all" in show(LIST, q="nothing")


def test_an_empty_list_says_what_to_do_first(center, show):
    assert "Upload a file with rows" in show(LIST)


def test_it_takes_the_same_queries_for_any_number_of_imports(center, client, boss):
    some_failed(center, name="a.csv")
    one = queries_of(client, LIST)
    for n in range(5):
        failed = some_failed(center, name=f"b{n}.csv", good=0)
        runs.retry(failed, boss, enqueue=False)

    assert queries_of(client, LIST) == one


def test_who_may_not_use_a_processor_does_not_see_its_imports(center, client):
    run = some_failed(center)
    client.force_login(who_may("run_import", "add_student"))

    assert "f.csv" not in client.get(LIST).text
    for name in ("change", "rows", "progress"):
        assert client.get(run_url(name, run.pk)).status_code == 404
    for name in ("retry", "cancel", "resume", "correct", "discard"):
        assert client.post(run_url(name, run.pk)).status_code == 404
    assert run.state == ImportRun.objects.get(pk=run.pk).state


def test_who_may_only_look_sees_all_and_changes_nothing(center, client):
    run = some_failed(center)
    client.force_login(who_may("view_importrun"))

    assert "f.csv" in words(client.get(LIST))
    page = client.get(run_url("change", run.pk)).text
    assert "Try the failed rows again" not in page
    assert "for those who may import" in page
    for name in ("retry", "cancel", "resume", "discard"):
        assert client.post(run_url(name, run.pk)).status_code == 403
    assert not run.children.exists()


def test_others_are_refused(center, client):
    run = some_failed(center)
    client.force_login(who_may())

    for url in (LIST, run_url("figures"), run_url("change", run.pk)):
        assert client.get(url).status_code == 403

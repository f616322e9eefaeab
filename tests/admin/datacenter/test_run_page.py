"""The page of one import: what happened, and what is done about it."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qsl

import pytest
from django.urls import reverse
from django.utils import timezone

from deliverystore.datacenter import Layout, runs
from deliverystore.datacenter.runs import tasks
from deliverystore.models import FailureGroup, ImportRun, ValueCorrection
from tests.admin.datacenter.helpers import (
    imported,
    queries_of,
    run_url,
    some_failed,
    who_may,
    words,
)
from tests.datacenter.csvfiles import table
from tests.datacenter.imports import start, work_killed
from tests.datacenter.places import put
from tests.school.models import Faculty

pytestmark = pytest.mark.django_db


@pytest.fixture
def page_of(show):
    def page_of(run, **params):
        return show(run_url("change", run.pk), **params)

    return page_of


def update(run, **values):
    ImportRun.objects.filter(pk=run.pk).update(**values)


def group(run, **where):
    return FailureGroup.objects.filter(run=run, **where).order_by("-count").first()


def correct(client, run, right, **more):
    """Write what is meant beside the most frequent wrong value."""
    data = {f"right-{group(run).pk}": right, "then": "", **more}
    return client.post(run_url("correct", run.pk), data, follow=True)


# -- What happened -----------------------------------------------------------------


def test_it_says_that_every_row_is_in(center, page_of):
    text = words(page_of(imported(center, ("A", "Arts"), ("B", "Biology"))))

    assert "Every row is in: 2 created. Nothing is left to do." in text
    assert "Why rows failed" not in text


def test_it_says_what_is_left_and_what_to_do(center, page_of):
    text = words(page_of(some_failed(center)))

    assert "2 rows went in: 2 created. 3 rows failed and can be tried again." in text
    assert "then try the failed rows again" in text


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("waiting", "It waits for a worker"),
        ("running", "It is under way"),
        ("broken", "It broke off: no disk"),
        ("stopped", "It stopped"),
        ("cancelled", "It was cancelled."),
        ("retried", "What failed (3 rows) was tried again"),
        ("discarded", "Given up by"),
        ("failed", "It could not run: no disk"),
    ],
)
def test_each_state_is_told_in_words(center, page_of, state, said):
    run = some_failed(center)
    update(run, state=state, error="no disk")

    assert said in words(page_of(run))


def test_without_a_framework_for_tasks_a_waiting_run_names_the_command(
    center, page_of, monkeypatch
):
    monkeypatch.setattr(tasks, "run_import", None)

    text = words(page_of(start(center, ("A", ""))))

    assert "It waits for “manage.py import_csv --resume”" in text
    assert "begins by itself" not in text


def test_the_bar_has_a_text_alternative(center, page_of):
    text = page_of(imported(center, ("A", ""), ("", ""), ("too-long-code", "")))

    assert 'aria-label="3 rows read: 1 in, 1 failed, 1 blank"' in text
    widths = re.findall(r'<rect [^>]*width="([\d.]+)"', text)
    assert widths == ["33.333"] * 3


def test_parents_and_children_are_linked(center, page_of, boss):
    run = some_failed(center)
    new = runs.work(runs.retry(run, boss, enqueue=False))

    assert run_url("change", new.pk) in page_of(run)
    assert run_url("change", run.pk) in page_of(new)


def test_files_that_are_not_there_are_not_linked_nor_told_of(center, page_of):
    run = some_failed(center)
    assert "on your computer" in words(page_of(run))
    for name in (run.pending_file, run.finished_file, run.original_file):
        assert center.place.exists(name)
        center.place.remove(name)

    text = page_of(run)

    assert "Download:" not in text
    assert "on your computer" not in words(text)
    gone = "Its pending file is not there any more; another try writes it again."
    assert gone in words(text)


def test_its_files_are_linked_for_who_may_download(center, page_of, client):
    run = some_failed(center)
    text = page_of(run)
    download = reverse("admin:deliverystore_datafileinfo_download")

    assert f"{download}?file=f.create.pending.csv" in text
    assert f"{download}?file=finished%2Ff.create.finished.csv" in text
    assert f"{download}?file=unfinished%2Ff.csv" in text
    client.force_login(who_may("view_importrun"))
    assert download not in client.get(run_url("change", run.pk)).text


def test_an_import_whose_processor_is_gone_can_be_looked_at(center, page_of, client):
    run = some_failed(center)
    update(run, processor="gone")
    text = page_of(run)

    assert "some rows failed" in text
    # Nobody knows which of its columns are sensitive.
    assert "far-too-long" not in text
    assert "Try the failed rows again" not in text
    assert client.get(run_url("rows", run.pk)).status_code == 200
    assert client.post(run_url("retry", run.pk)).status_code == 403


def test_what_is_none_is_not_found(client, boss):
    for pk in ("7", "x", "9" * 30):
        url = run_url("change", 1).replace("/1/", f"/{pk}/")
        assert client.get(url).status_code == 404


# -- Live --------------------------------------------------------------------------


def test_the_progress_is_told_as_json(center, client, boss):
    run = start(center, *[(f"F{n}", "") for n in range(100)])
    runs.work(run, batch_size=50, is_stopped=iter([False, True]).__next__)
    update(run, state="running")
    response = client.get(run_url("progress", run.pk))
    facts = json.loads(response.text)

    assert "no-store" in response["Cache-Control"]
    assert facts["isOver"] is False
    assert 0 < facts["share"] < 100
    assert facts["texts"]["rows"] == "50"
    assert "rows a second" in facts["texts"]["speed"]
    assert "left" in facts["texts"]["speed"]
    assert facts["bar"][0] == ["finished", 0.0, 100.0]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (1, "2 rows a second"),
        (2, "1 row a second"),
        (60, "less than 1 row a second"),
    ],
)
def test_a_speed_is_told_in_good_grammar(center, page_of, seconds, told):
    run = some_failed(center, bad=0, good=2)
    update(run, ended=run.started + timedelta(seconds=seconds))

    assert f"Speed {told}" in words(page_of(run))


def test_without_a_script_there_is_a_link_to_look_again(center, page_of):
    text = page_of(start(center, ("A", "")))

    assert 'class="deliverystore-reload" href=""' in text
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"\son\w+=", text)
    assert "style=" not in text


# -- A dry run ---------------------------------------------------------------------


def test_a_dry_run_shows_changes_field_by_field(center, page_of):
    Faculty.objects.create(code="A", name="Arts")
    rows = [("A", "Fine arts"), ("B", "Biology"), ("too-long-code", "")]
    run = imported(center, *rows, mode="upsert", dry_run=True)
    text = words(page_of(run))

    assert "This was a dry run: nothing was changed." in text
    assert "2 rows would go in: 1 created, 1 changed. 1 row would fail." in text
    assert "name from Arts to Fine arts" in text
    assert "Why rows would fail" in text
    assert "Import it for real" in text


def test_what_was_tried_is_imported_for_real_as_it_was_read(center, page_of):
    center.place.replace("old.csv", ["code;name\nA;Künste\n".encode("cp1252")])
    layout = Layout(encoding="cp1252")
    run = runs.work(
        runs.start_run(
            "old.csv",
            "faculty",
            "create",
            layout=layout,
            dry_run=True,
            enqueue=False,
        )
    )

    (query,) = re.findall(r'preview/\?([^"]+)"', page_of(run))

    assert dict(parse_qsl(unescape(query))) == {
        "file": "old.csv",
        "encoding": "cp1252",
        "delimiter": "semicolon",
        "quote": "double",
        "header_line": "1",
    }


# -- Why rows failed ---------------------------------------------------------------


def test_reasons_are_grouped_the_most_frequent_first(center, page_of):
    run = imported(center, ("much-too-long", "x"), *[("far-too-long", "y")] * 2)
    text = page_of(run)

    assert text.index("far-too-long") < text.index("much-too-long")
    assert "2 rows" in text
    assert "For example" in words(text)
    assert run_url("row", run.pk, 2) in text


def test_many_groups_have_pages_in_both_directions(center, page_of, client):
    run = imported(center, *[(f"code-too-long-{n}", "") for n in range(60)])
    seen, link = [], ""
    while True:
        text = client.get(run_url("change", run.pk) + link).text
        seen += re.findall(r'name="right-(\d+)"', text)
        following = re.search(r'href="(\?after=[^"#]+)[^"]*" rel="next"', text)
        if not following:
            break
        link = following[1]
    ids = FailureGroup.objects.filter(run=run).order_by("-count", "id")
    assert seen == [str(one.pk) for one in ids]

    back = re.search(r'href="(\?before=[^"#]+)[^"]*" rel="prev"', text)[1]
    text = client.get(run_url("change", run.pk) + back).text
    assert re.findall(r'name="right-(\d+)"', text) == seen[25:50]
    back = re.search(r'href="(\?before=[^"#]+)[^"]*" rel="prev"', text)[1]
    text = client.get(run_url("change", run.pk) + back).text
    assert re.findall(r'name="right-(\d+)"', text) == seen[:25]
    assert 'rel="prev"' not in text


@pytest.fixture(autouse=True)
def logged_in(boss):
    """Every test of this module has a superuser who looks."""


def test_a_value_is_corrected_for_all_its_rows(center, client):
    run = some_failed(center, bad=3)
    response = correct(client, run, "OK")

    assert "“far-too-long” → “OK” from now on, in 3 rows here." in words(response)
    assert ValueCorrection.objects.get().user.username == "boss"
    # It stands beside the value from now on.
    assert 'value="OK"' in client.get(run_url("change", run.pk)).text
    assert "Nothing new" in words(correct(client, run, "OK"))


def test_several_values_are_corrected_and_the_rows_tried_again_at_once(
    center, client, django_capture_on_commit_callbacks
):
    run = imported(center, ("far-too-long", "x"), ("much-too-long", "y"))
    data = {
        f"right-{one.pk}": f"C{number}"
        for number, one in enumerate(FailureGroup.objects.filter(run=run))
    }
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(
            run_url("correct", run.pk), {**data, "then": "retry"}, follow=True
        )

    new = run.children.get()
    assert response.redirect_chain[-1][0] == run_url("change", new.pk)
    text = words(client.get(run_url("change", new.pk)))
    assert "Every row is in: 2 created." in text
    assert Faculty.objects.count() == 2


def test_what_may_stand_in_a_cell_is_offered_to_who_may_see_it(center, client):
    Faculty.objects.create(code="ARTS", name="Arts")
    header = ("number", "email", "faculty", "level")
    rows = table(("M1", "a@b.org", "ARTZ", "9"), header=header)
    run = runs.start_run(put(center, "m.csv", rows), "member", "create", enqueue=False)
    runs.work(run)
    text = client.get(run_url("change", run.pk)).text

    assert '<option value="ARTS">ARTS</option>' in text
    assert '<option value="2">Second year</option>' in text
    assert "did you mean “ARTS”?" in text
    assert '<option value="ARTS">' in client.get(run_url("row", run.pk, 1)).text
    client.force_login(who_may("run_import", "add_member"))
    text = client.get(run_url("change", run.pk)).text
    assert '<option value="2">' in text
    assert '<option value="ARTS">' not in text


def test_what_could_not_be_read_or_is_empty_is_no_value_to_be_corrected(
    center, client, page_of
):
    """A correction of it would be one of many other cells."""
    center.place.replace(
        "f.csv", [b'code,name\nA,"x" y\nB,\xff\n,no code\nmuch-too-long,x\n']
    )
    run = runs.work(runs.start_run("f.csv", "faculty", "create", enqueue=False))

    text = page_of(run)

    assert run.failed == 4
    assert re.findall(r'name="right-(\d+)"', text) == [
        str(group(run, code="max_length").pk)
    ]
    for one in run.failure_groups.exclude(code="max_length"):
        client.post(run_url("correct", run.pk), {f"right-{one.pk}": "A great book"})
    assert not ValueCorrection.objects.exists()


def test_a_group_of_another_import_cannot_be_corrected(center, client):
    run = some_failed(center)
    other = some_failed(center, name="other.csv", good=0)
    data = {f"right-{group(other).pk}": "OK", "right-x": "y", "right-²": "z"}
    client.post(run_url("correct", run.pk), data)

    assert not ValueCorrection.objects.exists()


def test_it_goes_back_to_the_page_of_groups_and_nowhere_else(center, client):
    run = some_failed(center)
    for place, expected in [
        ("after=3-1", "?after=3-1#failures"),
        ("before=3-1", "?before=3-1#failures"),
        ("after=//evil.example", "#failures"),
        ("next=3-1", "#failures"),
    ]:
        response = client.post(run_url("correct", run.pk), {"place": place})
        assert response.url == run_url("change", run.pk) + expected


# -- What is done about it ---------------------------------------------------------


def test_failed_rows_are_tried_again_in_a_new_import(center, client):
    run = some_failed(center)
    response = client.post(run_url("retry", run.pk), follow=True)

    new = run.children.get()
    assert response.redirect_chain == [(run_url("change", new.pk), 302)]
    assert "Another try was begun, of 3 rows." in words(response)
    # As long as they are, nothing else can be done with them.
    text = client.get(run_url("change", run.pk)).text
    assert "Try the failed rows again" not in text


@pytest.mark.parametrize("is_over", [False, True])
def test_who_clicks_twice_comes_to_the_try_that_has_begun(center, client, is_over):
    run = some_failed(center)
    client.post(run_url("retry", run.pk))
    new = run.children.get()
    if is_over:
        runs.work(new)

    response = client.post(run_url("retry", run.pk), follow=True)

    assert response.redirect_chain == [(run_url("change", new.pk), 302)]
    assert "These rows are tried again already: in this import." in words(response)
    assert "not over" not in words(response)
    assert run.children.count() == 1


def test_what_is_not_tried_again_stays_refused(center, client):
    run = imported(center, ("A", ""))

    response = client.post(run_url("retry", run.pk), follow=True)

    assert response.redirect_chain == [(run_url("change", run.pk), 302)]
    assert "No rows" in words(response)


def test_a_run_is_cancelled(center, client):
    run = start(center, ("A", ""))
    assert "Cancel" in client.get(run_url("change", run.pk)).text
    response = client.post(run_url("cancel", run.pk), follow=True)

    assert "cancelled before a row was read" in words(response)
    assert "rows are left" not in words(response)
    assert "cancelled, nothing was read" in words(response)
    assert "cancelled, nothing was read" in words(client.get(run_url("changelist")))
    assert "is over" in words(client.post(run_url("cancel", run.pk), follow=True))


def test_a_broken_run_is_resumed(center, client, django_capture_on_commit_callbacks):
    run = start(center, ("A", ""))
    update(run, state="broken", error="no disk")
    assert "Resume" in client.get(run_url("change", run.pk)).text
    with django_capture_on_commit_callbacks(execute=True):
        client.post(run_url("resume", run.pk))

    assert "Every row is in" in words(client.get(run_url("change", run.pk)))


def test_a_run_whose_worker_is_silent_can_be_resumed(center, client):
    run = start(center, ("A", ""))
    late = timezone.now() - timedelta(minutes=1)
    update(run, state="running", worker="x:1:y", lease_until=late)

    text = words(client.get(run_url("change", run.pk)))
    assert "Its worker has not been heard of" in text
    assert "Resume" in text


@pytest.fixture
def silent(center):
    """A run that is to stop, whose worker was killed behind its first batch."""
    run = start(center, ("A", ""), ("B", ""))
    assert work_killed(run, after=0, batch_size=1)
    run.refresh_from_db()
    update(run, cancelling=True)
    return run


def test_one_that_is_to_stop_without_a_worker_says_so_once(client, silent):
    text = words(client.get(run_url("change", silent.pk)))

    assert "It is to stop, but nobody seems to be at it" in text
    assert "Stop it now" in text
    assert "Go on with it" in text
    for other in ("It is under way", "not been heard of", "end of the rows", "Resume"):
        assert other not in text


def test_an_open_page_is_shown_anew_once_nobody_is_at_it(client, silent):
    url = run_url("progress", silent.pk)
    now = timezone.now()
    update(silent, lease_until=now + timedelta(minutes=1), cancelling=False)
    page = client.get(run_url("change", silent.pk)).text
    assert f'data-state="{client.get(url).json()["state"]}"' in page

    update(silent, lease_until=now - timedelta(minutes=1))

    assert f'data-state="{client.get(url).json()["state"]}"' not in page
    page = client.get(run_url("change", silent.pk)).text
    assert f'data-state="{client.get(url).json()["state"]}"' in page


def test_who_stops_it_now_leaves_the_rest(
    client, silent, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        client.post(run_url("cancel", silent.pk))

    silent.refresh_from_db()
    assert (silent.state, silent.finished, silent.failed) == ("cancelled", 1, 1)


def test_who_goes_on_with_it_takes_the_cancelling_back(
    client, silent, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        client.post(run_url("resume", silent.pk))

    silent.refresh_from_db()
    assert (silent.state, silent.finished, silent.cancelling) == ("finished", 2, False)


def test_while_nothing_moves_no_time_is_told_that_is_left(client, silent):
    now = timezone.now()
    times = {"worker": "x:1:y", "lease_until": now + timedelta(minutes=1)}
    times |= {"heartbeat": now - timedelta(seconds=60)}
    update(silent, started=now - timedelta(minutes=2), cancelling=False, **times)
    speed = client.get(run_url("progress", silent.pk)).json()["texts"]["speed"]
    assert speed == "no news for 1 min"

    update(silent, heartbeat=now, cancelling=True)
    speed = client.get(run_url("progress", silent.pk)).json()["texts"]["speed"]
    assert speed == "it is to stop"


def test_the_rest_is_given_up_only_with_a_reason(center, client):
    run = some_failed(center)
    url = run_url("discard", run.pk)

    assert "What failed (3 rows) is given up" in words(client.get(url))
    assert "This field is required" in words(client.post(url, {"reason": " "}))
    run.refresh_from_db()
    assert run.state == "pending"
    response = client.post(url, {"reason": "They have left <us>."}, follow=True)
    assert "They have left &lt;us&gt;." in response.text
    assert "Given up by boss" in words(response)
    run.refresh_from_db()
    assert run.state == "discarded"
    assert "No rows of import" in words(client.post(url, {"reason": "x"}, follow=True))
    assert "Nothing of it is left" in words(client.get(url, follow=True))


@pytest.mark.parametrize("name", ["retry", "cancel", "resume", "correct", "discard"])
def test_nothing_changes_by_looking(center, client, name):
    run, waiting = some_failed(center), start(center, ("A", ""), name="w.csv")
    client.get(run_url(name, run.pk))
    client.get(run_url(name, waiting.pk))

    run.refresh_from_db()
    waiting.refresh_from_db()
    assert (run.state, waiting.state) == ("pending", "waiting")
    assert not run.children.exists()


def test_csrf_is_asked(center, boss):
    from django.test import Client

    run = some_failed(center)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(boss)

    assert strict.post(run_url("retry", run.pk)).status_code == 403


# -- Whatever is in a file ---------------------------------------------------------


def test_what_comes_from_a_file_is_inert_and_short(center, client):
    name = "<b>x =cmd().csv"
    cells = ["<script>alert(1)</script>", "\u202egnp.exe"]
    run = imported(center, cells, ("y" * 1_000_000, "z" * 1_000_000), name=name)
    # What no encoding has came from a damaged workbook.
    first = run.failed_rows.get(number=1)
    first.cells_json = json.dumps([cells[0], "\ud800\x00\u202e"])
    first.save()
    for url in (
        run_url("changelist"),
        run_url("change", run.pk),
        run_url("rows", run.pk),
        run_url("row", run.pk, 1),
        run_url("row", run.pk, 2),
    ):
        text = client.get(url).text
        assert "<b>x" not in text
        assert "<script>alert" not in text
        if url != run_url("row", run.pk, 1):  # there it has to be kept
            assert "\u202e" not in text
        assert "\x00" not in text
        assert len(text) < 60_000


def test_five_thousand_columns_do_not_make_a_long_page(center, client):
    header = ["code", *(f"c{n}" for n in range(5000))]
    put(center, "wide.csv", table(["too-long-code", *["x"] * 5000], header=header))
    ignored = dict.fromkeys(header[1:])
    run = runs.start_run("wide.csv", "faculty", "create", ignored, enqueue=False)
    runs.work(run)
    for name, args in [("change", ()), ("rows", ()), ("row", (1,))]:
        text = client.get(run_url(name, run.pk, *args)).text
        assert len(text) < 150_000
        assert re.search(r"\d,\d{3} (more|columns)", words(text))


def test_the_page_takes_the_same_queries_however_much_failed(center, client):
    few = some_failed(center, bad=3)
    many = imported(
        center, *[(f"code-too-long-{n}", "") for n in range(300)], name="many.csv"
    )

    assert queries_of(client, run_url("change", many.pk)) == queries_of(
        client, run_url("change", few.pk)
    )

"""Exports on pages: begun, watched, downloaded by their owners."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from deliverystore.datacenter import exports
from deliverystore.models import Export
from tests.admin.datacenter.helpers import export_url, queries_of, who_may, words
from tests.school.models import Course, Faculty

pytestmark = pytest.mark.django_db

LIST = "/admin/deliverystore/export/"


@pytest.fixture
def faculties():
    for code, name in [("A", "Arts"), ("B", "=cmd()"), ("C", "")]:
        Faculty.objects.create(code=code, name=name)


@pytest.fixture
def exporter(client):
    """A member of staff who may export faculties, logged in."""
    user = who_may("run_export", "view_faculty", "view_course")
    client.force_login(user)
    return user


def begin(client, **data):
    data = {"processor": "faculty", "format": "csv", **data}
    return client.post(export_url("new"), data, follow=True)


def done(user, **options):
    return exports.work(exports.start_export("faculty", user, enqueue=False, **options))


def content(response):
    return list(csv.reader(io.StringIO(response.getvalue().decode())))


# -- Beginning ---------------------------------------------------------------------


def test_without_a_framework_for_tasks_a_waiting_export_names_the_command(
    center, client, exporter, monkeypatch
):
    monkeypatch.setattr("deliverystore.datacenter.exports.tasks.run_export", None)

    export = exports.start_export("faculty", exporter)

    text = words(client.get(export_url("change", export.pk)).text)

    assert "It waits for “manage.py export_csv --resume”" in text


def test_only_what_one_may_export_is_offered(center, client, exporter):
    text = client.get(export_url("new")).text

    assert "?processor=faculty" in text
    assert "?processor=student" not in text
    assert client.get(export_url("new"), {"processor": "student"}).status_code == 403
    assert begin(client, processor="student").status_code == 403
    assert not Export.objects.exists()


def test_with_one_exporter_there_is_nothing_to_choose(center, client):
    client.force_login(who_may("run_export", "view_faculty"))

    assert "Exporting faculty ." in words(client.get(export_url("new")))


def test_an_export_is_begun_and_its_page_shown(center, client, exporter, faculties):
    response = begin(client, for_spreadsheet="on", **{"only-code": "A"})

    export = Export.objects.get()
    assert response.redirect_chain == [(export_url("change", export.pk), 302)]
    assert (export.user, export.format, export.for_spreadsheet) == (
        exporter,
        "csv",
        True,
    )
    assert export.filters == {"code": "A"}
    assert "It waits for a worker" in words(response)


def test_those_without_a_value_can_be_asked_for(center, client, exporter, faculties):
    begin(client, **{"empty-name": "on"})
    export = exports.work(Export.objects.get())

    assert export.filters == {"name": ""}
    assert export.rows == 1


def test_a_wrong_value_is_told_at_its_field(center, client, exporter):
    response = begin(
        client, processor="course", **{"only-number": "many", "only-faculty": "Nix"}
    )

    form = response.context["form"]
    assert set(form.errors) == {"only-number", "only-faculty"}
    assert "must be an integer" in form.errors["only-number"][0]
    assert 'value="many"' in response.text
    assert '<details class="module deliverystore-filters" open>' in response.text
    assert not Export.objects.exists()


def test_a_format_that_is_none_is_refused(center, client, exporter):
    assert "Select a valid choice" in words(begin(client, format="exe"))


def test_a_service_that_refuses_says_why(client, exporter, settings):
    settings.DELIVERY_STORE_DATACENTER_ROOT = None

    assert "DELIVERY_STORE_DATACENTER_ROOT" in words(begin(client))


def test_who_may_export_nothing_begins_nothing(center, client):
    client.force_login(who_may("view_export"))

    assert "New export" not in client.get(LIST).text
    assert client.get(export_url("new")).status_code == 403


# -- The list ----------------------------------------------------------------------


def test_everybody_sees_their_own_and_a_superuser_all(center, client, exporter):
    mine, other = done(exporter), done(None)

    def listed():
        text = client.get(LIST).text
        return [one for one in (mine, other) if export_url("change", one.pk) in text]

    assert listed() == [mine]
    assert client.get(export_url("change", other.pk)).status_code == 404
    client.force_login(who_may("view_export"))
    assert listed() == [mine, other]


def test_the_list_takes_the_same_queries_for_any_number(center, client, exporter):
    done(exporter)
    one = queries_of(client, LIST)
    for _ in range(4):
        done(exporter)

    assert queries_of(client, LIST) == one


def test_an_empty_list_says_what_to_do_first(center, client, exporter):
    assert "Nothing has been exported yet." in words(client.get(LIST))


# -- One export --------------------------------------------------------------------


def test_its_owner_downloads_it(center, client, exporter, faculties):
    export = done(exporter)
    page = words(client.get(export_url("change", export.pk)))
    assert "The file is ready: 3 rows" in page
    response = client.get(export_url("download", export.pk))

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert (
        response["Content-Disposition"] == f'attachment; filename="{export.filename}"'
    )
    assert content(response)[1:] == [["A", "Arts"], ["B", "=cmd()"], ["C", ""]]


def test_nobody_else_downloads_it(center, client, exporter, boss):
    export = done(exporter)
    client.force_login(boss)

    page = client.get(export_url("change", export.pk)).text
    assert export_url("download", export.pk) not in page
    assert "Only who has begun the export can download it." in words(page)
    for name in ("download", "remove", "repeat"):
        assert client.post(export_url(name, export.pk)).status_code == 403
    assert Export.objects.filter(pk=export.pk).exists()


def test_what_is_expired_says_so(center, client, exporter):
    export = done(exporter)
    Export.objects.update(expires=timezone.now() - timedelta(days=1))

    text = words(client.get(export_url("change", export.pk)))
    assert "expired" in text
    assert "Its file was kept until" in text
    response = client.get(export_url("download", export.pk), follow=True)
    assert "was kept until" in words(response)
    assert "expired" in words(client.get(LIST))


def test_its_progress_is_told_as_json(center, client, exporter):
    export = exports.start_export("faculty", exporter, enqueue=False)
    Export.objects.update(state="running", total=200, rows=50)
    facts = json.loads(client.get(export_url("progress", export.pk)).text)

    assert (facts["share"], facts["isOver"]) == (25, False)
    assert facts["texts"]["done"] == "50 rows"


def test_a_broken_one_is_repeated(
    center, client, exporter, django_capture_on_commit_callbacks
):
    export = exports.start_export("faculty", exporter, enqueue=False)
    Export.objects.update(state="broken", error="no disk")
    assert "Repeat" in client.get(export_url("change", export.pk)).text
    with django_capture_on_commit_callbacks(execute=True):
        client.post(export_url("repeat", export.pk))

    export.refresh_from_db()
    assert export.state == "finished"
    response = client.post(export_url("repeat", export.pk), follow=True)
    assert "is over, or a worker is at it" in words(response)


def test_another_one_like_it_is_filled_in(center, client, exporter, faculties):
    export = done(exporter, filters={"code": "A", "name": ""}, for_spreadsheet=True)
    page = client.get(export_url("change", export.pk))
    text = client.get(page.context["again_url"]).text

    assert 'value="A"' in text
    assert re.search(r'name="empty-name"[^>]* checked', text)
    assert re.search(r'name="for_spreadsheet"[^>]* checked', text)


def test_its_owner_deletes_it(center, client, exporter):
    export = done(exporter)
    client.get(export_url("remove", export.pk))
    assert Export.objects.exists()
    response = client.post(export_url("remove", export.pk), follow=True)

    assert "was deleted, with its file" in words(response)
    assert not Export.objects.exists()
    assert not center.place.exists(export.file)


def test_a_workbook_is_sent_as_one(center, client, exporter, faculties):
    pytest.importorskip("xlsxwriter")
    export = done(exporter, file_format="xlsx")
    response = client.get(export_url("download", export.pk))

    assert response.getvalue().startswith(b"PK")
    assert "spreadsheetml" in response["Content-Type"]


def test_what_is_none_is_not_found(center, client, exporter):
    assert client.get(export_url("change", 7)).status_code == 404
    assert client.get(f"{LIST}x/change/").status_code == 404
    assert Course.objects.count() == 0

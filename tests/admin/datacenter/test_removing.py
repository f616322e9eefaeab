"""Imports that remove objects: nothing is removed before a question is answered."""

from __future__ import annotations

import re
from html import unescape

import pytest
from playwright.sync_api import expect

from deliverystore.datacenter import runs
from deliverystore.models import ImportRun
from tests.admin.datacenter.helpers import run_url, who_may
from tests.admin.datacenter.people import FILES, sign_in, url, words
from tests.browser import BARE_DESK, BARE_PHONE, DESK, PHONE, screens
from tests.school.models import Faculty, Member

pytestmark = pytest.mark.django_db

CONTENT = "code,name\nA,Arts\n,\nL,Law\n"


@pytest.fixture
def faculties(center):
    center.upload("f.csv", CONTENT)
    for code in "ALM":
        Faculty.objects.create(code=code, name=f"Faculty {code}")


@pytest.fixture
def form(client, boss, faculties):
    """What the page sends, to remove what the file names."""
    page = client.get(url("preview"), {"file": "f.csv", "use": "faculty:remove"})
    form = page.context_data["form"]
    return {
        "use": form.use,
        "header": form.header_digest,
        **form.layout.hidden,
        **{column.name: column.value or "ignore" for column in form.shown},
        "on_error": "pending",
        "max_removed": "2",
    }


def send(client, form, **more):
    return client.post(f"{url('preview')}?file=f.csv", {**form, **more})


def tried(client, form):
    """Do the dry run of a form; return it."""
    send(client, form, dry_run="1")
    return runs.work(ImportRun.objects.get(dry_run=True))


def sent_by(page):
    """Return what the form of the question sends beside its button."""
    found = re.findall(r'type="hidden" name="(.*?)" value="(.*?)"', page.text)
    return {name: value for name, value in found if name != "csrfmiddlewaretoken"}


def yes(page):
    """Return what the button of the question says."""
    (stamp,) = re.findall(r'name="confirmed" value="(.+?)"', page.text)
    return unescape(stamp)


def test_it_asks_first_and_says_how_many_rows(client, form):
    page = send(client, form)

    assert page.status_code == 200
    assert "Remove objects?" in words(page)
    assert "2 rows of f.csv name objects of “faculty”" in words(page)
    assert not ImportRun.objects.exists()


def test_who_says_yes_removes_with_all_that_was_said(client, form):
    page = send(client, form)

    response = send(client, sent_by(page), confirmed=yes(page))

    run = ImportRun.objects.get()
    assert response.url.endswith(f"/importrun/{run.pk}/change/")
    assert (run.mode, run.dry_run, run.max_removed) == ("remove", False, "2")
    runs.work(run)
    assert [one.code for one in Faculty.objects.all()] == ["M"]


def test_a_yes_counts_only_for_the_file_that_was_asked_about(client, form, center):
    page = send(client, form)
    center.place.replace("f.csv", [CONTENT.replace("L,Law", "M,Med").encode()])

    again = send(client, sent_by(page), confirmed=yes(page))

    assert "Remove objects?" in words(again)
    assert yes(again) != yes(page)
    assert not ImportRun.objects.exists()


def test_who_goes_back_finds_what_was_said(client, form):
    changed = {**form, "column-1": "ignore", "max_removed": "7"}

    page = send(client, sent_by(send(client, changed)), look="1")

    assert page.status_code == 200
    assert "Remove objects?" not in words(page)
    assert page.context_data["form"].max_removed == "7"
    assert page.context_data["form"].columns[1].value == "ignore"
    assert not ImportRun.objects.exists()


def test_a_dry_run_is_not_asked_for_and_its_number_is_told(client, form):
    run = tried(client, form)
    assert Faculty.objects.count() == 3

    told = words(send(client, form))

    assert f"The dry run, import {run.pk}, would have removed 2." in told
    assert ImportRun.objects.count() == 1


def test_where_nothing_is_to_be_removed_it_is_said(client, form):
    Faculty.objects.all().delete()
    tried(client, form)

    told = words(send(client, form))

    assert "would have removed 0; 2 rows would fail. See which, and why" in told
    assert "gone for good" not in told


def test_what_is_protected_is_not_called_absent(client, form):
    Member.objects.create(number="A1", faculty=Faculty.objects.get(code="A"))
    Faculty.objects.get(code="L").delete()
    tried(client, form)

    told = words(send(client, form))

    assert "is there" not in told
    assert "would have removed 0; 2 rows would fail. See which, and why" in told


def test_one_row_is_told_as_one(client, form, center):
    center.delete("f.csv")
    center.upload("f.csv", "code,name\nA,Arts\n")
    told = words(send(client, form))
    assert "1 row of f.csv names an object of “faculty” that is to be removed" in told

    tried(client, form)
    told = words(send(client, form))

    assert "would have removed 1. See which" in told
    assert "would fail" not in told


def test_the_dry_run_of_something_else_is_not_told(client, form):
    tried(client, {**form, "use": "faculty:upsert"})

    assert "A dry run shows which these are" in words(send(client, form))


def test_the_dry_run_with_other_columns_is_not_told(client, form):
    tried(client, form)
    swapped = {"column-0": "ignore", "column-1": "field:code"}

    told = words(send(client, {**form, **swapped}))

    assert "A dry run shows which these are" in told
    assert "would have removed" not in told


def test_the_dry_run_of_what_was_in_the_file_before_is_not_told(client, form, center):
    tried(client, form)
    center.place.replace("f.csv", [CONTENT.replace("L,Law", "M,Med").encode()])

    assert "would have removed" not in words(send(client, form))


def test_what_is_wrong_is_said_before_anything_is_asked(client, form):
    page = send(client, form, header="others")

    assert page.status_code == 422
    assert "Remove objects?" not in words(page)


def test_other_modes_are_not_asked_about(client, form):
    assert send(client, {**form, "use": "faculty:upsert"}).status_code == 302


def test_who_may_not_remove_is_not_even_asked(client, form):
    client.force_login(who_may("run_import", "add_faculty", "view_faculty"))

    assert send(client, form).status_code == 403
    assert send(client, form, confirmed="1").status_code == 403


# -- Rows that are tried again -----------------------------------------------------


@pytest.fixture
def stopped(center, boss, faculties):
    """An import that stopped before it removed more than one."""
    options = {"max_removed": "1", "enqueue": False}
    return runs.work(runs.start_run("f.csv", "faculty", "remove", **options))


def test_another_try_is_asked_about_first(client, stopped):
    page = client.post(run_url("retry", stopped.pk), follow=True)

    assert page.redirect_chain == [(run_url("retry", stopped.pk), 302)]
    assert "2 rows that failed name objects of “faculty”" in words(page)
    assert 'name="max_removed" id="id_max_removed" value="1"' in page.text
    assert not stopped.children.exists()


def test_another_try_stops_at_the_same_limit_unless_another_one_is_given(
    client, stopped
):
    yes = {"confirmed": "1", "max_removed": "1"}
    client.post(run_url("retry", stopped.pk), yes)
    again = runs.work(stopped.children.get())
    assert (again.state, Faculty.objects.count()) == ("stopped", 3)

    client.post(run_url("retry", again.pk), {**yes, "max_removed": ""})
    third = runs.work(again.children.get())

    assert (third.state, third.max_removed) == ("finished", "")
    assert [one.code for one in Faculty.objects.all()] == ["M"]


def test_another_try_with_something_that_is_no_limit_is_refused(client, stopped):
    yes = {"confirmed": "1", "max_removed": "many"}

    page = client.post(run_url("retry", stopped.pk), yes, follow=True)

    assert "is no limit" in words(page)
    assert not stopped.children.exists()


def test_who_corrects_and_tries_again_is_asked_too(client, center, boss):
    Faculty.objects.create(code="A")
    center.upload("f.csv", "code,name\nB,\n")
    run = runs.work(runs.start_run("f.csv", "faculty", "remove", enqueue=False))

    page = client.post(run_url("correct", run.pk), {"then": "retry"}, follow=True)

    assert "Remove objects?" in words(page)
    assert not run.children.exists()


def test_only_who_may_try_them_again_is_asked(client, stopped):
    client.force_login(who_may("view_importrun"))

    assert client.post(run_url("retry", stopped.pk)).status_code == 403
    asked = client.get(run_url("retry", stopped.pk))
    assert asked.url == run_url("change", stopped.pk)


@pytest.mark.browser
@pytest.mark.long
@pytest.mark.django_db(transaction=True)
@screens(DESK, BARE_PHONE, PHONE, BARE_DESK)
def test_it_is_asked_in_a_browser(
    page, live_server, client, boss, faculties, monkeypatch
):
    from deliverystore.datacenter.runs import tasks

    monkeypatch.setattr(tasks, "run_import", None)
    sign_in(page, live_server, client)
    page.goto(f"{live_server.url}{FILES}preview/?file=f.csv&use=faculty:remove")
    page.locator("[name=column-1]").select_option("ignore")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("heading", name="Remove objects?")).to_be_visible()
    page.get_by_role("button", name="No, take me back").click()
    expect(page.get_by_label("Processor and mode")).to_have_value("faculty:remove")
    assert not ImportRun.objects.exists()

    expect(page.locator("[name=column-1]")).to_have_value("ignore")
    page.get_by_role("button", name="Import", exact=True).click()
    page.get_by_role("button", name="Yes, remove").click()

    expect(page).to_have_url(re.compile(r"/importrun/\d+/change/"))
    assert not ImportRun.objects.get().dry_run

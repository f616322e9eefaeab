"""The files of the data center as staff see them: whole ways, in a browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from deliverystore.datacenter import runs
from deliverystore.models import ImportRun
from tests.admin.datacenter.people import FILES, sign_in
from tests.browser import BARE_DESK, BARE_PHONE, DESK, PHONE, screens
from tests.datacenter.places import names_in, put, read
from tests.school.models import Faculty

pytestmark = [
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.django_db(transaction=True),
    screens(DESK, BARE_PHONE, PHONE, BARE_DESK),
]

BAD = b"kode,name\nA,Arts\nfar-too-long-a-code,Law\n"
IMPORT = re.compile(r"/importrun/\d+/change/")


@pytest.fixture
def admin(page, live_server, boss, client, center, monkeypatch):
    """The tab Pending in a browser; a worker comes when work_off is called."""
    from deliverystore.datacenter.runs import tasks

    monkeypatch.setattr(tasks, "run_import", None)
    sign_in(page, live_server, client)
    page.files = live_server.url + FILES
    page.goto(page.files)
    return page


def work_off(page):
    for run in ImportRun.objects.filter(state="waiting"):
        runs.work(run)
    page.reload()


def upload(page, name, content):
    file = {"name": name, "mimeType": "text/csv", "buffer": content}
    page.get_by_label("Files with rows").set_input_files([file])
    page.get_by_role("button", name="Upload").click()


def begin_import(page, *, button="Import"):
    page.get_by_role("button", name=button, exact=True).click()
    expect(page).to_have_url(IMPORT)
    work_off(page)


def test_rows_that_failed_are_downloaded_mended_uploaded_and_imported(
    admin, center, screen
):
    # The file, of which one row is bad.
    upload(admin, "f.csv", BAD)
    admin.get_by_role("link", name="Import f.csv").click()
    admin.get_by_label("Processor and mode").select_option("faculty:create")
    admin.get_by_role("button", name="Use this").click()
    admin.get_by_label("kode", exact=True).select_option("field:code")
    begin_import(admin)
    expect(admin.get_by_role("heading", name="some rows failed")).to_be_visible()

    # What is left of it, mended.
    admin.goto(admin.files)
    with admin.expect_download() as downloading:
        admin.get_by_role("link", name="Download f.create.pending.csv").and_(
            admin.get_by_text("For a spreadsheet")
        ).click()
    name = downloading.value.suggested_filename
    old = Path(downloading.value.path()).read_bytes()
    new = old.replace(b"far-too-long-a-code", b"L")
    assert (name, old == new) == ("f.create.pending.csv", False)

    # Nothing becomes of it but by a choice.
    waiting = read(center, name)
    upload(admin, name, new)
    expect(admin.get_by_text("waits already, with the rows")).to_be_visible()
    assert read(center, name) == waiting
    rename = admin.get_by_role("button", name="Keep it under another name")
    expect(rename).to_have_count(0)
    if screen.has_script:
        admin.get_by_role("button", name="Put it in place of the one").click()
    else:
        admin.get_by_label("Rows that failed, and are mended").check()
        upload(admin, name, new)
    expect(admin.get_by_text("Nothing is wrong with its form.")).to_be_visible()
    assert read(center, f"deleted/{name}") == waiting

    # It knows what it is, and ends the import.
    admin.get_by_role("link", name="Go on to its columns").click()
    expect(admin.get_by_text("These are the rows that failed in")).to_be_visible()
    expect(admin.get_by_label("kode", exact=True)).to_have_value("field:code")
    begin_import(admin)

    expect(admin.get_by_role("heading", name="all rows are in")).to_be_visible()
    first, second = ImportRun.objects.order_by("pk")
    assert (first.state, second.state, second.parent) == ("retried", "finished", first)
    assert set(Faculty.objects.values_list("code", flat=True)) == {"A", "L"}
    assert names_in(center) == [
        f"deleted/{name}",
        "finished/f.create.finished.csv",
        "finished/f.csv",
    ]
    # Both tell of each other.
    number = f"import {first.pk}"
    admin.get_by_role("link", name=number, exact=False).first.click()
    expect(admin.get_by_role("heading", name="tried again")).to_be_visible()


def test_a_dry_run_changes_nothing_and_the_import_follows(admin, center):
    upload(admin, "f.csv", b"code,name\nA,Arts\n")
    admin.get_by_role("link", name="Import f.csv").click()
    admin.get_by_label("Processor and mode").select_option("faculty:create")
    admin.get_by_role("button", name="Use this").click()

    begin_import(admin, button="Try it (dry run)")

    assert (Faculty.objects.count(), names_in(center)) == (0, ["f.csv"])
    heading = admin.get_by_role("heading", name="tried")
    expect(heading.first).to_be_visible()
    admin.goto(admin.files)
    admin.get_by_role("link", name="Import f.csv").click()
    expect(admin.get_by_label("Processor and mode")).to_have_value("faculty:create")
    begin_import(admin)

    expect(admin.get_by_role("heading", name="all rows are in")).to_be_visible()
    assert Faculty.objects.get().code == "A"


def test_a_file_is_deleted_and_restored(admin, center):
    put(center, "f.csv")
    admin.reload()

    admin.get_by_role("link", name="Delete f.csv").click()
    expect(admin.get_by_role("heading", name="Delete this file?")).to_be_visible()
    admin.get_by_role("button", name="Delete").click()

    expect(admin.get_by_text("1 file was deleted")).to_be_visible()
    assert names_in(center) == ["deleted/f.csv"]
    admin.get_by_role("link", name="Deleted").click()
    admin.get_by_role("button", name="Restore f.csv").click()
    expect(admin.get_by_text("“f.csv” was restored.")).to_be_visible()
    assert names_in(center) == ["f.csv"]

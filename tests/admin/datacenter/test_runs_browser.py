"""Imports and exports as staff see them: in a browser, live, without a script."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from deliverystore.datacenter import exports, runs
from deliverystore.models import Export, ImportRun
from tests.admin.datacenter.helpers import export_url, imported, run_url, some_failed
from tests.browser import BARE_DESK, BARE_PHONE, DESK, PHONE, assert_fits, screens
from tests.datacenter.imports import start
from tests.factories import UserFactory
from tests.school.models import Faculty

pytestmark = [
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def admin(page, live_server, client, center):
    """A browser in which a superuser is logged in; open goes to an address."""
    user = UserFactory(username="boss", is_staff=True, is_superuser=True)
    client.force_login(user)
    session = client.cookies["sessionid"].value
    page.context.add_cookies(
        [{"name": "sessionid", "value": session, "url": live_server.url}]
    )
    page.user = user
    page.open = lambda url: page.goto(live_server.url + url)
    return page


def work_off(work):
    """Do what waits, as a worker would."""
    for one in work.objects.filter(state="waiting"):
        (runs if work is ImportRun else exports).work(one)


@pytest.fixture
def queue(monkeypatch):
    """Leave to the test when a worker comes."""
    from deliverystore.datacenter.exports import tasks as export_tasks
    from deliverystore.datacenter.runs import tasks

    monkeypatch.setattr(tasks, "run_import", None)
    monkeypatch.setattr(export_tasks, "run_export", None)


@screens(DESK, PHONE)
def test_an_import_is_seen_to_go_on_without_a_reload(admin, center):
    rows = [("far-too-long" if n % 50 == 0 else f"F{n}", "") for n in range(300)]
    run = start(center, *rows)
    admin.open(run_url("change", run.pk))
    expect(admin.get_by_role("heading", name="waiting")).to_be_visible()
    admin.evaluate("window.isTheSamePage = true")
    rows = admin.locator(".deliverystore-counts [data-live=rows]")
    seen = []

    def look(done):
        if done.rows in (100, 200):
            expect(admin.get_by_role("heading", name="running")).to_be_visible()
            expect(rows).to_have_text(str(done.rows), timeout=15_000)
            seen.append(done.rows)

    runs.work(run, batch_size=50, advance=look)

    assert seen == [100, 200]
    heading = admin.get_by_role("heading", name="some rows failed")
    expect(heading).to_be_visible(timeout=15_000)
    expect(admin.get_by_role("status")).to_contain_text("300 rows read: 294 in")
    expect(
        admin.get_by_role("button", name="Try the failed rows again", exact=True)
    ).to_be_visible()
    expect(admin.get_by_role("link", name="Reload")).to_have_count(0)
    assert admin.evaluate("window.isTheSamePage")


def test_the_focus_stays_when_the_page_shows_another_state(admin, center):
    run = start(center, ("A", ""))
    admin.open(run_url("change", run.pk))
    admin.get_by_role("button", name="Cancel").focus()
    runs.work(run)

    heading = admin.get_by_role("heading", name="all rows are in")
    expect(heading).to_be_focused(timeout=15_000)


def test_who_is_logged_out_is_offered_to_reload(admin, center):
    run = start(center, ("A", ""))
    admin.open(run_url("change", run.pk))
    expect(admin.get_by_role("link", name="Reload")).to_be_hidden()
    admin.context.clear_cookies()

    expect(admin.get_by_role("link", name="Reload")).to_be_visible(timeout=15_000)


@screens(DESK, PHONE)
def test_a_value_is_corrected_the_rows_tried_again_and_all_are_in(admin, center, queue):
    run = some_failed(center, bad=1, good=3)
    admin.open(run_url("change", run.pk))
    admin.get_by_label("What is meant by far-too-long in code").fill("OK")
    admin.get_by_role("button", name="Correct, and try").click()

    expect(admin.get_by_text("Another try was begun, of 1 row.")).to_be_visible()
    work_off(ImportRun)
    done = admin.get_by_role("heading", name="all rows are in")
    expect(done).to_be_visible(timeout=15_000)
    assert Faculty.objects.count() == 4
    admin.get_by_role("link", name="Imports", exact=True).last.click()
    expect(admin.locator("#result_list tbody tr")).to_have_count(2)


@screens(DESK, PHONE)
def test_a_row_is_edited_with_the_keyboard(admin, center):
    run = some_failed(center, bad=2)
    admin.open(run_url("change", run.pk))
    admin.get_by_role("link", name="See the failed rows").click()
    admin.get_by_role("link", name="1", exact=True).click()
    admin.get_by_label("code:").fill("OK")
    admin.keyboard.press("Enter")

    expect(admin.get_by_text("Row 1 is kept as it is now")).to_be_visible()
    expect(admin.get_by_role("row", name="1 line 2 edited")).to_be_visible()


@screens(BARE_DESK, BARE_PHONE)
def test_the_essentials_work_without_a_script(admin, center, queue):
    run = some_failed(center, bad=1)
    admin.open(run_url("change", run.pk))
    admin.get_by_label("What is meant by far-too-long in code").fill("OK")
    admin.get_by_role("button", name="Correct, and try").click()
    expect(admin.get_by_role("heading", name="waiting")).to_be_visible()
    work_off(ImportRun)
    admin.get_by_role("link", name="Reload").click()
    expect(admin.get_by_role("heading", name="all rows are in")).to_be_visible()


@screens(DESK, PHONE)
def test_an_import_is_cancelled_and_another_given_up(admin, center, queue):
    admin.open(run_url("change", start(center, ("A", "")).pk))
    admin.get_by_role("button", name="Cancel").click()
    expect(admin.get_by_role("heading", name="cancelled")).to_be_visible()

    admin.open(run_url("change", some_failed(center, name="g.csv").pk))
    admin.get_by_role("link", name="Give up the rest").click()
    admin.get_by_label("Reason").fill("They have left.")
    admin.get_by_role("button", name="Give up the rest").click()
    expect(admin.get_by_text("They have left.")).to_be_visible()


@screens(DESK, PHONE)
def test_an_export_is_begun_watched_and_downloaded(admin, center, queue):
    Faculty.objects.create(code="A", name="Arts")
    Faculty.objects.create(code="B", name="Biology")
    admin.open("/admin/deliverystore/export/")
    admin.get_by_role("link", name="New export").first.click()
    admin.locator("a[href='?processor=faculty']").click()
    admin.get_by_text("Only some of them").click()
    admin.locator("[name=only-code]").fill("B")
    admin.get_by_role("button", name="Export").click()

    expect(admin.get_by_role("heading", name="waiting")).to_be_visible()
    work_off(Export)
    link = admin.get_by_role("link", name="Download")
    expect(link).to_be_visible(timeout=15_000)
    with admin.expect_download() as download:
        link.click()
    assert b"Biology" in download.value.path().read_bytes()
    admin.get_by_role("button", name="Delete").click()
    expect(admin.get_by_text("was deleted, with its file")).to_be_visible()


def all_pages(center, user):
    """Return the addresses of all these pages, with something long on each."""
    rows = [("x" * 3000, "y" * 200), ("F" * 11, "<b>"), ("OK", "")]
    run = imported(center, *rows, name="n" * 100 + ".csv")
    runs.correct_values(run, "code", {"x" * 3000: "y" * 3000, "F" * 11: ""})
    dry = imported(center, *rows, name="dry.csv", mode="upsert", dry_run=True)
    waiting = start(center, ("A", ""), name="waiting.csv")
    export = exports.work(exports.start_export("faculty", user, enqueue=False))
    return [
        run_url("changelist"),
        *(run_url("change", one.pk) for one in (run, dry, waiting)),
        run_url("rows", run.pk),
        run_url("row", run.pk, 1),
        run_url("discard", run.pk),
        run_url("figures"),
        run_url("corrections") + "?processor=faculty",
        export_url("changelist"),
        export_url("new"),
        export_url("new") + "?processor=faculty&only-code=A",
        export_url("change", export.pk),
    ]


def test_no_page_is_wider_than_the_screen(admin, center):
    for url in all_pages(center, admin.user):
        admin.open(url)

        assert_fits(admin)


def test_a_strict_site_forbids_nothing_of_them(admin, center):
    def send_strictly(route):
        response = route.fetch()
        policy = {"content-security-policy": "default-src 'self'; base-uri 'none'"}
        route.fulfill(response=response, headers={**response.headers, **policy})

    refused = []
    admin.on("console", lambda said: refused.append(said.text))
    admin.route("**/*", send_strictly)
    for url in all_pages(center, admin.user):
        admin.open(url)

    assert not [text for text in refused if "Security Policy" in text]

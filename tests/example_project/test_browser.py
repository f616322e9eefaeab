"""Handing in as students do it: in a browser."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

DROP = """(form, files) => {
    const dataTransfer = new DataTransfer();
    for (const [name, text] of files) dataTransfer.items.add(new File([text], name));
    for (const type of ["dragenter", "dragover", "drop"]) {
        const event = {dataTransfer, bubbles: true, cancelable: true};
        form.dispatchEvent(new DragEvent(type, event));
    }
}"""


@pytest.fixture
def assignment_page(page, live_server, jonas, poster):
    """The page of an assignment, opened by a student who logs in on the way."""
    jonas.set_password("very secret")
    jonas.save()
    page.goto(live_server.url + poster.get_absolute_url())
    page.get_by_label("User").fill("jonas")
    page.get_by_label("Password").fill("very secret")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name=poster.title)).to_be_visible()
    return page


def drop(page, *files):
    # It is live once the script has run.
    page.locator("form[data-hand-in].live").evaluate(DROP, files)


def test_dropped_files_are_handed_in_and_the_receipt_names_them(
    assignment_page, poster
):
    page = assignment_page
    drop(page, ["moss.txt", "soft and green"], ["報告書.txt", "苔"])
    expect(page.get_by_text("2 files, not handed in yet")).to_be_visible()
    page.get_by_role("button", name="Hand in 2 files").click()
    expect(page.get_by_role("heading", name="Delivery 1")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the receipt").click()
    receipt = json.loads(download.value.path().read_bytes())
    assert [file["name"] for file in receipt["files"]] == ["moss.txt", "報告書.txt"]
    assert poster.deliveries.get().receipt() == receipt


def test_a_refused_drop_says_why_and_leaves_what_was_there(assignment_page):
    page = assignment_page
    drop(page, ["moss.txt", "soft"])
    expect(page.get_by_text("1 file, not handed in yet")).to_be_visible()
    for name, reason in [
        ("Moss.txt", "already has 'moss.txt'"),
        ("moss.exe", "'moss.exe' is refused"),
    ]:
        drop(page, ["wall.txt", "rough"], [name, "loud"])
        expect(page.get_by_role("alert")).to_contain_text(reason)
        expect(page.locator(".note.success")).to_have_count(0)
        expect(page.get_by_text("1 file, not handed in yet")).to_be_visible()
    drop(page, ["leaf.txt", "green"])
    expect(page.get_by_text("Added leaf.txt.")).to_be_visible()
    drop(page, *([f"{number}.txt", ""] for number in range(21)))
    expect(page.get_by_role("alert")).to_contain_text("at most 20 files")
    expect(page.locator(".note.success")).to_have_count(0)
    page.get_by_role("button", name="Remove leaf.txt").click()
    expect(page.get_by_text("Removed leaf.txt.")).to_be_visible()
    drop(page, ["wall.txt", "rough"])
    expect(page.get_by_text("2 files, not handed in yet")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_phone_shows_the_page_without_scrolling_sideways(assignment_page):
    page = assignment_page
    drop(page, ["a-name-without-any-place-to-break-it-" * 6 + ".txt", "long"])
    expect(page.get_by_text("1 file, not handed in yet")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 800})
    page.get_by_role("button", name=re.compile("Hand in 1 file")).click()
    expect(page.get_by_role("heading", name="Delivery 1")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.go_back()
    expect(page.locator("form[data-hand-in]")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390

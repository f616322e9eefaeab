"""The admin as staff use it: in a browser, at a desk and on a phone."""

from __future__ import annotations

import json
import zipfile

import pytest
from playwright.sync_api import expect

from deliverystore.models import FileMeta
from tests.admin.conftest import LIST
from tests.browser import assert_fits
from tests.checking.conftest import check, falsify, lay
from tests.factories import (
    DepartmentFactory,
    UserFactory,
    finished_delivery,
    open_delivery,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def admin(page, live_server, client):
    """The list of deliveries, opened by a superuser."""
    user = UserFactory(username="boss", is_staff=True, is_superuser=True)
    client.force_login(user)
    session = client.cookies["sessionid"].value
    page.context.add_cookies(
        [{"name": "sessionid", "value": session, "url": live_server.url}]
    )
    finished_delivery(
        files=[("essay.txt", b"holidays"), ("x" * 120 + ".txt", b"2")],
        recipient=DepartmentFactory(name="Physics"),
        user=UserFactory(username="a.very.long.name@students.university.example"),
    )
    page.goto(live_server.url + LIST)
    return page


def test_from_the_list_to_a_file_its_verification_and_the_zip(admin):
    admin.get_by_role("link", name="1", exact=True).click()
    expect(admin.get_by_text("for Physics.")).to_be_visible()

    with admin.expect_download() as download:
        admin.get_by_role("link", name="Download", exact=True).first.click()
    assert download.value.suggested_filename == "essay.txt"
    assert download.value.path().read_bytes() == b"holidays"

    admin.get_by_role("button", name="Verify", exact=True).first.click()
    expect(admin.get_by_text("1 file was read and is intact.")).to_be_visible()
    admin.get_by_role("button", name="Verify all files").click()
    expect(admin.get_by_text("2 files were read and are intact.")).to_be_visible()

    with admin.expect_download() as download:
        admin.get_by_role("link", name="Download as ZIP").click()
    with zipfile.ZipFile(download.value.path()) as file:
        assert len(file.namelist()) == 1 + 2

    with admin.expect_download() as download:
        admin.get_by_role("link", name="Download the receipt").click()
    assert json.loads(download.value.path().read_bytes())["number"] == 1


def test_one_click_selects_the_whole_digest(admin):
    admin.get_by_role("link", name="1", exact=True).click()
    digest = admin.locator("#files .deliverystore-digest").first

    assert digest.bounding_box()["width"] < 200
    digest.click()

    assert admin.evaluate("getSelection().toString()") == digest.text_content()


def test_an_open_delivery_is_abandoned_after_a_question(admin):
    delivery = open_delivery()
    admin.reload()
    admin.locator("#result_list").get_by_role("link", name="open").click()
    admin.locator("a", has_text="Abandon…").click()

    admin.get_by_role("button", name="Yes, abandon").click()

    expect(admin.get_by_text("1 open delivery was abandoned.")).to_be_visible()
    assert not type(delivery).objects.open().exists()


@pytest.mark.long
def test_no_page_is_wider_than_the_screen(admin, live_server):
    falsify(FileMeta.objects.first())
    lay("0/0/7/" + "7" * 100)
    checked = check()
    pages = [
        LIST,
        f"{LIST}?check={checked.pk}",
        "/admin/deliverystore/check/",
        f"/admin/deliverystore/check/{checked.pk}/change/",
        f"{LIST}1/change/",
        f"{LIST}1/delete/",
        f"{LIST}verify-receipt/",
        "/deliveries/verify-receipt/",
    ]
    for url in pages:
        admin.goto(live_server.url + url)

        assert_fits(admin)


def test_from_the_last_check_to_the_delivery_concerned_and_the_finding(admin):
    falsify(FileMeta.objects.get(filename="essay.txt"))
    check()
    admin.reload()

    admin.get_by_role("link", name="Deliveries concerned").click()
    expect(admin.locator("#result_list tbody tr")).to_have_count(1)
    admin.get_by_role("link", name="1 finding").click()
    expect(admin.get_by_role("rowheader", name="wrong digest")).to_be_visible()
    admin.locator("#findings").get_by_role("link").click()
    expect(admin.get_by_role("row", name="essay.txt")).to_be_in_viewport()

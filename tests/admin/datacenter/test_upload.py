"""Uploads on the tab Pending, with a form and with JavaScript."""

from __future__ import annotations

import codecs
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from playwright.sync_api import expect

from tests.admin.datacenter.helpers import some_failed, who_may
from tests.admin.datacenter.people import FILES, person, sign_in, told, url, words
from tests.browser import BARE_DESK, BARE_PHONE, DESK, PHONE, screens
from tests.datacenter.places import content_of, put, read
from tests.datacenter.test_sheets import HEADER, sheet, two_sheets

pytestmark = pytest.mark.django_db

GOOD = b"code,name\nA,Arts\n"


@pytest.fixture
def upload(client, boss, center):
    """Upload files as the form does; return the page that follows."""

    def upload(*files, **more):
        sent = [
            SimpleUploadedFile(name, content, content_type="text/csv")
            for name, content in files
        ]
        return client.post(url("upload"), {"files": sent, **more}, follow=True)

    return upload


def test_a_file_is_kept_and_the_list_shows_it(upload, center):
    response = upload(("a.csv", GOOD))

    assert response.redirect_chain == [(FILES, 302)]
    page = words(response)
    assert "a.csv : kept, 17 bytes, 1 row. Nothing is wrong with its form." in page
    assert read(center, "a.csv").encode() == GOOD
    assert [row.file.name for row in response.context_data["rows"]] == ["a.csv"]


def test_several_files_are_kept_each_by_itself(upload, center):
    put(center, "b.csv")

    page = words(upload(("a.csv", GOOD), ("b.csv", GOOD), ("c.txt", GOOD)))

    assert "a.csv : kept" in page
    assert "b.csv : The name is taken: a file of this name waits to be" in page
    assert "c.txt : 'c.txt' does not end with one of .csv, .tsv, .xlsx." in page
    assert center.place.exists("a.csv")


def test_what_is_wrong_is_said_at_once_with_line_column_and_reason(upload):
    page = words(upload(("a.csv", b'code,name\nA,Arts\nB\nC,"x"y\n')))

    assert "2 problems were found:" in page
    assert "line 3, record 2, column 2 (name) : the row has 1 of 2 cells" in page
    assert "line 4, record 3, column 2 (name)" in page


def test_of_many_problems_the_first_and_their_number_are_told(upload):
    page = words(upload(("a.csv", b"code,name\n" + b"x\n" * 130)))

    assert "130 problems were found:" in page
    assert page.count("the row has 1 of 2 cells") == 1
    assert "(100 like this; also in line 3, 4, 5, 6, 7, …)" in page
    assert "and 30 more" in page


def test_of_many_files_only_the_first_are_told_in_full(upload):
    bad = b"code,name\n" + b"x\n" * 50

    page = words(upload(*((f"{n}.csv", bad + b"y\n" * n) for n in range(8))))

    assert page.count("the row has 1 of 2 cells") == 5


def test_a_title_above_the_header_is_pointed_out_at_once(upload):
    page = words(upload(("a.csv", b"Faculties\n\ncode,name,email\nA,One,a@b.c\n")))

    assert "Line 3 looks more like the names of the columns" in page


def test_what_is_called_a_workbook_and_is_none_is_said(upload):
    page = words(upload(("a.xlsx", b"no workbook")))

    assert "it is none, although its name says so" in page


def test_that_a_workbook_has_other_sheets_is_said(upload, client):
    pytest.importorskip("python_calamine")
    names = ["Arts", "Law"]
    targets = ["worksheets/one.xml", "worksheets/two.xml"]
    parts = {target: sheet(HEADER) for target in (f"xl/{one}" for one in targets)}
    said = "Only the sheet “Arts” is read, number 1 of 2 in the workbook."

    page = words(upload(("a.xlsx", two_sheets(names, targets, **parts).getvalue())))

    assert said in page
    assert said in words(client.get(url("preview"), {"file": "a.xlsx"}))


def test_encodings_are_offered_with_how_a_line_looks_in_them(upload):
    text = "code,name\nA,Müller aus Köln\nB,Größe\n".encode("cp1252")

    response = upload(("a.csv", text))

    assert "Perhaps it is written in another encoding" in words(response)
    assert f"{url('preview')}?file=a.csv&amp;encoding=" in response.text


def test_the_same_bytes_again_lead_to_the_earlier_file(upload):
    upload(("a.csv", GOOD))

    response = upload(("b.csv", GOOD))

    assert "The same bytes came before" in words(response)
    assert f'href="{FILES}?q=a.csv"' in response.text


def test_a_taken_name_is_kept_under_another_one_if_asked_for(upload, center):
    put(center, "a.csv", "old")

    page = words(upload(("a.csv", GOOD), rename="1"))

    assert "a_2.csv : kept" in page
    assert read(center, "a.csv") == "old"
    assert read(center, "a_2.csv").encode() == GOOD


@pytest.mark.parametrize(
    ("path", "link", "state"),
    [
        ("a.csv", "?q=a.csv", "a file of this name waits to be imported"),
        ("finished/a.csv", "finished/?q=a.csv", "is among the finished ones"),
        (
            "unfinished/a.csv",
            "unfinished/?q=a.csv",
            "of this name is unfinished",
        ),
        (
            "a.create.pending.csv",
            "?q=a.create.pending.csv",
            "an earlier file of this name are in 'a.create.pending.csv'",
        ),
    ],
)
def test_what_has_the_name_is_told_once_with_its_state_and_a_link(
    upload, center, path, link, state
):
    put(center, path)

    response = upload(("a.csv", GOOD))

    told = words(response)
    assert told.count("name is taken:") == 1
    assert "a.csv : The name is taken: " in told
    assert state in told
    assert f'href="{FILES}{link}">Show it' in response.text


def test_no_file_is_told(upload):
    assert "No file was chosen." in words(upload())


@pytest.fixture
def left(center):
    """An import of which a row failed."""
    return some_failed(center, bad=1, good=0, name="g.csv")


def test_rows_that_failed_are_put_in_place_of_those_that_wait(upload, center, left):
    old = read(center, left.pending_file)

    page = words(upload((left.pending_file, GOOD), replace="1", rename="1"))

    assert "g.create.pending.csv : kept" in page
    assert read(center, left.pending_file).encode() == GOOD
    assert read(center, f"deleted/{left.pending_file}") == old


def test_other_columns_in_place_of_those_that_wait_are_pointed_out(upload, left):
    said = f"others than those of the rows that import {left.pk} has left: "
    other = b"matric_no,name,email\nA,x,y\n"

    assert said not in words(upload((left.pending_file, GOOD), replace="1"))
    page = words(upload((left.pending_file, other), replace="1"))

    assert f"{said}new 2, missing 1." in page


def test_rows_that_failed_get_no_other_name(upload, center, left):
    before = content_of(center)

    page = words(upload((left.pending_file, GOOD), rename="1"))

    assert f"with the rows that import {left.pk} has left" in page
    assert page.count("waits already") == 1
    assert content_of(center) == before


@pytest.mark.parametrize("more", [{}, {"rename": "1"}])
def test_rows_that_failed_are_known_by_nearly_their_name(
    client, upload, center, left, more
):
    name = left.pending_file.replace(".csv", " (1).csv")
    before = content_of(center)

    page = words(upload((name, GOOD), **more))

    assert f"seem to be the rows that import {left.pk} has left" in page
    assert content_of(center) == before
    data = {"files": SimpleUploadedFile(name, GOOD), **more}
    response = client.post(url("upload"), data, headers={"accept": "application/json"})
    [refused] = response.json()["results"]
    assert (refused["taken"], refused["replaces"]) == (False, True)
    assert "g.create.pending.csv : kept" in words(upload((name, GOOD), replace="1"))
    assert read(center, left.pending_file).encode() == GOOD


def test_rows_that_failed_are_not_put_in_place_as_a_workbook(
    client, center, left, boss
):
    name = left.pending_file.replace(".csv", ".xlsx")
    data = {"files": SimpleUploadedFile(name, GOOD), "replace": "1"}

    response = client.post(url("upload"), data, headers={"accept": "application/json"})

    [refused] = response.json()["results"]
    assert (refused["kept"], refused["replaces"]) == ("", False)
    assert f"save them as CSV, named {left.pending_file}" in refused["html"]


def test_rows_that_failed_under_quite_another_name_are_pointed_out(upload, center):
    page = words(upload(("mended.csv", b"code,name,--ERRORS--\nA,Arts,x\n")))

    assert "mended.csv : kept" in page
    assert "It has the column --ERRORS--" in page


def test_only_rows_that_failed_make_room(upload, center):
    put(center, "a.csv", "old")

    assert "The name is taken" in words(upload(("a.csv", GOOD), replace="1"))
    assert read(center, "a.csv") == "old"


@pytest.mark.parametrize("more", [[], ["run_import"], ["run_import", "add_student"]])
def test_who_may_not_import_rows_cannot_replace_them(client, center, left, more):
    client.force_login(who_may("upload_datafile", *more))
    before = content_of(center)
    data = {"files": SimpleUploadedFile(left.pending_file, GOOD), "replace": "1"}

    response = client.post(url("upload"), data, headers={"accept": "application/json"})

    [refused] = response.json()["results"]
    assert (refused["taken"], refused["replaces"]) == (False, False)
    assert "waits already" in refused["html"]
    assert content_of(center) == before


def test_a_script_may_offer_to_replace_but_not_to_rename(client, boss, left):
    data = {"files": SimpleUploadedFile(left.pending_file, GOOD), "rename": "1"}

    response = client.post(url("upload"), data, headers={"accept": "application/json"})

    [refused] = response.json()["results"]
    assert (refused["taken"], refused["replaces"]) == (False, True)


@pytest.mark.parametrize("name", [b"", b"\xff\xfe.csv"])
def test_a_file_without_a_name_that_can_be_read_is_refused(client, boss, center, name):
    body = (
        b"--b\r\nContent-Disposition: form-data; name=files; "
        b'filename="' + name + b'"\r\n\r\ncode,name\r\n--b--\r\n'
    )
    form = "multipart/form-data; boundary=b"

    told = client.post(
        url("upload"), body, form, headers={"accept": "application/json"}
    )
    page = client.post(url("upload"), body, form, follow=True)

    found = [entry.name for entry in center.place.all_entries()]
    if found:
        # Django has made a readable name of it.
        assert told.json()["results"][0]["kept"] == found[0]
    else:
        assert told.status_code == 400
        assert "its name cannot be read" in told.json()["results"][0]["html"]
        assert "its name cannot be read" in words(page)


def test_too_many_files_that_wait_are_refused_with_the_reason(upload, settings):
    settings.DELIVERY_STORE_DATACENTER_MAX_WAITING = 1

    page = words(upload(("a.csv", GOOD), ("b.csv", b"x" + GOOD)))

    assert "'b.csv' is refused" in page


def test_a_script_gets_the_outcome_of_each_file(client, boss, center):
    put(center, "b.csv")
    files = [SimpleUploadedFile(name, GOOD) for name in ("a.csv", "b.csv")]

    response = client.post(
        url("upload"), {"files": files}, headers={"accept": "application/json"}
    )

    kept, taken = response.json()["results"]
    assert (kept["kept"], kept["taken"], kept["level"]) == ("a.csv", False, "success")
    assert (taken["kept"], taken["taken"], taken["level"]) == ("", True, "error")
    assert told(response) == []


def test_who_may_not_upload_is_refused(client, center):
    client.force_login(person("importer"))

    response = client.post(url("upload"), {"files": SimpleUploadedFile("a.csv", GOOD)})

    assert response.status_code == 403
    assert not center.place.exists("a.csv")


def test_an_uploader_is_not_led_to_pages_that_are_not_theirs(client, center):
    client.force_login(person("uploader"))
    file = SimpleUploadedFile("a.csv", GOOD)

    response = client.post(url("upload"), {"files": file}, follow=True)

    assert "a.csv : kept" in words(response)
    assert url("preview") not in response.text


def test_without_a_token_nothing_is_kept(center, boss, client):
    client.handler.enforce_csrf_checks = True

    response = client.post(url("upload"), {"files": SimpleUploadedFile("a.csv", GOOD)})

    assert response.status_code == 403
    assert not center.place.exists("a.csv")


EVIL = "<script>alert(1)</script>"


@pytest.mark.parametrize(
    "content",
    [
        f"{EVIL},=cmd()\n1\n",
        f'"\'><img src=x>","{EVIL}"\n1\n',
        f"a,b\n{EVIL}\n=cmd()\n",
        "a,b\n" + "x" * 1_000_000 + "\n",
        ",".join(f"c{n}" for n in range(5000)) + "\n1\n",
    ],
)
def test_what_a_file_says_is_shown_inertly_and_short(upload, content):
    response = upload(("a.csv", content.encode()))

    assert EVIL not in response.text
    assert "<img src=x" not in response.text
    assert len(response.text) < 100_000


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../a.csv", "a.csv"),
        ("..\\a.csv", "a.csv"),
        ("/etc/a.csv", "a.csv"),
        ("a\r\nX: y.csv", "aX:_y.csv"),
        ('<img src=x>".csv', '<img_src=x>".csv'),
        ("finished/a.csv", "a.csv"),
        (".a.csv", ""),
        ("..", ""),
        ("a\u202evsc.csv", "avsc.csv"),
    ],
)
def test_names_are_refused_or_kept_inertly(client, boss, center, name, kept):
    body = (
        "--b\r\nContent-Disposition: form-data; name=files; "
        f"filename*=UTF-8''{quote(name, safe='')}\r\n\r\ncode,name\r\n--b--\r\n"
    )

    response = client.post(
        url("upload"), body.encode(), "multipart/form-data; boundary=b", follow=True
    )

    assert response.status_code == 200
    assert "<img src=x" not in response.text
    stored = [entry.name for entry in center.place.all_entries()]
    assert stored == ([kept] if kept else [])


# -- In a browser ----------------------------------------------------------------


@pytest.fixture
def pending(page, live_server, boss, client, center):
    """Open the tab Pending."""
    sign_in(page, live_server, client)
    page.goto(live_server.url + FILES)
    return page


@pytest.mark.browser
@pytest.mark.long
@pytest.mark.django_db(transaction=True)
@screens(DESK, PHONE)
def test_files_are_sent_one_by_one_and_the_list_shows_them(pending, center):
    put(center, "taken.csv", "old")
    pending.get_by_label("Files with rows").set_input_files(
        [
            {"name": "a.csv", "mimeType": "text/csv", "buffer": GOOD},
            {"name": "taken.csv", "mimeType": "text/csv", "buffer": GOOD + b"B,B\n"},
            {"name": "bad.csv", "mimeType": "text/csv", "buffer": b"a,b\n1\n"},
        ]
    )
    pending.get_by_role("button", name="Upload").click()

    sent = pending.locator(".deliverystore-sent > li")
    expect(sent.nth(0)).to_contain_text("Nothing is wrong")
    expect(sent.nth(1)).to_contain_text("is taken")
    expect(sent.nth(2)).to_contain_text("line 2, record 1, column 2 (b)")
    expect(pending.locator("#result_list tbody tr")).to_have_count(3)

    pending.get_by_role("button", name="Keep it under another name").click()
    expect(sent.nth(1)).to_contain_text("taken_2.csv")
    expect(pending.locator("#result_list tbody tr")).to_have_count(4)
    # The list is alive: it counts what is chosen.
    pending.get_by_label("Choose all files on this page").check()
    expect(pending.locator(".action-counter")).to_have_text("4 of 4 chosen")


@pytest.mark.browser
@pytest.mark.long
@pytest.mark.django_db(transaction=True)
@screens(DESK)
def test_who_was_logged_out_is_led_to_the_login(pending, center):
    pending.context.clear_cookies(name="sessionid")
    pending.get_by_label("Files with rows").set_input_files(
        [{"name": "a.csv", "mimeType": "text/csv", "buffer": GOOD}]
    )
    pending.get_by_role("button", name="Upload").click()

    sent = pending.locator(".deliverystore-sent > li")
    expect(sent).to_contain_text("a.csv was not kept: you are logged out.")
    sent.get_by_role("link", name="Log in again").click()
    expect(pending.get_by_label("Username")).to_be_visible()
    assert content_of(center) == {}


@pytest.mark.browser
@pytest.mark.long
@pytest.mark.django_db(transaction=True)
@screens(DESK)
def test_who_leaves_while_files_are_sent_is_asked(pending, center):
    asked = []

    def answer(dialog):
        asked.append(dialog.type)
        dialog.dismiss()

    pending.on("dialog", answer)
    held = []
    pending.route("**/upload/", lambda route: held.append(route))
    pending.get_by_label("Files with rows").set_input_files(
        [{"name": "a.csv", "mimeType": "text/csv", "buffer": GOOD}]
    )
    pending.get_by_role("button", name="Upload").click()
    expect(pending.locator(".deliverystore-sent > li")).to_contain_text("a.csv")

    pending.get_by_role("link", name="Unfinished").first.click()
    expect(pending.get_by_role("button", name="Upload")).to_be_visible()
    assert asked == ["beforeunload"]

    held[0].continue_()
    expect(pending.locator(".deliverystore-sent > li")).to_contain_text("kept")
    pending.get_by_role("link", name="Unfinished").first.click()
    pending.wait_for_url("**/unfinished/")
    assert asked == ["beforeunload"]


DROP = """(text) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([text], "dropped.csv", { type: "text/csv" }));
  const zone = document.querySelector(".deliverystore-drop");
  for (const name of ["dragenter", "dragover", "drop"])
    zone.dispatchEvent(new DragEvent(name, {
      dataTransfer: transfer, bubbles: true, cancelable: true,
    }));
}"""


@pytest.mark.browser
@pytest.mark.long
@pytest.mark.django_db(transaction=True)
@screens(DESK, PHONE)
def test_a_file_is_dropped(pending, center):
    pending.evaluate(DROP, GOOD.decode())

    expect(pending.get_by_role("rowheader", name="dropped.csv")).to_be_visible()
    assert read(center, "dropped.csv").encode() == GOOD


@pytest.mark.browser
@pytest.mark.long
@pytest.mark.django_db(transaction=True)
@screens(BARE_PHONE, BARE_DESK)
def test_without_javascript_the_form_does_it(pending):
    bom = {"name": "a.csv", "mimeType": "text/csv", "buffer": codecs.BOM_UTF8 + GOOD}
    pending.get_by_label("Files with rows").set_input_files([bom])
    pending.get_by_role("button", name="Upload").click()

    expect(pending.get_by_text("Nothing is wrong with its form.")).to_be_visible()
    expect(pending.get_by_role("rowheader", name="a.csv")).to_be_visible()

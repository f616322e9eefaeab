"""The lists of files: shown, searched, sorted, deleted, restored, downloaded."""

from __future__ import annotations

import io
import os
import re
from datetime import UTC, datetime

import pytest
import xlsxwriter
from django.test.utils import CaptureQueriesContext

from deliverystore.datacenter import browsing, runs
from deliverystore.models import ImportRun
from tests.admin.datacenter.helpers import some_failed, who_may
from tests.admin.datacenter.people import FILES, person, told, url, words
from tests.datacenter.imports import start
from tests.datacenter.places import put, read

pytestmark = pytest.mark.django_db


@pytest.fixture
def show(client, boss, center):
    """Return the page of a list as the superuser sees it."""

    def show(tab="", **params):
        response = client.get(f"{FILES}{tab}", params)
        assert response.status_code == 200, response
        return response

    return show


def names(response):
    return [row.file.name for row in response.context_data["rows"]]


def dated(center, name, day):
    time = datetime(2026, 1, day, tzinfo=UTC).timestamp()
    os.utime(center.place.path(name), (time, time))


# -- What is shown -----------------------------------------------------------------


def test_each_tab_lists_the_files_of_its_folder(show, center):
    for name in ("a.csv", "unfinished/b.csv", "finished/c.csv", "deleted/d.csv"):
        put(center, name)
    put(center, "logs/e.csv")

    assert names(show()) == ["a.csv"]
    assert names(show("unfinished/")) == ["b.csv"]
    assert names(show("finished/")) == ["c.csv"]
    assert names(show("deleted/")) == ["d.csv"]


def test_a_file_with_problems_is_marked_with_a_link_without_being_read(show, center):
    center.upload("bad.csv", "code,name\n1\n2,y,z\n")
    center.upload("good.csv", "code,name\n1,x\n")
    center.upload("mended.csv", "code,name\n1\n")
    put(center, "mended.csv", "code,name\n1,x and more\n")
    put(center, "unread.csv", "")

    response = show()

    marks = {row.file.name: row.file.problems for row in response.context_data["rows"]}
    assert marks == {
        "bad.csv": 2,
        "good.csv": 0,
        "mended.csv": None,
        "unread.csv": None,
    }
    text = words(response)
    assert text.count(" problem") == 1
    assert "bad.csv 2 problems in bad.csv: show them" in text
    assert f'<a href="{url("preview")}?file=bad.csv"><span' in response.text


def test_who_may_not_look_at_a_file_sees_the_mark_without_a_link(client, center):
    center.upload("bad.csv", "code,name\n1\n")
    client.force_login(person("uploader"))

    response = client.get(FILES)

    assert "bad.csv 1 problem" in words(response)
    assert "preview" not in response.text


def test_files_that_are_no_tables_or_hidden_are_not_listed(show, center):
    for name in ("a.csv", "a.txt", ".hidden.csv"):
        put(center, name)

    assert names(show()) == ["a.csv"]


def test_a_file_has_its_size_time_and_records(show, center):
    center.upload("a.csv", "code,name\n1,x\n2,y\n")
    dated(center, "a.csv", 2)
    put(center, "dropped.csv", "x" * 1536)

    page = words(show())

    assert "Jan. 2, 2026, midnight" in page
    assert "1.50 KB" in page


def test_records_are_shown_if_they_are_known(show, center):
    center.upload("a.csv", "code,name\n1,x\n2,y\n")
    put(center, "dropped.csv")

    assert [row.file.records for row in show().context_data["rows"]] == [2, None]


@pytest.mark.parametrize("tab", ["", "unfinished/", "finished/", "deleted/"])
def test_an_empty_list_says_what_it_is_for(show, tab):
    page = words(show(tab))

    assert "table" not in page
    assert {
        "": "Upload a file with rows above",
        "unfinished/": "Those rows wait as a file of their own",
        "finished/": "Begin on the tab Pending",
        "deleted/": "What is deleted comes here",
    }[tab] in page


@pytest.mark.parametrize(
    "page",
    [
        *(
            "",
            "finished/",
            "deleted/",
            "processors/",
            "logs/?q=x",
            "delete/?file=a.csv",
        ),
        *("preview/?file=a.csv&use=faculty:create", "restore/?file=deleted/b.csv"),
        "preview/?file=missing.csv",
    ],
)
def test_no_page_has_a_script_or_a_style_in_it(client, boss, center, page):
    put(center, "a.csv", "code,more\nA,x\n")
    put(center, "deleted/b.csv")
    put(center, "logs/datacenter.log", "x\n")

    text = client.get(FILES + page).text

    main = text[text.index("<main") : text.index("</main>")]
    assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=|javascript:", main)
    scripts = re.findall(r"<script[^>]*>", text)
    assert all(" src=" in script for script in scripts)


def test_the_admin_can_be_mounted_under_another_name(boss, client, center, settings):
    settings.ROOT_URLCONF = "tests.admin.datacenter.other_site"
    put(center, "a.csv", "code,name\nA,x\n")

    pages = [
        client.get(f"/office/deliverystore/datafileinfo/{page}")
        for page in ("", "finished/", "processors/", "preview/?file=a.csv")
    ]

    for response in pages:
        assert response.status_code == 200
        assert "/admin/" not in re.sub(r"/static/admin/", "", response.text)


def test_a_site_without_a_data_center_is_told_which_setting_to_make(client, boss):
    response = client.get(FILES)

    assert response.status_code == 503
    assert "DELIVERY_STORE_DATACENTER_ROOT is not set" in words(response)


# -- Searched, sorted, in pages ----------------------------------------------------


def test_a_search_finds_a_part_of_the_name_whatever_its_case(show, center):
    for name in ("Students.csv", "new_students.csv", "courses.csv"):
        put(center, name)

    response = show(q="sTuD")

    assert names(response) == ["Students.csv", "new_students.csv"]
    assert "2 results" in words(response)


def test_a_search_that_finds_nothing_offers_all_files(show, center):
    put(center, "a.csv")

    assert "No file has “zz” in its name. Show all files" in words(show(q="zz"))


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("name", "abc"),
        ("-name", "cba"),
        ("size", "bca"),
        ("-size", "acb"),
        ("date", "cab"),
        ("-date", "bac"),
        ("records", "cab"),
        ("-records", "acb"),
        ("nonsense", "abc"),
    ],
)
def test_a_list_is_sorted_by_a_column(show, center, order, expected):
    center.upload("a.csv", "code,name\n" + "1,x\n" * 9)
    put(center, "b.csv", "x")
    center.upload("c.csv", "code,name\n1,x\n")
    for day, name in enumerate(("c.csv", "a.csv", "b.csv"), start=1):
        if name != "b.csv":
            info = center.get_file(name).records
            dated(center, name, day)
            center.count_records(name, lambda _file, known=info: known)
        else:
            dated(center, name, day)

    assert [name[0] for name in names(show(o=order))] == list(expected)


def test_the_header_says_how_the_list_is_sorted_and_turns_it(show, center):
    put(center, "a.csv")

    page = show(o="-size").text

    assert re.search(r'column-size[^>]*aria-sort="descending"', page)
    assert 'href="?o=size"' in page
    assert page.count("aria-sort") == 1


def test_a_list_has_pages_of_a_hundred(show, center):
    for number in range(103):
        put(center, f"{number:03}.csv")

    first, second = show(), show(p="2")

    assert len(names(first)) == 100
    assert names(second) == ["100.csv", "101.csv", "102.csv"]
    assert "Page 2 of 2, 103 files" in words(second)
    assert names(show(p="99")) == names(second)
    assert names(show(p="-1")) == names(show(p="x" * 50)) == names(first)


def test_what_no_page_has_is_found_by_a_search(show, center, monkeypatch):
    monkeypatch.setattr(browsing, "MAX_LISTED", 100)
    for number in range(102):
        put(center, f"{number:03}.csv")

    response = show(p="2")

    assert len(names(response)) == 100
    assert "102 files Not all of them have a page: search" in words(response)
    assert names(show(q="101")) == ["101.csv"]


@pytest.mark.parametrize("order", ["name", "records"])
def test_a_list_takes_as_many_queries_for_many_files_as_for_few(
    show, center, settings, order
):
    settings.DELIVERY_STORE_DATACENTER_MAX_WAITING = None
    from django.db import connection

    def queries():
        with CaptureQueriesContext(connection) as captured:
            show(o=order)
        return len(captured)

    center.upload("a.csv", "code,name\n1,x\n")
    start(center, ("1", "x"), name="b.csv")
    few = queries()
    for number in range(15):
        center.upload(f"{number}.csv", f"code,name\n{number},x\n")
        start(center, ("1", f"y{number}"), name=f"r{number}.csv")

    assert queries() == few <= 8


def test_a_list_reads_no_file(show, center, monkeypatch):
    put(center, "a.csv")

    def read_open(*_arguments):
        raise AssertionError("A list has read a file.")

    monkeypatch.setattr(type(center.place), "read_open", read_open)

    assert names(show()) == ["a.csv"]


# -- The import of a file ----------------------------------------------------------


def test_a_file_with_an_import_under_way_says_so_and_offers_no_other(show, center):
    run = start(center, ("1", "x"))

    response = show()

    page = words(response)
    assert f"import {run.pk}" in page
    assert f"/importrun/{run.pk}/change/" in response.text
    assert "Import… " not in page
    assert "Delete… " not in page


def test_files_of_an_import_lead_to_it(show, center):
    center.upload("f.csv", "code,name\nA,x\ntoo-long-code-for-this,y\n")
    run = runs.start_run("f.csv", "faculty", "create", enqueue=False)
    runs.work(run)
    run.refresh_from_db()
    assert run.failed == 1

    for tab in ("", "unfinished/", "finished/"):
        assert f"import {run.pk} some rows failed" in words(show(tab)), tab


def test_a_file_whose_rows_were_tried_again_says_how_that_ended(show, center):
    center.upload("f.csv", "code,name\nA,x\ntoo-long-code-for-this,y\n")
    run = runs.work(runs.start_run("f.csv", "faculty", "create", enqueue=False))
    runs.correct_values(run, "code", {"too-long-code-for-this": "B"})
    again = runs.work(runs.retry(run, enqueue=False))

    page = words(show("finished/"))
    assert f"import {again.pk} all rows are in" in page
    assert f"import {run.pk}" not in page


def test_an_import_that_somebody_may_not_see_is_no_link(client, center):
    run = start(center, ("1", "x"))
    client.force_login(person("uploader"))

    response = client.get(FILES)

    assert "waiting" in words(response)
    assert f"/importrun/{run.pk}/" not in response.text


# -- Deleted and restored ----------------------------------------------------------


def test_a_file_is_deleted_after_a_question(show, client, center):
    put(center, "a.csv")
    assert f"{url('delete')}?file=a.csv" in show().text

    asked = client.get(url("delete"), {"file": "a.csv"})
    assert "This file goes to the tab Deleted" in words(asked)
    assert center.place.exists("a.csv")
    response = client.post(url("delete"), {"file": "a.csv", "confirmed": "1"})

    assert response.url == FILES
    assert told(response) == ["1 file was deleted; it can be restored."]
    assert center.place.exists("deleted/a.csv")


def test_several_files_are_chosen_and_deleted(client, boss, center):
    paths = ["finished/a.csv", "finished/b.csv"]
    for path in paths:
        put(center, path)

    asked = client.post(url("delete"), {"file": paths, "where": "finished"})
    assert "These 2 files go to the tab Deleted" in words(asked)
    assert f'"{url("finished")}" aria-current="page"' in asked.text
    assert center.place.exists("finished/a.csv")
    response = client.post(url("delete"), {"file": paths, "confirmed": "1"})

    assert response.url == url("finished")
    assert center.place.exists("deleted/finished/b.csv")


def test_to_choose_nothing_is_told(client, boss, center):
    deleted = client.post(url("delete"), {"where": "finished"})
    assert told(deleted) == ["No file was chosen."]
    restored = client.post(url("restore"))

    assert deleted.url == url("finished")
    assert restored.url == url("deleted")
    assert told(restored)[-1] == "No file was chosen."


def test_a_file_with_an_import_under_way_is_not_deleted(client, boss, center):
    run = start(center, ("1", "x"))

    response = client.post(url("delete"), {"file": "f.csv", "confirmed": "1"})

    assert f"import {run.pk}" in told(response)[0]
    assert center.place.exists("f.csv")


def test_a_deleted_file_is_restored(show, client, center):
    put(center, "a.csv")
    center.delete("a.csv")
    assert "Restore" in words(show("deleted/"))

    response = client.post(url("restore"), {"only": "deleted/a.csv", "file": "x"})

    assert response.url == url("deleted")
    assert told(response) == ["“a.csv” was restored."]
    assert center.place.exists("a.csv")


def test_where_a_name_is_taken_another_one_is_offered(client, boss, center):
    put(center, "a.csv", "old")
    center.delete("a.csv")
    put(center, "a.csv", "new")

    response = client.post(url("restore"), {"only": "deleted/a.csv"}, follow=True)
    assert "another one has its name by now" in words(response)
    client.post(url("restore"), {"file": "deleted/a.csv", "rename": "1"})

    assert read(center, "a.csv") == "new"
    assert read(center, "a_2.csv") == "old"


def test_rows_that_were_left_can_take_the_place_of_others(client, boss, center):
    run = some_failed(center)
    old = read(center, run.pending_file)
    deleted = center.delete(run.pending_file)
    put(center, run.pending_file, "code,name\n")

    response = client.post(url("restore"), {"only": deleted}, follow=True)
    assert "They are known by its name alone" in words(response)
    assert "Restore under another name" not in words(response)
    client.post(url("restore"), {"file": deleted, "replace": "1"})

    assert read(center, run.pending_file) == old
    assert not center.place.exists("f_2.create.pending.csv")


def test_a_file_that_is_gone_meanwhile_is_told(client, boss, center):
    page = client.get(url("preview"), {"file": "gone.csv"})
    deleted = client.post(url("delete"), {"file": "gone.csv", "confirmed": "1"})

    assert page.status_code == 404
    assert "There is no such file, or it is there no longer" in words(page)
    assert "it is there no longer" in told(deleted)[0]


def test_nothing_is_changed_by_get(client, boss, center):
    put(center, "a.csv")
    put(center, "deleted/b.csv")

    client.get(url("delete"), {"file": "a.csv", "confirmed": "1"})
    client.get(url("restore"), {"file": "deleted/b.csv", "rename": "1"})
    client.get(url("upload"))

    assert center.place.exists("a.csv")
    assert center.place.exists("deleted/b.csv")


# -- Who may -----------------------------------------------------------------------


def test_offered_is_only_what_somebody_may(client, center):
    put(center, "a.csv")

    def offers(role):
        client.force_login(person(role))
        page = words(client.get(FILES))
        return {
            word
            for word in ("Upload", "Import…", "Download", "Delete…")
            if f"{word} " in page.split("Actions", 1)[-1] or word == "Upload" in page
        }

    assert offers("uploader") == {"Upload"}
    assert offers("downloader") == {"Download"}
    assert offers("importer") == {"Import…", "Delete…"}
    assert offers("deleter") == {"Delete…"}


def test_who_imports_may_give_up_only_what_waits(client, center):
    put(center, "a.csv")
    put(center, "finished/b.csv")
    client.force_login(person("importer"))

    waiting = client.post(url("delete"), {"file": "a.csv", "confirmed": "1"})
    finished = client.post(url("delete"), {"file": "finished/b.csv", "confirmed": "1"})

    assert waiting.status_code == 302
    assert finished.status_code == 403
    assert client.get(url("deleted")).status_code == 403


def test_rows_of_others_are_neither_offered_nor_deleted(client, center):
    run = some_failed(center)
    put(center, "mine.csv")
    client.force_login(who_may("run_import", "add_student"))
    one = {"file": run.pending_file}

    page = client.get(FILES).text

    assert f"?file={run.pending_file}" not in page
    assert f'value="{run.pending_file}"' not in page
    assert "?file=mine.csv" in page
    for data in (one, {**one, "confirmed": "1"}, {"file": ["mine.csv", one["file"]]}):
        assert client.post(url("delete"), data).status_code == 403
    assert client.get(url("delete"), one).status_code == 403
    assert center.place.exists(run.pending_file)


@pytest.mark.parametrize(
    "may", [["run_import", "add_faculty"], ["delete_datafile"], ["run_import", ""]]
)
def test_rows_that_failed_are_deleted_by_who_may(client, center, may):
    run = some_failed(center)
    client.force_login(who_may(*may))

    page = client.get(url("delete"), {"file": run.pending_file})

    assert page.status_code == (403 if "" in may else 200)


@pytest.mark.parametrize("path", ["logs/datacenter.log", "deleted/a.csv"])
def test_of_what_cannot_be_deleted_nothing_is_told(client, center, path):
    put(center, path, "x" * 1234)
    client.force_login(person("deleter"))

    response = client.get(url("delete"), {"file": path})

    assert response.status_code == 404
    assert "1.2" not in words(response)


# -- Downloads ---------------------------------------------------------------------


def test_what_was_deleted_is_downloaded_only_by_who_may_restore_it(client, center):
    put(center, "deleted/a.csv")
    query = {"file": "deleted/a.csv"}

    for may, status in (
        (["download_datafile"], 403),
        (["delete_datafile"], 403),
        (["download_datafile", "delete_datafile"], 200),
    ):
        client.force_login(who_may(*may))
        response = client.get(url("download"), query)
        assert response.status_code == status
        if response.streaming:
            body(response)


def test_a_workbook_for_a_spreadsheet_is_called_what_it_is(client, boss, center):
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        book.add_worksheet().write_column(0, 0, ["h", "+49"])
    center.place.replace("a.xlsx", [file.getvalue()])

    response = client.get(url("download"), {"file": "a.xlsx", "for": "spreadsheet"})

    assert response["Content-Disposition"] == 'attachment; filename="a.csv"'
    assert response["Content-Type"].startswith("text/csv")
    assert body(response).decode("utf-8-sig") == "h\r\n'+49\r\n"


def body(response):
    return b"".join(response.streaming_content)


def test_a_download_is_the_file_as_it_is(client, boss, center):
    put(center, "finished/a.csv", "code\r\n=cmd()\r\n")

    response = client.get(url("download"), {"file": "finished/a.csv"})

    assert body(response) == b"code\r\n=cmd()\r\n"
    assert response["Content-Type"] == "text/csv"
    assert response["Content-Length"] == "14"
    assert response["Content-Disposition"] == 'attachment; filename="a.csv"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]


def test_for_a_spreadsheet_no_cell_is_a_formula(client, boss, center):
    content = '=h;--ERRORS--\r\n=cmd();-5\r\n"@a;b";+x\r\nplain;-y\r\n'
    put(center, "a.csv", content)

    response = client.get(url("download"), {"file": "a.csv", "for": "spreadsheet"})

    text = body(response).decode("utf-8-sig")
    assert text == ("'=h;--ERRORS--\r\n'=cmd();-5\r\n\"'@a;b\";'+x\r\nplain;'-y\r\n")


def test_what_a_spreadsheet_got_is_imported_as_it_was(client, boss, center):
    put(center, "a.csv", "code,name\r\nA,=cmd()\r\n")
    query = {"file": "a.csv", "for": "spreadsheet"}
    center.upload("b.csv", body(client.get(url("download"), query)))

    run = runs.start_run("b.csv", "faculty", "create", enqueue=False)
    runs.work(run)

    from tests.school.models import Faculty

    assert Faculty.objects.get().name == "=cmd()"


def test_a_download_is_logged_with_the_user(client, boss, center, caplog):
    put(center, "a.csv")

    with caplog.at_level("INFO", "deliverystore.datacenter"):
        body(client.get(url("download"), {"file": "a.csv"}))

    assert "download 'a.csv' user='boss'" in caplog.text


def test_head_sends_no_content(client, boss, center):
    put(center, "a.csv")

    response = client.head(url("download"), {"file": "a.csv"})

    assert response.status_code == 200
    assert response.content == b""


# -- Attacks -----------------------------------------------------------------------

EVIL = ["<script>alert(1).csv", "\"'><img src=x>.csv", "=cmd()&#?%2f.csv"]


@pytest.mark.parametrize("name", EVIL)
def test_names_are_shown_inertly_and_led_to(client, boss, center, name):
    put(center, name)

    response = client.get(FILES)

    assert "<script>alert" not in response.text
    assert "<img src=x" not in response.text
    links = re.findall(r'href="([^"]*download/[^"]*)"', response.text)
    assert body(client.get(links[0].replace("&amp;", "&"))) == b"a,b\r\n1,2\r\n"
    asked = client.post(url("delete"), {"file": name})
    assert "<script>alert" not in asked.text
    assert (
        client.post(url("delete"), {"file": name, "confirmed": "1"}).status_code == 302
    )
    assert center.place.exists(f"deleted/{name}")


@pytest.mark.parametrize(
    "path",
    [
        "../secret.csv",
        "finished/../../secret.csv",
        "/etc/passwd",
        "..\\secret.csv",
        "elsewhere/x.csv",
        "unfinished/.journal.f.csv",
        "a\0.csv",
        "",
        "missing.csv",
        "x" * 5000,
        "a.csv\r\nSet-Cookie: x=1",
    ],
)
def test_no_path_leaves_the_data_center(client, boss, center, path):
    secret = os.path.join(center.location, "..", "secret.csv")  # noqa: PTH118
    with open(secret, "w") as file:  # noqa: PTH123
        file.write("secret")

    for name in ("download", "preview", "delete"):
        response = client.get(url(name), {"file": path})
        assert response.status_code in (302, 404), name
        assert "secret\n" not in response.text
        assert "Set-Cookie" not in response.headers
    for name, more in (("delete", {"confirmed": "1"}), ("restore", {})):
        for asked in (path, f"deleted/{path}"):
            response = client.post(url(name), {"file": asked, **more})
            assert response.status_code == 302, (name, asked)
    assert os.path.exists(secret)  # noqa: PTH110


def test_a_search_is_shown_inertly(show, center):
    put(center, "a.csv")

    page = show(q='"><script>alert(1)</script>').text

    assert "<script>alert" not in page


def test_runs_are_found_only_by_what_has_an_index(center, settings):
    """The list costs the same however many imports there were."""
    from django.db import connection

    if connection.vendor != "sqlite":
        pytest.skip("does not promise the same words for a plan")
    start(center, ("1", "x"))
    with CaptureQueriesContext(connection) as captured:
        runs.of_files.runs_of(["f.csv", "finished/g.csv"])
    query = captured[-1]["sql"]
    assert ImportRun._meta.db_table in query
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {query}")
        plan = " ".join(str(row[-1]) for row in cursor.fetchall())

    assert "SCAN" not in plan, plan

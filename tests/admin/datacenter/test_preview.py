"""The page of a file that waits: a look at it, its columns, and the start."""

from __future__ import annotations

import io
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from playwright.sync_api import expect

from deliverystore.admin.datacenter import run_facts
from deliverystore.datacenter import previewing, registry, runs
from deliverystore.models import ImportRun, SavedMapping
from tests.admin.datacenter.helpers import run_url, some_failed, who_may
from tests.admin.datacenter.people import FILES, person, sign_in, told, url, words
from tests.browser import BARE_DESK, BARE_PHONE, DESK, PHONE, assert_fits, screens
from tests.datacenter.imports import start
from tests.datacenter.places import put
from tests.school.models import Faculty
from tests.school.processors import FacultyProcessor

pytestmark = pytest.mark.django_db


@pytest.fixture
def importer(client):
    """Log in who may import faculties of the school, and nothing else."""
    user = person("importer")
    client.force_login(user)
    return user


@pytest.fixture
def look(client, importer, center):
    """Return the page of a file; content is what is in it."""

    def look(content=None, name="f.csv", **params):
        if content is not None:
            data = content if isinstance(content, bytes) else content.encode()
            center.place.replace(name, [data])
        response = client.get(url("preview"), {"file": name, **params})
        assert response.status_code == 200, response
        return response

    return look


def form_of(response):
    """Return what the form for the import would send, as it is."""
    form = response.context_data["form"]
    assert form.use
    return {
        "use": form.use,
        "header": form.header_digest,
        **form.layout.hidden,
        **{column.name: column.value for column in form.shown},
        "on_error": "pending",
    }


@pytest.fixture
def submit(client):
    """Send the form of a page, with changes; return the answer."""

    def submit(response, **changes):
        file = response.context_data["form"].file
        data = {**form_of(response), **changes}
        return client.post(f"{url('preview')}?file={file}", data)

    return submit


def columns(response):
    return {one.header: one.value for one in response.context_data["form"].columns}


# -- The look ----------------------------------------------------------------------


def test_the_first_rows_are_shown_as_a_table(look):
    rows = "".join(f"F{n},Faculty {n}\n" for n in range(25))

    response = look("code,name\n" + rows)

    assert response.text.count('<tr><th scope="row">') == 10
    assert "11 F9 Faculty 9" in words(response)
    assert "F10" not in words(response)
    assert "25 rows, 2 columns." in words(response)


def test_large_numbers_are_written_as_everywhere(look):
    page = words(look("code,name\n" + "F,x\n" * 1200 + "G\n" * 1100))

    assert "2,300 rows, 2 columns." in page
    assert "1,100 problems" in page


def test_what_was_found_out_is_shown(look):
    page = words(look("code;name\nA;x\n"))

    assert "found out: utf-8" in page
    assert "found out: semicolon ;" in page
    assert 'found out: double "' in page


def test_the_file_is_read_as_somebody_says(look):
    content = "code;name,x\nA;Köln,y\n".encode("cp1252")

    response = look(content, encoding="cp1252", delimiter="semicolon")

    assert response.context_data["sample"].header == ["code", "name,x"]
    assert response.context_data["sample"].rows[0].cells == ["A", "Köln,y"]
    assert '<option value="cp1252" selected>' in response.text
    assert response.context_data["found"].report.is_sound


def test_what_makes_no_sense_is_left_out(look):
    response = look("code,name\nA,x\n", encoding="rot13", delimiter="x", quote="y")

    assert response.context_data["sample"].header == ["code", "name"]


def test_problems_are_listed_with_their_places_and_encodings_are_offered(look):
    response = look("code,name\nA,Köln am Rhein\nB\n".encode("cp1252"))

    page = words(response)
    assert "2 problems An import is possible" in page
    assert "line 2, record 1, column 2 (name)" in page
    assert "?file=f.csv&amp;encoding=" in response.text


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "the file is empty"),
        ("a,a\n1,2\n", "column 1 has the same name"),
        ("a,,b\n1,2,3\n", "the column has no name"),
    ],
)
def test_what_cannot_be_imported_says_why_and_has_no_form(look, content, reason):
    response = look(content)

    assert reason in words(response)
    assert 'name="use"' not in response.text


def test_a_large_file_is_looked_at_only_at_its_beginning(look, monkeypatch):
    monkeypatch.setattr(previewing, "MAX_CHECKED_BYTES", 10)
    content = "code,name\n" + "A,x\n" * 5000 + "B\n"

    response = look(content)

    assert "only the first 2,000 rows were looked at" in words(response)
    assert response.context_data["found"].report.is_sound


def test_a_sheet_is_chosen_by_its_name(look):
    xlsxwriter = pytest.importorskip("xlsxwriter")
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        for sheet, code in (("First", "A"), ("Second", "B")):
            page = book.add_worksheet(sheet)
            page.write_row(0, 0, ["code", "name"])
            page.write_row(1, 0, [code, "x"])

    first = look(file.getvalue(), name="f.xlsx")
    second = look(name="f.xlsx", sheet="Second")

    assert '<option value="First" selected>First</option>' in first.text
    assert '<option value="Second" selected>Second</option>' in second.text
    assert "Encoding" not in words(first)
    assert first.context_data["sample"].rows[0].cells == ["A", "x"]
    assert second.context_data["sample"].rows[0].cells == ["B", "x"]
    assert "there is no sheet x" in words(look(name="f.xlsx", sheet="x"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK\x03\x04 and no more", "it is damaged, or not all of it has arrived"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "it is an old one (.xls)"),
        (b"no workbook", "it is none, although its name says so"),
    ],
)
def test_of_a_broken_workbook_nobody_asks_how_its_text_is_written(
    look, content, reason
):
    response = look(content, name="f.xlsx")

    assert reason in words(response)
    assert "How the file is written" not in words(response)


TITLED = "Faculties\n\ncode,name,email\nA,One,a@b.c\nB,Two,d@e.f\n"


def test_the_line_of_the_header_is_chosen_by_its_number(look, submit):
    first = look(TITLED)
    sample = first.context_data["sample"]

    assert first.context_data["form"].layout.found_header_line == "1"
    assert "Line 3 looks more like the names of the columns" in words(first)
    assert sample.likely_header.address == "?file=f.csv&header_line=3"
    assert sample.likely_header.address.replace("&", "&amp;") in first.text
    second = look(header_line="3")
    assert second.context_data["sample"].header == ["code", "name", "email"]
    assert "looks more like" not in words(second)
    assert 'value="3" placeholder="3"' in second.text
    answer = submit(
        look(header_line="3", use="faculty:create"), **{"column-2": "ignore"}
    )
    assert answer.status_code == 302
    run = ImportRun.objects.get()
    assert run.layout["header_line"] == 3
    facts = dict(run_facts.facts(run, [], lambda *_: ""))
    assert facts["written as"].endswith(", the columns named in line 3")


@pytest.mark.parametrize("line", ["0", "-1", "1001", "x", "9" * 30, " 2²"])
def test_a_line_that_can_be_no_header_is_left_out(look, line):
    response = look("code,name\nA,x\n", header_line=line)

    assert response.context_data["sample"].header == ["code", "name"]


def test_a_number_of_a_line_keeps_what_else_was_said(look):
    response = look("a;b\n1;2\n", delimiter="comma", encoding="cp1252")

    (row,) = response.context_data["sample"].rows
    query = "?file=f.csv&encoding=cp1252&delimiter=comma&header_line=2"
    assert row.address == query


def test_rows_that_a_run_has_left_keep_their_header(look, center):
    run = some_failed(center)

    response = look(name=run.pending_file, header_line="2")

    assert response.context_data["sample"].header[0] == "code"
    assert "id_header_line" not in response.text


def test_problems_that_are_alike_are_told_together(look):
    rows = "".join(f"F{n},Köln\n" for n in range(9)).encode("cp1252")

    page = words(look(b"code,name\n" + rows + b"X\n"))

    assert page.count("is no character in utf-8") == 1
    assert "(9 like this; also in line 3, 4, 5, 6, 7, …)" in page
    assert "the row has 1 of 2 cells" in page
    assert page.index("another encoding") < page.index("is no character")


def test_of_a_file_without_rows_no_import_is_promised(look):
    page = words(look("code,name\n,\n"))

    assert "There is nothing to import." in page
    assert "An import is possible" not in page


@pytest.mark.parametrize("name", ["finished/f.csv", "deleted/f.csv", "logs/f.csv"])
def test_only_what_waits_has_a_page(client, boss, center, name):
    put(center, name)

    response = client.get(url("preview"), {"file": name})

    assert response.status_code == 404
    assert "does not wait" in words(response)


# -- The choice of a processor -----------------------------------------------------


def test_the_processor_that_fits_is_chosen(look):
    response = look("code,name\nA,x\n")

    assert response.context_data["form"].use == "faculty:create"
    assert "Needs code" in words(response)


def test_if_none_fits_somebody_has_to_choose(look):
    response = look("x,y\n1,2\n")

    assert response.context_data["form"].use == ""
    assert "Which column is which field" not in words(response)


def test_only_the_processors_and_modes_of_a_user_are_offered(client, center):
    put(center, "f.csv", "code,name\nA,x\n")
    client.force_login(person("importer"))

    form = client.get(url("preview"), {"file": "f.csv"}).context_data["form"]

    assert [name for name, _modes in form.groups] == ["faculty"]
    assert [mode[1] for mode in form.groups[0][1]] == [
        "create",
        "update",
        "create or update",
    ]


@pytest.mark.parametrize("use", ["student:create", "faculty:remove", "x:y", "faculty:"])
def test_who_may_not_run_a_processor_cannot_post_it(client, center, use):
    put(center, "f.csv", "code,name\nA,x\n")
    client.force_login(person("importer"))
    address = f"{url('preview')}?file=f.csv"
    data = form_of(client.get(address))

    response = client.post(address, {**data, "use": use})

    assert response.status_code == 403
    assert not ImportRun.objects.exists()


def test_who_may_only_download_looks_but_has_no_form(client, center):
    put(center, "f.csv", "code,name\nA,x\n")
    client.force_login(person("downloader"))

    response = client.get(url("preview"), {"file": "f.csv"})
    posted = client.post(f"{url('preview')}?file=f.csv", {"use": "faculty:create"})

    assert "A" in words(response)
    assert 'name="use"' not in response.text
    assert posted.status_code == 403


# -- The columns -------------------------------------------------------------------


def test_columns_are_matched_by_their_names(look):
    response = look("CODE,Name of it,name\nA,x,y\n", use="faculty:create")

    assert columns(response) == {
        "CODE": "field:code",
        "Name of it": "",
        "name": "field:name",
    }
    assert "1 column has no field" in words(response)


def test_beside_a_column_are_different_values_of_it(look):
    response = look("code,name\nA,x\nB,x\nC,\n")

    found = {one.header: one.examples for one in response.context_data["form"].shown}
    assert found == {"code": ["A", "B", "C"], "name": ["x"]}


def test_a_column_without_a_field_has_to_be_mapped_or_left_out(look, submit):
    page = look("code,name,more\nA,x,1\n")

    response = submit(page, **{"column-1": "ignore"})

    assert response.status_code == 422
    form = response.context_data["form"]
    assert form.columns[2].errors == ["Choose a field, or leave this column out."]
    # Nothing that was said is lost.
    assert columns(response) == {"code": "field:code", "name": "ignore", "more": ""}
    assert not ImportRun.objects.exists()


def test_a_column_is_left_out(look, submit):
    page = look("code,name,more\nA,x,1\n")

    response = submit(page, **{"column-2": "ignore"})

    run = ImportRun.objects.get()
    assert response.url == f"/admin/deliverystore/importrun/{run.pk}/change/"
    assert run.mapping == {"code": "code", "name": "name", "more": None}


def test_what_is_left_out_since_it_was_the_last_time_is_said_and_marked(look, submit):
    first = look("code,name\nA,x\n", use="faculty:create")
    assert "left out" not in words(first)
    submit(first, **{"column-1": "ignore"})

    page = look("code,name\nB,y\n", "g.csv", use="faculty:create")

    assert columns(page)["name"] == "ignore"
    assert "1 column is left out, as the last time: name." in words(page)
    assert "Every column has its field" not in words(page)
    assert '<tr class="deliverystore-left-out">' in page.text
    again = submit(page, **{"column-0": "", "column-1": "ignore"})
    assert "1 column is left out: name." in words(again)


def test_all_columns_without_a_field_are_left_out_at_once(look, submit):
    page = look("code,name,more,most\nA,x,1,2\n", use="faculty:create")

    submit(page, rest="ignore")

    assert ImportRun.objects.get().mapping == {
        "code": "code",
        "name": "name",
        "more": None,
        "most": None,
    }


def test_what_does_not_fit_is_said_at_the_column(look, submit):
    page = look("code,name,more\nA,x,1\n")

    response = submit(page, **{"column-2": "field:name"})

    form = response.context_data["form"]
    assert response.status_code == 422
    assert "are for the same field" in form.columns[2].errors[0]
    assert 'aria-invalid="true" aria-describedby="error_column-2"' in response.text


def test_a_missing_column_is_said_above_the_form(look, submit):
    page = look("other,name\nA,x\n", use="faculty:create")

    response = submit(page, **{"column-0": "ignore"})

    assert "“code” is missing" in response.context_data["form"].errors[0]
    assert response.status_code == 422


@pytest.mark.parametrize("value", ["field:pk", "field:nonsense", "nonsense", "field:"])
def test_only_a_field_of_the_processor_can_be_chosen(look, submit, value):
    page = look("code,name\nA,x\n")

    response = submit(page, **{"column-1": value})

    assert response.status_code == 422
    assert not ImportRun.objects.exists()


def test_a_file_that_has_changed_meanwhile_is_looked_at_again(look, submit, center):
    page = look("code,name\nA,x\n")
    put(center, "f.csv", "name,code\nA,x\n")

    response = submit(page)

    assert "The columns are others than before" in words(response)
    assert not ImportRun.objects.exists()


# -- The start ---------------------------------------------------------------------


def test_an_import_is_begun_with_what_was_said(look, submit, importer):
    page = look("code;name\nA;x\n")

    submit(page, max_failed="5%", max_removed="3", on_error="stop")

    run = ImportRun.objects.get()
    assert (run.file, run.processor, run.mode) == ("f.csv", "faculty", "create")
    assert (run.on_error, run.max_failed, run.max_removed) == ("stop", "5%", "3")
    assert (run.user, run.dry_run) == (importer, False)
    assert run.layout["delimiter"] == ";"
    assert SavedMapping.objects.count() == 1


def test_a_dry_run_changes_nothing_and_its_choices_are_kept_for_the_import(
    look, submit, center
):
    center.upload("f.csv", "kode,name,more\nA,x,1\n")
    page = look(use="faculty:create")
    submit(
        page,
        dry_run="1",
        max_failed="7",
        **{"column-0": "field:code", "column-2": "ignore"},
    )
    run = ImportRun.objects.get()
    runs.work(run)

    again = look()

    run.refresh_from_db()
    assert (run.dry_run, run.state) == (True, "tried")
    assert not Faculty.objects.exists()
    assert columns(again) == {
        "kode": "field:code",
        "name": "field:name",
        "more": "ignore",
    }
    assert again.context_data["form"].max_failed == "7"


def test_a_limit_that_is_none_is_told_and_nothing_is_lost(look, submit):
    page = look("code,name,more\nA,x,1\n")

    response = submit(page, max_failed="many", **{"column-2": "ignore"})

    assert "is no limit" in words(response)
    assert columns(response)["more"] == "ignore"
    assert 'value="many"' in response.text


def test_a_file_with_an_import_under_way_has_no_form_but_a_link(client, boss, center):
    run = start(center, ("A", "x"))

    response = client.get(url("preview"), {"file": "f.csv"})
    posted = client.post(f"{url('preview')}?file=f.csv", {"use": "faculty:create"})

    assert f"Import {run.pk} of this file is not over: waiting." in words(response)
    assert f"/importrun/{run.pk}/change/" in response.text
    assert 'name="use"' not in response.text
    assert posted.status_code == 422


def test_a_pending_file_has_what_was_said_of_its_parent(client, boss, center):
    center.upload("f.csv", "kode,name,more\nA,x,1\ntoo-long-a-code-for-it,y,2\n")
    mapping = {"kode": "code", "more": None}
    run = runs.start_run("f.csv", "faculty", "upsert", mapping, enqueue=False)
    runs.work(run)

    response = client.get(url("preview"), {"file": "f.upsert.pending.csv"})

    assert response.context_data["form"].use == "faculty:upsert"
    assert columns(response) == {
        "kode": "field:code",
        "name": "field:name",
        "more": "ignore",
    }
    assert f"These are the rows that failed in import {run.pk} ;" in words(response)


def test_a_pending_file_is_looked_at_by_who_may_import_it_or_download(client, center):
    run = some_failed(center)
    query = {"file": run.pending_file}

    for may, status in (
        (["run_import"], 403),
        (["run_import", "add_student", "change_faculty"], 403),
        (["delete_datafile"], 403),
        (["run_import", "add_faculty"], 200),
        (["download_datafile"], 200),
    ):
        client.force_login(who_may(*may))
        assert client.get(url("preview"), query).status_code == status, may


# -- What is not to be seen --------------------------------------------------------


class HushedProcessor(FacultyProcessor):
    name = "hushed"
    sensitive = ["name"]


@pytest.fixture
def hushed():
    registry.register(HushedProcessor)
    yield "hushed"
    if "hushed" in registry.get_processors():
        registry.unregister(HushedProcessor)


@pytest.fixture
def secret(center, hushed):
    """An import that has left a row with a secret."""
    center.upload("s.csv", 'code,title\nfar-too-long-a-code,"Secret,indeed"\n')
    mapping = {"title": "name"}
    run = runs.start_run("s.csv", hushed, "create", mapping, enqueue=False)
    return runs.work(run)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"use": "faculty:create"},
        {"delimiter": "bar"},
        {"quote": "single"},
        {"encoding": "utf-16"},
        {"encoding": "cp1252", "delimiter": "semicolon"},
    ],
)
def test_secrets_in_rows_that_failed_are_not_shown(client, boss, secret, params):
    query = {"file": secret.pending_file, **params}

    response = client.get(url("preview"), query)

    assert response.status_code == 200
    assert "Secret" not in response.text
    assert "indeed" not in response.text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_secrets_are_not_shown_as_names_of_columns_in_another_script(
    client, boss, secret, encoding
):
    query = {"file": secret.pending_file, "encoding": encoding}

    response = client.get(url("preview"), query)

    assert columns(response) == {"code": "field:code", "title": "field:name"}
    assert b"Secret" not in response.text.encode(encoding, "surrogatepass")


@pytest.mark.parametrize(
    "said", [{"header_line": "2"}, {"encoding": "utf-16-le"}, {"delimiter": "bar"}]
)
def test_nobody_learns_secrets_by_what_they_say_as_they_begin(client, secret, said):
    client.force_login(who_may("run_import", "add_faculty"))
    address = f"{url('preview')}?file={secret.pending_file}"

    answer = client.post(address, {**form_of(client.get(address)), **said})

    # As it was shown.
    assert answer.status_code == 302
    run = ImportRun.objects.latest("pk")
    assert (run.header, run.layout["header_line"]) == (
        ["code", "title", "--ERRORS--"],
        1,
    )


def test_rows_with_secrets_that_were_saved_in_another_encoding_are_read(
    client, boss, center, secret
):
    rows = "code;title\nFÄ;x\n".encode("cp1252")
    center.place.replace(secret.pending_file, [rows])
    query = {"file": secret.pending_file, "encoding": "cp1252"}

    response = client.get(url("preview"), query)

    assert "FÄ" in words(response)
    assert "problem" not in words(response)


def test_of_rows_with_secrets_the_others_are_shown(client, boss, secret):
    response = client.get(url("preview"), {"file": secret.pending_file})

    page = words(response)
    assert "far-too-long-a-code" in page
    assert "***" in page


def test_who_only_downloads_sees_no_secrets_on_the_page(client, center, secret):
    client.force_login(person("downloader"))

    assert (
        "Secret" not in client.get(url("preview"), {"file": secret.pending_file}).text
    )


def test_without_its_processor_nothing_of_a_row_that_failed_is_shown(
    client, boss, secret
):
    registry.unregister(HushedProcessor)

    page = client.get(url("preview"), {"file": secret.pending_file}).text

    assert "Secret" not in page
    assert "<td>far-too-long-a-code</td>" not in page


def test_what_is_to_become_a_secret_is_not_shown(client, boss, center, hushed):
    put(center, "f.csv", "code,name\nA,Secret\nB,C,Secret\n")

    page = client.get(url("preview"), {"file": "f.csv", "use": "hushed:create"}).text

    assert "Secret" not in page
    assert "<td>A</td>" in page


# -- What does not wait any more ---------------------------------------------------


def test_an_import_that_was_begun_elsewhere_and_is_over_is_led_to(look, submit):
    first = look("code,name\nA,x\n")
    submit(first)
    run = ImportRun.objects.get()
    if not run.is_over:
        runs.work(run)

    response = submit(first)

    assert response.status_code == 302
    assert response.url.endswith(f"/importrun/{run.pk}/change/")
    assert told(response) == [
        "“f.csv” does not wait any more: this was its last import."
    ]
    assert ImportRun.objects.count() == 1


def test_an_import_of_others_is_not_led_to(client, center):
    some_failed(center, bad=0, good=1)
    client.force_login(who_may("run_import", "add_student"))

    assert client.get(url("preview"), {"file": "f.csv"}).status_code == 404


def test_a_page_takes_as_many_queries_for_many_rows_as_for_few(look):
    def queries(content):
        with CaptureQueriesContext(connection) as captured:
            look(content, use="faculty:create")
        return len(captured)

    few = queries("code,name\nA,x\n")
    many = "code,name," + ",".join(map(str, range(40))) + "\n" + "A,x\n" * 5000

    assert queries(many) == few <= 12


# -- Attacks -----------------------------------------------------------------------

EVIL = "<script>alert(1)</script>"


def test_what_a_file_says_is_shown_inertly(look):
    response = look(f'code,"{EVIL}","\'""><img src=x>"\n{EVIL},=cmd(),\'\n')

    assert EVIL not in response.text
    assert "<img src=x" not in response.text
    assert "=cmd()" in words(response)


def test_a_cell_of_a_megabyte_makes_no_page_of_a_megabyte(look):
    response = look("code,name\nA," + "x" * 1_000_000 + "\n")

    assert len(response.text) < 60_000
    assert "xxx…" in response.text


def test_five_thousand_columns_have_a_page_and_can_be_left_out(look, submit):
    header = ["code", *(f"c{n}" for n in range(4998)), "name"]

    content = ",".join(header) + "\n" + ",".join("1" * 5000) + "\n"
    page = look(content, use="faculty:create")

    assert len(page.text) < 600_000
    assert "4,950 more columns" in words(page)
    form = page.context_data["form"]
    assert {one.header for one in form.shown} > {"code", "name"}
    assert re.search(r"4800 more columns have no field", words(page))
    refused = submit(page)
    assert "4998 columns have no field" in words(refused)
    assert submit(page, rest="ignore").status_code == 302
    run = ImportRun.objects.get()
    assert sum(name is not None for name in run.mapping.values()) == 2


def test_a_header_of_a_megabyte_is_cut(look):
    response = look("x" * 500_000 + ",name\nA,x\n", use="faculty:create")

    assert len(response.text) < 60_000


# -- In a browser ------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.long
@pytest.mark.django_db(transaction=True)
@screens(DESK)
def test_names_of_columns_are_shown_as_they_are(
    page, live_server, boss, client, center
):
    run = some_failed(center)
    put(center, "g.csv", "code,name\nA,x\n")
    sign_in(page, live_server, client)

    for address in (f"{url('preview')}?file=g.csv", run_url("rows", run.pk)):
        page.goto(live_server.url + address)
        name = page.locator("main thead th", has_text="code").first
        expect(name).to_have_css("text-transform", "none")


@pytest.mark.browser
@pytest.mark.long
@pytest.mark.django_db(transaction=True)
@screens(DESK, BARE_PHONE, PHONE, BARE_DESK)
def test_from_the_list_to_the_import(page, live_server, boss, client, center):
    center.upload("f.csv", "kode,name,more\nA,Arts,1\n")
    sign_in(page, live_server, client)
    page.goto(live_server.url + FILES)
    page.get_by_role("link", name="Import f.csv").click()

    page.get_by_label("Processor and mode").select_option("faculty:create")
    page.get_by_role("button", name="Use this").click()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("2 columns have no field: choose one")).to_be_visible()
    page.get_by_label("kode", exact=True).select_option("field:code")
    page.get_by_label("more", exact=True).select_option("ignore")
    page.get_by_role("button", name="Import", exact=True).click()

    expect(page).to_have_url(re.compile(r"/importrun/\d+/change/"))
    run = ImportRun.objects.get()
    assert run.mapping == {"kode": "code", "name": "name", "more": None}


@pytest.mark.browser
@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_what_is_chosen_and_not_sent_yet_cannot_be_begun_as_something_else(
    page, live_server, boss, client, center
):
    put(center, "f.csv", "code,name\nA,x\n")
    sign_in(page, live_server, client)
    page.goto(f"{live_server.url}{url('preview')}?file=f.csv&use=faculty:create")
    button = page.get_by_role("button", name="Import", exact=True)
    expect(button).to_be_visible()

    page.get_by_label("Processor and mode").select_option("faculty:remove")

    expect(button).to_be_hidden()
    expect(page.locator("#use-needs")).to_contain_text("Finds objects by code")


@pytest.mark.browser
@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_no_page_is_wider_than_the_screen(page, live_server, boss, client, center):
    sign_in(page, live_server, client)
    wide = ",".join(f"a_long_name_of_column_{n}" for n in range(60))
    center.upload("wide.csv", f"code,name,{wide}\n{'x' * 500},y\n")
    center.upload("x" * 150 + ".csv", "code,name\nA,x\n")
    put(center, "logs/datacenter.log", "upload " + "x" * 500 + "\n")
    put(center, f"finished/{'y' * 150}.csv")
    put(center, "deleted/z.csv")
    start(center, ("A", "x"), name="held.csv")
    for address in (
        *("", "unfinished/", "finished/", "deleted/", "processors/"),
        "logs/?q=upload",
        "preview/?file=wide.csv&use=faculty:create",
        "preview/?file=held.csv",
        "preview/?file=missing.csv",
        "delete/?file=wide.csv",
        "restore/?file=deleted/z.csv",
    ):
        page.goto(live_server.url + FILES + address)

        assert_fits(page)

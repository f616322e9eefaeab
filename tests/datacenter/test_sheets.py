"""Workbooks as tables; those that would fill the memory are refused before."""

from __future__ import annotations

import io
import sys
import zipfile

import pytest

from deliverystore.datacenter import Code, Layout, Record, check, open_table, workbooks
from deliverystore.datacenter.cellscan import MAX_ERROR_TEXTS
from deliverystore.exceptions import MissingExtra, TableUnreadable

pytest.importorskip("python_calamine")

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
LINKS = "http://schemas.openxmlformats.org/package/2006/relationships"
FORMATS = "".join(f'<xf numFmtId="{one}"/>' for one in (0, 14, 22, 46))


def workbook(rows, texts=(), method=zipfile.ZIP_DEFLATED, **parts):
    """Return a workbook with one sheet, made by hand so that it can be a bad one."""
    link = '<Relationship Id="r{0}" Type="{1}/{2}" Target="{3}"/>'
    links = [(1, "worksheet", "worksheets/one.xml"), (2, "styles", "styles.xml")]
    links.append((3, "sharedStrings", "sharedStrings.xml"))
    shared = "".join(f"<si><t>{text}</t></si>" for text in texts)
    members = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": f'<Relationships xmlns="{LINKS}">'
        + link.format(1, RELS, "officeDocument", "xl/workbook.xml")
        + "</Relationships>",
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELS}"><sheets>'
        '<sheet name="One" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{LINKS}">'
        + "".join(link.format(n, RELS, kind, to) for n, kind, to in links)
        + "</Relationships>",
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><cellXfs>{FORMATS}</cellXfs>'
        "</styleSheet>",
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{shared}</sst>',
        "xl/worksheets/one.xml": sheet(rows),
        **parts,
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


def sheet(rows):
    return f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'


def two_sheets(names, targets, **parts):
    """Return a workbook that names two sheets, and says which part is which."""
    named = "".join(
        f'<sheet name="{name}" sheetId="{number}" r:id="r{number}"/>'
        for number, name in enumerate(names, start=1)
    )
    linked = "".join(
        f'<Relationship Id="r{number}" Type="{RELS}/worksheet" Target="{target}"/>'
        for number, target in enumerate(targets, start=1)
    )
    return workbook(
        "",
        **{
            "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELS}"><sheets>'
            f"{named}</sheets></workbook>",
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{LINKS}">{linked}'
            "</Relationships>",
            **parts,
        },
    )


def text(reference, value):
    # Without the attribute blanks at the ends do not count (ECMA-376, 18.3.1.53).
    space = 'xml:space="preserve"'
    return f'<c r="{reference}" t="inlineStr"><is><t {space}>{value}</t></is></c>'


HEADER = f'<row r="1">{text("A1", "name")}{text("B1", "value")}</row>'


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("<v>3</v></c>", "3"),
        ("<v>1.5</v></c>", "1.5"),
        ("<v>12345678901</v></c>", "12345678901"),
    ],
)
def test_numbers_are_shown_without_a_fraction_that_they_do_not_have(cell, shown):
    rows = HEADER + f'<row r="2">{text("A2", " x ")}<c r="B2">{cell}</row>'

    assert list(open_table(workbook(rows))) == [Record(1, 2, [" x ", shown])]


@pytest.mark.parametrize(
    ("style", "value", "shown"),
    [(1, "45000", "2023-03-15"), (2, "45000.25", "2023-03-15T06:00:00")],
)
def test_dates_are_iso(style, value, shown):
    rows = (
        HEADER
        + f'<row r="2">{text("A2", "x")}<c r="B2" s="{style}"><v>{value}</v></c></row>'
    )

    assert next(iter(open_table(workbook(rows)))).cells == ["x", shown]


@pytest.mark.parametrize("date1904", ["1", "true", "0"])
def test_dates_begin_where_the_workbook_says(date1904):
    row = f'<row r="2">{text("A2", "x")}<c r="B2" s="1"><v>43538</v></c></row>'
    book = f'<workbook xmlns="{MAIN}" xmlns:r="{RELS}"><workbookPr '
    book += f'date1904="{date1904}"/><sheets><sheet name="One" sheetId="1" r:id="r1"/>'
    file = workbook(HEADER + row, **{"xl/workbook.xml": f"{book}</sheets></workbook>"})

    shown = "2019-03-14" if date1904 == "0" else "2023-03-15"
    assert next(iter(open_table(file))).cells == ["x", shown]


def test_a_nul_in_a_cell_is_told_and_shown():
    header = f'<row r="1">{text("A1", "na_x0000_me")}{text("B1", "b")}</row>'
    row = f'<row r="2">{text("A2", "x")}{text("B2", "y_x0000_z")}</row>'
    file = workbook(header + row)

    problems = check(file).problems

    assert [(one.code, one.line, one.column) for one in problems] == [
        (Code.NUL, 1, 1),
        (Code.NUL, 2, 2),
    ]
    table = open_table(file)
    assert table.header == ("na\\x00me", "b")
    assert list(table) == [Record(1, 2, ["x", "y\\x00z"])]


def test_reading_goes_on_from_a_position():
    rows = HEADER + "".join(
        f'<row r="{n}">{text(f"A{n}", n)}{text(f"B{n}", "y")}</row>'
        for n in range(2, 9)
    )
    file = workbook(rows)

    batch = open_table(file).read_batch(3)
    rest = open_table(file, start=batch.next)

    assert rest.layout == Layout(sheet="One", header_line=1)
    assert [record.line for record in rest] == [5, 6, 7, 8]


def test_an_error_of_the_spreadsheet_is_no_empty_cell():
    rows = HEADER + f'<row r="2">{text("A2", "x")}<c r="B2" t="e"><v>#N/A</v></c></row>'

    (problem,) = check(workbook(rows)).problems

    assert (problem.code, problem.line, problem.column) == (Code.CELL_ERROR, 2, 2)
    assert "#N/A" in problem.message


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        (HEADER + text("XFD1048576", "far"), Code.WORKBOOK_TOO_LARGE),
        (HEADER + text("A99999999999", "far"), Code.WORKBOOK_DAMAGED),
        (HEADER + text("ZZZZZZ3", "far"), Code.WORKBOOK_DAMAGED),
        (HEADER + '<c r="A2" t="s"><v>7</v></c>', Code.WORKBOOK_DAMAGED),
        ("<row", Code.WORKBOOK_DAMAGED),
        ("", Code.NO_HEADER),
    ],
)
def test_a_few_bytes_cannot_ask_for_terabytes(rows, code):
    with pytest.raises(TableUnreadable) as caught:
        open_table(workbook(rows))

    assert caught.value.problem.code is code


BOMB = sheet(f'<row r="1">{text("A1", "name")}{text("XFD1048576", "far")}</row>')
SMALL = sheet(HEADER)
ONE, TWO = "xl/worksheets/one.xml", "xl/worksheets/two.xml"


@pytest.mark.parametrize(
    ("names", "targets", "parts"),
    [
        ("AA", ["worksheets/one.xml", "worksheets/two.xml"], {ONE: SMALL, TWO: BOMB}),
        (
            ["A&#65;", "AA"],
            ["worksheets/one.xml", "worksheets/two.xml"],
            {ONE: SMALL, TWO: BOMB},
        ),
        ("A", ["./worksheets/one.xml"], {ONE: SMALL, "xl/./worksheets/one.xml": BOMB}),
        ("A", ["../x/one.xml"], {"x/one.xml": SMALL, "xl/../x/one.xml": BOMB}),
        ("A", ["worksheets/one.xml"], {"XL/worksheets/ONE.xml": BOMB, ONE: SMALL}),
        ("A", ["worksheets/one.xml"], {r"xl\worksheets\one.xml": BOMB, ONE: SMALL}),
    ],
    ids=["one name twice", "entity", "dot", "dots", "case", "backslash"],
)
def test_the_part_that_was_counted_is_the_one_that_is_read(names, targets, parts):
    """Were it the other one, the process would be aborted."""
    assert open_table(two_sheets(names, targets, **parts)).header == ("name", "value")


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-be"])
def test_a_part_that_is_not_utf_8_is_refused_since_it_can_be_read_in_two_ways(coding):
    part = f'<?xml version="1.0" encoding="UTF-16"?>{SMALL}'.encode(coding)

    with pytest.raises(TableUnreadable, match=r"one\.xml is not UTF-8"):
        open_table(workbook("", **{ONE: part}))


def test_a_sheet_with_a_chart_is_no_table():
    links = f'<Relationships xmlns="{LINKS}"><Relationship Id="r1" '
    links += f'Type="{RELS}/chartsheet" Target="worksheets/one.xml"/></Relationships>'

    with pytest.raises(TableUnreadable, match="no sheet"):
        open_table(workbook(HEADER, **{"xl/_rels/workbook.xml.rels": links}))


def test_a_text_that_many_cells_share_counts_in_each():
    cells = '<c t="s"><v>0</v></c>' * 16_000
    file = workbook(HEADER + f"<row>{cells}</row>", texts=["x" * 20_000])

    with pytest.raises(TableUnreadable, match="too large"):
        open_table(file)


@pytest.mark.parametrize("part", ["xl/sharedStrings.xml", "xl/worksheets/one.xml"])
def test_a_part_that_unpacks_to_very_much_is_refused(part):
    file = workbook(HEADER, **{part: " " * (64 * 1024 * 1024)})

    with pytest.raises(TableUnreadable, match="too large"):
        open_table(file)


def test_a_sheet_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(TableUnreadable, match="no sheet Two; there are: One"):
        open_table(workbook(HEADER), sheet="Two")


@pytest.mark.parametrize(
    "data", [b"PK\x03\x04 no zip", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"]
)
def test_what_is_no_workbook_is_refused(data):
    assert check(io.BytesIO(data)).problems[0].code is Code.WORKBOOK_DAMAGED


def test_rows_above_the_header_and_columns_behind_it_may_be_blank():
    above = f'<row r="1">{text("A1", " ")}</row>'
    header = f'<row r="2">{text("A2", "a")}{text("B2", "b")}{text("C2", " ")}</row>'
    row = f'<row r="3">{text("A3", "1")}{text("B3", "2")}{text("C3", "")}</row>'

    table = open_table(workbook(above + header + row))

    assert (table.header, table.header_line) == (("a", "b"), 2)
    assert table.position == table.read_batch(0).start
    assert list(table) == [Record(1, 3, ["1", "2"])]


def titled():
    """Return a workbook with a title, a blank row, a header in row 3 and one record."""
    title = f'<row r="1">{text("A1", "Students")}{text("D1", " ")}</row>'
    names = "".join(text(f"{one}3", one.lower()) for one in "ABC")
    cells = "".join(text(f"{one}4", "1") for one in "ABC")
    return workbook(f'{title}<row r="3">{names}</row><row r="4">{cells}</row>')


def test_the_row_of_the_header_can_be_said():
    table = open_table(titled(), header_line=2)

    assert (table.header, table.header_line) == (("a", "b", "c"), 3)
    assert table.layout == Layout(sheet="One", header_line=3)
    start = table.read_batch(0).start
    assert list(table) == [Record(1, 4, ["1", "1", "1"])]
    again = open_table(titled(), start=start, **table.layout.declared)
    assert list(again) == [Record(1, 4, ["1", "1", "1"])]


def test_the_header_below_a_title_is_pointed_out_in_a_sheet_too():
    assert check(titled()).likely_header == 3
    assert check(titled(), header_line=3).likely_header is None
    (problem,) = check(titled(), header_line=5).problems
    assert problem.code is Code.HEADER_MISSING


def test_a_row_with_a_cell_behind_the_header_is_a_problem_of_its_own():
    row = f'<row r="2">{text("A2", "x")}{text("B2", "y")}{text("D2", "z")}</row>'

    (problem,) = check(workbook(HEADER + row)).problems

    assert (problem.code, problem.line) == (Code.TOO_MANY_CELLS, 2)


def test_truth_is_shown_as_a_spreadsheet_shows_it():
    cells = '<c r="A2" t="b"><v>1</v></c><c r="B2" t="b"><v>0</v></c>'

    table = open_table(workbook(HEADER + f'<row r="2">{cells}</row>'))

    assert list(table) == [Record(1, 2, ["TRUE", "FALSE"])]


def test_a_sheet_is_chosen_by_its_name():
    assert open_table(workbook(HEADER), sheet="One").header == ("name", "value")


def test_a_check_says_which_of_the_sheets_was_read():
    parts = {ONE: SMALL, TWO: SMALL}
    file = two_sheets(["A", "B"], ["worksheets/one.xml", "worksheets/two.xml"], **parts)

    first, second = check(file), check(file, sheet="B")

    assert (first.sheets, first.sheet_number) == (("A", "B"), 1)
    assert (second.sheets, second.sheet_number) == (("A", "B"), 2)
    assert (check(io.BytesIO(b"a\n1\n")).sheets, check(io.BytesIO()).sheets) == ((), ())


def error(cell, shown):
    return f'<c r="{cell}" t="e"><v>{shown}</v></c>'


def test_of_very_many_errors_each_is_told():
    rows = "".join(
        f'<row r="{n}">{text(f"A{n}", "x")}{error(f"B{n}", "#N/A")}</row>'
        for n in range(2, 3002)
    )

    report = check(workbook(HEADER + rows), max_problems=5000)

    assert {problem.code for problem in report.problems} == {Code.CELL_ERROR}
    assert report.problem_count == report.records == 3000


def test_an_error_comes_as_the_text_that_the_spreadsheet_shows():
    rows = f'<row r="2">{error("A2", "#DIV/0!")}{error("B2", "#N/A")}</row>'
    rows += f'<row r="3">{text("A3", "x")}{error("B3", "#REF!")}</row>'

    table = open_table(workbook(HEADER + rows))

    assert [one.cells for one in table] == [["#DIV/0!", "#N/A"], ["x", "#REF!"]]


def test_errors_are_found_wherever_their_rows_stand_in_the_file():
    rows = f'<row r="3">{text("A3", "y")}{error("B3", "#REF!")}</row>'
    rows += f'<row r="2">{text("A2", "x")}{error("B2", "#N/A")}</row>'

    table = open_table(workbook(HEADER + rows))

    assert [one.cells for one in table] == [["x", "#N/A"], ["y", "#REF!"]]


def test_errors_that_no_spreadsheet_has_are_refused():
    rows = "".join(
        f'<row r="{n}">{error(f"A{n}", f"#{n}")}</row>'
        for n in range(2, MAX_ERROR_TEXTS + 3)
    )

    with pytest.raises(TableUnreadable, match="more kinds of errors"):
        open_table(workbook(HEADER + rows))


def test_blanks_between_shared_texts_are_no_text():
    cell = '<row r="2"><c r="A2" t="s"><v>0</v></c></row>'
    texts = f'<sst xmlns="{MAIN}">\n  <si><t>x</t></si>\n</sst>'
    file = workbook(HEADER + cell, **{"xl/sharedStrings.xml": texts})

    assert list(open_table(file)) == [Record(1, 2, ["x", ""])]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ('<c r="A2" t="s"><v>one</v></c>', "'one' is no number"),
        ('<c r="A2" t="s"><v>-1</v></c>', "'-1' is no number"),
        ('<c r="A1048577"><v>1</v></c>', "no sheet has a cell 1048577, 1"),
        ('<c r="XFE1"><v>1</v></c>', "no sheet has a cell 1, 16385"),
        ('<c r="A2" t="b"><v>7</v></c>', "boolean cell value: 7"),
    ],
)
def test_a_cell_that_cannot_be_is_named(cell, reason):
    with pytest.raises(TableUnreadable, match=reason) as caught:
        open_table(workbook(HEADER + cell))

    assert caught.value.problem.code is Code.WORKBOOK_DAMAGED


def test_a_duration_that_is_too_long_is_a_problem_and_no_crash():
    cell = '<row r="2"><c r="A2" s="3"><v>1e300</v></c></row>'

    (problem,) = check(workbook(HEADER + cell)).problems

    assert problem.code is Code.WORKBOOK_DAMAGED
    assert "days" in problem.message


def test_a_document_type_is_refused_since_it_could_define_entities():
    sheet = '<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet/>'
    file = workbook("", **{"xl/worksheets/one.xml": sheet})

    with pytest.raises(TableUnreadable, match="document type"):
        open_table(file)


def test_a_workbook_without_one_of_its_parts_is_refused():
    links = f'<Relationships xmlns="{LINKS}"><Relationship Id="r1" '
    links += f'Type="{RELS}/worksheet" Target="worksheets/two.xml"/></Relationships>'
    file = workbook(HEADER, **{"xl/_rels/workbook.xml.rels": links})

    with pytest.raises(TableUnreadable, match=r"it has no xl/worksheets/two\.xml"):
        open_table(file)


def archive(method=zipfile.ZIP_DEFLATED):
    """Return a workbook's file, open so that parts can be added to it."""
    file = workbook(HEADER)
    return file, zipfile.ZipFile(file, "a", method)


def test_what_is_not_read_is_left_behind_whatever_it_is_like():
    file, opened = archive(zipfile.ZIP_BZIP2)
    with opened:
        opened.writestr("xl/media/image1.png", b"x" * (8 * 1024 * 1024))
        opened.writestr("xl/more.xml", " " * (64 * 1024 * 1024))

    assert open_table(file).header == ("name", "value")


def test_a_part_that_is_packed_in_an_unusual_way_is_refused():
    with pytest.raises(TableUnreadable, match=r"workbook\.xml\.rels is packed"):
        open_table(workbook(HEADER, method=zipfile.ZIP_BZIP2))


def test_a_part_that_is_there_twice_is_refused():
    file, opened = archive()
    with opened, pytest.warns(UserWarning, match="Duplicate name"):
        opened.writestr("xl/workbook.xml", "<workbook/>")

    with pytest.raises(TableUnreadable, match="one twice"):
        open_table(file)


def test_a_workbook_that_unpacks_to_very_much_is_refused(monkeypatch):
    monkeypatch.setattr(workbooks, "MAX_UNPACKED_BYTES", 10_000)
    parts = {"xl/styles.xml": "x" * 6000, "xl/sharedStrings.xml": "x" * 6000}

    with pytest.raises(TableUnreadable, match="more than 10,000 bytes"):
        open_table(workbook(HEADER, **parts))


def test_without_the_extra_it_is_said_which_one_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "python_calamine", None)

    with pytest.raises(MissingExtra, match="xlsx"):
        open_table(workbook(HEADER))


def formula(cell, value="<v></v>", kind=""):
    return f'<c r="{cell}"{kind}><f>1+1</f>{value}</c>'


@pytest.mark.parametrize("value", ["", "<v/>", "<v></v>", "<v> </v>"])
def test_a_formula_without_a_value_is_no_empty_cell(value):
    rows = HEADER + f'<row r="2">{text("A2", "x")}{formula("B2", value)}</row>'

    (problem,) = check(workbook(rows)).problems

    assert (problem.code, problem.line, problem.column, problem.name) == (
        Code.FORMULA_WITHOUT_VALUE,
        2,
        2,
        "value",
    )
    assert "B2 is a formula without a value" in problem.message
    assert list(open_table(workbook(rows))) == [Record(1, 2, ["x", "=?"])]


@pytest.mark.parametrize(
    ("value", "kind", "shown"),
    [
        ("<v>2</v>", "", "2"),
        ("<v>two</v>", ' t="str"', "two"),
        ("<v></v>", ' t="str"', ""),
        ("<v>1</v>", ' t="b"', "TRUE"),
        ("<v>0</v>", ' t="s"', "shared"),
    ],
)
def test_a_formula_with_a_value_is_this_value_also_if_it_is_an_empty_text(
    value, kind, shown
):
    rows = HEADER + f'<row r="2">{text("A2", "x")}{formula("B2", value, kind)}</row>'
    file = workbook(rows, texts=["shared"])

    assert check(file).is_sound
    assert list(open_table(file)) == [Record(1, 2, ["x", shown])]


def test_a_formula_whose_value_is_an_error_is_told_as_that_error():
    cell = formula("B2", "<v>#N/A</v>", ' t="e"')
    rows = HEADER + f'<row r="2">{text("A2", "x")}{cell}</row>'

    (problem,) = check(workbook(rows)).problems

    assert problem.code is Code.CELL_ERROR


def test_rows_and_columns_with_nothing_but_formulas_without_a_value_are_there():
    """Their reader ends before them."""
    rows = f'<row r="1">{formula("A1")}{text("B1", "b")}{formula("C1")}</row>'
    rows += f'<row r="2">{formula("A2")}{text("B2", "x")}</row>'
    rows += f'<row r="4">{formula("AB4")}</row>'

    table = open_table(workbook(rows))
    records = list(table)

    assert table.header == ("=?", "b", "=?")
    assert [problem.column for problem in table.problems[:2]] == [1, 3]
    assert records[:2] == [Record(1, 2, ["=?", "x", ""]), Record(2, 3, ["", "", ""])]
    assert records[2].cells[-1] == "=?"
    messages = [problem.message for problem in check(workbook(rows)).problems]
    assert any("AB4 is a formula" in message for message in messages)


def test_a_sheet_with_nothing_but_formulas_without_a_value_has_a_header():
    rows = f'<row r="2">{formula("B2")}</row>'

    table = open_table(workbook(rows))

    assert (table.header, table.header_line) == (("=?",), 2)


def test_reading_goes_on_at_a_row_that_its_reader_leaves_out():
    rows = HEADER + "".join(f'<row r="{n}">{formula(f"A{n}")}</row>' for n in (2, 3, 4))
    batch = open_table(workbook(rows)).read_batch(2)

    assert list(open_table(workbook(rows), start=batch.next)) == [
        Record(3, 4, ["=?", ""])
    ]

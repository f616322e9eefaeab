"""Opening, reading and checking of CSV files."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
import threading

import pytest

from deliverystore.datacenter import (
    Code,
    Layout,
    Offer,
    Position,
    Record,
    check,
    delimited,
    is_blank,
    open_table,
)
from deliverystore.datacenter.encodings import SAMPLE_BYTES
from deliverystore.datacenter.parsing import MAX_CELL_CHARACTERS, MAX_RECORD_BYTES
from deliverystore.exceptions import TableUnreadable

MIB = 1024 * 1024


def table_of(data, **options):
    data = data.encode() if isinstance(data, str) else data
    return open_table(io.BytesIO(data), **options)


def report_of(data, **options):
    data = data.encode() if isinstance(data, str) else data
    return check(io.BytesIO(data), **options)


def problems_of(data, **options):
    report = report_of(data, **options)
    assert report.problem_count == len(report.problems)
    return [
        (one.code, one.line, one.record, one.column, one.name)
        for one in report.problems
    ]


# -- Records -----------------------------------------------------------------------


def test_a_record_has_its_number_its_physical_line_and_its_cells():
    table = table_of('a,b\n1,"two\nlines"\n\n3, 4 \n')

    assert table.header == ("a", "b")
    assert list(table) == [
        Record(1, 2, ["1", "two\nlines"]),
        Record(2, 4, []),
        Record(3, 5, ["3", " 4 "]),
    ]


def test_blank_lines_above_the_header_are_passed_over():
    table = table_of("\n,,\na,b\n1,2\n")

    assert (table.header, table.header_line) == (("a", "b"), 3)
    assert list(table) == [Record(1, 4, ["1", "2"])]


TITLED = 'Students of "2026\n\nmade; by; hand\nname;code;note\nA;1;x\nB;2;"y\nz"\n'


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("line", [4, 2])
def test_what_is_above_the_line_of_the_header_is_no_part_of_the_table(codec, end, line):
    text = TITLED.replace("made; by; hand\n", "\n") if line == 2 else TITLED
    data = text.replace("\n", end).encode(codec)

    table = table_of(data, header_line=line)

    assert (table.header, table.header_line) == (("name", "code", "note"), 4)
    assert (table.layout.header_line, table.layout.delimiter) == (4, ";")
    assert list(table) == [
        Record(1, 5, ["A", "1", "x"]),
        Record(2, 6, ["B", "2", f"y{end}z"]),
    ]
    behind = table_of(data, header_line=line).read_batch(1).next
    rest = table_of(data, start=behind, **table.layout.declared)
    assert list(rest) == [Record(2, 6, ["B", "2", f"y{end}z"])]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (8, Code.HEADER_MISSING),
        (1000, Code.HEADER_MISSING),
        (1001, Code.HEADER_LINE_UNKNOWN),
        (-1, Code.HEADER_LINE_UNKNOWN),
    ],
)
def test_a_line_in_which_no_header_can_be_is_refused(line, code):
    (problem,) = report_of(TITLED, header_line=line).problems

    assert (problem.code, str(line) in problem.message) == (code, True)


def test_a_line_above_the_header_can_be_longer_than_what_is_read_at_once():
    above = "x" * 100_000 + "\n" + "y\n" * 10

    assert table_of(above + "a,b\n1,2\n", header_line=12).header == ("a", "b")


def test_a_line_above_the_header_can_be_one_that_is_too_long_for_a_table():
    long = "x" * (MAX_RECORD_BYTES + 1) + "\n"

    table = table_of(long * 2 + "a,b\n", header_line=3)

    assert (table.header, table.header_line) == (("a", "b"), 3)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Students\n\na,b,c\n1,2,3\n", 3),
        # Whoever exports a sheet gets as many delimiters in each line.
        ("Students;;\n;;\na;b;c\n1;2;3\n", 3),
        # With a title above it, this file seems to have one column.
        ("Students\na;b;c\n1;2;3\n4;5;6\n", 2),
        ("Students, all\na,b,c,d\n1,2,3,\n", 2),
        ("Students\na,b,b\na,b,c\n1,2,3\n", 3),
        ("a,b,c\n1,2,3\n", None),
        ("a\n1\n2\n", None),
        ("a,b,c\n1,2,3,4\n", None),
        ("a\nx, y\nx, z\n", None),
        # Read from the second line on, it has nothing but semicolons.
        ("a\n;\n;\n", None),
        ("\n" * 998 + "a\n1\n2\n3\n", None),
        ("Students\na,b,c\n", None),
        ("Students\na,b,c\n1,2,3,4\n", None),
    ],
)
def test_a_row_that_looks_like_the_header_below_a_title_is_pointed_out(text, line):
    assert report_of(text).likely_header == line
    if line:
        again = report_of(text, header_line=line)
        assert (again.layout.header_line, again.is_sound) == (line, True)
        assert again.likely_header is None


def test_a_batch_says_where_the_next_one_begins():
    data = "a,b\r\né,1\r\nx,2\r\n"
    table = table_of(data)

    batch = table.read_batch(1)

    assert batch.start == Position(offset=5, line=2, record=1)
    assert batch.next == Position(
        offset=len("a,b\r\né,1\r\n".encode()), line=3, record=2
    )
    assert table.position == batch.next


def test_reading_that_goes_on_reads_nothing_that_lies_between():
    class Watched(io.BytesIO):
        def read(self, size=-1):
            reads.append(self.tell())
            return super().read(size)

    reads: list[int] = []
    data = b"a,b\n" + b"1,2\n" * MIB
    table = open_table(Watched(data))
    for _ in range(100):
        batch = table.read_batch(1000)
    reads.clear()

    rest = open_table(Watched(data), start=batch.next).read_batch(1)

    assert rest.start == batch.next
    assert all(at < 64 * 1024 or at >= batch.next.offset for at in reads)


def test_a_batch_of_large_records_ends_early():
    row = f"1,{'x' * MIB}\n"
    table = table_of("a,b\n" + row * 12)

    sizes = [len(batch) for batch in table.batches(1000)]

    assert sum(sizes) == 12
    assert max(sizes) <= delimited.BATCH_BYTES / MIB + 2


@pytest.mark.parametrize(
    ("cells", "blank"),
    [([], True), ([""], True), (["", " \t"], True), (["", "0"], False)],
)
def test_a_row_is_blank_if_it_has_nothing_but_blanks(cells, blank):
    assert is_blank(cells) is blank


# -- Dialects ----------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_by_which_the_rows_agree(delimiter):
    rows = [["name", "note"], ["x", "a, b; c | d"], ["y", "1,5;2"], ["z", ""]]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)

    table = table_of(text.getvalue())

    assert table.layout == Layout(
        encoding="utf-8", delimiter=delimiter, quote='"', header_line=1
    )
    assert [record.cells for record in table] == rows[1:]


def test_decimal_commas_do_not_hide_a_semicolon():
    table = table_of("name;price;weight\nx;1,5;2,5\ny;3,5;4,5\n")

    assert table.layout.delimiter == ";"


def test_one_column_with_commas_in_its_texts_stays_one_column():
    table = table_of("note\nHello, world\nGood bye\nYes, no, maybe\n")

    assert [len(record.cells) for record in table] == [1, 1, 1]


def test_single_quotes_are_recognised_by_the_header():
    table = table_of("'a','b'\n'x, y','it''s'\n")

    assert table.layout.quote == "'"
    assert [record.cells for record in table] == [["x, y", "it's"]]


def test_an_apostrophe_in_front_of_a_name_is_no_quote():
    table = table_of("name,town\n'tHooft,Utrecht\n")

    assert [record.cells for record in table] == [["'tHooft", "Utrecht"]]


def test_the_name_of_a_tsv_file_declares_tabs():
    table = table_of("a,b\n1,2\n", name="Data.TSV")

    assert (table.layout.delimiter, table.header) == ("\t", ("a,b",))


# -- Problems ----------------------------------------------------------------------


def test_a_row_with_more_or_fewer_cells_is_a_problem_of_its_own():
    assert problems_of("a,b,c\n1,2\n1,2,3\n1,2,3,4\n,\n") == [
        (Code.TOO_FEW_CELLS, 2, 1, 3, "c"),
        (Code.TOO_MANY_CELLS, 4, 3, 4, ""),
    ]


def test_a_byte_that_is_no_character_is_named_with_its_line_and_column():
    data = 'a,b\n1,x\n"p\nq",Müller\n2,y\n'.encode("cp1252")

    assert problems_of(data) == [(Code.ENCODING, 4, 2, 2, "b")]
    report = report_of(data)
    assert str(report.problems[0]) == (
        "line 4, record 2, column 2 (b): byte 0xFC, at position 5 of the line, "
        "is no character in utf-8"
    )
    assert report.sample[1].cells == ["p\nq", "M\\xfcller"]


def test_encodings_are_offered_with_how_the_line_would_look_but_not_taken():
    report = report_of("a,b\n1,Müller\n2,Größe\n".encode("cp1252"))

    assert report.layout.encoding == "utf-8"
    assert report.offers[0] == Offer(encoding="cp1252", preview="1,Müller")


def test_cyrillic_is_offered_as_cyrillic():
    report = report_of("a,b\n1,Привет мир\n2,как дела\n".encode("cp1251"))

    assert ("cp1251", "1,Привет мир") in [
        (o.encoding, o.preview) for o in report.offers
    ]


def test_encodings_are_told_by_the_first_of_very_many_bad_lines():
    line = "1,Größe und Müller\n".encode("cp1252")

    report = report_of(b"a,b\n" + line * 4_000)

    assert report.offers[0] == Offer(encoding="cp1252", preview="1,Größe und Müller")


def test_nothing_is_offered_for_a_line_that_is_too_long_to_try():
    line = "1,Müller ".encode("cp1252") + b"x" * SAMPLE_BYTES + b"\n"

    assert report_of(b"a,b\n" + line).offers == ()


def test_without_the_extra_no_encoding_is_offered_but_the_byte_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "charset_normalizer", None)

    report = report_of("a,b\n1,Müller\n".encode("cp1252"))

    assert [problem.code for problem in report.problems] == [Code.ENCODING]
    assert report.offers == ()


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_offered(codec):
    report = report_of("name,b\nMüller,2\n".encode(codec))

    assert {problem.code for problem in report.problems} >= {Code.NUL}
    assert report.offers == (Offer(encoding=codec, preview="name,b"),)


def test_bytes_that_are_mostly_nul_are_not_taken_for_utf_16():
    assert report_of(b"a\0\n\0" + b"\0" * 64).offers == ()


def test_what_was_offered_can_be_declared():
    data = "a,b\n1,Müller\n".encode("cp1252")

    report = report_of(data, encoding="windows-1252")

    assert report.is_sound
    assert report.layout.encoding == "cp1252"
    assert report.sample == (Record(1, 2, ["1", "Müller"]),)


def test_a_mark_tells_the_encoding_whatever_is_declared():
    report = report_of("\ufeffa,b\n1,é\n".encode(), encoding="cp1252")

    assert (report.header, report.sample[0].cells) == (("a", "b"), ["1", "é"])


@pytest.mark.parametrize("name", ["utf-7", "cp037", "rot13", "nonsense", "a\0b"])
def test_an_encoding_that_cannot_be_read_from_its_middle_is_refused(name):
    with pytest.raises(TableUnreadable) as caught:
        table_of("a,b\n", encoding=name)

    assert caught.value.problem.code is Code.ENCODING_UNKNOWN


def test_a_nul_is_named_and_no_cell_holds_one():
    data = b"a,b\n1,x\0y\n2,z\n"

    assert problems_of(data) == [(Code.NUL, 2, 1, 2, "b")]
    assert report_of(data).sample[0].cells == ["1", "x\\x00y"]


def test_a_quote_that_is_never_closed_is_named_where_it_opens():
    data = 'a,b\n1,2\n"p\nq","open\n3,4\n5,6\n'

    assert problems_of(data) == [(Code.QUOTE_UNCLOSED, 4, 2, 2, "b")]
    assert list(table_of(data))[2:] == [
        Record(3, 5, ["3", "4"]),
        Record(4, 6, ["5", "6"]),
    ]


def test_a_lost_quote_swallows_no_record():
    data = 'a,b\n1,"open\n3,4\n5,"x"\n7,8\n'

    report = report_of(data)

    (problem,) = report.problems
    assert (problem.code, problem.line, problem.column) == (Code.QUOTE_STRAY, 2, 2)
    assert "closes in line 4" in problem.message
    assert [record.cells for record in report.sample][1:] == [
        ["3", "4"],
        ["5", "x"],
        ["7", "8"],
    ]


def test_columns_without_a_name_and_with_the_same_name_are_named():
    assert problems_of("a,,B, A ,b\n1,2,3,4,5\n") == [
        (Code.HEADER_EMPTY, 1, None, 2, ""),
        (Code.HEADER_DUPLICATE, 1, None, 4, " A "),
        (Code.HEADER_DUPLICATE, 1, None, 5, "b"),
    ]


def test_a_problem_in_the_header_is_of_no_record():
    assert problems_of(b"a,\xff\n1,2\n") == [(Code.ENCODING, 1, None, 2, "")]


@pytest.mark.parametrize("data", ["", "\n\n", "\ufeff", " , \n"])
def test_a_file_without_a_header_is_refused(data):
    assert problems_of(data) == [(Code.NO_HEADER, None, None, None, "")]
    with pytest.raises(TableUnreadable, match="its first row has to name the columns"):
        table_of(data)


def test_a_file_with_a_header_and_blank_rows_has_no_data():
    report = report_of("a,b\n\n,\n")

    assert [problem.code for problem in report.problems] == [Code.NO_DATA]
    assert (report.records, report.blank) == (2, 2)


def test_a_table_with_very_many_columns_is_refused():
    data = ",".join(map(str, range(20_000))) + "\n"

    assert (Code.TOO_MANY_COLUMNS, 1, None, None, "") in problems_of(data)


def test_of_very_many_problems_the_first_are_named_and_all_are_counted():
    report = report_of("a,b\n" + "1\n" * 5000, max_problems=7)

    assert [problem.line for problem in report.problems] == list(range(2, 9))
    assert (report.problem_count, report.records) == (5000, 5000)


# -- Sizes -------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["x" * MAX_CELL_CHARACTERS, "x\n" * (MIB // 2)])
def test_a_cell_of_a_megabyte_is_read(cell):
    report = report_of(f'a,b\n1,"{cell}"\n2,y\n')

    assert report.is_sound
    assert [record.cells for record in report.sample] == [["1", cell], ["2", "y"]]
    assert report.sample[1].line == 3 + cell.count("\n")


def test_a_larger_cell_is_a_problem_of_its_record_only():
    cell = "x\n" * MIB

    found = problems_of(f'a,b\n1,"{cell}"\n2,y\n')

    assert found == [(Code.CELL_TOO_LARGE, 2, 1, 2, "b")]


def test_a_line_that_is_too_long_is_passed_over():
    data = b"a,b\r\n" + b"x" * (3 * MAX_RECORD_BYTES) + b"\r\n1,2\r\n"

    assert problems_of(data) == [(Code.LINE_TOO_LONG, 2, 1, None, "")]
    assert list(table_of(data))[1:] == [Record(2, 3, ["1", "2"])]


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_a_line_that_is_too_long_is_passed_over_with_the_whole_of_its_end(end):
    # A part that is read of it ends between CR and LF.
    data = f"a,b{end}" + "x" * (MAX_RECORD_BYTES - 1) + f"{end}1,2{end}"

    assert problems_of(data) == [(Code.LINE_TOO_LONG, 2, 1, None, "")]
    assert list(table_of(data))[1:] == [Record(2, 3, ["1", "2"])]


def test_a_file_that_gives_less_than_it_is_asked_for_is_read_to_its_end():
    class Trickling(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 7) if size > 0 else size)

    data = b"a,b\n" + b"1,2\n" * 100

    assert check(Trickling(data)).records == 100
    assert check(Trickling(data)).is_sound


@pytest.mark.long
def test_a_quote_that_is_lost_in_a_large_file_swallows_nothing():
    rows = MAX_RECORD_BYTES // len("1,2345678\n") + 10_000
    data = 'a,b\n1,"open\n' + "1,2345678\n" * rows

    report = report_of(data)

    assert [(p.code, p.line) for p in report.problems] == [(Code.QUOTE_UNCLOSED, 2)]
    assert report.records == rows + 1


@pytest.mark.long
def test_very_many_bad_quotes_are_found_in_reasonable_time():
    pairs = 20_000

    report = report_of("a\n" + '"\nx"y\n' * pairs)

    assert report.problem_count >= pairs
    assert report.records == 2 * pairs


def test_the_limit_of_the_csv_module_is_raised_and_never_lowered():
    before = csv.field_size_limit(100)
    try:
        assert report_of(f"a,b\n1,{'x' * 1000}\n").is_sound
        assert csv.field_size_limit() == MAX_RECORD_BYTES
        csv.field_size_limit(2**40)
        assert report_of("a,b\n1,2\n").is_sound
        assert csv.field_size_limit() == 2**40
    finally:
        csv.field_size_limit(before)


@pytest.mark.parametrize("quote", ["", '"'])
def test_who_lowers_the_limit_of_the_csv_module_meanwhile_costs_one_record(
    monkeypatch, quote
):
    limit = csv.field_size_limit

    def lower(*new):
        limit(*new)
        return limit(100)

    before = limit()
    monkeypatch.setattr(csv, "field_size_limit", lower)
    try:
        data = f"a,b\n1,{quote}{'x' * 1000}{quote}\n2,y\n"
        assert problems_of(data) == [(Code.CELL_TOO_LARGE, 2, 1, None, "")]
        assert list(table_of(data))[1:] == [Record(2, 3, ["2", "y"])]
    finally:
        limit(before)


def test_threads_that_read_at_once_do_not_disturb_each_other():
    cell = "x" * MAX_CELL_CHARACTERS
    found = []

    def read():
        found.append(report_of(f"a,b\n1,{cell}\n").is_sound)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [True] * 4


def test_a_table_can_be_read_without_models_and_settings():
    code = (
        "import io, sys\n"
        "from deliverystore.datacenter import check\n"
        "assert check(io.BytesIO(b'a,b\\n1,2\\n')).is_sound\n"
        "print('django.db' in sys.modules)\n"
    )

    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert (result.stderr, result.stdout) == ("", "False\n")


_CHILD = """
import resource, sys
from pathlib import Path
from deliverystore.datacenter import check

row, count = eval(sys.argv[2]), int(sys.argv[3])
for rows in (count // 10, count):
    path = Path(sys.argv[1], str(rows))
    with path.open("wb") as file:
        file.write(b"a,b\\n")
        for _ in range(rows):
            file.write(row)
    with path.open("rb") as file:
        assert check(file).records >= rows
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize(
    ("row", "count"),
    [
        (r"b'1,2345678\n'", 200_000),
        (r"""b'"x\ny",12345\n'""", 100_000),
        (r"b'1,' + b'x' * 2**20 + b'\n'", 40),
        (r"b'\xff' * 99 + b'\n'", 10_000),
    ],
    ids=["many rows", "line ends in cells", "large cells", "no text"],
)
@pytest.mark.long
def test_ten_times_the_rows_take_no_more_memory(tmp_path, row, count):
    # A process of its own: what it took at most is known then, and no ORM is needed.
    command = [sys.executable, "-c", _CHILD, tmp_path, row, str(count)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)

    assert result.stderr == ""
    small, large = (int(kib) / 1024 for kib in result.stdout.split())
    assert large - small < 8


@pytest.mark.parametrize(
    ("content", "said"), [(b"a\n1,2\n", "1 column"), (b"a,b\n1,2,3\n", "2 columns")]
)
def test_a_header_with_one_column_names_no_columns(content, said):
    (problem,) = check(io.BytesIO(content), delimiter=",").problems

    assert problem.message.endswith(f"the header names {said}")


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_recognised_also_where_few_bytes_are_nul(codec, monkeypatch):
    monkeypatch.setitem(sys.modules, "charset_normalizer", None)
    report = check(io.BytesIO("名前,都市\n山田太郎,東京\n".encode(codec)))

    assert [one.encoding for one in report.offers] == [codec]
    assert report.offers[0].preview == "名前,都市"

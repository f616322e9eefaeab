"""Whatever a CSV writer writes comes back, from any record on."""

from __future__ import annotations

import codecs
import csv
import io
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deliverystore.datacenter import (
    ENCODINGS,
    Code,
    Position,
    Record,
    blocks,
    check,
    open_table,
)
from deliverystore.exceptions import TableUnreadable

MARKS = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
# Very small blocks: so that every kind of record meets their borders.
SIZES = [2, 4, 6, 16, 64 * 1024]

cells = st.text(
    st.one_of(
        st.sampled_from(list("ab,;\t|\"'\r\n \x0b\x0c\x1c\x85\u2028\ufeff😀é")),
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    ),
    max_size=8,
)
tables = st.integers(2, 4).flatmap(
    lambda width: st.lists(
        st.one_of(
            st.lists(cells, min_size=width, max_size=width),
            st.just([]),
        ),
        max_size=12,
    ).map(lambda rows: [[f"column {n}" for n in range(width)], *rows])
)


@pytest.fixture
def _small_blocks(monkeypatch):
    """Let a test choose the size; the fixture puts it back."""
    monkeypatch.setattr(blocks, "BLOCK_BYTES", blocks.BLOCK_BYTES)


def written(rows, *, delimiter, quoting, ends):
    """Return the text, and the line in which each row begins, by another reckoning."""
    text = io.StringIO(newline="")
    lines = []
    for number, row in enumerate(rows):
        lines.append(1 + len(re.findall("\r\n|\r|\n", text.getvalue())))
        writer = csv.writer(
            text,
            delimiter=delimiter,
            quoting=quoting,
            lineterminator=ends[number % len(ends)],
        )
        writer.writerow(row)
    return text.getvalue(), lines


@pytest.mark.usefixtures("_small_blocks")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(
    rows=tables,
    delimiter=st.sampled_from(",;\t|"),
    ends=st.sampled_from([["\r\n"], ["\n"], ["\r"], ["\n", "\r\n"]]),
    codec=st.sampled_from(["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "gb18030"]),
    marked=st.booleans(),
    size=st.sampled_from(SIZES),
    batch_size=st.integers(1, 5),
    above=st.lists(st.sampled_from(["", '"', 'a "title', ",;"]), max_size=4),
)
def test_what_was_written_comes_back_from_every_position(
    rows, delimiter, ends, codec, marked, size, batch_size, above
):
    # Older versions of csv.writer leave a lone CR without quotes.
    quoting = csv.QUOTE_MINIMAL if ends == ["\r\n"] else csv.QUOTE_ALL
    text, lines = written(rows, delimiter=delimiter, quoting=quoting, ends=ends)
    text = "".join(line + ends[0] for line in above) + text
    lines = [line + len(above) for line in lines]
    data = text.encode(codec)
    if marked:
        data = MARKS.get(codec, b"") + data
    blocks.BLOCK_BYTES = size
    declared = {"encoding": codec, "delimiter": delimiter, "quote": '"'}
    declared["header_line"] = len(above) + 1
    file = io.BytesIO(data)

    table = open_table(file, **declared)
    batches = list(table.batches(batch_size))

    assert list(table.header) == rows[0]
    expected = [
        Record(number, line, row)
        for number, (line, row) in enumerate(
            zip(lines[1:], rows[1:], strict=True), start=1
        )
    ]
    assert [record for batch in batches for record in batch] == expected
    assert [problem for batch in batches for problem in batch.problems] == []
    for batch in batches:
        rest = open_table(file, start=batch.next, **declared)
        assert list(rest) == expected[batch.next.record - 1 :]
    if codec == "gb18030":
        return
    mark = len(data) - len(text.encode(codec.removesuffix("-sig")))
    for batch in batches:
        before = text.encode(codec.removesuffix("-sig"))[: batch.next.offset - mark]
        seen = before.decode(codec.removesuffix("-sig"))
        assert batch.next.line == 1 + len(re.findall("\r\n|\r|\n", seen))


@pytest.mark.usefixtures("_small_blocks")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    data=st.one_of(
        st.binary(max_size=200),
        st.lists(
            st.sampled_from(
                [b'"', b",", b"\n", b"\r", b"a", b"\0", b"\xff", b"\xfe", b'""', b"b,c"]
            ),
            max_size=60,
        ).map(b"".join),
    ),
    encoding=st.sampled_from([None, *ENCODINGS]),
    size=st.sampled_from(SIZES),
)
def test_random_bytes_are_read_or_refused_and_the_blocks_make_no_difference(
    data, encoding, size
):
    def read():
        try:
            table = open_table(
                io.BytesIO(data), encoding=encoding, delimiter=",", quote='"'
            )
        except TableUnreadable as error:
            return error.problem
        batches = list(table.batches(3))
        found = [problem for batch in batches for problem in batch.problems]
        return list(table.header), [list(batch) for batch in batches], found

    blocks.BLOCK_BYTES = 64 * 1024
    whole = read()
    blocks.BLOCK_BYTES = size
    assert read() == whole
    report = check(io.BytesIO(data), encoding=encoding)
    assert report.problem_count >= len(report.problems)
    assert report.records >= report.blank


@given(
    good=st.lists(st.lists(st.sampled_from("ab"), min_size=2, max_size=2), max_size=6),
    bad=st.sampled_from(
        [
            (b'x,"never closed\n', Code.QUOTE_UNCLOSED),
            (b'"x,never closed\n', Code.QUOTE_UNCLOSED),
            (b'x,"closed" too early\n', Code.QUOTE_STRAY),
            (b"x\n", Code.TOO_FEW_CELLS),
            (b"x,y,z\n", Code.TOO_MANY_CELLS),
            (b"x,\xff\n", Code.ENCODING),
            (b"x,\0\n", Code.NUL),
        ]
    ),
    data=st.data(),
)
def test_a_bad_record_is_the_only_bad_one(good, bad, data):
    line, code = bad
    place = data.draw(st.integers(0, len(good)))
    lines = [",".join(row).encode() + b"\n" for row in good]
    lines.insert(place, line)

    batch = open_table(io.BytesIO(b"p,q\n" + b"".join(lines))).read_batch()

    assert [(one.code, one.line, one.record) for one in batch.problems] == [
        (code, place + 2, place + 1)
    ]
    assert [row for n, row in enumerate(batch.rows) if n != place] == good


@pytest.mark.parametrize("codec", ENCODINGS)
def test_in_every_encoding_reading_can_begin_at_any_line(codec):
    text = "".join(c for c in map(chr, range(0x10000)) if is_plain(c, codec))
    rows = [[text, text[::-1]], [text[::-1], text]]
    lines = ["p|q\n", *("|".join(row) + "\n" for row in rows)]
    file = io.BytesIO("".join(lines).encode(codec))
    offset = len("".join(lines[:2]).encode(codec))

    batch = open_table(file, encoding=codec, delimiter="|").read_batch(1)
    rest = open_table(file, encoding=codec, delimiter="|", start=batch.next)

    assert batch.rows == rows[:1]
    assert batch.next == Position(offset=offset, line=3, record=2)
    assert [record.cells for record in rest] == rows[1:]


def is_plain(character, codec):
    """Tell whether it can be in a cell without quotes, and comes back."""
    try:
        back = character.encode(codec).decode(codec)
    except UnicodeError:
        return False
    return character not in '\0\r\n|"' and back == character

"""Whatever is handed in comes out as chunks of bytes, in order and complete."""

from __future__ import annotations

import io
import os

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given
from hypothesis import strategies as st

from deliverystore import streams
from deliverystore.streams import chunks_of

PIECES = st.lists(st.binary(max_size=50) | st.text(max_size=50), max_size=20)
SIZES = st.integers(min_value=1, max_value=60)


def joined(pieces):
    return b"".join(p.encode() if isinstance(p, str) else p for p in pieces)


class ShortReads(io.RawIOBase):
    """Gives less than it is asked for, as sockets do."""

    def __init__(self, content, steps):
        self.content = io.BytesIO(content)
        self.steps = iter(steps)

    def readable(self):
        return True

    def read(self, size=-1):
        return self.content.read(min(size, next(self.steps, size)))


@pytest.mark.parametrize(
    "data",
    [
        "Grüße".encode(),
        bytearray("Grüße".encode()),
        memoryview("Grüße".encode()),
        "Grüße",
        io.BytesIO("Grüße".encode()),
        io.StringIO("Grüße"),
        ["Gr", b"\xc3", b"\xbc", "", b"", "ße"],
        (piece for piece in ("Grü", b"\xc3\x9fe")),
        ContentFile("Grüße"),
        SimpleUploadedFile("f", "Grüße".encode()),
    ],
    ids=lambda data: type(data).__name__,
)
def test_all_kinds_of_data_give_their_bytes(data):
    assert b"".join(chunks_of(data)) == "Grüße".encode()


@pytest.mark.parametrize(
    "data", [b"", "", [], [b"", ""], io.BytesIO()], ids=map(str, range(5))
)
def test_no_data_gives_no_chunks(data):
    assert list(chunks_of(data)) == []


@given(PIECES, SIZES)
def test_pieces_of_any_size_give_all_bytes_in_chunks_of_the_size(pieces, size):
    chunks = list(chunks_of(iter(pieces), size))

    assert b"".join(chunks) == joined(pieces)
    assert all(1 <= len(chunk) <= size for chunk in chunks)
    assert all(type(chunk) is bytes for chunk in chunks)


@given(st.binary(max_size=500), st.lists(SIZES), SIZES)
def test_short_reads_are_not_the_end(content, steps, size):
    chunks = list(chunks_of(ShortReads(content, steps), size))

    assert b"".join(chunks) == content
    assert all(1 <= len(chunk) <= size for chunk in chunks)


@given(st.text(max_size=500), SIZES)
def test_files_of_text_are_cut_by_bytes(text, size):
    chunks = list(chunks_of(io.StringIO(text, newline=""), size))

    assert b"".join(chunks) == text.encode()
    assert all(1 <= len(chunk) <= size for chunk in chunks)


@given(PIECES, st.integers(min_value=0, max_value=20), SIZES)
def test_an_exception_comes_after_all_that_was_before_it(pieces, position, size):
    class Interruption(Exception):
        pass

    def breaking_off():
        yield from pieces[:position]
        raise Interruption

    received = []
    with pytest.raises(Interruption):
        received.extend(chunks_of(breaking_off(), size))

    assert b"".join(received) == joined(pieces[:position])


def test_a_huge_piece_is_cut():
    sizes = [len(chunk) for chunk in chunks_of(bytes(3 * streams.CHUNK_SIZE + 1))]

    assert sizes == [streams.CHUNK_SIZE] * 3 + [1]


def test_a_file_is_read_from_where_it_stands():
    file = io.BytesIO(b"content")
    file.seek(3)

    assert b"".join(chunks_of(file)) == b"tent"


def test_nothing_is_read_before_it_is_asked_for():
    given_out = []

    def pieces():
        for n in range(5):
            given_out.append(n)
            yield b"x"

    chunks = chunks_of(pieces())
    assert given_out == []
    next(chunks)
    assert given_out == [0]


def test_bytes_that_change_afterwards_do_not_change_a_chunk():
    data = bytearray(b"content")
    [chunk] = chunks_of(data)
    data[0] = 0

    assert chunk == b"content"


@pytest.mark.parametrize("data", [5, None, 1.5], ids=repr)
def test_what_is_no_data_is_refused(data):
    with pytest.raises(TypeError, match="must be a file or an iterable"):
        list(chunks_of(data))


@pytest.mark.parametrize("piece", [5, None, [b"nested"]], ids=repr)
def test_what_yields_something_else_is_refused(piece):
    with pytest.raises(TypeError, match="must consist of bytes or str, not"):
        list(chunks_of([b"content", piece]))


def test_a_file_that_does_not_block_is_refused_when_it_has_no_data():
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.write(writing, b"content")

    with os.fdopen(reading, "rb", buffering=0) as file:
        chunks = chunks_of(file)
        assert next(chunks) == b"content"
        with pytest.raises(BlockingIOError, match="no data ready"):
            next(chunks)
    os.close(writing)


def test_lone_surrogates_are_refused_not_changed():
    with pytest.raises(UnicodeEncodeError):
        list(chunks_of("a\ud800"))


@given(st.integers(min_value=0, max_value=30))
def test_skip_drops_exactly_so_many_bytes(count):
    file = ShortReads(bytes(range(20)), [3, 1, 2])
    streams.skip(file, count)

    assert file.content.read() == bytes(range(20))[count:]

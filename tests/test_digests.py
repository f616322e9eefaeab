"""Digests: the same whatever the chunks, and compared before the last byte is out."""

from __future__ import annotations

import hashlib
import io
import os
import sys
import threading

import pytest
from blake3 import blake3
from hypothesis import assume, given
from hypothesis import strategies as st

from deliverystore import digests
from deliverystore.digests import Digester, VerifiedReader, digest_bytes
from deliverystore.exceptions import FileDamaged, MissingExtra, SettingInvalid

ALGORITHMS = {"sha256": hashlib.sha256, "sha512": hashlib.sha512, "blake3": blake3}
CONTENTS = st.binary(min_size=1, max_size=300)
READS = st.lists(st.integers(min_value=1, max_value=120), min_size=1, max_size=30)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_digest_names_its_algorithm(algorithm):
    digest = digest_bytes(b"content", algorithm)

    assert digest == f"{algorithm}:{ALGORITHMS[algorithm](b'content').hexdigest()}"
    assert digests.algorithm_of(digest) == algorithm


def test_a_known_value():
    assert digest_bytes(b"") == "sha256:" + (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


@pytest.mark.parametrize("algorithm", ["md5", "", "SHA256"])
def test_another_algorithm_is_refused_with_the_choices(algorithm):
    with pytest.raises(SettingInvalid, match="choose one of sha256, sha512, blake3"):
        digests.new_hash(algorithm)


def test_without_the_package_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "blake3", None)

    with pytest.raises(MissingExtra, match=r'pip install "deliverystore\[blake3\]"'):
        digests.new_hash("blake3")


def digest_of(chunks, algorithm="sha256"):
    with Digester(algorithm) as digester:
        for chunk in chunks:
            digester.update(chunk)
        return digester.digest()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@given(st.lists(st.binary(max_size=100)))
def test_the_digest_does_not_depend_on_the_chunks(algorithm, chunks):
    assert digest_of(chunks, algorithm) == digest_bytes(b"".join(chunks), algorithm)


@given(st.lists(st.binary(max_size=100)), st.integers(min_value=1, max_value=300))
def test_nor_on_when_its_thread_begins(chunks, threshold):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digests, "_THREAD_FROM", threshold)
        assert digest_of(chunks) == digest_bytes(b"".join(chunks))


@pytest.mark.parametrize("size", [2**20 - 1, 2**20, 2**20 + 1, 30 * 2**20])
def test_large_data_has_the_same_digest(size):
    data = os.urandom(2**20)
    chunks = [data] * (size // 2**20) + [data[: size % 2**20]]

    assert digest_of(chunks) == digest_bytes(b"".join(chunks))


def digesters():
    return [t for t in threading.enumerate() if t.name == "digester"]


def test_small_data_needs_no_thread():
    with Digester() as digester:
        digester.update(b"x" * 1000)

        assert not digesters()


def test_a_thread_hashes_what_is_large_and_ends_with_the_block():
    def hash_and_fail():
        with Digester() as digester:
            digester.update(bytes(2**21))
            assert digesters()
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        hash_and_fail()

    assert not digesters()


def test_the_caller_waits_rather_than_fill_the_memory(monkeypatch):
    begin = threading.Event()

    class Slow:
        updates = 0

        def update(self, chunk):
            begin.wait()
            self.updates += 1

        def hexdigest(self):
            return str(self.updates)

    monkeypatch.setitem(digests.ALGORITHMS, "slow", Slow)
    monkeypatch.setattr(digests, "_THREAD_FROM", 1)
    given_out = []

    def produce():
        for n in range(50):
            given_out.append(n)
            yield b"x"

    result = []
    thread = threading.Thread(
        target=lambda: result.append(digest_of(produce(), "slow"))
    )
    thread.start()
    thread.join(timeout=0.2)
    given_out_before = len(given_out)
    begin.set()
    thread.join()

    assert given_out_before <= 11
    assert result == ["slow:50"]


def reader_of(stored, handed_in, **options):
    return VerifiedReader(
        io.BytesIO(stored),
        digest=digest_bytes(handed_in, **options),
        size=len(handed_in),
        what="'essay.txt'",
    )


def read_all(reader, sizes):
    """Read to the end, in these sizes again and again; return what came out."""
    received = []
    while True:
        for size in sizes:
            chunk = reader.read(size)
            if not chunk:
                return b"".join(received)
            received.append(chunk)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_is_intact_comes_out(algorithm):
    reader = reader_of(b"content", b"content", algorithm=algorithm)

    assert reader.read() == b"content"
    assert reader.read() == b""


@given(st.binary(max_size=300), READS)
def test_what_is_intact_comes_out_in_reads_of_any_size(content, sizes):
    assert read_all(reader_of(content, content), sizes) == content
    assert read_all(io.BufferedReader(reader_of(content, content), 64), sizes) == (
        content
    )


@given(CONTENTS, st.data(), READS)
def test_a_flipped_bit_is_found_before_the_last_byte_is_out(content, data, sizes):
    position = data.draw(st.integers(0, len(content) - 1))
    damaged = bytearray(content)
    damaged[position] ^= 1 << data.draw(st.integers(0, 7))

    received = []
    reader = reader_of(bytes(damaged), content)
    with pytest.raises(FileDamaged, match="was changed in the store"):
        received.extend(reader.read(size) for size in sizes * 300)

    assert len(b"".join(received)) < len(content)


@given(CONTENTS, st.data(), READS)
def test_a_missing_end_is_found(content, data, sizes):
    left = data.draw(st.integers(0, len(content) - 1))

    with pytest.raises(FileDamaged, match="has fewer bytes in the store than the"):
        read_all(reader_of(content[:left], content), sizes)


@given(st.binary(max_size=300), st.binary(min_size=1, max_size=9), READS)
def test_an_addition_is_found(content, addition, sizes):
    with pytest.raises(FileDamaged, match="has more bytes in the store than the"):
        read_all(reader_of(content + addition, content), sizes)


@given(CONTENTS, st.data())
def test_after_seeking_back_to_the_start_all_is_compared_again(content, data):
    stored = io.BytesIO(content)
    reader = VerifiedReader(
        stored, digest=digest_bytes(content), size=len(content), what="it"
    )
    reader.read(data.draw(st.integers(0, len(content))))
    reader.seek(data.draw(st.integers(0, len(content))))
    reader.seek(0)
    assert reader.read() == content

    stored.getbuffer()[-1] ^= 1
    reader.seek(0)
    with pytest.raises(FileDamaged):
        reader.read()


@given(CONTENTS, st.data())
def test_parts_can_be_read_by_themselves(content, data):
    assume(len(content) > 1)
    start = data.draw(st.integers(1, len(content) - 1))
    reader = reader_of(content, content)

    assert reader.seek(start) == start == reader.tell()
    assert reader.read() == content[start:]


def test_parts_of_a_damaged_file_come_out_since_nobody_can_know():
    reader = reader_of(b"cXntent", b"content")

    assert reader.seek(3) == 3
    assert reader.read() == b"tent"


def test_asking_for_the_size_does_not_prevent_the_comparison():
    reader = reader_of(b"cXntent", b"content")
    assert reader.seek(0, os.SEEK_END) == 7
    reader.seek(0)

    with pytest.raises(FileDamaged):
        reader.read()


def test_reading_nothing_is_not_the_end():
    reader = reader_of(b"content", b"content")

    assert reader.read(0) == b""
    assert reader.read() == b"content"
    assert reader.read(0) == b""


def test_an_empty_file_is_intact_and_nothing_else_is():
    assert reader_of(b"", b"").read() == b""
    with pytest.raises(FileDamaged, match="more bytes in the store than the 0"):
        reader_of(b"x", b"").read()
    with pytest.raises(FileDamaged, match="fewer bytes in the store than the 1"):
        reader_of(b"", b"x").read()


def test_a_damaged_file_stays_damaged_when_the_reading_is_repeated():
    reader = reader_of(b"cXntent", b"content")
    for _ in range(2):
        with pytest.raises(FileDamaged):
            reader.read()


def test_a_reader_that_is_closed_early_leaves_no_thread():
    content = bytes(3 * 1024 * 1024)
    with reader_of(content, content) as reader:
        reader.read(2 * 1024 * 1024)
        assert "digester" in {thread.name for thread in threading.enumerate()}

    assert "digester" not in {thread.name for thread in threading.enumerate()}


def test_closing_closes_the_file_below():
    file = io.BytesIO(b"content")
    with VerifiedReader(file, digest=digest_bytes(b"content"), size=7, what="it"):
        pass

    assert file.closed

"""The contract: a part of a file can be read by itself."""

from __future__ import annotations

from deliverystore.testing.contract.base import ContractTests

_CONTENT = bytes(range(100))


class RangeTests(ContractTests):
    """read_range(file, start, length)."""

    def test_a_range_holds_the_bytes_asked_for(self) -> None:
        """At the start, in the middle, at the end, or the whole file."""
        for start, length in [(0, 10), (40, 20), (90, 10), (0, 100), (99, 1)]:
            self._assert_range(start, length, _CONTENT[start : start + length])

    def test_a_range_ends_where_the_file_ends(self) -> None:
        """What lies past the end is left out, if need be all of it."""
        self._assert_range(95, 10, _CONTENT[95:])
        self._assert_range(100, 10, b"")
        self._assert_range(1_000, 10, b"")

    def test_a_range_can_be_empty(self) -> None:
        """A length of 0 gives nothing."""
        self._assert_range(0, 0, b"")
        self._assert_range(50, 0, b"")

    def test_a_range_can_be_read_in_pieces(self) -> None:
        """Small reads stop where the range stops."""
        file = self.new_file()
        self.write(file, _CONTENT)
        with self.store.read_range(file, 10, 5) as part:
            pieces = [part.read(2) for _ in range(4)]
        self.assertEqual(pieces, [b"\x0a\x0b", b"\x0c\x0d", b"\x0e", b""])

    def test_a_range_far_into_a_large_file_is_found(self) -> None:
        """Its place is right also where files are read in blocks."""
        file = self.new_file()
        self.write(file, b"".join(b"%08d" % n for n in range(200_000)))
        with self.store.read_range(file, 8 * 199_999, 8) as part:
            self.assertEqual(part.read(), b"00199999")

    def test_a_negative_range_is_refused(self) -> None:
        """Neither start nor length counts from the end: ValueError."""
        file = self.new_file()
        self.write(file, _CONTENT)
        for start, length in [(-1, 10), (0, -1)]:
            with (
                self.subTest(start=start, length=length),
                self.assertRaises(ValueError),
            ):
                self.store.read_range(file, start, length)

    def _assert_range(self, start: int, length: int, expected: bytes) -> None:
        file = self.new_file()
        self.write(file, _CONTENT)
        with (
            self.subTest(start=start, length=length),
            self.store.read_range(file, start, length) as part,
        ):
            self.assertEqual(part.read(), expected)

"""The contract: what a store holds can be listed, also from the middle on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from deliverystore.backends import StoredEntry
from deliverystore.testing.contract.base import ContractTests, Interruption


class WalkTests(ContractTests):
    """walk, for stores that can list: others raise NotImplementedError."""

    def test_walk_finds_what_is_stored_with_size_and_time(self) -> None:
        """Files at every depth: name, bytes, and an aware time."""
        before = datetime.now(UTC) - timedelta(minutes=5)
        contents = self._some_files()
        found = {entry.name: entry for entry in self._walk()}
        for name, content in contents.items():
            self.assertIn(name, found, "walk() has left out what is stored")
            self.assertEqual(found[name].size, len(content))
            self.assertGreater(found[name].modified, before)

    def test_walk_goes_on_after_any_name(self) -> None:
        """walk(name) yields what followed the name, in the same order."""
        contents = self._some_files()
        names = self._names(contents)
        self.assertEqual(len(names), len(set(names)), "walk() has repeated a name")
        for number, name in enumerate(names):
            rest = self._names(contents, after=name)
            self.assertEqual(rest, names[number + 1 :], f"after {name!r}")

    def test_walk_goes_on_after_a_name_that_is_gone(self) -> None:
        """What is removed between two walks is no reason to begin anew."""
        contents = self._some_files()
        names = self._names(contents)
        self.store.remove(names[2])
        self.assertEqual(self._names(contents, after=names[2]), names[3:])

    def test_walk_leaves_out_what_is_still_being_written(self) -> None:
        """Neither during the write nor after it broke off."""
        contents = self._some_files()
        folder = next(iter(contents)).partition("/")[0]
        name = f"{folder}/new"
        with self.assertRaises(Interruption), self.store.write_open(name) as stored:
            stored.write(b"half a file")
            self._assert_only(folder, contents)
            raise Interruption
        self._assert_only(folder, contents)

    def _some_files(self) -> dict[str, bytes]:
        contents: dict[str, bytes] = {}
        folder = self.new_name().partition("/")[0]
        # Sorted by characters, "-" and "." come before the slash.
        for last in ["b/c/d", "c", "b-2", "b/a", "b.txt", "ü", "B", "10", "9/1"]:
            name = f"{folder}/{last}"
            self.addCleanup(self._clear, name)
            self.write(name, content := last.encode() * len(contents))
            contents[name] = content
        return contents

    def _assert_only(self, folder: str, contents: dict[str, bytes]) -> None:
        names = {entry.name for entry in self._walk()}
        found = {name for name in names if name.startswith(f"{folder}/")}
        self.assertEqual(found, set(contents), "walk() shows unfinished files")

    def _names(self, contents: dict[str, bytes], after: str = "") -> list[str]:
        """Return our own names in the order of walk(): others may store meanwhile."""
        return [entry.name for entry in self._walk(after) if entry.name in contents]

    def _walk(self, after: str = "") -> list[StoredEntry]:
        try:
            return list(self.store.walk(after))
        except NotImplementedError:
            self.skipTest(f"{type(self.store).__name__} does not promise walk()")

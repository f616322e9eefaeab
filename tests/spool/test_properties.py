"""A spool beside a model of it: whatever is done, in whatever order."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    precondition,
    rule,
)

from deliverystore.exceptions import ClaimLost, FileExists
from deliverystore.spool import FileStore
from deliverystore.spool.names import SpoolName, parse

LATER = datetime(2100, 1, 1, tzinfo=UTC)
MAX_ATTEMPTS = 3
FILENAMES = st.sampled_from(["a", "b.csv", "c d", "x/y", "é~", "~1-"])


class Spool(RuleBasedStateMachine):
    """The model: of each job, what is in it, and how often it was tried."""

    claims = Bundle("claims")

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="spool-"))
        self.stores = [
            FileStore(self.folder, max_attempts=MAX_ATTEMPTS, durability="none")
            for _ in range(2)
        ]
        self.stores[0].prepare()
        self.written = 0
        self.waiting, self.claimed, self.failed = {}, {}, {}
        # Names in new that were never claimed, and so are taken.
        self.fresh = {}

    def teardown(self):
        shutil.rmtree(self.folder)

    @rule(filename=FILENAMES, fails=st.booleans())
    def write(self, filename, fails):
        name = filename.rpartition("/")[2]
        self.written += 1
        content = f"{self.written}"
        try:
            with self.stores[0].writing(filename) as file:
                file.write(content)
                if fails:
                    raise KeyError  # noqa: TRY301
        except KeyError:
            return
        except FileExists:
            assert name in self.fresh
            return
        assert name not in self.fresh
        self.fresh[name] = content
        self.waiting[content] = (name, 0)

    @rule(filename=FILENAMES)
    def create_and_move(self, filename):
        name = filename.rpartition("/")[2]
        store = self.stores[0]
        self.written += 1
        with store.create(filename) as file:
            file.write(f"{self.written}")
        try:
            store.move(filename, "tmp", "new")
        except FileExists:
            assert name in self.fresh
            store.remove(filename, "tmp")
            return
        assert name not in self.fresh
        self.fresh[name] = f"{self.written}"
        self.waiting[f"{self.written}"] = (name, 0)

    @rule(target=claims, which=st.integers(0, 1))
    def claim(self, which):
        claim = self.stores[which].claim()
        if claim is None:
            assert self.waiting == {}
            return None
        content = claim.path.read_text()
        name, attempts = self.waiting.pop(content)
        assert (claim.filename, claim.attempt) == (name, attempts + 1)
        if self.fresh.get(name) == content:
            del self.fresh[name]
        self.claimed[content] = (name, attempts + 1, claim.token)
        return content, claim

    @rule(one=consumes(claims))
    def done(self, one):
        with self._ending(one, lambda claim: claim.done()) as job:
            job and self.claimed.pop(one[0])

    @rule(one=consumes(claims))
    def release(self, one):
        with self._ending(one, lambda claim: claim.release()) as job:
            if job:
                self._waits(one[0], counted=False)

    @rule(one=consumes(claims))
    def fail(self, one):
        with self._ending(one, lambda claim: claim.fail()) as job:
            if job:
                self._waits(one[0], counted=True)

    @rule(one=claims)
    def renew(self, one):
        with self._ending(one, lambda claim: claim.renew()):
            pass

    @contextlib.contextmanager
    def _ending(self, one, end):
        """End a claim; give the job to the block if it is still this claim's."""
        if one is None:
            yield None
            return
        content, claim = one
        job = self.claimed.get(content)
        if job and job[2] == claim.token:
            end(claim)
            yield job
            return
        try:
            end(claim)
        except ClaimLost:
            yield None
        else:
            raise AssertionError("A claim was ended that was somebody else's.")

    def _waits(self, content, *, counted):
        name, attempts, _token = self.claimed.pop(content)
        if counted and attempts >= MAX_ATTEMPTS:
            self.failed[content] = name
        else:
            self.waiting[content] = (name, attempts if counted else attempts - 1)

    @rule()
    def recover(self):
        found = self.stores[1].recover(LATER)

        assert found.waiting + found.failed == len(self.claimed)
        for content in list(self.claimed):
            self._waits(content, counted=True)

    @precondition(lambda self: self.failed)
    @rule()
    def retry(self):
        store = self.stores[0]
        file = store.failed()[0]
        content, name = Path(file).read_text(), parse(Path(file).name).filename
        try:
            store.retry(file)
        except FileExists:
            assert name in self.fresh
            return
        del self.failed[content]
        self.waiting[content] = (name, 0)
        self.fresh[name] = content

    @invariant()
    def every_job_is_where_it_belongs(self):
        contents = {
            section: sorted(
                path.read_text() for path in (self.folder / section).iterdir()
            )
            for section in ("new", "cur")
        }
        assert contents["new"] == sorted(self.waiting)
        assert contents["cur"] == sorted(self.claimed)
        failed = [Path(path).read_text() for path in self.stores[0].failed()]
        assert sorted(failed) == sorted(self.failed)

    @invariant()
    def the_status_counts_them(self):
        status = self.stores[1].status()
        counts = (status.waiting, status.claimed, status.failed)
        assert counts == (len(self.waiting), len(self.claimed), len(self.failed))


TestSpoolProperties = Spool.TestCase

NAMES = st.text(st.characters(exclude_characters="/\0"), min_size=1)


@given(NAMES, st.integers(0, 999_999), st.none() | st.integers(0, 2**43))
def test_a_name_says_what_was_put_into_it(filename, attempts, milliseconds):
    until = None if milliseconds is None else milliseconds / 1000
    token = "0123456789abcdef"
    name = SpoolName(filename=filename, attempts=attempts, token=token, until=until)

    found = parse(str(name))

    assert (found.filename, found.attempts) == (filename, attempts)
    assert found.token == token
    assert (found.until is None) == (until is None)
    assert abs((found.until or 0) - (until or 0)) < 0.002

"""Files that come into a data center: stored, checked, and made known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from django.db import router, transaction
from django.utils.translation import ngettext

from deliverystore.conf import conf
from deliverystore.datacenter import (
    earlier,
    files,
    free_names,
    logs,
    mailing,
    naming,
    pending,
    permissions,
    replacing,
)
from deliverystore.datacenter.earlier import Earlier
from deliverystore.datacenter.files import DataCenterFile
from deliverystore.datacenter.free_names import OnTaken
from deliverystore.datacenter.places import Place, digested
from deliverystore.datacenter.reader import Report, check
from deliverystore.datacenter.rows.arranging import RESERVED
from deliverystore.digests import Digester
from deliverystore.exceptions import (
    FileExists,
    FileTooLarge,
    InvalidName,
    TooManyFiles,
)
from deliverystore.limits import Allowance
from deliverystore.models import DataFileInfo, ImportRun
from deliverystore.signals import datafile_uploaded
from deliverystore.streams import Data, chunks_of

if TYPE_CHECKING:
    from deliverystore.datacenter.center import DataCenter
    from deliverystore.models.access import User


@dataclass(frozen=True, kw_only=True)
class Uploaded(DataCenterFile):
    """A file that has just come, and what there is to be said about it.

    report is the result of its check; earlier is another one with the same bytes;
    left_by is the run of which it has the rows that are left.
    """

    report: Report
    earlier: Earlier | None = None
    left_by: ImportRun | None = None

    @property
    def seems_left(self) -> bool:
        """Whether it looks like rows that a run has left, and nobody knows which."""
        return self.left_by is None and not set(RESERVED).isdisjoint(self.report.header)

    @property
    def new_columns(self) -> int:
        """How many columns the rows have not which a run has left."""
        return len(self._own - self._left) if self.left_by else 0

    @property
    def lost_columns(self) -> int:
        """How many columns of the rows that a run has left it has not."""
        return len(self._left - self._own) if self.left_by else 0

    @property
    def _own(self) -> set[str]:
        return set(self.report.header).difference(RESERVED)

    @property
    def _left(self) -> set[str]:
        header = self.left_by.header if self.left_by else ()
        return set(header).difference(RESERVED)


def upload(
    center: DataCenter,
    filename: str,
    data: Data,
    *,
    on_taken: OnTaken,
    user: User | None,
    notify: bool,
) -> Uploaded:
    """Store a file, check it, and make it known; as DataCenter.upload says."""
    permissions.ask(user, "upload files to the data center", permissions.UPLOAD)
    place, name = center.place, name_for(filename)
    left = pending.run_for(name)
    replaces = left is not None and on_taken is OnTaken.REPLACE_PENDING
    if left is not None and free_names.is_copy(name, left):
        if not (replaces and free_names.fits(name)):
            raise free_names.is_taken(name, name, left)
        name = left.pending_file
    if left is not None and replaces:
        pending.ask(user, left, f"put something in the place of {name!r}")
        stored, report, digest = _replace(place, name, data, user)
    else:
        _check_room(place, name)
        names = free_names.for_upload(place, name, on_taken, left)
        stored, digest = _create(place, name, names, data, left)
        report = _checked(place, stored, stored)
    file = replace(_looked_at(place, stored, report, digest), left_by=left)
    files.remember_records(file, file.report.records, digest)
    found = {"rows": file.records, "problems": file.report.problem_count}
    logs.log_event("upload", file.relative_path, user, bytes=file.size, **found)
    # The file is kept by now, whatever becomes of the news. Not a partial, whose name
    # Django could not log if it fails.
    transaction.on_commit(
        lambda: _tell(center, file, user, notify=notify),
        using=router.db_for_write(DataFileInfo),
        robust=True,
    )
    return file


def name_for(filename: str) -> str:
    """Return the name that a file gets, unless it is taken. Raise InvalidName."""
    limit = conf.DELIVERY_STORE_DATACENTER_MAX_NAME_BYTES
    return naming.clean_name(filename, max_bytes=limit)


def left_by(filename: str) -> ImportRun | None:
    """Return the run whose rows an upload of this name has, if there is one."""
    try:
        return pending.run_for(name_for(filename))
    except InvalidName:
        return None


def _check_room(place: Place, name: str) -> None:
    limit = conf.DELIVERY_STORE_DATACENTER_MAX_WAITING
    if limit is None:
        return
    names = (entry.name for entry in place.entries())
    waiting = (one for one in names if naming.is_visible(one) and naming.is_data(one))
    if len(list(islice(waiting, limit))) == limit:
        raise TooManyFiles(
            ngettext(
                "%(name)r is refused: %(limit)d file waits already; import or delete "
                "it first.",
                "%(name)r is refused: %(limit)d files wait already; import or delete "
                "some of them first.",
                limit,
            )
            % {"name": name, "limit": limit}
        )


def _limited(name: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Pass chunks on. Raise FileTooLarge before the first that is too much."""
    limit = conf.DELIVERY_STORE_DATACENTER_MAX_FILE_BYTES
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if limit is not None:
            Allowance(bytes=limit, limit=limit, error=FileTooLarge).check(name, size)
        yield chunk


def _create(
    place: Place,
    name: str,
    names: Iterable[str],
    data: Data,
    left: ImportRun | None = None,
) -> tuple[str, str]:
    """Store a file under the first of these names that is free; return its digest, too.

    name is what it is called if something is wrong with it.
    """
    with Digester() as digester:
        chunks = digested(_limited(name, chunks_of(data)), digester)
        try:
            stored = place.create(names, chunks)
        except FileExists as error:
            # Another upload was faster; its path is nobody's business.
            raise free_names.is_taken(name, name, left) from error
        return stored, digester.digest()


def _replace(
    place: Place, name: str, data: Data, user: User | None
) -> tuple[str, Report, str]:
    """Put a file in the place of the one that waits, once it is stored and checked."""
    if not place.exists(name):
        _check_room(place, name)
    staged, digest = _create(place, name, [replacing.staged_name()], data)
    report = _checked(place, staged, name)
    replacing.replace(place, staged, name, user)
    return name, report, digest


def _looked_at(place: Place, stored: str, report: Report, digest: str) -> Uploaded:
    entry = place.entry(stored)
    return Uploaded(
        relative_path=stored,
        size=entry.size,
        date=entry.modified,
        records=report.records,
        problems=report.problem_count,
        report=report,
        earlier=earlier.find(place, stored, entry.size, digest),
    )


def _checked(place: Place, stored: str, name: str) -> Report:
    """Check a new file; one that cannot be checked is not kept."""
    try:
        with place.read_open(stored) as opened:
            return check(opened, name=name)
    except BaseException:
        place.delete(stored)
        raise


def _tell(
    center: DataCenter, file: Uploaded, user: User | None, *, notify: bool
) -> None:
    datafile_uploaded.send_robust(type(center), center=center, file=file, user=user)
    if notify:
        mailing.notify(file, user)

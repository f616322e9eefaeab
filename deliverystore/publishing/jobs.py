"""One job: what a media processor gets to work with."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from time import monotonic
from typing import BinaryIO

from deliverystore.exceptions import InvalidFilepath, PublishingRefused
from deliverystore.models import FileMeta, PublishedFile
from deliverystore.models.leases import Lease
from deliverystore.paths import extension
from deliverystore.publishing import placing
from deliverystore.publishing.filepaths import clean_listy_filepath
from deliverystore.publishing.workbench import Workbench

# So often, in seconds, it is written down how far a job is; at first at once.
_STEP = 1.0


class Job:
    """One file, the place in which to work on it, and what is to be published of it.

    filemeta is the file, workbench a temporary folder that is gone after the job.
    """

    def __init__(
        self,
        filemeta: FileMeta,
        workbench: Workbench,
        lease: Lease,
        *,
        placed: list[PublishedFile],
        advance: Callable[[float], object],
    ) -> None:
        self.filemeta = filemeta
        self.workbench = workbench
        self._lease = lease
        self._advance = advance
        self._written = -math.inf
        self._placed = placed

    @cached_property
    def source(self) -> Path:
        """The file as a path: a copy in the workbench, made when it is asked for.

        It was compared with what was handed in. Whatever is done to it, the file in
        the delivery store stays as it is. Raise FileDamaged, FileNotFound.
        """
        try:
            suffix = clean_listy_filepath([extension(self.filemeta.filename)])[0]
        except InvalidFilepath:
            suffix = ""
        name = f"source.{suffix}" if suffix else "source"
        with self.open() as file:
            return self.workbench.add(name, file)

    def open(self) -> BinaryIO:
        """Return the file, open for reading bytes; the caller closes it.

        Nothing is copied. Read to its end, it raises FileDamaged if it is not what was
        handed in.
        """
        return self.filemeta.open()

    def publish(self, keyname: str, local_path: str | Path) -> PublishedFile:
        """Put a local file into the public store, once for each name of a key.

        Visitors can see it when the whole job is done, and keyname is how the pages
        of the site find it: "thumbnail", for example. Raise PublishingRefused if the
        name was given already, RunBusy if another worker has taken over.
        """
        if any(one.keyname == keyname for one in self._placed):
            raise PublishingRefused(f"This job has published {keyname!r} already.")
        placed = placing.place(self._lease, self.filemeta, keyname, Path(local_path))
        self._placed.append(placed)
        return placed

    def progress(self, fraction: float) -> None:
        """Say how much is done, from 0 to 1; at least once in half an hour.

        Who says nothing for longer has lost the job: raise RunBusy if another worker
        has taken over.
        """
        fraction = min(1.0, max(0.0, fraction))
        self._advance(fraction)
        if monotonic() - self._written > _STEP:
            self._lease.write(progress=fraction)
            self._written = monotonic()

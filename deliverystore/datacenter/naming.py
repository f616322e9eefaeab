"""Names of files in a data center: pure functions, no disk.

N.csv is what was uploaded; with the mode M, N.M.pending.csv has the rows that failed
and N.M.finished.csv those that went in. All three are one family, named by N.csv.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from django.utils.translation import gettext

from deliverystore import paths
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.exceptions import InvalidName

FINISHED = "finished"
UNFINISHED = "unfinished"
LOGS = "logs"
DELETED = "deleted"
FOLDERS = (FINISHED, UNFINISHED, LOGS, DELETED)

SUFFIXES = (".csv", ".tsv", ".xlsx")
# File systems take 255 bytes; some are left for what is added to a name.
MAX_BYTES = 200
# Of a path, as the database keeps it, with room for a number that makes it unique.
MAX_PATH_BYTES = 250

_UNNAMEABLE = re.compile(r"[\\\ud800-\udfff]")
_BLANKS = re.compile(r"\s+")
_NUMBER = re.compile(r"(?<=.)_[0-9]+\Z")
_RESULT = re.compile(
    rf"(?P<stem>.+)\.(?P<mode>{'|'.join(Mode)})\.(?P<kind>pending|finished)\.csv",
    re.DOTALL | re.IGNORECASE,
)
# What browsers and spreadsheets make of the name of a pending file: "(1)", " - Copy",
# another ending.
_NEARLY = re.compile(
    rf"(?P<pending>.+\.(?:{'|'.join(Mode)})\.pending)(?:[\W_][^.]*)?"
    r"(?:\.csv)?(?:\.csv|\.tsv|\.xlsx)",
    re.DOTALL | re.IGNORECASE,
)


class Kind(StrEnum):
    """What a file in a data center is, by its name."""

    SOURCE = "source"
    PENDING = "pending"
    FINISHED = "finished"


@dataclass(frozen=True, kw_only=True)
class DataName:
    """A name taken apart: N.csv, the kind of file, and the mode of its run."""

    source: str
    kind: Kind = Kind.SOURCE
    mode: str = ""


def pending_name(source: str, mode: str) -> str:
    """Return the name for the rows of N.csv that failed in a mode."""
    return f"{_stem(source)}.{_known(mode)}.{Kind.PENDING}.csv"


def finished_name(source: str, mode: str) -> str:
    """Return the name for the rows of N.csv that went in in a mode."""
    return f"{_stem(source)}.{_known(mode)}.{Kind.FINISHED}.csv"


def parse(name: str) -> DataName:
    """Take a name apart; the inverse of pending_name and finished_name."""
    if (found := _RESULT.fullmatch(name)) is None:
        return DataName(source=name)
    stem = found["stem"]
    return DataName(
        source=stem if is_data(stem) else f"{stem}.csv",
        kind=Kind(found["kind"].lower()),
        mode=found["mode"].lower(),
    )


def spelled(name: str) -> str:
    """Return the name that a pending file has, whatever case somebody has written.

    What is no pending file keeps its name.
    """
    found = _RESULT.fullmatch(name)
    if found is None or Kind(found["kind"].lower()) is not Kind.PENDING:
        return name
    return f"{found['stem']}.{found['mode'].lower()}.{Kind.PENDING}.csv"


def nearly_pending(name: str) -> str:
    """Return the name of the pending file of which this one seems to be a copy, or "".

    Of "N.create.pending (1).csv" and "N.create.pending.xlsx": "N.create.pending.csv".
    """
    found = _NEARLY.fullmatch(name)
    meant = spelled(f"{found['pending']}.csv") if found else ""
    return meant if meant != spelled(name) else ""


def is_data(name: str) -> bool:
    """Tell whether a name ends, without case, like a file with rows."""
    return paths.extension(name) in SUFFIXES


def is_hidden(name: str) -> bool:
    """Tell whether a file is nobody's to see: being written, or a program's own."""
    return name.startswith(".")


def is_visible(path: str) -> bool:
    """Tell whether a file can be listed: not hidden, and its name can be a path.

    What is no UTF-8 on the disk comes as surrogates, which nothing can show, and a
    backslash separates folders.
    """
    name = path.rpartition("/")[2]
    return not is_hidden(name) and not _UNNAMEABLE.search(name)


def clean_name(filename: str, *, max_bytes: int = MAX_BYTES) -> str:
    """Return the name that an uploaded file gets: blanks become "_".

    That of a pending file is spelled as a run spells it, so that it is known again.

    max_bytes are those of N.csv, also if the file is one of its pending files.

    Raise InvalidName, with the reason, if it cannot have one.
    """
    name = spelled(_BLANKS.sub("_", paths.clean_filename(filename).strip()))
    if is_hidden(name):
        raise InvalidName(
            gettext("%(name)r begins with a dot; rename the file.") % {"name": filename}
        )
    if not is_data(name):
        raise InvalidName(
            gettext("%(name)r does not end with one of %(suffixes)s.")
            % {"name": filename, "suffixes": ", ".join(SUFFIXES)}
        )
    if len(parse(name).source.encode()) > max_bytes:
        raise InvalidName(
            gettext("%(name)r… is too long: at most %(limit)d bytes are allowed.")
            % {"name": name[:40], "limit": max_bytes}
        )
    return name


def check_results(source: str, mode: str) -> None:
    """Raise InvalidName if the files that a run in a mode leaves cannot be named.

    What is dropped in may have a name that leaves no room for theirs.
    """
    parsed = parse(source)
    family = parsed.source if parsed.kind is Kind.PENDING else source
    longest = f"{FINISHED}/{finished_name(family, mode)}"
    if (size := len(longest.encode(errors="surrogateescape"))) > MAX_PATH_BYTES:
        raise InvalidName(
            gettext(
                "%(name)r… is too long by %(excess)d bytes for the files that its "
                "import would leave; give it a shorter name."
            )
            % {"name": source[:40], "excess": size - MAX_PATH_BYTES}
        )


def file_lock(path: str) -> str:
    """Return what is locked while a file gets a run, or is deleted since it has none.

    Another name than that of the file, which is locked while it gets its content.
    """
    return f"run:{path}"


def alternatives(path: str) -> Iterator[str]:
    """Yield a path and then, without end, N_2.csv, N_3.csv, … in place of N.csv.

    Those of N.M.pending.csv are N_2.M.pending.csv and so on.
    """
    yield path
    folder, slash, name = path.rpartition("/")
    parsed = parse(name)
    source = PurePosixPath(parsed.source)
    for number in itertools.count(2):
        numbered = f"{source.stem}_{number}{source.suffix}"
        yield folder + slash + _result(numbered, parsed)


def unnumbered(path: str) -> str:
    """Return N.csv for N_2.csv; what has no number stays as it is."""
    folder, slash, name = path.rpartition("/")
    parsed = parse(name)
    source = PurePosixPath(parsed.source)
    stem = _NUMBER.sub("", source.stem)
    return folder + slash + _result(f"{stem}{source.suffix}", parsed)


def family(source: str) -> Iterator[str]:
    """Yield the paths, relative to the data center, that belong to N.csv."""
    yield source
    yield f"{UNFINISHED}/{source}"
    yield f"{FINISHED}/{source}"
    for mode in Mode:
        yield pending_name(source, mode)
        yield f"{FINISHED}/{finished_name(source, mode)}"


def clean_path(relative_path: str) -> str:
    """Return the path of a file relative to its data center, or refuse it.

    Raise InvalidName if it leaves the data center or is none of its folders.
    """
    path = PurePosixPath(paths.clean_name(relative_path))
    if len(path.parts) > 1 and path.parts[0] not in FOLDERS:
        raise InvalidName(f"{relative_path!r} is in no folder of a data center.")
    if any(map(is_hidden, path.parts)):
        raise InvalidName(f"{relative_path!r} is a file that is being written.")
    return str(path)


def _result(source: str, parsed: DataName) -> str:
    if parsed.kind is Kind.SOURCE:
        return source
    named = pending_name if parsed.kind is Kind.PENDING else finished_name
    return named(source, parsed.mode)


def _stem(source: str) -> str:
    """Return what result files of a source begin with; no two sources share it."""
    stem = source.removesuffix(".csv")
    return source if is_data(stem) else stem


def _known(mode: str) -> str:
    if mode not in set(Mode):
        raise ValueError(f"{mode!r} is no mode; choose one of {', '.join(Mode)}.")
    return mode

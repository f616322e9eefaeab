"""Which import the files of a list come from, or go into."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from django.db.models import QuerySet

from deliverystore.datacenter import naming
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.models import DataFileInfo, ImportRun, lineage

_NAMES = ("file", "pending_file", "finished_file", "original_file")
_FACTS = ("id", "state", "processor", "mode", *_NAMES)


def runs_of(paths: Iterable[str]) -> dict[str, ImportRun]:
    """Return the last import of each file, by relative path, by two queries.

    Only by what has an index: a run that is not over, the name of the pending file,
    and the digest of what was uploaded. So files that were dropped in, and of which
    no row failed, have none. Of a run, only its state, processor, mode and files are
    filled in.
    """
    wanted = set(paths)
    if not wanted:
        return {}
    spellings: dict[str, set[str]] = {}
    for path in wanted:
        spellings.setdefault(naming.spelled(path), set()).add(path)
    last: dict[str, ImportRun] = {}
    for run in _candidates(wanted):
        mine = {getattr(run, name) for name in _NAMES} & wanted
        for path in mine | spellings.get(run.pending_file, set()):
            if path not in last or last[path].pk < run.pk:
                last[path] = run
    return last


def last_tries(runs: Collection[ImportRun]) -> dict[int, ImportRun]:
    """Return, for those whose rows were tried again, the last try, by two queries."""
    again = [run.pk for run in runs if run.state == ImportRun.State.RETRIED]
    last = lineage.last(again, ImportRun.objects.db)
    found = ImportRun.objects.only(*_FACTS).in_bulk(last.values())
    return {first: found[pk] for first, pk in last.items() if pk in found}


def held_run(file: str) -> ImportRun | None:
    """Return the run of a file that is not over, if there is one."""
    return max(_held().filter(file=file), key=lambda run: run.pk, default=None)


def last_tried(file: str) -> ImportRun | None:
    """Return the run of a file that waits still, if the last one changed nothing."""
    run = runs_of([file]).get(file)
    nothing_done = (ImportRun.State.TRIED, ImportRun.State.FAILED)
    if run is None or run.file != file or run.state not in nothing_done:
        return None
    return ImportRun.objects.get(pk=run.pk)


def _held() -> QuerySet[ImportRun]:
    """Return the runs that are not over, by the index of the states alone.

    There are few states, so databases take the index for useless, and do without it
    where they have to fetch more than it has.
    """
    held = ImportRun.objects.filter(state__in=ImportRun.HOLDING)
    return ImportRun.objects.filter(pk__in=held.values("pk"))


def _candidates(paths: set[str]) -> Iterator[ImportRun]:
    """Yield runs with a name among the paths, and others.

    Each of the conditions uses an index; all of them in one, a database may read the
    whole table.
    """
    sources = {naming.parse(path.rpartition("/")[2]).source for path in paths}
    pending = {naming.pending_name(one, mode) for one in sources for mode in Mode}
    uploaded = DataFileInfo.objects.filter(name__in=sources).exclude(digest="")
    digests = list(uploaded.values_list("digest", flat=True))
    runs: QuerySet[ImportRun] = ImportRun.objects.order_by()
    held = _held().filter(file__in=paths).order_by()
    left = runs.filter(pending_file__in=pending)
    same = runs.filter(digest__in=digests)
    found = held.values(*_FACTS).union(
        left.values(*_FACTS), same.values(*_FACTS), all=True
    )
    for facts in found.iterator():
        yield ImportRun(**facts)

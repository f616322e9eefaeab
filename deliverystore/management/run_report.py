"""What commands say of imports: how they ended, and what can be done next."""

from __future__ import annotations

from pathlib import Path

from django.utils.translation import ngettext

from deliverystore.datacenter import Layout, naming, words
from deliverystore.datacenter.center import DataCenter
from deliverystore.datacenter.naming import Kind
from deliverystore.datacenter.places import FolderPlace
from deliverystore.datacenter.problems import Code
from deliverystore.datacenter.runs import tasks
from deliverystore.datacenter.runs.guesses import FILE_CODE
from deliverystore.exceptions import ColumnsRefused, TableUnreadable
from deliverystore.management.check_report import printable
from deliverystore.models import ImportRun, leases

# So many reasons are told.
MAX_REASONS = 20
_NO_TEXT = (Code.ENCODING, Code.NUL)
_TO_BE_MAPPED = {"absent", "unknown"}


def path_of(name: str) -> str:
    """Return where a person can open a file of the data center.

    That is its path, from the current folder on if it is in there; in a storage, which
    has none, its name.
    """
    place = DataCenter().place
    if not isinstance(place, FolderPlace):
        return name
    path = Path(place.path(name))
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def state_of(run: ImportRun) -> str:
    """Return the state of a run in words."""
    if run.state == ImportRun.State.FINISHED and run.rows == run.blank:
        return "there are no rows in the file"
    if run.state == ImportRun.State.CANCELLED and not run.rows:
        return "cancelled before a row was read, its file stays where it is"
    return str(run.get_state_display())


def not_in(run: ImportRun) -> str:
    """Return how many rows of a run did not go in, where they are, and a hint."""
    text = ngettext(
        "%(count)s row of %(file)s is not in",
        "%(count)s rows of %(file)s are not in",
        run.failed,
    ) % {"count": f"{run.failed:,}", "file": run.file}
    where = f", see {path_of(run.pending_file)}" if run.pending_file else ""
    return " ".join(filter(None, [f"{text}{where}.", _hint_of_run(run)]))


def how_it_goes(run: ImportRun) -> str:
    """Return what has become of a run that was started, to be said behind its name."""
    if run.state == ImportRun.State.WAITING:
        who = "`import_csv --resume`" if tasks.run_import is None else "a worker"
        return f" waits for {who}"
    if run.state == ImportRun.State.RUNNING:
        return " is under way"
    if run.failed:
        return f": {not_in(run)}"
    return ": " + ": ".join(filter(None, [state_of(run), run.error]))


def waiting_rows(run: ImportRun) -> str:
    """Return where rows wait that a run has left, and what can be done about them."""
    name, number = run.pending_file, run.pk
    text = ngettext(
        "%(count)s row of it is left since import %(number)d",
        "%(count)s rows of it are left since import %(number)d",
        run.failed,
    ) % {"count": f"{run.failed:,}", "number": number}
    if DataCenter().place.exists(name):
        what = (
            f"in {path_of(name)}. Correct that file, or put a corrected copy in its "
            f"place, and import it: `import_csv {name}`. Or try them again as they "
            f"are: `datacenter_run retry {number}`."
        )
    else:
        what = (
            f"but {path_of(name)} is gone. `datacenter_run retry {number}` writes it "
            "again, and tries its rows."
        )
    return f"{text}, {what} Or give them up: {discard_command(number)}."


def line(run: ImportRun) -> str:
    """Return a run in one line: number, file, what it is for, and how it is."""
    parts = [
        f"{run.pk:>6}  {run.file}  {run.processor} {run.mode}: {state_of(run)}",
        words.rows(run.rows),
        f"{run.finished:,} in",
        f"{run.failed:,} failed",
    ]
    return printable(", ".join(parts))


def details(run: ImportRun) -> list[str]:
    """Return what there is to be told of one run, below its counts, in lines."""
    lines = [f"Error: {run.error}"] if run.error else []
    groups = run.failure_groups.order_by("-count", "first_number")
    shown = list(groups[:MAX_REASONS])
    if shown:
        lines.append("Failed rows, by column, code and value:")
    for group in shown:
        rows = words.rows(group.count)
        value = f" {group.value!r}" if group.value else ""
        where = f"{group.column or '(row)'}  {group.code}{value}: {rows}"
        lines.append(f"  {where}. {group.message}")
    if (left := groups.count() - len(shown)) > 0:
        lines.append(f"  … and {left:,} more reasons; --json has all of them.")
    if run.discarded_because:
        lines.append(f"Given up because: {run.discarded_because}")
    if run.state in ImportRun.LEFT_OVER and run.pending_file:
        lines.append(waiting_rows(run))
    elif run.state in ImportRun.HOLDING and leases.is_left(run):
        lines.append("Nobody is at it: `import_csv --resume` goes on with it.")
    return list(map(printable, lines))


def discard_command(number: int) -> str:
    """Return what to type to give up what a run has left."""
    return f'`datacenter_run discard {number} --reason "…"`'


def reasons(run: ImportRun) -> list[str]:
    """Return why rows of a run failed, the most frequent reason first, one a line."""
    groups = run.failure_groups.order_by("-count", "first_number")
    lines = []
    for group in groups[:MAX_REASONS]:
        column = f"{group.column}: " if group.column else ""
        text = printable(f"{column}{group.message}")
        first = f"(first in record {group.first_number:,})"
        lines.append(f"{group.count:>12,}  {text} {first}")
    return lines


def told(error: Exception, name: str, layout: Layout | None) -> str:
    """Return what is wrong with a file, and what options can do about it."""
    sentences = [str(error)]
    if isinstance(error, ColumnsRefused):
        sentences = [problem.message for problem in error.problems]
    if hint := _hint(error, name, layout):
        sentences.append(hint)
    ended = [one if one.endswith((".", "?")) else f"{one}." for one in sentences[:-1]]
    return " ".join([*ended, sentences[-1]])


def _hint(error: Exception, name: str, layout: Layout | None) -> str:
    if isinstance(error, TableUnreadable) and error.problem.code in _NO_TEXT:
        return _other_encoding(name, layout)
    if isinstance(error, ColumnsRefused):
        codes = {problem.code for problem in error.problems}
        if codes & _TO_BE_MAPPED:
            return (
                "--map COLUMN=FIELD says which field a column is for, and "
                "--map COLUMN= leaves it out."
            )
    return ""


def _hint_of_run(run: ImportRun) -> str:
    codes = [f"{FILE_CODE}{code}" for code in _NO_TEXT]
    is_source = naming.parse(run.file).kind is Kind.SOURCE
    if not is_source or not run.failure_groups.filter(code__in=codes).exists():
        return ""
    name = run.original_file or run.file
    if not DataCenter().place.exists(name):
        return ""
    text = _other_encoding(name, Layout(**run.layout))
    if run.dry_run:
        return text
    return (
        f"{text} For that, import the file again, under another name and with --mode "
        f"upsert, and give up what is left here: {discard_command(run.pk)}."
    )


def _other_encoding(name: str, layout: Layout | None) -> str:
    """Return which encodings are offered for a file that is not written as declared."""
    report = DataCenter().check(name, layout)
    first, *others = [one.encoding for one in report.offers] or [""]
    if not first:
        return (
            "If it is in another encoding, say which: --encoding cp1252, for example."
        )
    text = f"It may be in another encoding: try --encoding {first}"
    return f"{text} (or {words.listed(others)})." if others else f"{text}."

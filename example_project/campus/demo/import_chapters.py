"""What the chapters of the demo about files with rows do and say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from django.contrib.auth.models import User

from deliverystore.datacenter import DataCenter, runs
from deliverystore.models import ImportRun
from example_project.registrar.models import Course, Enrolment, Faculty, Student
from example_project.registrar.samples import Sample

from .chapters import shown
from .importing import (
    Correction,
    bring_in,
    correct,
    corrections,
    is_done,
    latest,
    pending_lines,
    reasons,
    retry,
    seconds_of,
)
from .site import Site
from .story import Story

CODE = """\
@register
class StudentProcessor(ModelProcessor):
    model = Student
    name = "students"
    key_fields = ["matric_no"]
    fields = ["matric_no", "first_name", "last_name", "email", …]
    lookups = {"faculty": "name"}
    date_formats = ["%d.%m.%Y"]

run = start_run("students.csv", "students", "create", user=registrar)
"""


CLICKS = """\
1  {url}
   (log in as registrar)
2  beside “{wrong}”, type: {right}
3  click “Correct, and try the failed rows again”
"""


@dataclass(frozen=True, kw_only=True)
class Imported:
    """A file of the registrar's, and its first import."""

    sample: Sample
    run: ImportRun


def show_imports(story: Story, samples: Sequence[Sample], user: User) -> None:
    """Bring all files in, correct what failed, and say how."""
    story.chapter("A university comes in as CSV files")
    story.say(
        "The registrar's office has tables. A processor says what their rows become; "
        "this is one, and how its file is imported:"
    )
    story.code(CODE)
    start = perf_counter()
    if all(map(is_done, samples)):
        story.say(
            "An earlier run has imported, corrected and finished all of them. So they "
            "came in at first, before what failed was corrected:"
        )
        _show_files(story, samples, user)
        _show_totals(story, "")
    else:
        _tell_all(story, samples, user)
        _show_totals(story, f": in {perf_counter() - start:.1f} seconds")


def leave_open(story: Story, sample: Sample, user: User, site: Site) -> None:
    """Bring a file in, and leave what failed to who reads this."""
    story.chapter("One import is left for you")
    if is_done(sample):
        story.say(f"You have finished {sample.filename}: all its rows are in.")
        return
    run = latest(bring_in(sample, user))
    story.say(
        f"{sample.filename} is in, but for {run.failed} of {run.rows:,} rows: somebody "
        "has written the faculty in another way. Three clicks, and a worker brings "
        "them in while you look on:"
    )
    ((_column, values),) = sample.corrections.items()
    ((wrong, right),) = values.items()
    if not site.is_served:
        story.say(f"(After {site.command}.)")
    url = f"{site.url}admin/deliverystore/importrun/{run.pk}/change/"
    story.code(CLICKS.format(url=url, wrong=wrong, right=right))


def _tell_all(story: Story, samples: Sequence[Sample], user: User) -> None:
    *files, marks = samples
    *_, students, enrolments = _show_files(story, files, user)
    story.say(
        "Each row is validated as by a form, and a bad one stops no other. What is "
        "only untidy goes in: blanks around values, dates like 31.12.2004, semicolons."
    )
    _show_pending(story, students)
    story.chapter("It is corrected, and tried again")
    _close_students(story, students, user)
    _close_enrolments(story, enrolments, user)
    _close_marks(story, marks, user)


def _show_files(story: Story, samples: Sequence[Sample], user: User) -> list[Imported]:
    """Bring files in, whatever is wrong with some rows."""
    imported = [Imported(sample=one, run=bring_in(one, user)) for one in samples]
    heading = ("file", "rows", "in", "failed", "blank", "seconds", "rows/s")
    rows = [heading, *(_figures(one.run) for one in imported)]
    story.say()
    story.table(rows, right=range(1, len(heading)))
    story.say()
    return imported


def _figures(run: ImportRun) -> tuple[str, ...]:
    seconds = seconds_of(run)
    counts = (run.rows, run.finished, run.failed, run.blank)
    speed = f"{run.rows / seconds:,.0f}" if run.rows >= 1000 and seconds else ""
    return (run.file, *(f"{count:,}" for count in counts), f"{seconds:.2f}", speed)


def _show_pending(story: Story, students: Imported) -> None:
    """Say what became of the rows that failed."""
    run = students.run
    story.chapter("What did not go in waits, and says why")
    if run.state in ImportRun.LEFT_OVER:
        where = f"{shown(DataCenter().location)}/{run.pending_file}"
        story.say(f"{run.failed} rows of {run.file} came back. Some lines of {where}:")
        for cells, errors in pending_lines(run):
            story.record(cells, errors)
        story.say()
    rows = [
        (f"{one.rows}", one.column, one.message.partition(". ")[0].rstrip(".") + ".")
        for one in reasons(run)
    ]
    story.table([("rows", "column", "why; one of them is shown"), *rows], right=[0])


def _close_students(story: Story, students: Imported, user: User) -> None:
    """Correct by value, edit single rows, try again, and give up what is left."""
    run = latest(students.run)
    if run == students.run:
        run = _correct_students(story, students, user)
    if run.state in ImportRun.LEFT_OVER:
        story.say("What is left stands in the file twice, so it is given up:")
        story.quote(reasons(run)[0].message)
        runs.discard(run, "They stand in the file twice.", user)
    _show_account(story, students)


def _correct_students(story: Story, students: Imported, user: User) -> ImportRun:
    run, sample = students.run, students.sample
    story.say("A wrong value is corrected once, for all its rows, now and later:")
    rows = [_shown_correction(one) for one in corrections(run, sample)]
    story.table([("rows", "column", "correction", ""), *rows], right=[0])
    edited = correct(run, sample, user)
    story.say(f"Where somebody had to look it up, the row is edited: {edited} times.")
    return _try_again(story, run, user)


def _shown_correction(one: Correction) -> tuple[str, ...]:
    wrong, right = next(iter(one.values.items()))
    others = len(one.values) - 1
    more = f"and {others} more" if others else ""
    return (f"{one.rows}", one.column, f"{wrong} → {right or '(nothing)'}", more)


def _close_enrolments(story: Story, enrolments: Imported, user: User) -> None:
    """Try again what only had to wait, then correct what is wrong."""
    run = latest(enrolments.run)
    story.say()
    if run == enrolments.run and run.state in ImportRun.LEFT_OVER:
        story.say(
            f"Of {run.file} {run.failed} rows failed. Most have nothing wrong: their "
            "students were not there yet. Now they are, so nobody has to edit anything:"
        )
        run = _try_again(story, run, user)
    if run.state in ImportRun.LEFT_OVER:
        story.say("What is left breaks a rule of the house, a method of the processor:")
        story.quote(reasons(run)[0].message)
        correct(run, enrolments.sample, user)
        story.say("The registrar asks those students, and edits the rows.")
        _try_again(story, run, user)
    _show_account(story, enrolments)


def _close_marks(story: Story, sample: Sample, user: User) -> None:
    """Bring in what only updates."""
    marks = Imported(sample=sample, run=bring_in(sample, user))
    story.say()
    story.say(f"{marks.run.file} creates nothing: enrolments that are there get marks.")
    run = latest(marks.run)
    if run.state in ImportRun.LEFT_OVER:
        story.say("Somebody has written commas:")
        story.quote(reasons(run)[0].message)
        correct(run, sample, user)
        _try_again(story, run, user)
    _show_account(story, marks)


def _try_again(story: Story, run: ImportRun, user: User) -> ImportRun:
    again = retry(run, user)
    left, took = again.failed or "none", f"{seconds_of(again):.2f} s"
    story.good(
        f"→ tried again: {again.finished} of {again.rows} in, {left} left: {took}"
    )
    return again


def _show_account(story: Story, imported: Imported) -> None:
    """Say where all rows of a file are."""
    run, given_up = imported.run, latest(imported.run).failed
    parts = {
        "in": run.rows - run.blank - given_up,
        "given up": given_up,
        "blank": run.blank,
    }
    told = " + ".join(f"{count:,} {name}" for name, count in parts.items() if count)
    story.good(f"→ {run.file}: {run.rows:,} rows = {told}")


def _show_totals(story: Story, how_fast: str) -> None:
    counts = [
        f"{model._default_manager.count():,} {model._meta.verbose_name_plural}"
        for model in (Faculty, Course, Student, Enrolment)
    ]
    story.say()
    story.good(f"{', '.join(counts)}{how_fast}.")
    story.say(
        f"{shown(DataCenter().location)}/finished/ has each file as it came, and the "
        "rows that went in. Stopped anywhere, even by a power cut, each import would "
        "have gone on where it was."
    )

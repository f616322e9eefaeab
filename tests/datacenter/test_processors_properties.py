"""Bulk does what one row after the other does, only sooner."""

from __future__ import annotations

import contextlib

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deliverystore.datacenter.rows.bulk import BulkPlan
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.exceptions import RowError
from tests.school import models, processors

pytestmark = pytest.mark.django_db
EXAMPLES = settings(
    max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def by_row(processor):
    return type(f"Slow{processor.__name__}", (processor,), {"use_bulk": False})


class Undo(Exception):
    """Ends a transaction whose effects nobody wants."""


def table(model, many=()):
    """Return the rows of a model without what chance decides: pks, and times."""
    named = {
        field.name
        for field in model._meta.concrete_fields
        if not field.primary_key
        and field.name not in {"changed_at", "added_at", "person_ptr"}
    }
    if model is models.Book:
        named -= {"id"}
    found = []
    for one in model.objects.all():
        row = {name: str(getattr(one, name)) for name in named}
        for name in many:
            row[name] = sorted(str(other) for other in getattr(one, name).all())
        found.append(sorted(row.items()))
    return sorted(found)


def shape(outcome):
    """Return what can be compared of an outcome made in another transaction."""
    return outcome._replace(
        pk=outcome.pk is not None,
        errors=frozenset(outcome.errors),
    )


def result(processor, columns, mode, batches, many, set_up, *, with_changes):
    found = None
    with contextlib.suppress(Undo), transaction.atomic():
        set_up()
        plan = processor().prepare(columns, mode, with_changes=with_changes)
        outcomes = []
        number = 0
        for batch in batches:
            rows = [(number + at, cells) for at, cells in enumerate(batch)]
            number += len(rows)
            outcomes += plan.process(rows)
        known = [shape(one) for one in outcomes]
        found = known, table(processor.model, many), type(plan)
        raise Undo
    return found


def has_rules(model):
    return model is models.Member


def compare(processor, columns, mode, batches, **options):
    # Where nobody asks for the changes, many rows go in by columns.
    for with_changes in (True, False):
        compare_once(
            processor, columns, mode, batches, with_changes=with_changes, **options
        )


def compare_once(processor, columns, mode, batches, *, with_changes, set_up, many=()):
    asked = (columns, mode, batches, many, set_up)
    slow = result(by_row(processor), *asked, with_changes=with_changes)
    fast = result(processor, *asked, with_changes=with_changes)
    assert fast[2] is BulkPlan
    for ours, theirs in zip(fast[0], slow[0], strict=True):
        # A row that is wrong anyway is not handed to the database for more reasons.
        assert ours.errors <= theirs.errors
        assert ours._replace(errors=theirs.errors) == theirs
        assert bool(ours.errors) == bool(theirs.errors)
        if not has_rules(processor.model):
            assert ours.errors == theirs.errors
    assert fast[1] == slow[1]


def tables(*cells, max_rows=7):
    row = st.tuples(*cells).map(list)
    batch = st.lists(row, max_size=max_rows)
    return st.lists(batch, min_size=1, max_size=3)


def some(*texts):
    return st.sampled_from(texts)


NUMBERS = some("A1", "A2", "A3", "A4", "a5", "A6", "", " A1 ", "A99999999")
EMAILS = some("", "a@b.org", "b@b.org", "c@b.org", "d@b.org", "nobody", "--CLEAR--")
FACULTIES = some("", "ENG", "SCI", "ART", "--CLEAR--")
LEVELS = some("", "1", "2", "First year", "second YEAR", "3", "--CLEAR--")
POINTS = some("", "1", "99", "100", "101", "-5", "-6", "1.5", "--CLEAR--")
NICKNAMES = some("", "", "al", "Al", "bo", "--CLEAR--", "much too long")
MODES = st.sampled_from([Mode.CREATE, Mode.UPDATE, Mode.UPSERT])


def members():
    for code in ("ENG", "SCI"):
        models.Faculty.objects.create(code=code)
    models.Member.objects.create(number="A1", email="a@b.org", nickname="al")
    models.Member.objects.create(number="A2", email="b@b.org", points=7)
    models.Member.objects.create(number="A3")


@EXAMPLES
@given(tables(NUMBERS, EMAILS, FACULTIES, LEVELS, POINTS, NICKNAMES), MODES)
def test_members(batches, mode):
    columns = ["number", "email", "faculty", "level", "points", "nickname"]
    compare(processors.MemberProcessor, columns, mode, batches, set_up=members)


def students():
    for number in (1, 2, 3):
        models.Student.objects.create(
            matric_no=f"M{number}",
            name=f"Name {number}",
            email=f"{number}@b.org",
            admitted_on="2024-09-01",
            fee=number,
        )
    # No row can name this one.
    models.Student.objects.create(matric_no="", admitted_on="2024-09-01")


@settings(parent=EXAMPLES, max_examples=60)
@given(
    tables(
        some("M1", "M1", "M2", "M2", "M3", "M4", " M1", "", "--CLEAR--"),
        some("Ada", "Name 1", "Name 2", "", "--CLEAR--"),
        some("1@b.org", "2@b.org", "2@b.org", "4@b.org", "", "x"),
        some("2024-09-01", "2024-09-01", "2025-01-31", "", "soon"),
        some("1.00", "2.00", "2.50", "", "1e9"),
    ),
    MODES,
)
def test_students(batches, mode):
    columns = ["matric_no", "name", "email", "admitted_on", "fee"]
    compare(processors.StudentProcessor, columns, mode, batches, set_up=students)


@settings(parent=EXAMPLES, max_examples=60)
@given(
    tables(
        some("M1", "M2", "M3", "M4", ""),
        some("Ada", "Name 1", ""),
        some("1.00", "2.00"),
    )
)
def test_some_columns_of_students(batches):
    columns = ["matric_no", "name", "fee"]
    compare(processors.StudentProcessor, columns, Mode.UPDATE, batches, set_up=students)


@EXAMPLES
@given(tables(NUMBERS, EMAILS))
def test_removed_members(batches):
    columns = ["number", "email"]
    compare(processors.MemberProcessor, columns, Mode.REMOVE, batches, set_up=members)


def courses():
    members()
    for number in (1, 2):
        faculty = models.Faculty.objects.get(code="ENG")
        models.Course.objects.create(faculty=faculty, number=number)
    for word in ("red", "blue"):
        models.Tag.objects.create(word=word)


@EXAMPLES
@given(
    tables(FACULTIES, some("1", "2", "3", "-1", ""), some("", "Maths", "--CLEAR--")),
    st.sampled_from(Mode),
)
def test_courses(batches, mode):
    columns = ["faculty", "number", "title"]
    compare(processors.CourseProcessor, columns, mode, batches, set_up=courses)


IDS = [f"00000000-0000-0000-0000-00000000000{one}" for one in range(5)]


def books():
    courses()
    first = models.Book.objects.create(id=IDS[0], title="One", place=1)
    first.tags.set(models.Tag.objects.filter(word="red"))
    models.Book.objects.create(id=IDS[1], title="Two", place=2)
    models.Book.objects.create(id=IDS[2], title="Three")


@EXAMPLES
@given(
    tables(
        some(*IDS, "", "x"),
        some("novel", "Untitled", "one", ""),
        some("", "1", "0", "x"),
        some("", "1", "2"),
        some("", "1", "2", "3"),
        some("", "ENG/1", "ENG/9", "ENG", "ENG/x"),
        some("", "red", "red; blue", "blue;;blue", "red;green", "--CLEAR--"),
    ),
    st.sampled_from(Mode),
)
def test_books(batches, mode):
    columns = ["id", "title", "pages", "shelf", "place", "course", "tags"]
    compare(
        processors.BookProcessor, columns, mode, batches, set_up=books, many=["tags"]
    )


def teachers():
    models.Teacher.objects.create(staff_no=1, name="Ada", email="a@b.org")
    models.Teacher.objects.create(staff_no=2, name="Bob", email="b@b.org")
    models.Person.objects.create(name="Nobody", email="c@b.org")


@EXAMPLES
@given(
    tables(some("1", "2", "3", "4"), some("Ada", "Bob", ""), EMAILS, some("", "R1")),
    st.sampled_from(Mode),
)
def test_teachers(batches, mode):
    columns = ["staff_no", "name", "email", "room"]
    compare(processors.TeacherProcessor, columns, mode, batches, set_up=teachers)


@EXAMPLES
@given(tables(some("1", "2", "3", "4"), some("", "1", "2", "3", "4", "9")))
def test_employees(batches):
    columns = ["number", "boss"]
    compare(
        processors.EmployeeProcessor, columns, Mode.CREATE, batches, set_up=lambda: None
    )


class HookedProcessor(processors.MemberProcessor):
    def clean_row(self, row, mode):
        if row.get("points") == 99:
            raise RowError("99 is not nice", field="points")
        row["points"] = row.get("points") or 0
        return row

    def parents_exist(self, row):
        return row.get("faculty") is None or not row["faculty"].closed

    def check_create(self, row):
        if row["points"] == 1:
            raise RowError("starts with 1")

    def check_update(self, entry, row):
        if entry.points == 7:
            raise ValueError(f"a mistake at {entry.number}")

    def check_remove(self, entry, row):
        if entry.email:
            raise RowError("can be written to", field="email", code="mail")


def hooked():
    members()
    models.Faculty.objects.filter(code="SCI").update(closed=True)


@EXAMPLES
@given(
    tables(NUMBERS, FACULTIES, some("1", "2", "99", "", "100")),
    st.sampled_from([Mode.CREATE, Mode.UPDATE, Mode.REMOVE]),
)
def test_hooks(batches, mode):
    columns = ["number", "faculty", "points"]
    compare(HookedProcessor, columns, mode, batches, set_up=hooked)

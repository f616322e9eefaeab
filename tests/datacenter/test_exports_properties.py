"""Whatever is in the database, an import of its own export changes nothing."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deliverystore.datacenter import registry
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.testing import assert_export_changes_nothing
from tests.school import models, processors

pytestmark = pytest.mark.django_db
EXAMPLES = settings(
    max_examples=20,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
# The format, and whether it is for a spreadsheet.
WAYS = st.sampled_from([("csv", False), ("csv", True), ("xlsx", False)])

# What some program or other takes for something else.
TRICKY = [
    *("=1+1", "'=1+1", "''=1", " '=x", "\t=x", "+49", "-5", "-a", "@x", "\uff1d1"),
    *("--CLEAR--", "'--CLEAR--", " --CLEAR-- ", "'", "''", "'a'", '"', '""', 'a"b'),
    *("  lead", "trail  ", "a\nb", "a\r\nb", "a\rb", "\n", " ", "a,b", "a;b", "a|b"),
    *("a\tb", "\\", "a\\;b", "a/b", "null", "NULL", "None", "true", "007", "1.0"),
    *("1e5", "#N/A", "_x0041_", "ä😀", "\ufeffx", "--ERRORS--", "\xa0x"),
]
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")


def texts(max_size, min_size=0):
    some = [one for one in TRICKY if min_size <= len(one) <= max_size]
    return st.sampled_from(some) | st.text(
        CHARACTERS, min_size=min_size, max_size=max_size
    )


def keys(max_size):
    """Return texts that a cell can name: not empty, no blanks around."""
    return texts(max_size, 1).filter(lambda text: text == text.strip())


def integers(bits, signed=True):
    return st.integers(-(2 ** (bits - 1)) if signed else 0, 2 ** (bits - 1) - 1)


def or_none(strategy):
    return st.none() | strategy


JSON = st.recursive(
    or_none(st.booleans() | integers(53) | st.floats(-1e9, 1e9) | texts(9)),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts(5), inner),
    max_leaves=4,
)
MOMENTS = st.datetimes(
    timezones=st.sampled_from(
        [datetime.UTC, datetime.timezone(datetime.timedelta(hours=-11, minutes=-30))]
    )
)
MANY_DAYS = datetime.timedelta(days=100_000_000)
EVERYTHING = {
    "big": or_none(integers(64)),
    "binary": or_none(st.binary(max_size=9)),
    "boolean": or_none(st.booleans()),
    "char": texts(12),
    "chosen": st.sampled_from(["", "a", "b", "c"]),
    "date": or_none(st.dates()),
    "datetime": or_none(MOMENTS),
    "decimal": or_none(st.decimals("-9999.99", "9999.99", places=2)),
    # SQLite has 64 bits for their microseconds.
    "duration": or_none(st.timedeltas(-MANY_DAYS, MANY_DAYS)),
    "email": st.sampled_from(["", "a@b.org", "o'neill@b.org", "+x@b.org", "=1@b.org"]),
    "file": st.sampled_from(["", "a/b.txt", "=a.txt", "a b.txt"]),
    "file_path": st.sampled_from(["", "/nowhere-at-all/x"]),
    "float": or_none(st.floats(allow_infinity=False, allow_nan=False)),
    "integer": or_none(st.integers(-3, 2**31 - 1)),
    "ip": or_none(st.ip_addresses().map(str)),
    "json": JSON,
    "positive": or_none(integers(32, signed=False)),
    "positive_big": or_none(integers(64, signed=False)),
    "positive_small": or_none(integers(16, signed=False)),
    "slug": st.sampled_from(["", "a-b", "-5", "-a", "_"]),
    "small": or_none(integers(16)),
    "text": texts(60),
    "time": or_none(st.times()),
    "url": st.sampled_from(["", "https://x.org/?a=1&b='2'"]),
    "uuid": or_none(st.uuids()),
    "day": st.dates(),
}


class EverythingClearedProcessor(processors.EverythingProcessor):
    """Takes an empty cell for no value, where there may be none."""

    empty_clears = [Mode.UPDATE]
    fields = [name for name in processors.EverythingProcessor.fields if name != "day"]


class BookByNaturalKeyProcessor(processors.BookProcessor):
    lookups = {"tags": "word"}


def check(processor, way, set_up, zone="UTC"):
    """Make objects, see that their export changes nothing, and undo all of it."""
    file_format, for_spreadsheet = way
    with transaction.atomic():
        set_up()
        with timezone.override(zone):
            assert_export_changes_nothing(
                processor(), file_format=file_format, for_spreadsheet=for_spreadsheet
            )
        transaction.set_rollback(True)


def saved(model, rows, *keys):
    """Store objects with these values, those of the same key once; return them."""
    one_each = {tuple(row[key] for key in keys): row for row in rows}
    return model.objects.bulk_create(model(**row) for row in one_each.values())


def lists(max_size=4, **fields):
    return st.lists(st.fixed_dictionaries(fields), max_size=max_size)


def with_faculties(rows, faculties):
    """Give rows that have the number of a faculty, or none, that faculty."""
    return [
        {**row, "faculty": None if at is None else faculties[at % len(faculties)]}
        for row in rows
        if (at := row["faculty"]) is None or faculties
    ]


@pytest.mark.parametrize(
    "processor", [processors.EverythingProcessor, EverythingClearedProcessor]
)
@EXAMPLES
@given(
    WAYS,
    lists(key=keys(20), **EVERYTHING),
    st.sampled_from(["UTC", "Asia/Kathmandu", "America/New_York"]),
)
def test_every_kind_of_field(processor, way, rows, zone):
    check(processor, way, lambda: saved(models.Everything, rows, "key"), zone)


FACULTIES = lists(code=keys(10), name=texts(30))


@EXAMPLES
@given(WAYS, FACULTIES)
def test_faculties(way, rows):
    check(processors.FacultyProcessor, way, lambda: saved(models.Faculty, rows, "code"))


@EXAMPLES
@given(
    WAYS,
    lists(
        matric_no=keys(20),
        name=keys(30),
        email=st.from_regex(r"[a-z+=]{1,9}@b\.org", fullmatch=True),
        admitted_on=st.dates(),
        fee=st.decimals(-99999, 99999, places=2),
    ),
)
def test_students(way, rows):
    rows = list({row["email"]: row for row in rows}.values())
    check(
        processors.StudentProcessor,
        way,
        lambda: saved(models.Student, rows, "matric_no"),
    )


@EXAMPLES
@given(
    WAYS,
    FACULTIES,
    lists(
        number=st.from_regex(r"[A-Z][0-9]{1,7}", fullmatch=True),
        faculty=or_none(st.integers(0, 3)),
        level=st.sampled_from(models.Member.Level),
        points=st.integers(-5, 99),
    ),
)
def test_members_with_a_foreign_key_and_choices(way, faculties, rows):
    def set_up():
        known = saved(models.Faculty, faculties, "code")
        saved(models.Member, with_faculties(rows, known), "number")

    check(processors.MemberProcessor, way, set_up)


COURSES = lists(
    faculty=st.integers(0, 3), number=st.integers(0, 32767), title=texts(50)
)


@EXAMPLES
@given(WAYS, FACULTIES, COURSES)
def test_courses_whose_key_is_a_foreign_key_too(way, faculties, rows):
    def set_up():
        known = saved(models.Faculty, faculties, "code")
        saved(models.Course, with_faculties(rows, known), "faculty", "number")

    check(processors.CourseProcessor, way, set_up)


@pytest.mark.parametrize(
    "processor", [processors.BookProcessor, BookByNaturalKeyProcessor]
)
@EXAMPLES
@given(
    WAYS,
    FACULTIES,
    COURSES,
    st.lists(keys(20), unique=True, max_size=4),
    lists(
        id=st.uuids(),
        title=keys(50),
        pages=or_none(st.integers(1, 999)),
        course=or_none(st.integers(0, 3)),
        tags=st.sets(st.integers(0, 3)),
    ),
)
def test_books_with_a_list_of_many(processor, way, faculties, courses, words, rows):
    def set_up():
        known = saved(models.Faculty, faculties, "code")
        there = saved(
            models.Course, with_faculties(courses, known), "faculty", "number"
        )
        tags = saved(models.Tag, [{"word": word} for word in words], "word")
        for row in {row["id"]: row for row in rows}.values():
            at, named = row.pop("course"), row.pop("tags")
            course = None if at is None or not there else there[at % len(there)]
            book = models.Book.objects.create(**row, course=course)
            book.tags.set([tags[one] for one in named if one < len(tags)])

    check(processor, way, set_up)


@EXAMPLES
@given(WAYS, lists(code=keys(10), level=or_none(texts(10))))
def test_badges_with_a_default_of_the_database(way, rows):
    def set_up():
        for row in rows:
            # Without a level it has that of the database.
            given = {name: one for name, one in row.items() if one is not None}
            models.Badge.objects.get_or_create(code=row["code"], defaults=given)

    check(processors.BadgeProcessor, way, set_up)


@EXAMPLES
@given(WAYS, lists(staff_no=integers(31), name=keys(50), room=texts(10)))
def test_teachers_who_have_two_tables(way, rows):
    def set_up():
        for number, row in {row["staff_no"]: row for row in rows}.items():
            models.Teacher.objects.create(**row, email=f"{number}@b.org")

    check(processors.TeacherProcessor, way, set_up)


@EXAMPLES
@given(WAYS, st.lists(st.tuples(integers(31), or_none(st.integers(0, 3))), max_size=4))
def test_employees_who_have_bosses(way, rows):
    def set_up():
        those = saved(models.Employee, [{"number": one} for one, _ in rows], "number")
        for one, (_number, boss) in zip(those, rows, strict=False):
            if boss is not None and boss < len(those):
                one.boss = those[boss]
                one.save()

    check(processors.EmployeeProcessor, way, set_up)


@EXAMPLES
@given(WAYS, lists(title=keys(50)))
def test_notes_that_are_saved_one_by_one(way, rows):
    check(processors.NoteProcessor, way, lambda: saved(models.Note, rows, "title"))


def test_every_processor_of_the_school_is_proved():
    source = Path(__file__).read_text()
    known = registry.get_processors().values()
    ours = [one for one in known if one.__module__ == processors.__name__]

    assert [one for one in ours if f"processors.{one.__name__}" not in source] == []

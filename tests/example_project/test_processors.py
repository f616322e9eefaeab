from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from deliverystore.datacenter.registry import get_processor
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.exceptions import ColumnsRefused
from example_project.registrar.models import Course, Enrolment, Faculty, Student

pytestmark = pytest.mark.django_db


@pytest.fixture
def science():
    return Faculty.objects.create(code="SCI", name="Science")


@pytest.fixture
def physics(science):
    return Course.objects.create(faculty=science, number=203, title="Physics 2")


@pytest.fixture
def ada(science):
    return Student.objects.create(
        matric_no="2500001",
        first_name="Ada",
        last_name="Berg",
        born_on=date(2004, 12, 31),
        faculty=science,
        year=2,
    )


def outcomes(name, mode, header, *rows):
    plan = get_processor(name).prepare(header.split(","), mode)
    return plan.process([(at, row.split(",")) for at, row in enumerate(rows, start=1)])


def told(outcome):
    return [(one.column, one.code, one.message) for one in outcome.errors]


def test_a_student_is_created_as_people_write_one(science):
    [done] = outcomes(
        "students",
        Mode.CREATE,
        "matric_no,first_name,last_name,email,born_on,faculty,year",
        " 2500001 ,Ada,Berg,,31.12.2004, Science,2",
    )
    assert done.action == "created", told(done)
    ada = Student.objects.get()
    assert (ada.matric_no, ada.faculty, ada.email) == ("2500001", science, None)
    assert ada.born_on == date(2004, 12, 31)


@pytest.mark.parametrize("number", ["250001", "25000012", "25 0001", "A500001"])
def test_a_matriculation_number_has_seven_digits(science, number):
    [done] = outcomes(
        "students",
        Mode.CREATE,
        "matric_no,first_name,last_name,born_on,faculty,year",
        f"{number},Ada,Berg,2004-12-31,Science,2",
    )
    assert "matric_no" in {column for column, _code, _message in told(done)}


def test_a_course_names_its_faculty_by_the_code_and_is_named_by_both(science):
    rows = ["SCI,203,Physics 2", "SCI,203,Physics again", "LAW,101,Civil law"]
    done, again, lost = outcomes("courses", Mode.CREATE, "faculty,number,title", *rows)
    assert done.action == "created"
    assert [code for _column, code, _message in told(again)] == ["exists"]
    assert [(column, code) for column, code, _ in told(lost)] == [
        ("faculty", "missing")
    ]
    assert [str(course) for course in Course.objects.all()] == ["SCI/203"]


def test_nobody_takes_a_course_of_a_later_year(ada, physics, science):
    Course.objects.create(faculty=science, number=301, title="Physics 3")
    done, early = outcomes(
        "enrolments",
        Mode.CREATE,
        "student,course,enrolled_on",
        "2500001,SCI/203,2025-09-01",
        "2500001,SCI/301,2025-09-01",
    )
    assert done.action == "created", told(done)
    assert told(early) == [
        (
            "course",
            "too_early",
            "SCI/301 is for year 3 and above; the student is in year 2.",
        )
    ]
    assert [str(one) for one in Enrolment.objects.all()] == [
        "2500001 Ada Berg in SCI/203"
    ]


def test_marks_are_given_once_and_only_to_who_is_enrolled(ada, physics):
    enrolment = Enrolment.objects.create(
        student=ada, course=physics, enrolled_on=date(2025, 9, 1)
    )
    header, row = "student,course,mark", "2500001,SCI/203,"
    assert outcomes("marks", Mode.UPDATE, header, f"{row}1.7")[0].action == "updated"
    same, other, empty, wrong = outcomes(
        "marks",
        Mode.UPDATE,
        header,
        *(f"{row}{mark}" for mark in ("1.7", "2.0", "", "5.1")),
    )
    assert (same.action, empty.action) == ("unchanged", "unchanged")
    assert told(other) == [("mark", "given", "The mark is 1.7 already.")]
    assert [column for column, _code, _message in told(wrong)] == ["mark"]
    enrolment.refresh_from_db()
    assert enrolment.mark == Decimal("1.7")
    [missing] = outcomes("marks", Mode.UPDATE, header, "2500002,SCI/203,1.0")
    assert [column for column, _code, _message in told(missing)] == ["student"]


def test_marks_create_nothing_and_have_a_column():
    with pytest.raises(ColumnsRefused):
        get_processor("marks").prepare(["student", "course", "mark"], Mode.CREATE)
    with pytest.raises(ColumnsRefused, match="“mark” is missing"):
        get_processor("marks").prepare(["student", "course"], Mode.UPDATE)


def test_who_has_a_mark_stays_enrolled(ada, physics):
    enrolment = Enrolment.objects.create(
        student=ada, course=physics, enrolled_on=date(2025, 9, 1), mark="1.0"
    )
    header, row = "student,course", "2500001,SCI/203"
    [refused] = outcomes("enrolments", Mode.REMOVE, header, row)
    assert [code for _column, code, _message in told(refused)] == ["marked"]
    Enrolment.objects.update(mark=None)
    [done] = outcomes("enrolments", Mode.REMOVE, header, row)
    assert done.action == "removed"
    assert not Enrolment.objects.filter(pk=enrolment.pk).exists()

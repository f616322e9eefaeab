"""How the rows of files become faculties, courses, students and enrolments."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from deliverystore.datacenter.modelprocessor import ModelProcessor
from deliverystore.datacenter.registry import register
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.exceptions import RowError

from .models import Course, Enrolment, Faculty, Student

# With their fields said, one query finds all courses of a batch; get_by_natural_key()
# would be called for each of them.
_NATURAL_KEYS = {"student": "matric_no", "course": ("faculty__code", "number")}


@register
class FacultyProcessor(ModelProcessor):
    model = Faculty
    name = "faculties"
    key_fields = ["code"]
    fields = ["code", "name"]


@register
class CourseProcessor(ModelProcessor):
    """A key with two parts. A faculty is asked for by its natural key, the code."""

    model = Course
    name = "courses"
    key_fields = ["faculty", "number"]
    fields = ["faculty", "number", "title"]


@register
class StudentProcessor(ModelProcessor):
    """A foreign key by a field, and dates as people write them."""

    model = Student
    name = "students"
    key_fields = ["matric_no"]
    fields = [
        *("matric_no", "first_name", "last_name", "email"),
        *("born_on", "faculty", "year"),
    ]
    aliases = {"email": ["E-mail"], "born_on": ["Born", "Date of birth"]}
    lookups = {"faculty": "name"}
    date_formats = ["%d.%m.%Y"]


@register
class EnrolmentProcessor(ModelProcessor):
    """A natural key with two parts, as in SCI/203, and rules of the house."""

    model = Enrolment
    name = "enrolments"
    key_fields = ["student", "course"]
    fields = ["student", "course", "enrolled_on"]
    lookups = _NATURAL_KEYS

    def check_create(self, row: dict[str, Any]) -> None:
        student, course = row["student"], row["course"]
        if student.year < course.first_year:
            raise RowError(
                f"{course} is for year {course.first_year} and above; the student is "
                f"in year {student.year}.",
                field="course",
                code="too_early",
            )

    def check_remove(self, entry: Any, row: dict[str, Any]) -> None:
        if entry.mark is not None:
            raise RowError("The student has a mark for this course.", code="marked")


@register
class MarkProcessor(ModelProcessor):
    """Updates only: marks for who is enrolled. A mark that was given stays."""

    model = Enrolment
    name = "marks"
    modes = [Mode.UPDATE]
    key_fields = ["student", "course"]
    fields = ["student", "course", "mark"]
    lookups = _NATURAL_KEYS
    required = {Mode.UPDATE: ["mark"]}

    def check_update(self, entry: Any, row: dict[str, Any]) -> None:
        given: Decimal | None = entry.mark
        if given is not None and row.get("mark", given) != given:
            raise RowError(f"The mark is {given} already.", field="mark", code="given")

"""What the registrar's office keeps: it all comes in as files with rows."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models


class FacultyManager(models.Manager["Faculty"]):
    def get_by_natural_key(self, code: str) -> Faculty:
        return self.get(code=code)


class Faculty(models.Model):
    code = models.CharField(max_length=5, unique=True)
    name = models.CharField(max_length=100, unique=True)

    objects = FacultyManager()

    class Meta:
        ordering = ("name",)
        verbose_name_plural = "faculties"

    def __str__(self) -> str:
        return self.name

    def natural_key(self) -> tuple[str]:
        return (self.code,)


class Course(models.Model):
    """A course is called by two things: "SCI/203" is number 203 of its faculty."""

    faculty = models.ForeignKey(Faculty, models.PROTECT)
    number = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(100), MaxValueValidator(599)],
        help_text="The first digit is the year of study from which on it may be taken.",
    )
    title = models.CharField(max_length=100)

    class Meta:
        ordering = ("faculty__code", "number")
        constraints = [
            models.UniqueConstraint(
                fields=["faculty", "number"], name="registrar_course_number"
            )
        ]

    def __str__(self) -> str:
        return f"{self.faculty.code}/{self.number}"

    @property
    def first_year(self) -> int:
        """The year of study from which on it may be taken."""
        return self.number // 100


class Student(models.Model):
    matric_no = models.CharField(
        "matriculation number",
        max_length=7,
        unique=True,
        validators=[RegexValidator(r"^\d{7}$", "It has seven digits.")],
    )
    first_name = models.CharField(max_length=50)
    last_name = models.CharField(max_length=50)
    email = models.EmailField(unique=True, null=True, blank=True)
    born_on = models.DateField()
    faculty = models.ForeignKey(Faculty, models.PROTECT)
    year = models.PositiveSmallIntegerField(
        "year of study",
        validators=[MinValueValidator(1), MaxValueValidator(5)],
    )

    class Meta:
        ordering = ("matric_no",)

    def __str__(self) -> str:
        return f"{self.matric_no} {self.first_name} {self.last_name}"


class Enrolment(models.Model):
    """A student takes a course, and may get a mark for it."""

    student = models.ForeignKey(Student, models.CASCADE)
    course = models.ForeignKey(Course, models.PROTECT)
    enrolled_on = models.DateField()
    mark = models.DecimalField(
        max_digits=2,
        decimal_places=1,
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(5)],
        help_text="From 1.0, the best, to 5.0.",
    )

    class Meta:
        ordering = ("student__matric_no", "course__faculty__code", "course__number")
        constraints = [
            models.UniqueConstraint(
                fields=["student", "course"],
                name="registrar_enrolled_once",
                violation_error_message="The student takes this course already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.student} in {self.course}"

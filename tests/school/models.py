"""What the rows of the tests' files become: a model for each way a key can be."""

from __future__ import annotations

import uuid
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone


class Faculty(models.Model):
    code = models.CharField(max_length=10, unique=True)
    name = models.CharField(max_length=100, blank=True)
    closed = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.code


class Student(models.Model):
    """The table of the figures: five columns, two of them unique."""

    matric_no = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=100)
    email = models.EmailField(unique=True)
    admitted_on = models.DateField()
    fee = models.DecimalField(max_digits=8, decimal_places=2, default=Decimal("0.00"))

    def __str__(self) -> str:
        return self.matric_no


class Member(models.Model):
    """A student with foreign keys, choices and things the database judges."""

    class Level(models.IntegerChoices):
        FIRST = 1, "First year"
        SECOND = 2, "Second year"

    number = models.CharField(
        max_length=8, unique=True, validators=[RegexValidator(r"^[A-Z]\d+$")]
    )
    email = models.EmailField(unique=True, null=True, blank=True)
    faculty = models.ForeignKey(
        Faculty, models.PROTECT, null=True, blank=True, verbose_name="Faculty"
    )
    level = models.IntegerField(choices=Level.choices, default=Level.FIRST)
    points = models.IntegerField(default=0, validators=[MinValueValidator(-5)])
    nickname = models.CharField(max_length=10, blank=True)
    changed_at = models.DateTimeField(auto_now=True)
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(points__lt=100),
                name="school_member_points",
                violation_error_message="Nobody has 100 points.",
            ),
            models.UniqueConstraint(
                Lower("nickname"),
                condition=~models.Q(nickname=""),
                name="school_member_nickname",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class Badge(models.Model):
    """Something of which the database itself says what it has by default."""

    code = models.CharField(max_length=10, unique=True)
    level = models.CharField(max_length=10, blank=True, db_default="bronze")
    holder = models.ForeignKey(Student, models.DO_NOTHING, null=True, blank=True)

    def __str__(self) -> str:
        return self.code


class CourseManager(models.Manager["Course"]):
    def get_by_natural_key(self, code: str, number: str) -> Course:
        return self.get(faculty__code=code, number=number)


class Course(models.Model):
    """Its key has two parts, one of which is a foreign key."""

    faculty = models.ForeignKey(Faculty, models.CASCADE)
    number = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=50, blank=True)

    objects = CourseManager()

    class Meta:
        unique_together = [("faculty", "number")]

    def __str__(self) -> str:
        return f"{self.faculty}/{self.number}"

    def natural_key(self) -> tuple[str, int]:
        return self.faculty.code, self.number


class Tag(models.Model):
    word = models.CharField(max_length=20, unique=True)

    def __str__(self) -> str:
        return self.word


class Book(models.Model):
    """Its key is a UUID, it has a list of many, and rules of its own."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    title = models.CharField(max_length=50)
    pages = models.IntegerField(null=True, blank=True)
    shelf = models.IntegerField(default=1)
    place = models.IntegerField(null=True, blank=True)
    course = models.ForeignKey(Course, models.SET_NULL, null=True, blank=True)
    tags = models.ManyToManyField(Tag, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["shelf", "place"],
                name="school_book_place",
                violation_error_message="Another book stands there.",
            )
        ]

    def __str__(self) -> str:
        return self.title

    def clean(self) -> None:
        self.title = self.title.capitalize()
        if self.pages is not None and self.pages < 1:
            raise ValidationError({"pages": "A book has pages."})
        if self.title == "Untitled":
            raise ValidationError("A book has a title.")


class Person(models.Model):
    name = models.CharField(max_length=50)
    email = models.EmailField(unique=True)

    def __str__(self) -> str:
        return self.name


class Teacher(Person):
    """A model with two tables."""

    room = models.CharField(max_length=10, blank=True)
    staff_no = models.IntegerField(unique=True)


class Employee(models.Model):
    """Refers to others of its kind."""

    number = models.IntegerField(unique=True)
    boss = models.ForeignKey("self", models.CASCADE, null=True, blank=True)

    def __str__(self) -> str:
        return str(self.number)


class Note(models.Model):
    """Does something of its own when it is saved."""

    title = models.CharField(max_length=50, unique=True)
    slug = models.SlugField(blank=True, editable=False)

    def __str__(self) -> str:
        return self.title

    def save(self, *args: object, **kwargs: object) -> None:
        self.slug = self.title.lower().replace(" ", "-")
        super().save(*args, **kwargs)  # type: ignore[arg-type]


class Everything(models.Model):
    """Has a field of every type that Django has for every database."""

    big = models.BigIntegerField(null=True, blank=True)
    binary = models.BinaryField(null=True, blank=True, editable=True)
    boolean = models.BooleanField(null=True, blank=True)
    char = models.CharField(max_length=12, blank=True)
    chosen = models.CharField(
        max_length=4, blank=True, choices={"a": "Apple", "b": "Banana", "c": "banana"}
    )
    date = models.DateField(null=True, blank=True)
    datetime = models.DateTimeField(null=True, blank=True)
    decimal = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    duration = models.DurationField(null=True, blank=True)
    email = models.EmailField(blank=True)
    file = models.FileField(blank=True, max_length=30)
    file_path = models.FilePathField(blank=True, path="/nowhere-at-all")
    float = models.FloatField(null=True, blank=True)
    integer = models.IntegerField(
        null=True, blank=True, validators=[MinValueValidator(-3)]
    )
    ip = models.GenericIPAddressField(null=True, blank=True)
    json = models.JSONField(null=True, blank=True)
    positive = models.PositiveIntegerField(null=True, blank=True)
    positive_big = models.PositiveBigIntegerField(null=True, blank=True)
    positive_small = models.PositiveSmallIntegerField(null=True, blank=True)
    slug = models.SlugField(blank=True)
    small = models.SmallIntegerField(null=True, blank=True)
    text = models.TextField(blank=True)
    time = models.TimeField(null=True, blank=True)
    url = models.URLField(blank=True)
    uuid = models.UUIDField(null=True, blank=True)
    key = models.CharField(max_length=20, unique=True)
    day = models.DateField(default=timezone.localdate)

    def __str__(self) -> str:
        return self.key

"""How rows become the school's objects; found without being imported by anybody."""

from __future__ import annotations

from deliverystore.datacenter.modelprocessor import ModelProcessor
from deliverystore.datacenter.registry import register
from tests.school import models


@register
class FacultyProcessor(ModelProcessor):
    model = models.Faculty
    key_fields = ["code"]
    fields = ["code", "name"]


@register
class StudentProcessor(ModelProcessor):
    model = models.Student
    key_fields = ["matric_no"]
    fields = ["matric_no", "name", "email", "admitted_on", "fee"]


@register
class MemberProcessor(ModelProcessor):
    model = models.Member
    key_fields = [["number"], ["email"]]
    fields = ["number", "email", "faculty", "level", "points", "nickname"]
    lookups = {"faculty": "code"}


@register
class BadgeProcessor(ModelProcessor):
    model = models.Badge
    key_fields = ["code"]
    fields = ["code", "level", "holder"]
    lookups = {"holder": "matric_no"}


@register
class CourseProcessor(ModelProcessor):
    model = models.Course
    key_fields = ["faculty", "number"]
    fields = ["faculty", "number", "title"]
    lookups = {"faculty": "code"}


@register
class BookProcessor(ModelProcessor):
    model = models.Book
    key_fields = ["id"]
    fields = ["id", "title", "pages", "shelf", "place", "course", "tags"]
    lookups = {"course": ("faculty__code", "number"), "tags": "word"}


@register
class TeacherProcessor(ModelProcessor):
    model = models.Teacher
    key_fields = ["staff_no"]
    fields = ["staff_no", "name", "email", "room"]


@register
class EmployeeProcessor(ModelProcessor):
    model = models.Employee
    key_fields = ["number"]
    fields = ["number", "boss"]
    lookups = {"boss": "number"}


@register
class NoteProcessor(ModelProcessor):
    model = models.Note
    key_fields = ["title"]
    fields = ["title"]
    use_bulk = False


@register
class EverythingProcessor(ModelProcessor):
    model = models.Everything
    key_fields = ["key"]
    fields = [
        *("key", "big", "binary", "boolean", "char", "chosen", "date", "datetime"),
        *("decimal", "duration", "email", "file", "file_path", "float", "integer"),
        *("ip", "json", "positive", "positive_big", "positive_small", "slug", "small"),
        *("text", "time", "url", "uuid", "day"),
    ]

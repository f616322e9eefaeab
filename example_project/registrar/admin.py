"""The registrar's tables in the admin, made for many thousands of rows."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from .models import Course, Enrolment, Faculty, Student


class EnrolmentInline(admin.TabularInline):
    """What a student takes, to be read: a choice of courses in each row is slow."""

    model = Enrolment
    fields = readonly_fields = ("course", "enrolled_on", "mark")
    max_num = 0
    can_delete = False
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Enrolment]:
        found = super().get_queryset(request)
        return found.select_related("student", "course__faculty")


@admin.register(Faculty)
class FacultyAdmin(admin.ModelAdmin):
    list_display = ("name", "code", "students")
    search_fields = ("name", "code")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Faculty]:
        return Faculty.objects.annotate(students=Count("student"))

    @admin.display(ordering="students")
    def students(self, faculty: Faculty) -> str:
        return f"{faculty.students:,}"  # type: ignore[attr-defined]


@admin.register(Course)
class CourseAdmin(admin.ModelAdmin):
    list_display = ("__str__", "title", "students")
    list_display_links = ("__str__", "title")
    list_filter = ("faculty",)
    list_select_related = ("faculty",)
    search_fields = ("faculty__code", "number", "title")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Course]:
        return Course.objects.annotate(students=Count("enrolment"))

    @admin.display(ordering="students")
    def students(self, course: Course) -> str:
        return f"{course.students:,}"  # type: ignore[attr-defined]


@admin.register(Student)
class StudentAdmin(admin.ModelAdmin):
    list_display = ("matric_no", "last_name", "first_name", "faculty", "year")
    list_display_links = ("matric_no", "last_name")
    list_filter = ("faculty", "year")
    list_select_related = ("faculty",)
    search_fields = ("matric_no", "last_name", "first_name", "email")
    inlines = (EnrolmentInline,)


@admin.register(Enrolment)
class EnrolmentAdmin(admin.ModelAdmin):
    list_display = ("student", "course", "enrolled_on", "mark")
    list_filter = ("course__faculty", ("mark", admin.EmptyFieldListFilter))
    list_select_related = ("student", "course__faculty")
    autocomplete_fields = ("student", "course")
    search_fields = ("student__matric_no", "student__last_name", "course__title")

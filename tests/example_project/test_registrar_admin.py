from __future__ import annotations

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from example_project.registrar.models import Course, Enrolment, Faculty, Student

MODELS = ["faculty", "course", "student", "enrolment"]


@pytest.fixture
def office(registrar):
    """A client in which the registrar has logged in."""
    client = Client()
    client.force_login(registrar)
    return client


@pytest.fixture
def add_students(db):
    """Add students, each of whom takes two courses of a faculty of their own."""
    numbers = iter(range(1, 100))

    def add_students(count):
        for number in [next(numbers) for _ in range(count)]:
            faculty = Faculty.objects.create(code=f"F{number}", name=f"F {number}")
            student = Student.objects.create(
                matric_no=f"{2_500_000 + number}",
                first_name="Zoë",
                last_name="Berg",
                born_on=date(2004, 12, 31),
                faculty=faculty,
                year=1,
            )
            for course in (101, 102):
                Enrolment.objects.create(
                    student=student,
                    course=Course.objects.create(faculty=faculty, number=course),
                    enrolled_on=date(2025, 9, 1),
                )

    return add_students


@pytest.mark.parametrize("model", MODELS)
def test_a_list_costs_the_same_however_many_there_are(
    office, add_students, model, django_assert_num_queries
):
    url = reverse(f"admin:registrar_{model}_changelist")
    add_students(1)
    office.get(url)
    with django_assert_num_queries(10, exact=False) as few:
        assert office.get(url).context["cl"].result_count in (1, 2)
    add_students(5)
    with django_assert_num_queries(len(few)):
        assert office.get(url).context["cl"].result_count in (6, 12)


@pytest.mark.parametrize("model", MODELS)
def test_the_registrar_can_open_add_and_search(office, add_students, model):
    add_students(1)
    found = {"faculty": "1", "course": "f1 101", "student": "berg", "enrolment": "berg"}
    url = reverse(f"admin:registrar_{model}_changelist")
    rows = office.get(url, {"q": found[model]}).context["cl"].result_list
    assert rows
    change = reverse(f"admin:registrar_{model}_change", args=[rows[0].pk])
    assert office.get(change).status_code == 200
    assert office.get(reverse(f"admin:registrar_{model}_add")).status_code == 200


def test_a_student_is_shown_with_all_courses_by_as_many_queries(
    office, add_students, django_assert_num_queries
):
    add_students(5)
    student = Student.objects.first()
    url = reverse("admin:registrar_student_change", args=[student.pk])
    office.get(url)
    with django_assert_num_queries(12, exact=False) as few:
        page = office.get(url).content.decode()
    assert page.count("F1/10") >= 2
    Enrolment.objects.update(student=student)
    with django_assert_num_queries(len(few)):
        office.get(url)


def test_numbers_of_students_are_counted(office, add_students):
    add_students(2)
    Student.objects.update(faculty=Faculty.objects.first())
    page = office.get(reverse("admin:registrar_faculty_changelist")).content.decode()
    assert '<td class="field-students">2</td>' in page
    assert '<td class="field-students">0</td>' in page


def test_a_teacher_sees_none_of_it(teacher):
    client = Client()
    client.force_login(teacher)
    for model in MODELS:
        url = reverse(f"admin:registrar_{model}_changelist")
        assert client.get(url).status_code == 403

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from example_project.campus.models import Assignment

HOME = "/"


def test_visitors_see_the_assignments_and_are_asked_to_log_in(poster):
    client = Client()
    assert poster.title in client.get(HOME).content.decode()
    url = poster.get_absolute_url()
    assert client.get(url).headers["Location"] == f"{reverse('login')}?next={url}"


def test_students_see_how_far_they_are(client, assignments, jonas, amina, hand_in):
    hand_in(assignments["essay"], jonas, finish=False)
    hand_in(assignments["queue"], jonas)
    hand_in(assignments["queue"], jonas)
    hand_in(assignments["poster"], amina)
    page = client.get(HOME).content.decode()
    assert page.count("1 file not handed in yet") == 1
    assert page.count("Handed in 2 times") == 1
    assert page.count("Nothing handed in") == 3
    assert "overdue" not in page


def test_students_see_what_is_overdue_and_since_when(client, assignments):
    page = client.get(HOME).content.decode()
    assert page.count('<span class="pill warn">Nothing handed in, overdue</span>') == 1
    assert page.count('<span class="pill">Nothing handed in</span>') == 4
    assert re.search(r"· 20\shours ago", page)
    assert re.search(r"· in 3\sdays\n", page)


def test_more_assignments_and_deliveries_cost_no_more_queries(
    client, assignments, jonas, hand_in, django_assert_num_queries
):
    client.get(HOME)
    with django_assert_num_queries(6) as few:
        client.get(HOME)
    for assignment in assignments.values():
        hand_in(assignment, jonas)
    with django_assert_num_queries(len(few)):
        client.get(HOME)


def test_a_campus_without_assignments_says_what_to_do(client):
    assert "manage.py demo" in client.get(HOME).content.decode()


def test_teachers_find_the_deliveries_of_an_assignment(teacher, poster, amina, hand_in):
    hand_in(poster, amina)
    client = Client()
    client.force_login(teacher)
    page = client.get(HOME).content.decode()
    assert "1 handed in" in page
    assert poster.deliveries_in_admin.replace("&", "&amp;") in page


@pytest.mark.parametrize("short", ["poster", "queue"])
def test_the_link_into_the_admin_lists_the_deliveries_of_one_assignment(
    teacher, assignments, amina, jonas, hand_in, short
):
    handed_in = {
        "poster": hand_in(assignments["poster"], amina),
        "queue": hand_in(assignments["queue"], jonas),
    }
    client = Client()
    client.force_login(teacher)
    response = client.get(assignments[short].deliveries_in_admin)
    assert list(response.context["cl"].result_list) == [handed_in[short]]


def test_the_admin_lists_assignments_with_the_number_of_deliveries(
    teacher, poster, amina, hand_in
):
    hand_in(poster, amina)
    hand_in(poster, amina, finish=False)
    client = Client()
    client.force_login(teacher)
    page = client.get(reverse("admin:campus_assignment_changelist")).content.decode()
    assert page.count(">1 handed in</a>") == 1
    assert page.count(">0 handed in</a>") == Assignment.objects.count() - 1
    change = reverse("admin:campus_assignment_change", args=[poster.pk])
    assert ">1 handed in</a>" in client.get(change).content.decode()
    assert client.get(reverse("admin:campus_assignment_add")).status_code == 200


def test_a_receipt_is_verified_in_the_clothes_of_campus(
    client, poster, jonas, hand_in, tmp_path
):
    delivery = hand_in(poster, jonas)
    receipt = client.get(reverse("deliverystore:receipt", args=[delivery.pk]))
    saved = tmp_path / "receipt.json"
    saved.write_bytes(receipt.getvalue())
    with saved.open("rb") as file:
        response = client.post(reverse("campus:verify-receipt"), {"receipt": file})
    page = response.content.decode()
    assert "All is as the receipt says." in page
    assert "campus.css" in page


def test_a_wrong_password_is_answered_in_the_form(people):
    response = Client().post(
        reverse("login"), {"username": "jonas", "password": "wrong"}
    )
    assert "do not belong together" in response.content.decode()


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/nowhere/", 404, "There is no such page"),
        ("/deliveries/files/999999/", 403, "You may not see this page"),
    ],
)
def test_errors_are_explained(client, path, status, words):
    response = client.get(path)
    assert response.status_code == status
    assert words in response.content.decode()

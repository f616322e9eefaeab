from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from deliverystore.models import Delivery

BUTTONS = ["finish", "abandon"]


def test_students_see_only_what_they_handed_in(student, poster, amina, hand_in):
    delivery = hand_in(poster, amina, filename="secret moss.txt")
    assert "secret moss.txt" not in student.page()
    assert "Delivery 1" not in student.page()
    page = reverse("campus:handed-in", args=[delivery.pk])
    assert student.client.get(page).status_code == 404


@pytest.mark.parametrize("view", ["receipt", "archive"])
def test_students_get_nothing_of_the_deliveries_of_others(
    client, poster, amina, hand_in, view
):
    delivery = hand_in(poster, amina)
    url = reverse(f"deliverystore:{view}", args=[delivery.pk])
    assert client.get(url).status_code == 403
    url = reverse("deliverystore:download", args=[delivery.files.get().pk])
    assert client.get(url).status_code == 403


def test_students_cannot_change_the_open_deliveries_of_others(
    student, poster, amina, hand_in
):
    delivery = hand_in(poster, amina, finish=False)
    for button in BUTTONS:
        assert student.press(button, delivery.pk).status_code == 404
    assert student.press("remove-file", delivery.files.get().pk).status_code == 404
    student.add(moss_txt=b"mine")
    assert [f.filename for f in Delivery.objects.get(pk=delivery.pk).files.all()] == [
        "moss.txt"
    ]
    assert poster.deliveries.count() == 2


def test_teachers_see_what_students_handed_in(teacher, poster, amina, hand_in):
    delivery = hand_in(poster, amina)
    client = Client()
    client.force_login(teacher)
    page = client.get(reverse("campus:handed-in", args=[delivery.pk]))
    assert "Amina Diallo" in page.content.decode()
    file = delivery.files.get()
    download = client.get(reverse("deliverystore:download", args=[file.pk]))
    assert download.getvalue() == b"soft and green"


def test_visitors_cannot_hand_in(poster):
    response = Client().post(poster.get_absolute_url())
    assert response.headers["Location"].startswith(reverse("login"))
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("button", [*BUTTONS, "remove-file"])
def test_a_change_that_a_login_interrupted_is_not_done_and_that_is_said(
    student, poster, jonas, hand_in, button
):
    delivery = hand_in(poster, jonas, finish=False)
    pk = delivery.files.get().pk if button == "remove-file" else delivery.pk
    response = student.client.get(reverse(f"campus:{button}", args=[pk]), follow=True)
    assert response.redirect_chain == [(poster.get_absolute_url(), 302)]
    assert "logged out, so nothing was done" in response.content.decode()
    assert Delivery.objects.open().get().files.count() == 1


def test_changes_need_the_token_of_a_form(poster, jonas, hand_in):
    delivery = hand_in(poster, jonas, finish=False)
    client = Client(enforce_csrf_checks=True)
    client.force_login(jonas)
    urls = [reverse(f"campus:{button}", args=[delivery.pk]) for button in BUTTONS]
    urls.append(reverse("campus:remove-file", args=[delivery.files.get().pk]))
    urls.append(poster.get_absolute_url())
    for url in urls:
        response = client.post(url)
        assert response.status_code == 403
        assert "This form is too old" in response.content.decode()
    assert delivery.files.count() == 1

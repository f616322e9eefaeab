"""The gallery: what students hand in to be shown."""

from __future__ import annotations

import io
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse
from PIL import Image

from deliverystore.models import Delivery, Publication
from deliverystore.publishing import publish, work
from example_project.campus.demo.photos import photos
from tests.browser import DESK, PHONE, screens

GALLERY = "/gallery/"
GRAVE = {"serious", "critical"}


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    files = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    settings.STORAGES = {**settings.STORAGES, "default": files}
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MEDIA_URL = "/media/"
    settings.DELIVERY_STORE_WORKBENCH_ROOT = tmp_path / "workbench"
    return settings.MEDIA_ROOT


@pytest.fixture
def hand_in(assignments, amina, django_capture_on_commit_callbacks):
    """Return a function that hands in files, and lets the workers do their work."""

    def hand_in(files, short="photos"):
        with django_capture_on_commit_callbacks(execute=True):
            delivery = Delivery.begin(assignments[short], amina)
            delivery.add_files(files)
            delivery.finish()
        return delivery

    return hand_in


@pytest.fixture
def photo():
    """Return a photo that lies on its side, with the place in it."""
    return photos().files["evening.jpg"]()


def shown(client=None):
    return (client or Client()).get(GALLERY).content.decode()


def test_a_photo_is_in_the_gallery_upright_and_without_the_place(hand_in, photo):
    hand_in([("view.jpg", photo)])
    with Image.open(io.BytesIO(photo)) as original:
        assert original.size == (2400, 1600)
        assert 0x8825 in original.getexif()

    page = shown()

    assert '<span class="title">view</span>' in page
    assert "by Amina" in page
    (url,) = re.findall(r'href="(/media/[^"]+)"', page)
    with Image.open(io.BytesIO(b"".join(Client().get(url).streaming_content))) as seen:
        assert seen.size == (853, 1280)
        assert dict(seen.getexif()) == {}


def test_a_text_is_there_with_its_beginning(hand_in):
    text = "".join(f"line {number}\n" for number in range(100))
    hand_in([("notes.txt", text)])

    (url,) = re.findall(r'href="(/media/[^"]+)"', shown())

    answer = Client().get(url)
    assert answer.headers["Content-Type"] == "text/plain"
    assert b"".join(answer.streaming_content).splitlines()[-1] == b"line 19"


def test_a_text_in_another_encoding_says_what_to_do(hand_in):
    hand_in([("notes.txt", "Grüße".encode("latin-1"))])

    publication = Publication.objects.get()
    assert "save it as UTF-8" in publication.error
    assert publication.error_metadata == {"byte": 2}
    assert "Nothing to see yet" in shown()


def test_what_no_processor_takes_stays_private(hand_in, media):
    hand_in([("all.zip", b"PK")])

    assert not Publication.objects.exists()
    assert not media.exists()


def test_homework_of_other_assignments_stays_private(hand_in, photo, media):
    hand_in([("diagram.jpg", photo)], short="pendulum")

    assert "Nothing to see yet" in shown()
    assert not media.exists()


def test_what_is_not_handed_in_yet_is_not_shown(assignments, amina, photo):
    Delivery.begin(assignments["photos"], amina).add_file("view.jpg", photo)

    assert "Nothing to see yet" in shown()


def test_the_gallery_has_pages_and_costs_the_same(hand_in, django_assert_num_queries):
    hand_in([(f"{number}.txt", b"x") for number in range(18)])
    hand_in([(f"{number}.txt", b"x") for number in range(18, 30)])

    with django_assert_num_queries(3):
        first = shown()
    assert first.count('class="title"') == 24
    assert 'href="?page=2"' in first
    assert shown().index(">29<") < shown().index(">28<")
    assert Client().get(GALLERY, {"page": 2}).text.count('class="title"') == 6


def test_students_are_told_before_that_it_is_shown(client, assignments):
    text = "is shown to everybody"

    assert text in client.get(assignments["photos"].get_absolute_url()).text
    assert text not in client.get(assignments["poster"].get_absolute_url()).text


def test_the_teacher_takes_a_photo_off_the_site(
    hand_in, photo, teacher, media, django_capture_on_commit_callbacks
):
    hand_in([("view.jpg", photo)])
    client = Client()
    client.force_login(teacher)
    pk = Publication.objects.get().pk

    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("admin:deliverystore_publication_off", args=[pk]))

    assert "Nothing to see yet" in shown()
    assert not [path for path in media.rglob("*") if path.is_file()]


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@screens(DESK, PHONE)
def test_the_gallery_is_for_everybody(page, live_server, assignments, amina, photo):
    delivery = Delivery.begin(assignments["photos"], amina)
    delivery.add_files([("view.jpg", photo), (f"{'long ' * 40}.txt", "text")])
    delivery.finish()
    for file in delivery.files.all():
        work(publish(file, enqueue=False))

    page.goto(live_server.url + GALLERY)

    found = Axe().run(page).response["violations"]
    grave = [one["id"] for one in found if one["impact"] in GRAVE]
    assert grave == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert (
        page.locator(".gallery img").evaluate("one => one.complete && one.naturalWidth")
        > 0
    )


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_visitor_can_open_nothing_that_was_not_published(
    page, live_server, assignments, amina, photo, settings, media
):
    delivery = Delivery.begin(assignments["photos"], amina)
    delivery.add_files([("view.jpg", photo), ("secret.zip", b"PK secret")])
    delivery.finish()
    file, secret = delivery.files.all()
    work(publish(file, enqueue=False))
    seen = []
    page.on("response", lambda response: seen.append(response))

    page.goto(live_server.url + GALLERY)
    page.get_by_role("link", name="view").click()
    page.wait_for_load_state("networkidle")

    public = {one.url for one in seen if "/media/" in one.url}
    assert len(public) == 2
    for address in public:
        answer = page.request.get(address)
        assert answer.ok
        assert answer.body() != photo
    store = file.deliverystore
    for one in (file, secret):
        name = store.name_of(one)
        folder = settings.DELIVERY_STORE_ROOT.name
        for address in (
            f"/media/{name}",
            f"/media/{one.filename}",
            f"/media/../{folder}/{name}",
            f"/media/%2e%2e/{folder}/{name}",
            "/media/published/0/",
            f"/media/published/{one.pk // 1000}/{one.pk}-medium.jpg",
            f"/media/published/{one.pk // 1000}/{one.filename}",
            f"/{folder}/{name}",
            reverse("deliverystore:download", args=[one.pk]),
            reverse("admin:deliverystore_delivery_download", args=[one.pk]),
        ):
            answer = page.request.get(live_server.url + address)
            assert answer.status == 404 or "/login/" in answer.url, address
            assert b"secret" not in answer.body().replace(b"secret.zip", b"")

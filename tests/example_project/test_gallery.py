"""The gallery: what students hand in to be shown."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse
from PIL import Image
from playwright.sync_api import expect

from deliverystore.models import Delivery, Publication, PublishedFile
from deliverystore.publishing import public_store, publish, work
from example_project.campus.demo.handing_in import hand_in as hand_in_homework
from example_project.campus.demo.photos import photos
from tests.admin.datacenter.people import sign_in, words
from tests.browser import DESK, PHONE, photograph, screens

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


def handed_in(delivery):
    return reverse("campus:handed-in", args=[delivery.pk])


def closer(page):
    """Return the page of the first exhibit."""
    return Client().get(re.findall(r'href="(/gallery/\d+/)"', page)[0]).text


def test_a_photo_is_in_the_gallery_upright_and_without_the_place(hand_in, photo):
    hand_in([("view.jpg", photo)])
    with Image.open(io.BytesIO(photo)) as original:
        assert original.size == (2400, 1600)
        assert 0x8825 in original.getexif()

    page = shown()

    assert '<span class="title">view</span>' in page
    assert "by Amina" in page
    page = closer(page)
    assert "by Amina" in page
    (url,) = re.findall(r'src="(/media/[^"]+)"', page)
    with Image.open(io.BytesIO(b"".join(Client().get(url).streaming_content))) as seen:
        assert seen.size == (853, 1280)
        assert dict(seen.getexif()) == {}


def test_a_text_is_there_with_its_beginning(hand_in):
    text = "".join(f"line {number} Œ\n" for number in range(100))
    hand_in([("notes.txt", text)])

    page = shown()
    assert '<span class="title">notes</span>' in page
    page = closer(page)
    assert "line 19 Œ" in page
    assert "line 20" not in page

    preview = PublishedFile.objects.public().get(keyname="preview")
    answer = Client().get(preview.url)
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert b"".join(answer.streaming_content).decode() in text


def test_a_text_that_has_a_page_in_it_stays_a_text(hand_in):
    hand_in([("page.md", "</text><script>alert(1)</script>\n\x0b&lt;\n\ufffe")])

    thumbnail = PublishedFile.objects.public().get(keyname="thumbnail")
    with public_store.get_file(thumbnail.filepath) as file:
        drawing = ElementTree.fromstring(file.read())  # noqa: S314 - we made it
    assert not drawing.findall(".//{*}script")
    lines = [one.text for one in drawing.iterfind("{*}text")]
    assert lines[0] == "</text><script>alert(1)</script>"
    assert "&lt;" in lines
    page = closer(shown())
    assert "&lt;/text&gt;&lt;script&gt;alert(1)" in page
    assert "<script" not in page


def test_an_exhibit_that_is_not_there_is_not_found(hand_in):
    delivery = hand_in([("all.zip", b"PK")])

    for pk in (delivery.files.get().pk, 123456, 10**30):
        assert Client().get(f"{GALLERY}{pk}/").status_code == 404


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


def test_who_handed_it_in_sees_what_became_of_it(hand_in, photo, amina, client):
    client.force_login(amina)
    latin = "Grüße".encode("latin-1")
    files = [("view.jpg", photo), ("notes.txt", latin), ("all.zip", b"PK")]
    delivery = hand_in([*files, ("late.txt", b"late")])
    view, _notes, _zip, late = delivery.files.all()
    Publication.objects.filter(filemeta=late).update(state="unprocessed")
    late.published_files.all().delete()

    page = client.get(handed_in(delivery))

    assert f'<a href="/gallery/{view.pk}/">in the gallery</a>' in page.text
    assert f'href="{GALLERY}"' in page.text.split("<main")[1]
    text = words(page)
    assert re.search(
        r"notes.txt 5 bytes · not in the gallery: .*save it as UTF-8", text
    )
    assert re.search(r"all.zip 2 bytes · not in the gallery \w", text)
    assert re.search(r"late.txt 4 bytes · will be in the gallery soon", text)


def test_mistakes_of_a_processor_are_not_told_to_students(
    hand_in, amina, client, monkeypatch
):
    def process(self, job):
        raise RuntimeError("secret")

    name = "example_project.campus.media_processors.TextProcessor.process"
    monkeypatch.setattr(name, process)
    client.force_login(amina)
    delivery = hand_in([("notes.txt", b"x")])

    text = words(client.get(handed_in(delivery)))

    assert "not in the gallery" in text
    assert "secret" not in text


def test_nothing_is_said_of_a_gallery_where_there_is_none(hand_in, amina, client):
    client.force_login(amina)
    delivery = hand_in([("notes.txt", b"x")], short="pendulum")

    page = client.get(handed_in(delivery)).text

    assert "gallery" not in page.split("<main")[1].lower()


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

    with django_assert_num_queries(2):
        first = shown()
    assert first.count('class="title"') == 24
    assert 'href="?page=2"' in first
    # The newest delivery first, in it what was handed in first.
    assert first.index(">18<") < first.index(">29<") < first.index(">0<")
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

    addresses = [GALLERY, *(f"{GALLERY}{file.pk}/" for file in delivery.files.all())]
    for address in addresses:
        page.goto(live_server.url + address)
        found = Axe().run(page).response["violations"]
        grave = [one["id"] for one in found if one["impact"] in GRAVE]
        assert grave == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        for picture in page.locator("main img").all():
            picture.scroll_into_view_if_needed()
            picture.evaluate("one => one.decode()")

    page.goto(live_server.url + addresses[1])
    shape = page.locator("main img").evaluate(
        "one => one.width / one.height - one.naturalWidth / one.naturalHeight"
    )
    assert abs(shape) < 0.01


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("name", "screen"), [("gallery", DESK), ("gallery-phone", PHONE)]
)
def test_the_photos_of_the_demo_are_in_the_gallery(
    page, live_server, assignments, people, name
):
    handed_in = hand_in_homework(photos(), people["mei"], assignments["photos"])
    for file in handed_in.delivery.files.all():
        work(publish(file, enqueue=False))

    page.goto(live_server.url + GALLERY)

    pictures = page.locator(".gallery img")
    expect(pictures).to_have_count(5)
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
        picture.evaluate("one => one.decode()")
    photograph(page, name, end=".gallery")


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_staff_see_what_was_published_and_what_has_failed(
    page, live_server, client, assignments, amina, teacher, photo
):
    delivery = Delivery.begin(assignments["photos"], amina)
    delivery.add_files([("sunrise.jpg", photo), ("broken.jpg", "This is no photo.")])
    delivery.finish()
    for file in delivery.files.all():
        work(publish(file, enqueue=False))
    client.force_login(teacher)
    sign_in(page, live_server, client)

    page.goto(live_server.url + reverse("admin:deliverystore_publication_changelist"))

    rows = page.locator("#result_list tbody tr")
    expect(rows.filter(has_text="broken.jpg")).to_contain_text("failed")
    picture = rows.filter(has_text="sunrise.jpg").locator("img")
    picture.evaluate("one => one.decode()")
    photograph(page, "publications", end="#result_list")


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

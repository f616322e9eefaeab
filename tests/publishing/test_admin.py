"""Publications in the admin."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from playwright.sync_api import expect

from deliverystore.exceptions import ProcessingFailed
from deliverystore.models import Publication, PublishedFile
from deliverystore.publishing import MediaProcessor, publish, work
from tests.admin.datacenter.people import sign_in, told, words
from tests.admin.test_accessibility import grave
from tests.browser import BARE_DESK, DESK, PHONE, assert_fits, screens
from tests.factories import UserFactory, finished_delivery
from tests.publishing.media import UpperProcessor, public

pytestmark = pytest.mark.django_db

LIST = "/admin/deliverystore/publication/"
PICTURE = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0\x90wS\xde\0\0\0\x0c"
    b"IDATx\x9cc\xf8\xcf\xc0\0\0\3\1\1\0\xc9\xfe\x92\xef\0\0\0\0IEND\xaeB`\x82"
)


@pytest.fixture
def boss(client):
    user = UserFactory(username="boss", is_staff=True, is_superuser=True)
    client.force_login(user)
    return user


def url(name, publication):
    return reverse(f"admin:deliverystore_publication_{name}", args=[publication.pk])


def history(client, instance):
    name = f"admin:deliverystore_{instance._meta.model_name}_history"
    return words(client.get(reverse(name, args=[instance.pk])))


def found(client, **asked):
    text = client.get(LIST, asked).text
    return re.findall(r'class="field-name"><a [^>]*>(.*?)</a>', text)


def done(file):
    return work(publish(file, enqueue=False))


@pytest.fixture
def pictures(processor):
    """Let every file be published as a small picture."""

    class Pictures(MediaProcessor):
        name = "pictures"

        def is_eligible(self, filemeta):
            return True

        def process(self, job):
            path = job.workbench.joinpath("small.png")
            path.write_bytes(PICTURE)
            job.publish("thumbnail", path)

    return processor(Pictures)


@pytest.fixture
def bad(db, media, processor):
    return finished_delivery(files=[("bad.txt", b"bad")]).files.get()


def test_the_list_shows_state_and_picture(client, boss, file, bad, pictures):
    done(file)
    failed = publish(bad, processor="upper", enqueue=False)
    work(failed)

    response = client.get(LIST)

    text = words(response)
    assert "hello.txt" in text
    assert "published" in text
    assert "delivery 2 upper failed ProcessingFailed: There is nothing in it." in text
    assert response.text.count(f'src="/media/published/{file.pk // 1000}/') == 1


def test_the_list_costs_the_same_for_many(
    client, boss, file, pictures, django_assert_num_queries
):
    to = UserFactory()
    done(finished_delivery(recipient=to).files.get())
    with CaptureQueriesContext(connection) as first:
        client.get(LIST)
    for number in range(5):
        done(
            finished_delivery(recipient=to, files=[(f"{number}.txt", b"x")]).files.get()
        )

    with django_assert_num_queries(len(first)):
        client.get(LIST)


def test_an_error_is_cut_and_on_one_line(client, boss, bad):
    done(bad)
    Publication.objects.update(error="one\ntwo " + 1000 * "x")

    text = words(client.get(LIST))

    assert f"ProcessingFailed: one two {94 * 'x'}…" in text
    assert 95 * "x" not in text


def test_publications_are_found_by_the_beginning_of_a_name(client, boss, file, bad):
    done(file)
    done(bad)

    assert found(client, q="HELLO") == ["hello.txt"]
    assert found(client, q="llo") == []
    assert "Nothing matches." in words(client.get(LIST, {"q": "llo"}))
    assert sorted(found(client, q="")) == ["bad.txt", "hello.txt"]


def test_publications_are_filtered_by_processor_and_state(
    client, boss, file, bad, pictures
):
    done(file)
    work(publish(bad, processor="upper", enqueue=False))

    assert found(client, processor="upper") == ["bad.txt"]
    assert found(client, processor="pictures") == ["hello.txt"]
    assert found(client, processor="gone") == []
    assert found(client, state__exact="failed") == ["bad.txt"]


def test_a_row_leads_to_its_delivery_if_that_may_be_seen(client, boss, file):
    done(file)
    link = reverse("admin:deliverystore_delivery_change", args=[file.delivery_id])
    assert f'<a href="{link}#file-{file.pk}">delivery 1</a>' in client.get(LIST).text

    user = UserFactory(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_publication"))
    client.force_login(user)

    assert "delivery 1" in client.get(LIST).text
    assert link not in client.get(LIST).text


def test_a_page_shows_why_it_failed_and_tries_again(
    client, boss, bad, monkeypatch, django_capture_on_commit_callbacks
):
    publication = done(bad)
    text = words(client.get(url("change", publication)))
    assert "ProcessingFailed : There is nothing in it." in text
    assert "line 3" in text
    processor = "tests.publishing.media.UpperProcessor.process"
    monkeypatch.setattr(processor, lambda self, job: job.publish("copy", job.source))

    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(url("again", publication))

    assert told(response) == ["“bad.txt” is being published."]
    assert public(bad) == {"copy": "bad"}
    assert "ProcessingFailed" not in words(client.get(url("change", publication)))


def test_a_page_shows_what_visitors_see(client, boss, file, pictures):
    publication = done(file)

    response = client.get(url("change", publication))

    assert f'<img class="deliverystore-picture" src="{_url(file)}"' in response.text
    link = reverse("admin:deliverystore_delivery_change", args=[file.delivery_id])
    assert f'{link}#file-{file.pk}"' in response.text


def test_facts_of_an_error_are_shown_whatever_they_are_called(
    client, boss, bad, monkeypatch
):
    def process(self, job):
        raise ProcessingFailed("<b>no</b>", items=3, keys="<script>")

    monkeypatch.setattr("tests.publishing.media.UpperProcessor.process", process)

    response = client.get(url("change", done(bad)))

    # A database may keep them in another order.
    for fact in ("items 3", "keys <script>"):
        assert fact in words(response)
    assert "&lt;b&gt;no&lt;/b&gt;" in response.text
    assert "&lt;script&gt;" in response.text


def test_a_processor_that_has_made_nothing_is_said(client, boss, file, monkeypatch):
    processor = "tests.publishing.media.UpperProcessor.process"
    monkeypatch.setattr(processor, lambda self, job: None)

    text = words(client.get(url("change", done(file))))

    assert "has made nothing that visitors see" in text
    assert "Visitors see what was made" not in text


def test_what_is_said_of_a_failure_tells_what_visitors_see(
    client, boss, file, bad, monkeypatch, processor
):
    text = words(client.get(url("change", done(bad))))
    assert "Nothing could be made of the file: visitors see nothing of it." in text

    done(file)
    monkeypatch.setattr("tests.publishing.media.UpperProcessor.process", None)
    text = words(client.get(url("change", done(file))))
    assert "visitors see what was made of the file before" in text


def test_without_a_framework_for_tasks_the_command_is_named(
    client, boss, file, bad, monkeypatch
):
    monkeypatch.setattr("deliverystore.publishing.tasks.run_publication", None)
    one, other = done(file), done(bad)

    told_of_one = told(client.post(url("again", one)))
    page = words(client.get(url("change", one)))
    data = {"action": "again", "_selected_action": [one.pk, other.pk]}
    told_of_two = told(client.post(LIST, data))

    command = "“manage.py reprocess --left”"
    assert told_of_one == [f"“hello.txt” waits: {command} publishes it."]
    assert f"It waits for {command}" in page
    assert "waits for a worker" not in page
    assert told_of_two[-1] == f"2 files wait: {command} publishes them."


@pytest.mark.django_db(transaction=True)
def test_what_workers_have_done_at_once_is_said(client, boss, file, bad):
    chosen = [done(file).pk, done(bad).pk]

    of_one = client.post(url("again", bad.publication))
    data = {"action": "again", "_selected_action": chosen}
    of_two = client.post(LIST, data)

    assert told(of_one) == ["“bad.txt” could not be published."]
    assert told(of_two)[-2:] == [
        "1 file could not be published.",
        "1 file was published.",
    ]


def test_what_workers_have_still_to_do_is_said(client, boss, file, bad):
    chosen = [done(file).pk, done(bad).pk]
    # Nothing is committed here: no worker has begun.
    assert told(client.post(url("again", file.publication))) == [
        "“hello.txt” is being published."
    ]
    data = {"action": "again", "_selected_action": chosen}
    assert told(client.post(LIST, data))[-1] == "2 files are being published."


def test_a_page_says_what_its_processor_makes(client, boss, file):
    text = words(client.get(url("change", done(file))))

    assert "What it makes capital letters Begun" in text


def test_what_has_no_address_is_named_all_the_same(client, boss, file, settings):
    publication = done(file)
    settings.DELIVERY_STORE_PUBLIC_STORAGE = "gone"

    assert "upper" in words(client.get(url("change", publication)))


def test_what_is_taken_off_the_site_is_gone_after_a_question(
    client, boss, file, django_capture_on_commit_callbacks
):
    publication = done(file)
    assert "Take off the site…" in words(client.get(url("change", publication)))

    page = client.get(url("off", publication))
    assert "nothing of this file" in words(page)
    assert "hello.txt , delivery 1" in words(page)
    assert f'href="{url("change", publication)}"' in page.text
    assert public(file)
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(url("off", publication))

    assert told(response) == ["Visitors see nothing of “hello.txt” any more."]
    assert public(file) == {}
    assert client.get(url("change", publication), follow=True).redirect_chain


def test_of_what_was_never_public_nothing_is_taken_off(client, boss, bad):
    publication = done(bad)

    text = words(client.get(url("change", publication)))
    assert "Do not publish…" in text
    assert "Take off" not in text
    assert "Yes, do not publish" in words(client.get(url("off", publication)))

    text = "Visitors see nothing of “bad.txt”, and it is not tried again."
    assert told(client.post(url("off", publication))) == [text]
    assert "is not to be published" in history(client, bad.delivery)


def test_the_history_says_who_has_published_and_taken_off(client, boss, file):
    detail = reverse("admin:deliverystore_delivery_publish", args=[file.pk])
    client.post(detail)
    publication = Publication.objects.get()
    work(publication)
    assert "boss “hello.txt” is to be published." in history(client, publication)

    client.post(url("off", publication))

    text = history(client, file.delivery)
    assert "boss “hello.txt” is to be published." in text
    assert "boss “hello.txt” was taken off the site." in text


def test_an_empty_list_is_true_also_after_something_was_taken_off(client, boss, db):
    assert "No file is published." in words(client.get(LIST))


def test_several_are_done_at_once(
    client, boss, file, bad, django_capture_on_commit_callbacks
):
    chosen = [done(file).pk, done(bad).pk]

    def act(name, **more):
        data = {"action": name, "_selected_action": chosen, **more}
        with django_capture_on_commit_callbacks(execute=True):
            return client.post(LIST, data)

    assert told(act("again")) == ["2 files are being published."]
    assert file.published_files.count() == 4
    asked = words(act("off"))
    assert "nothing of these 2 files" in asked
    assert "hello.txt" in asked
    assert Publication.objects.count() == 2
    assert (
        told(act("off", post="yes"))[-1] == "Visitors see nothing of 2 files any more."
    )
    assert not Publication.objects.exists()


def test_a_worker_that_is_at_one_is_said(client, boss, file):
    from deliverystore.models import leases

    publication = publish(file, enqueue=False)
    leases.take(publication)

    assert "A worker is at" in told(client.post(url("again", publication)))[0]
    response = client.post(
        LIST, {"action": "again", "_selected_action": [publication.pk]}
    )
    assert "A worker is at" in told(response)[0]


def test_a_file_is_published_from_the_page_of_its_delivery(
    client, boss, file, django_capture_on_commit_callbacks
):
    detail = reverse("admin:deliverystore_delivery_change", args=[file.delivery_id])
    button = reverse("admin:deliverystore_delivery_publish", args=[file.pk])
    assert button in client.get(detail).text

    asked = words(client.get(button))
    assert "what the processor “upper” (capital letters) makes of it" in asked
    assert not Publication.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(button)

    publication = Publication.objects.get()
    assert response.url == url("change", publication)
    assert publication.user == boss
    assert public(file)["upper"] == "HELLO"
    page = client.get(detail).text
    assert button not in page
    assert url("change", publication) in page
    assert "Publication: published" in page


def test_a_file_that_no_processor_takes_is_said(client, boss, db, media, processor):
    file = finished_delivery(files=[("a.exe", b"x")]).files.get()
    detail = reverse("admin:deliverystore_delivery_change", args=[file.delivery_id])
    button = reverse("admin:deliverystore_delivery_publish", args=[file.pk])

    assert button not in client.get(detail).text
    for response in (client.get(button), client.post(button)):
        assert response.url == detail
        assert "Nobody publishes" in told(response)[0]


def test_a_processor_that_cannot_say_what_it_takes_hides_no_delivery(
    client, boss, file, processor, caplog
):
    class Broken(UpperProcessor):
        def is_eligible(self, filemeta):
            raise KeyError("a mistake")

    processor(Broken)
    detail = reverse("admin:deliverystore_delivery_change", args=[file.delivery_id])
    button = reverse("admin:deliverystore_delivery_publish", args=[file.pk])

    assert button in client.get(detail).text
    assert "cannot say whether it takes" in caplog.text


def test_to_ask_the_processors_takes_no_query_a_file(
    client, boss, db, media, processor
):
    class Asking(UpperProcessor):
        def is_eligible(self, filemeta):
            return filemeta.delivery.recipient is None

    processor(Asking)

    def queries(count):
        files = [(f"{number}.txt", b"x") for number in range(count)]
        delivery = finished_delivery(files=files)
        detail = reverse("admin:deliverystore_delivery_change", args=[delivery.pk])
        with CaptureQueriesContext(connection) as captured:
            assert client.get(detail).text.count("/publish/") == count
        return len(captured)

    queries(1)
    assert queries(9) == queries(2)


def test_a_delivery_with_published_files_can_be_deleted(
    client, boss, file, django_capture_on_commit_callbacks
):
    done(file)
    address = reverse("admin:deliverystore_delivery_delete", args=[file.delivery_id])
    assert "Are you sure" in client.get(address).text

    with django_capture_on_commit_callbacks(execute=True):
        client.post(address, {"post": "yes"})

    assert not Publication.objects.exists()
    assert not PublishedFile.objects.exists()


def test_who_may_only_look_has_no_buttons(client, file):
    user = UserFactory(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_publication"))
    client.force_login(user)
    publication = done(file)

    page = client.get(url("change", publication)).text

    assert "Publish again" not in page
    assert "delivery/" not in page
    assert client.post(url("again", publication)).status_code == 403
    assert client.post(url("off", publication)).status_code == 403


def test_progress_is_told_as_json(client, boss, file):
    publication = publish(file, enqueue=False)
    Publication.objects.update(state="processing", progress=0.25)

    facts = client.get(url("progress", publication)).json()

    assert (facts["share"], facts["isOver"]) == (25, False)
    assert facts["texts"]["done"] == "25 %"


def _url(file):
    return file.published_files.public().get().url


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
class TestInABrowser:
    @pytest.fixture
    def admin(self, page, live_server, client, boss):
        sign_in(page, live_server, client)
        page.open = lambda address: page.goto(live_server.url + address)
        return page

    def test_a_failure_is_seen_mended_and_gone(self, admin, bad, monkeypatch):
        publication = done(bad)
        admin.open(LIST)
        admin.get_by_role("link", name="bad.txt").click()
        expect(admin.get_by_text("There is nothing in it.")).to_be_visible()
        processor = "tests.publishing.media.UpperProcessor.process"
        monkeypatch.setattr(
            processor, lambda self, job: job.publish("copy", job.source)
        )

        admin.get_by_role("button", name="Publish again").click()

        expect(admin.get_by_text("Visitors see what was made")).to_be_visible()
        expect(admin.get_by_text("There is nothing in it.")).to_have_count(0)
        assert Publication.objects.get(pk=publication.pk).state == "processed"

    def test_a_delivery_of_long_names_and_types_fits(self, admin, file, pictures):
        names = (f"{'a rather long name ' * 4}.txt", "essay.docx")
        files = [(name, b"x") for name in names]
        one = finished_delivery(files=files).files.first()
        done(one)
        link = reverse("admin:deliverystore_delivery_change", args=[one.delivery_id])

        admin.open(link)

        assert_fits(admin)

    @pytest.mark.long
    @screens(DESK, PHONE)
    def test_nothing_grave_is_found_on_any_page(self, admin, file, bad, pictures):
        failed = publish(bad, processor="upper", enqueue=False)
        addresses = [
            LIST,
            url("change", done(file)),
            url("change", work(failed)),
            url("off", failed),
            reverse("admin:deliverystore_delivery_publish", args=[file.pk]),
            reverse("admin:deliverystore_delivery_change", args=[file.delivery_id]),
        ]
        for address in addresses:
            assert admin.open(address).status == 200
            assert grave(admin) == [], address

    @screens(DESK, BARE_DESK)
    def test_visitors_see_a_file_after_a_question_until_another(
        self, admin, file, screen
    ):
        detail = reverse("admin:deliverystore_delivery_change", args=[file.delivery_id])
        admin.open(detail)
        admin.get_by_role("link", name="Publish…").click()
        admin.get_by_role("link", name="No, take me back").click()
        expect(admin).to_have_url(re.compile(detail))
        assert not Publication.objects.exists()

        admin.get_by_role("link", name="Publish…").click()
        admin.get_by_role("button", name="Yes, publish").click()
        expect(admin.get_by_text("“hello.txt” was published.")).to_be_visible()

        admin.open(LIST)
        admin.locator("input[name=_selected_action]").check()
        admin.locator("select[name=action]").select_option("off")
        admin.get_by_role("button", name=re.compile("Run|Go")).click()
        expect(admin.get_by_text("nothing of this file")).to_be_visible()
        admin.get_by_role("link", name="No, take me back").click()
        assert public(file)

        admin.get_by_role("link", name="hello.txt").click()
        admin.get_by_role("link", name="Take off the site…").click()
        admin.get_by_role("button", name="Yes, take off").click()
        expect(admin.get_by_text("Visitors see nothing of “hello.txt”")).to_be_visible()
        expect(admin.get_by_text("No file is published.")).to_be_visible()

    def test_a_page_follows_the_work(self, admin, file):
        publication = publish(file, enqueue=False)
        admin.open(url("change", publication))
        expect(admin.get_by_text("It waits for a worker")).to_be_visible()

        work(publication)

        expect(admin.get_by_text("Visitors see what was made")).to_be_visible()
        expect(admin.get_by_role("cell", name="5 bytes")).to_be_visible()

    def test_what_is_not_published_has_no_address(
        self, admin, live_server, file, settings, media
    ):
        done(file)
        handed_in = Path(file.deliverystore.path(file.deliverystore.name_of(file)))
        assert media not in handed_in.parents
        name = handed_in.relative_to(settings.DELIVERY_STORE_ROOT)
        admin.context.clear_cookies()

        for address in (
            f"/media/{name}",
            f"/media/../{handed_in.relative_to(media.parent)}",
            f"/media/published/{file.pk // 1000}/{file.pk}-upper.txt",
            f"/deliveries/files/{file.pk}/",
            f"/admin/deliverystore/delivery/files/{file.pk}/download/",
        ):
            response = admin.goto(live_server.url + address)
            assert response.status == 404 or "/login/" in response.url, address
            assert "hello" not in admin.locator("body").inner_text().replace(
                "hello.txt", ""
            )

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from django.core.files.uploadhandler import FileUploadHandler
from django.urls import reverse
from django.utils import timezone

from deliverystore.models import Delivery, FileMeta
from example_project.campus.models import Assignment


def test_several_files_are_added_by_one_post(student):
    response = student.add(moss_txt=b"soft", wall_csv=b"1,2")
    assert response.status_code == 302
    assert {f.filename: f.get_all_data_as_string() for f in FileMeta.objects.all()} == {
        "moss.txt": b"soft",
        "wall.csv": b"1,2",
    }
    page = student.page()
    assert "2 files, not handed in yet" in page
    assert f"sha256:{hashlib.sha256(b'soft').hexdigest()}" in page


def test_an_empty_file_can_be_handed_in(student):
    student.add(errors_log=b"")
    assert student.filenames() == ["errors.log"]


def test_more_files_go_into_the_same_delivery(student):
    student.add(moss_txt=b"soft")
    student.add(wall_csv=b"1,2")
    assert student.filenames() == ["moss.txt", "wall.csv"]


def test_a_large_upload_that_waits_on_disk_arrives_whole(student, settings):
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1000
    content = bytes(range(256)) * 4000
    student.add(moss_png=content)
    assert FileMeta.objects.get().get_all_data_as_string() == content


def test_finishing_gives_number_and_receipt(student):
    student.add(moss_txt=b"soft")
    response = student.press("finish", student.delivery.pk, follow=True)
    assert student.delivery.state == Delivery.State.FINISHED
    page = response.content.decode()
    assert "Delivery 1" in page
    assert FileMeta.objects.get().digest in page
    assert reverse("deliverystore:receipt", args=[student.delivery.pk]) in page


def test_a_second_click_on_finish_shows_what_the_first_one_did(student):
    student.add(moss_txt=b"soft")
    pk = student.delivery.pk
    student.press("finish", pk)
    response = student.press("finish", pk)
    assert response.headers["Location"] == reverse("campus:handed-in", args=[pk])
    assert student.delivery.number == 1


def test_files_that_the_page_did_not_show_are_not_handed_in(student):
    student.add(moss_txt=b"soft")
    shown = student.shown()
    student.add(wall_csv=b"1,2")
    response = student.press("finish", student.delivery.pk, shown, follow=True)
    page = response.content.decode()
    assert "the list of files has changed" in page
    assert "2 files, not handed in yet" in page
    assert student.delivery.state == Delivery.State.OPEN
    student.press("finish", student.delivery.pk)
    assert student.delivery.state == Delivery.State.FINISHED


def test_a_file_that_was_replaced_behind_the_page_is_not_handed_in(student):
    student.add(moss_txt=b"soft")
    shown = student.shown()
    FileMeta.objects.get().delete()
    student.add(moss_txt=b"hard")
    student.press("finish", student.delivery.pk, shown)
    assert student.delivery.state == Delivery.State.OPEN


@pytest.mark.parametrize("button", ["finish", "abandon", "remove-file"])
def test_what_another_tab_abandoned_leads_home_with_a_message(student, button):
    student.add(moss_txt=b"soft")
    delivery = student.delivery
    pk = delivery.files.get().pk if button == "remove-file" else delivery.pk
    delivery.abandon()
    response = student.press(button, pk, follow=True)
    assert response.redirect_chain == [("/", 302)]
    assert "it was removed or abandoned before" in response.content.decode()


def test_the_page_names_all_limits(student):
    hint = "Up to 20 files of at most 200.0\xa0MB each, 500.0\xa0MB together"
    assert hint in student.page()


def test_after_finishing_the_next_files_begin_another_delivery(student):
    student.add(moss_txt=b"soft")
    student.press("finish", student.delivery.pk)
    student.add(moss_txt=b"softer")
    assert [one.state for one in student.deliveries.order_by("pk")] == [
        Delivery.State.FINISHED,
        Delivery.State.OPEN,
    ]
    assert "Delivery 1" in student.page()


def test_what_comes_after_the_deadline_is_called_late(student, poster, hand_in, jonas):
    hand_in(poster, jonas)
    assert "Late" not in student.page()
    Assignment.objects.update(deadline=timezone.now() - timedelta(days=1))
    assert "Late" in student.page()
    assert "The deadline has passed" in student.page()


def test_one_file_can_be_removed(student):
    student.add(moss_txt=b"soft", wall_csv=b"1,2")
    response = student.press(
        "remove-file", FileMeta.objects.get(filename="moss.txt").pk, follow=True
    )
    assert "Removed moss.txt." in response.content.decode()
    assert student.filenames() == ["wall.csv"]


def test_abandoning_leaves_nothing(
    student, delivery_store_root, django_capture_on_commit_callbacks
):
    student.add(moss_txt=b"soft")
    with django_capture_on_commit_callbacks(execute=True):
        response = student.press("abandon", student.delivery.pk, follow=True)
    assert "Nothing of it was kept" in response.content.decode()
    assert not Delivery.objects.exists()
    assert not [p for p in delivery_store_root.rglob("*") if p.is_file()]


def test_nothing_of_a_finished_delivery_can_be_removed(student, poster, hand_in, jonas):
    delivery = hand_in(poster, jonas)
    file = delivery.files.get()
    for button, pk in [("remove-file", file.pk), ("abandon", delivery.pk)]:
        response = student.press(button, pk, follow=True)
        assert "finished or gone" in response.content.decode()
    assert file.verify() == "intact"


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "Choose a file first"),
        ({"wall_csv": b"1", "MOSS_TXT": b"loud"}, "already has &#x27;moss.txt&#x27;"),
        ({"wall_csv": b"1", "moss_exe": b"MZ"}, "&#x27;moss.exe&#x27; is refused"),
        ({"wall_csv": b"1", "moss_png": b"x" * 101}, "at most 100 bytes"),
        ({"wall_csv": b"x" * 90, "moss_png": b"x" * 90}, "at most 150 bytes"),
        ({f"{n}_txt": b"x" for n in range(5)}, "at most 4 files"),
    ],
)
def test_a_post_with_a_mistake_adds_nothing_and_says_why(
    student, settings, files, reason
):
    settings.DELIVERY_STORE_MAX_FILE_BYTES = 100
    settings.DELIVERY_STORE_MAX_DELIVERY_BYTES = 150
    settings.DELIVERY_STORE_MAX_FILES = 4
    student.add(moss_txt=b"soft")
    response = student.add(**files)
    assert response.status_code == 400
    page = response.content.decode()
    assert "Nothing was added." in page
    assert reason in page
    assert student.filenames() == ["moss.txt"]


class CountingHandler(FileUploadHandler):
    """Counts what the handlers behind that of Campus are given."""

    received = 0

    def receive_data_chunk(self, raw_data, start):
        CountingHandler.received += len(raw_data)

    def file_complete(self, file_size):
        pass


def test_a_file_that_is_too_large_is_refused_before_all_of_it_is_stored(
    student, settings, monkeypatch
):
    monkeypatch.setattr(CountingHandler, "received", 0)
    settings.FILE_UPLOAD_HANDLERS = [f"{__name__}.CountingHandler"]
    settings.DELIVERY_STORE_MAX_FILE_BYTES = 200_000
    response = student.add(moss_png=bytes(3_000_000))
    assert response.status_code == 400
    assert 0 < CountingHandler.received <= 200_000


def test_finishing_without_a_file_is_refused(student, poster, jonas):
    delivery = Delivery.begin(poster, jonas)
    response = student.press("finish", delivery.pk, follow=True)
    assert "The delivery has no file" in response.content.decode()


def test_a_file_whose_upload_broke_off_can_be_removed(student, poster, jonas):
    delivery = Delivery.begin(poster, jonas)
    broken = FileMeta.objects.create(delivery=delivery, filename="half.png")
    assert "the upload broke off" in student.page()
    student.press("remove-file", broken.pk)
    assert not delivery.files.exists()

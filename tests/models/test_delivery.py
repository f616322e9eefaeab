"""A delivery from begin() to its end."""

from __future__ import annotations

import contextlib
import io
import logging
from datetime import timedelta
from hashlib import sha256

import pytest
from django.contrib.auth.models import AnonymousUser, Permission
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from deliverystore.backends import FsHierDeliveryStore, MemoryDeliveryStore
from deliverystore.exceptions import (
    DeliveryEmpty,
    DeliveryIncomplete,
    DeliveryNotFinished,
    DeliveryNotOpen,
    DuplicateFilename,
    FileDamaged,
    InvalidName,
    NotPermitted,
)
from deliverystore.models import Condition, Counter, Delivery, FileMeta, Removal
from deliverystore.signals import delivery_abandoned, delivery_finished
from tests.factories import (
    CourseFactory,
    DepartmentFactory,
    UserFactory,
    finished_delivery,
    open_delivery,
)

pytestmark = pytest.mark.django_db


def files_on_disk(root):
    return sorted(path for path in root.rglob("*") if path.is_file())


@contextlib.contextmanager
def rolled_back():
    """Undo what the block wrote to the database."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def received():
    """Collect what a signal says."""
    calls = []
    connected = []

    def connect(signal):
        def receiver(**kwargs):
            calls.append(kwargs)

        signal.connect(receiver, weak=False)
        connected.append((signal, receiver))
        return calls

    yield connect
    for signal, receiver in connected:
        signal.disconnect(receiver)


class TestBegin:
    def test_a_delivery_begins_open_with_recipient_and_user(self):
        department, user = DepartmentFactory(), UserFactory()

        delivery = Delivery.begin(department, user)

        delivery = Delivery.objects.get(pk=delivery.pk)
        assert delivery.state == Delivery.State.OPEN
        assert (delivery.recipient, delivery.delivered_by) == (department, user)
        assert (delivery.number, delivery.time_of_delivery) == (None, None)
        assert (delivery.file_count, delivery.size) == (0, 0)

    def test_recipient_and_user_may_be_none(self):
        delivery = Delivery.begin()

        assert (delivery.recipient, delivery.delivered_by) == (None, None)

    def test_an_anonymous_user_is_no_user(self):
        assert Delivery.begin(user=AnonymousUser()).delivered_by is None

    def test_a_recipient_may_have_any_kind_of_key(self):
        course = CourseFactory()
        delivery = finished_delivery(recipient=course)

        assert Delivery.objects.get(pk=delivery.pk).recipient == course
        assert list(Delivery.objects.for_recipient(course)) == [delivery]

    def test_a_recipient_that_is_not_saved_is_refused(self):
        with pytest.raises(ValueError, match="not saved"):
            Delivery.begin(DepartmentFactory.build())


class TestAddFile:
    def test_the_row_says_what_was_stored(self):
        before = timezone.now()
        delivery = Delivery.begin()

        row = delivery.add_file("hello.txt", ["hello", b" ", "wörld"])

        row = FileMeta.objects.get(pk=row.pk)
        assert row.filename == "hello.txt"
        assert row.size == len("hello wörld".encode())
        assert row.digest == f"sha256:{sha256('hello wörld'.encode()).hexdigest()}"
        assert row.content_type == "text/plain"
        assert before <= row.created <= row.completed
        assert row.get_all_data_as_string() == "hello wörld".encode()

    @pytest.mark.parametrize(
        "data",
        [
            b"content",
            "content",
            bytearray(b"content"),
            memoryview(b"content"),
            [b"con", "tent"],
            (piece for piece in (b"con", b"tent")),
            io.BytesIO(b"content"),
            io.StringIO("content"),
        ],
        ids=lambda data: type(data).__name__,
    )
    def test_data_may_be_bytes_text_a_file_or_pieces(self, data):
        row = Delivery.begin().add_file("a.txt", data)

        assert row.get_all_data_as_string() == b"content"

    def test_an_empty_file_is_a_file(self):
        row = Delivery.begin().add_file("empty", b"")

        assert (row.size, row.verify()) == (0, Condition.INTACT)

    def test_the_totals_of_the_delivery_follow(self):
        delivery = open_delivery(files=[("a", b"12"), ("b", b"345")])

        delivery.refresh_from_db()
        assert (delivery.file_count, delivery.size) == (2, 5)

    def test_a_name_twice_is_refused_and_the_first_stays(self):
        delivery = open_delivery(files=[("a.txt", b"first")])

        with pytest.raises(DuplicateFilename, match=r"a\.txt"):
            delivery.add_file("a.txt", b"second")

        assert delivery.files.get().get_all_data_as_string() == b"first"

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("Report.TXT", "report.txt"),
            ("Stra\u00dfe", "STRASSE"),
            ("caf\u00e9", "cafe\u0301"),
            ("\u03a3", "\u03c2"),
        ],
    )
    def test_names_that_a_person_takes_for_one_are_refused(self, first, second):
        delivery = open_delivery(files=[(first, b"")])

        with pytest.raises(DuplicateFilename):
            delivery.add_file(second, b"")
        with pytest.raises(DuplicateFilename):
            Delivery.begin().add_files([(first, b""), (second, b"")])

    def test_the_same_name_in_two_deliveries_is_fine(self):
        assert open_delivery().files.get().filename == "hello.txt"
        assert open_delivery().files.get().filename == "hello.txt"

    @pytest.mark.parametrize(
        "name", ["", " ", "..", "a/b", "a\\b", "a\x00b", "x" * 256]
    )
    def test_what_is_no_filename_is_refused(self, name):
        delivery = Delivery.begin()

        with pytest.raises(InvalidName):
            delivery.add_file(name, b"")

        assert not FileMeta.objects.exists()

    def test_a_stream_that_breaks_leaves_neither_row_nor_bytes(
        self, delivery_store_root
    ):
        delivery = open_delivery(files=[("kept.txt", b"kept")])

        def broken():
            yield b"x" * 3_000_000
            raise ConnectionResetError

        with pytest.raises(ConnectionResetError):
            delivery.add_file("lost.bin", broken())

        assert [file.filename for file in delivery.files.all()] == ["kept.txt"]
        assert len(files_on_disk(delivery_store_root)) == 1
        assert not Removal.objects.exists()
        delivery.refresh_from_db()
        assert (delivery.file_count, delivery.size) == (1, 4)

    def test_of_several_files_all_are_added_or_none(self, delivery_store_root):
        delivery = Delivery.begin()

        with pytest.raises(TypeError, match="int"):
            delivery.add_files([("a", b"1"), ("b", [1])])

        assert not FileMeta.objects.exists()
        assert files_on_disk(delivery_store_root) == []

    def test_a_finished_delivery_takes_no_file(self):
        delivery = finished_delivery()

        with pytest.raises(DeliveryNotOpen, match="finished"):
            delivery.add_file("late.txt", b"")

    def test_a_delivery_that_was_abandoned_meanwhile_takes_no_file(
        self, delivery_store_root
    ):
        delivery = open_delivery()

        def slow():
            yield b"late"
            with pytest.raises(DeliveryIncomplete, match=r"late\.txt"):
                Delivery.objects.get(pk=delivery.pk).finish()
            Delivery.objects.get(pk=delivery.pk).abandon()

        with pytest.raises(DeliveryNotOpen):
            delivery.add_file("late.txt", slow())
        assert not FileMeta.objects.exists()
        assert not any(
            "late" in path.name for path in files_on_disk(delivery_store_root)
        )

    def test_a_file_that_was_removed_while_being_received_is_refused(self):
        delivery = Delivery.begin()

        def removed():
            yield b"data"
            FileMeta.objects.get(filename="a.txt").delete()

        with pytest.raises(DuplicateFilename, match="removed"):
            delivery.add_file("a.txt", removed())
        assert not FileMeta.objects.exists()

    def test_an_upload_that_broke_off_can_be_tried_again(self):
        delivery = Delivery.begin()
        FileMeta.objects.create(delivery=delivery, filename="a.txt")

        row = delivery.add_file("a.txt", b"again")

        assert list(delivery.files.all()) == [row]

    def test_of_two_uploads_of_one_name_the_later_wins(self):
        delivery = Delivery.begin()

        def overtaken():
            yield b"first"
            Delivery.objects.get(pk=delivery.pk).add_file("a.txt", b"second")

        with pytest.raises(DuplicateFilename):
            delivery.add_file("a.txt", overtaken())

        assert delivery.files.get().get_all_data_as_string() == b"second"

    def test_of_two_names_for_one_the_one_that_is_complete_first_wins(self):
        delivery = Delivery.begin()

        def overtaken():
            yield b"first"
            Delivery.objects.get(pk=delivery.pk).add_file("A.TXT", b"second")

        with pytest.raises(DuplicateFilename, match=r"another 'a\.txt'"):
            delivery.add_file("a.txt", overtaken())

        assert delivery.files.get().get_all_data_as_string() == b"second"

    @pytest.mark.parametrize("count", [1, 2, 60])
    def test_queries_do_not_grow_with_the_number_of_files(
        self, count, django_assert_num_queries
    ):
        delivery = Delivery.begin()
        items = [(f"{number}.txt", b"x") for number in range(count)]

        # State, names; savepoint, insert, release; savepoint, lock, names, complete,
        # release.
        with django_assert_num_queries(10):
            delivery.add_files(items)

    def test_bytes_that_a_lost_row_left_are_not_replaced(self, delivery_store_root):
        # As after an older database was restored: its ids are given out again.
        with transaction.atomic():
            lost = open_delivery(files=[("precious", b"precious")])
            name = FileMeta.deliverystore.name_of(lost.files.get())
            transaction.set_rollback(True)
        delivery = Delivery.objects.create(pk=lost.pk)

        row = FileMeta.objects.get(pk=delivery.add_file("other", b"other").pk)

        if FileMeta.deliverystore.get_name(row) == name:
            assert row.stored_as.startswith(f"{name}_")
        assert row.get_all_data_as_string() == b"other"
        assert (delivery_store_root / name).read_bytes() == b"precious"

    def test_another_digest_can_be_chosen(self, settings):
        settings.DELIVERY_STORE_DIGEST = "blake3"

        row = Delivery.begin().add_file("a", b"x" * 2_000_000)

        assert row.digest.startswith("blake3:")
        assert row.verify() == Condition.INTACT

    def test_the_store_may_choose_the_name(self, settings, tmp_path):
        settings.DELIVERY_STORE_BACKEND = (
            "deliverystore.backends.DjangoStorageDeliveryStore"
        )
        settings.DELIVERY_STORE_ROOT = "deliveries"
        settings.STORAGES = {
            "default": {
                "BACKEND": "django.core.files.storage.FileSystemStorage",
                "OPTIONS": {"location": tmp_path},
            }
        }
        delivery = Delivery.begin()
        (tmp_path / "deliveries" / str(delivery.pk)).mkdir(parents=True)
        for number in range(1, 100):
            path = tmp_path / "deliveries" / str(delivery.pk) / str(number)
            path.write_bytes(b"what a lost database knew")

        row = FileMeta.objects.get(pk=delivery.add_file("a", b"mine").pk)

        if row.pk < 100:
            assert row.stored_as.startswith(f"{delivery.pk}/{row.pk}_")
        assert row.get_all_data_as_string() == b"mine"


class TestFinish:
    def test_it_gives_number_time_and_manifest(self):
        delivery = open_delivery(recipient=DepartmentFactory())
        before = timezone.now()

        delivery.finish()

        for row in (delivery, Delivery.objects.get(pk=delivery.pk)):
            assert row.state == Delivery.State.FINISHED
            assert row.number == 1
            assert before <= row.time_of_delivery <= timezone.now()
            assert row.manifest_digest.startswith("sha256:")

    def test_numbers_count_the_finished_deliveries_of_one_recipient(self):
        one, other = DepartmentFactory(), DepartmentFactory()
        open_delivery(recipient=one)

        numbers = [finished_delivery(recipient=one).number for _ in range(3)]

        assert numbers == [1, 2, 3]
        assert finished_delivery(recipient=other).number == 1
        assert finished_delivery(recipient=CourseFactory()).number == 1
        assert finished_delivery().number == 1

    def test_a_finish_that_is_rolled_back_leaves_no_gap(self):
        department = DepartmentFactory()
        delivery = open_delivery(recipient=department)

        with rolled_back():
            delivery.finish()

        assert finished_delivery(recipient=department).number == 1

    def test_it_can_be_finished_once(self):
        delivery = finished_delivery()

        with pytest.raises(DeliveryNotOpen):
            delivery.finish()
        with pytest.raises(DeliveryNotOpen):
            Delivery.objects.get(pk=delivery.pk).finish()

    def test_an_empty_delivery_is_refused(self):
        with pytest.raises(DeliveryEmpty, match="add one first"):
            Delivery.begin().finish()

    def test_it_is_refused_while_a_file_is_being_received(self):
        delivery = open_delivery()
        FileMeta.objects.create(delivery=delivery, filename="broken.bin")

        with pytest.raises(DeliveryIncomplete, match=r"broken\.bin"):
            delivery.finish()

        delivery.refresh_from_db()
        assert delivery.state == Delivery.State.OPEN
        assert not Counter.objects.exists()

    def test_the_signal_follows_the_commit(
        self, received, django_capture_on_commit_callbacks
    ):
        calls = received(delivery_finished)
        delivery = open_delivery()

        with django_capture_on_commit_callbacks(execute=True):
            delivery.finish()
            assert calls == []

        assert [call["delivery"] for call in calls] == [delivery]
        assert calls[0]["delivery"].number == 1

    def test_a_receiver_that_fails_does_no_harm(
        self, received, django_capture_on_commit_callbacks, caplog
    ):
        def failing(**kwargs):
            raise ZeroDivisionError

        delivery_finished.connect(failing)
        calls = received(delivery_finished)
        try:
            with (
                caplog.at_level(logging.CRITICAL),
                django_capture_on_commit_callbacks(execute=True),
            ):
                finished_delivery()
        finally:
            delivery_finished.disconnect(failing)

        assert len(calls) == 1

    def test_it_takes_few_queries(self, django_assert_num_queries):
        delivery = open_delivery(recipient=DepartmentFactory())
        finished_delivery(recipient=delivery.recipient)

        # Savepoint, lock, files, uploads, count, number, finish, release.
        with django_assert_num_queries(8):
            delivery.finish()

    def test_what_is_finished_cannot_be_saved_or_lose_a_file(self):
        delivery = finished_delivery()

        with pytest.raises(DeliveryNotOpen):
            delivery.save()
        with pytest.raises(DeliveryNotOpen):
            delivery.files.get().delete()
        with pytest.raises(DeliveryNotOpen):
            delivery.files.all().delete()
        with pytest.raises(DeliveryNotOpen):
            delivery.files.get().save()
        with pytest.raises(DeliveryNotOpen):
            delivery.abandon()
        assert delivery.verify()[0][1] == Condition.INTACT

    def test_the_database_refuses_half_finished_rows(self):
        delivery = open_delivery()

        with pytest.raises(IntegrityError), transaction.atomic():
            Delivery.objects.filter(pk=delivery.pk).update(state="finished")
        with pytest.raises(IntegrityError), transaction.atomic():
            delivery.files.update(completed=None)


class TestAbandon:
    def test_rows_and_bytes_go(
        self, delivery_store_root, django_capture_on_commit_callbacks, received
    ):
        calls = received(delivery_abandoned)
        delivery = open_delivery(files=[("a", b"1"), ("b", b"2")])
        pk = delivery.pk

        with django_capture_on_commit_callbacks(execute=True):
            delivery.abandon()
            assert len(files_on_disk(delivery_store_root)) == 2

        assert not Delivery.objects.exists()
        assert not FileMeta.objects.exists()
        assert not Removal.objects.exists()
        assert files_on_disk(delivery_store_root) == []
        assert [call["delivery_id"] for call in calls] == [pk]

    def test_a_rollback_keeps_everything(self, delivery_store_root):
        delivery = open_delivery()

        with rolled_back():
            delivery.abandon()

        row = FileMeta.objects.get()
        assert row.get_all_data_as_string() == b"hello"
        assert not Removal.objects.exists()

    def test_lost_bytes_do_not_stand_in_the_way(
        self, delivery_store_root, django_capture_on_commit_callbacks, settings
    ):
        delivery = open_delivery()
        files_on_disk(delivery_store_root)[0].unlink()

        with django_capture_on_commit_callbacks(execute=True):
            delivery.abandon()

        assert not Delivery.objects.exists()
        settings.DELIVERY_STORE_GRACE = timedelta(0)
        assert Removal.objects.carry_out(FileMeta.deliverystore) == 1

    def test_bytes_that_a_killed_writer_leaves_later_are_swept(
        self, delivery_store_root, django_capture_on_commit_callbacks, settings
    ):
        delivery = open_delivery()
        late = FileMeta.objects.create(delivery=delivery, filename="late.txt")
        with django_capture_on_commit_callbacks(execute=True):
            delivery.abandon()
        with FileMeta.deliverystore.write_open(late) as file:
            file.write(b"published by a process that was killed then")

        settings.DELIVERY_STORE_GRACE = timedelta(0)
        Removal.objects.carry_out(FileMeta.deliverystore)

        assert files_on_disk(delivery_store_root) == []


class TestDelete:
    @pytest.mark.parametrize("count", [2, 30])
    def test_the_bytes_of_deleted_deliveries_wait_for_the_sweep(
        self, count, delivery_store_root, django_assert_num_queries
    ):
        for _ in range(count):
            finished_delivery(files=[("a", b"1"), ("b", b"2")])

        # Of the files: lock, list, write down, delete, and two savepoints; of the
        # deliveries: lock twice, list, uploads, forget in copies, delete, a savepoint.
        with django_assert_num_queries(18):
            Delivery.objects.all().delete()

        assert not FileMeta.objects.exists()
        assert Removal.objects.count() == 2 * count
        assert len(files_on_disk(delivery_store_root)) == 2 * count

    def test_a_user_who_handed_in_something_cannot_be_deleted(self):
        user = UserFactory()
        finished_delivery(user=user)

        with pytest.raises(ProtectedError):
            user.delete()

    def test_copies_outlive_the_original(self):
        original = finished_delivery()
        copy = original.copy(None)

        original.delete()

        copy.refresh_from_db()
        assert copy.copy_of is None
        assert copy.verify()[0][1] == Condition.INTACT


class TestDeleteFile:
    def test_a_file_can_be_removed_from_an_open_delivery(
        self, delivery_store_root, django_capture_on_commit_callbacks
    ):
        delivery = open_delivery(files=[("a", b"1"), ("b", b"22")])

        with django_capture_on_commit_callbacks(execute=True):
            delivery.files.get(filename="a").delete()

        delivery.refresh_from_db()
        assert (delivery.file_count, delivery.size) == (1, 2)
        assert len(files_on_disk(delivery_store_root)) == 1
        delivery.add_file("a", b"again")

    def test_removing_a_file_twice_leaves_the_totals_right(self):
        delivery = open_delivery(files=[("a", b"1"), ("b", b"22")])
        first, second = (
            FileMeta.objects.filter(filename="a"),
            FileMeta.objects.get(filename="a"),
        )

        first.get().delete()
        second.delete()

        delivery.refresh_from_db()
        assert (delivery.file_count, delivery.size) == (1, 2)


class TestCopy:
    def test_rows_and_bytes_are_copied(self):
        user, department = UserFactory(), DepartmentFactory()
        original = finished_delivery(
            files=[("a", b"1"), ("b", b"x" * 100_000)], user=user
        )

        copy = original.copy(department)

        copy.refresh_from_db()
        assert (copy.copy_of, copy.recipient) == (original, department)
        assert (copy.delivered_by, copy.number) == (user, 1)
        assert copy.manifest_digest == original.manifest_digest
        assert (copy.file_count, copy.size) == (2, 100_001)
        assert {condition for _, condition in copy.verify()} == {Condition.INTACT}
        assert not set(copy.files.all()) & set(original.files.all())

    def test_an_open_delivery_cannot_be_copied(self):
        with pytest.raises(DeliveryNotFinished):
            open_delivery().copy(None)

    def test_a_copy_whose_source_is_lost_leaves_nothing(self, delivery_store_root):
        original = finished_delivery(files=[("a", b"1"), ("b", b"2")])
        FileMeta.deliverystore.remove(original.files.get(filename="b"))

        with pytest.raises(FileNotFoundError):
            original.copy(None)

        assert Delivery.objects.get() == original
        assert len(files_on_disk(delivery_store_root)) == 1

    def test_damaged_bytes_are_not_copied(self, delivery_store_root):
        original = finished_delivery(files=[("a", b"1"), ("b", b"2")])
        with FileMeta.deliverystore.write_open(original.files.get(filename="b")) as b:
            b.write(b"3")

        with pytest.raises(FileDamaged):
            original.copy(None)

        assert Delivery.objects.get() == original
        assert len(files_on_disk(delivery_store_root)) == 2

    def test_one_file_can_be_copied_into_an_open_delivery(self):
        row = finished_delivery().files.get()
        delivery = Delivery.begin()

        copy = row.copy(delivery)

        assert copy.delivery == delivery
        assert (copy.digest, copy.verify()) == (row.digest, Condition.INTACT)


class TestVerify:
    def test_a_changed_byte_is_found(self, delivery_store_root):
        delivery = finished_delivery()
        path = files_on_disk(delivery_store_root)[0]
        path.write_bytes(b"hellO")

        assert [condition for _, condition in delivery.verify()] == [Condition.DAMAGED]
        with pytest.raises(FileDamaged, match=r"hello\.txt.*changed"):
            delivery.files.get().get_all_data_as_string()

    @pytest.mark.parametrize("content", [b"", b"hell", b"hello!"])
    def test_another_size_is_found(self, delivery_store_root, content):
        delivery = finished_delivery()
        files_on_disk(delivery_store_root)[0].write_bytes(content)

        assert [condition for _, condition in delivery.verify()] == [Condition.DAMAGED]

    def test_missing_bytes_are_found(self, delivery_store_root):
        delivery = finished_delivery()
        files_on_disk(delivery_store_root)[0].unlink()

        assert [condition for _, condition in delivery.verify()] == [Condition.MISSING]

    def test_bytes_that_cannot_be_read_are_found(self, delivery_store_root, caplog):
        delivery = finished_delivery()
        path = files_on_disk(delivery_store_root)[0]
        path.unlink()
        path.mkdir()

        found = [condition for _, condition in delivery.verify()]

        assert found == [Condition.UNREADABLE]
        assert "cannot be read" in caplog.text

    def test_a_damaged_file_is_restored_from_another_store(self, delivery_store_root):
        row = finished_delivery().files.get()
        other = MemoryDeliveryStore()
        with row.open() as source, other.write_open(row) as target:
            target.write(source.read())
        files_on_disk(delivery_store_root)[0].write_bytes(b"hellO")

        row.restore_from(other)

        assert row.verify() == Condition.INTACT

    def test_a_damaged_copy_restores_nothing(self, delivery_store_root):
        row = finished_delivery().files.get()
        other = MemoryDeliveryStore()
        with other.write_open(row) as target:
            target.write(b"wrong")

        with pytest.raises(FileDamaged):
            row.restore_from(other)

        assert row.verify() == Condition.INTACT

    def test_a_large_file_is_read_in_pieces_that_are_compared(
        self, delivery_store_root
    ):
        content = bytes(range(256)) * 10_000
        delivery = open_delivery()
        row = delivery.add_file("large", content)

        pieces = list(row.chunks())

        assert b"".join(pieces) == content
        assert max(map(len, pieces)) == 2**20
        path = files_on_disk(delivery_store_root)[-1]
        path.write_bytes(content[:-1] + b"?")
        received = []
        with pytest.raises(FileDamaged):
            received.extend(row.chunks())
        assert len(received) == len(pieces) - 1

    def test_a_file_that_is_being_received_cannot_be_read(self):
        row = FileMeta.objects.create(delivery=Delivery.begin(), filename="a")

        with pytest.raises(DeliveryIncomplete):
            row.open()


class TestQuerySet:
    def test_states(self):
        opened, finished = open_delivery(), finished_delivery()

        assert list(Delivery.objects.open()) == [opened]
        assert list(Delivery.objects.finished()) == [finished]

    def test_for_recipient(self):
        department = DepartmentFactory()
        mine, none = finished_delivery(recipient=department), finished_delivery()

        assert list(Delivery.objects.for_recipient(department)) == [mine]
        assert list(Delivery.objects.for_recipient(None)) == [none]

    def test_stale_ones_are_open_for_too_long(self, settings):
        settings.DELIVERY_STORE_ABANDON_AFTER = timedelta(days=2)
        old, finished = open_delivery(), finished_delivery()
        open_delivery()
        Delivery.objects.filter(pk__in=[old.pk, finished.pk]).update(
            created=timezone.now() - timedelta(days=3)
        )

        assert list(Delivery.objects.stale()) == [old]

    def test_a_user_sees_what_is_theirs(self):
        user = UserFactory()
        mine, other = finished_delivery(user=user), finished_delivery()

        assert list(Delivery.objects.visible_to(user)) == [mine]
        assert not Delivery.objects.visible_to(AnonymousUser()).exists()
        user.user_permissions.add(Permission.objects.get(codename="view_delivery"))
        user = type(user).objects.get(pk=user.pk)
        assert set(Delivery.objects.visible_to(user)) == {mine, other}

    def test_search_finds_id_user_filename_and_content(self):
        user = UserFactory(username="lovelace")
        delivery = finished_delivery(user=user, files=[("Homework.pdf", b"pdf")])
        finished_delivery()

        for text in (
            str(delivery.pk),
            "lovel",
            "homeWORK",
            delivery.files.get().digest,
            f" {delivery.pk} ",
        ):
            assert list(Delivery.objects.search(text)) == [delivery], text
        assert not Delivery.objects.search("9" * 30).exists()
        assert not Delivery.objects.search("\u00b2").exists()


class TestPermissions:
    def test_the_one_who_handed_it_in_may_do_all(self):
        user = UserFactory()
        delivery = open_delivery(user=user)

        for action in ("view", "download", "verify", "abandon"):
            delivery.check_permission(user, action)

    def test_others_need_the_permission(self):
        delivery, user = finished_delivery(user=UserFactory()), UserFactory()

        for other in (user, AnonymousUser()):
            with pytest.raises(NotPermitted, match="may not download"):
                delivery.check_permission(other, "download")
        user.user_permissions.add(Permission.objects.get(codename="download_delivery"))
        user = type(user).objects.get(pk=user.pk)
        delivery.check_permission(user, "download")
        with pytest.raises(NotPermitted):
            delivery.check_permission(user, "verify")

    def test_nobodys_delivery_is_not_everybodys(self):
        delivery = finished_delivery()

        with pytest.raises(NotPermitted):
            delivery.check_permission(AnonymousUser(), "view")

    def test_a_file_is_opened_for_who_may(self):
        user = UserFactory()
        row = finished_delivery(user=user).files.get()

        with row.open_for(user) as file:
            assert file.read() == b"hello"
        with pytest.raises(NotPermitted):
            row.open_for(UserFactory())


def test_a_delivery_says_what_it_is():
    department = DepartmentFactory(name="Physics")
    opened = open_delivery(recipient=department)

    assert str(opened) == f"open delivery {opened.pk}"
    opened.finish()
    assert str(opened) == "delivery 1 to Physics"
    assert str(finished_delivery()) == "delivery 1"


def test_the_store_lies_where_the_settings_say(delivery_store_root):
    delivery = finished_delivery()

    assert isinstance(FileMeta.deliverystore, FsHierDeliveryStore)
    folder = FileMeta.deliverystore.get_path_from_deliveryid(delivery.pk)
    path = f"{folder}/{delivery.pk}/{delivery.files.get().pk}"
    assert (delivery_store_root / path).read_bytes() == b"hello"


def test_the_ancestors_example_works_as_written(monkeypatch):
    monkeypatch.setattr(FileMeta, "deliverystore", MemoryDeliveryStore())
    assignmentgroup, user = DepartmentFactory(), UserFactory()

    delivery = Delivery.begin(assignmentgroup, user)
    row = delivery.add_file("hello.txt", ["hello", "world"])
    delivery.finish()

    assert row.get_all_data_as_string() == b"helloworld"


def test_sizes_have_64_bits():
    delivery = open_delivery()
    size = 5_000_000_000_000
    FileMeta.objects.filter(delivery=delivery).update(size=size)

    delivery.finish()

    delivery.refresh_from_db()
    assert (delivery.size, delivery.files.get().size) == (size, size)

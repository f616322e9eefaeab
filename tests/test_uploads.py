"""Resumable uploads, and the file changes below them."""

from __future__ import annotations

import contextlib
import fcntl
import io
import logging
import os
from datetime import timedelta
from hashlib import sha256

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from deliverystore import fsops, uploads
from deliverystore.backends import MemoryDeliveryStore
from deliverystore.exceptions import (
    DeliveryIncomplete,
    DeliveryNotOpen,
    DeliveryTooLarge,
    DuplicateFilename,
    ExtensionNotAllowed,
    FileDamaged,
    FileTooLarge,
    InvalidName,
    NotPermitted,
    QuotaExceeded,
    TooManyFiles,
    TypeNotAllowed,
    UploadBusy,
    UploadNotFound,
    WrongOffset,
)
from deliverystore.models import Delivery, FileMeta, Upload
from deliverystore.sweeping import preview, sweep
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("upload_root")]

TEXT = b"What I did in my holidays"
LENGTH = len(TEXT)


@pytest.fixture
def user():
    return UserFactory()


@pytest.fixture
def delivery(user):
    return Delivery.begin(user=user)


def begin(delivery, *, filename="a.txt", length=LENGTH):
    return uploads.begin(delivery, delivery.delivered_by, filename, length)


def append(upload, data, offset=None):
    """Go on, as a request would that knows nothing of the ones before."""
    user = upload.delivery.delivered_by
    found = uploads.find(upload.pk, user)
    offset = found.offset if offset is None else offset
    uploads.append(found, user, offset, io.BytesIO(data))
    return found


def find(upload):
    return uploads.find(upload.pk, upload.delivery.delivered_by)


def partial_files(root):
    return {path.name: path.read_bytes() for path in root.iterdir()}


def contents(delivery):
    return {row.filename: row.get_all_data_as_string() for row in delivery.files.all()}


class Breaks:
    """A stream whose reader fails after some bytes."""

    def __init__(self, data, error):
        self.file = io.BytesIO(data)
        self.error = error

    def read(self, size):
        if chunk := self.file.read(size):
            return chunk
        raise self.error


@contextlib.contextmanager
def being_received(upload):
    """Hold an upload as another request does."""
    with upload.path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Killed(BaseException):
    """What nobody catches, as if the process ended here."""


@pytest.fixture
def killed_at(monkeypatch):
    """End the process, in a block, where it is about to call a function."""

    @contextlib.contextmanager
    def killed(owner, name, replacement=None):
        def end(*args, **kwargs):
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(owner, name, replacement or end)
            with pytest.raises(Killed):
                yield

    return killed


@pytest.fixture
def killed_after(killed_at):
    """End the process, in a block, where it has just called a function."""

    def killed(owner, name):
        function = getattr(owner, name)

        def call_and_end(*args, **kwargs):
            function(*args, **kwargs)
            raise Killed

        return killed_at(owner, name, call_and_end)

    return killed


@pytest.fixture
def just_before(monkeypatch):
    """Let somebody else do something just before the next lock is taken."""

    def let(action):
        take = fsops.exclusive

        def exclusive(path):
            monkeypatch.setattr(fsops, "exclusive", take)
            action()
            return take(path)

        monkeypatch.setattr(fsops, "exclusive", exclusive)

    return let


class TestBegin:
    def test_an_upload_begins_with_nothing(self, delivery, upload_root):
        upload = begin(delivery)

        assert (upload.offset, upload.length) == (0, LENGTH)
        assert partial_files(upload_root) == {upload.pk.hex: b""}
        assert upload.path.stat().st_mode & 0o777 == 0o600
        assert not delivery.files.exists()

    def test_the_filename_is_cleaned(self, delivery):
        assert begin(delivery, filename="u\N{COMBINING DIAERESIS}").filename == "ü"
        with pytest.raises(InvalidName):
            begin(delivery, filename="../a.txt")

    def test_a_finished_delivery_takes_no_upload(self, delivery):
        delivery.add_file("b.txt", b"b")
        delivery.finish()

        with pytest.raises(DeliveryNotOpen):
            begin(delivery)

    def test_a_filename_that_is_taken_is_refused_at_once(self, delivery):
        delivery.add_file("A.TXT", b"")

        with pytest.raises(DuplicateFilename, match=r"already has 'a\.txt'"):
            begin(delivery)

    def test_the_same_filename_again_gives_the_former_upload_up(
        self, delivery, upload_root
    ):
        former = append(begin(delivery), b"What")
        again = begin(delivery)

        assert list(delivery.uploads.all()) == [again]
        assert list(partial_files(upload_root)) == [again.pk.hex]
        with pytest.raises(UploadNotFound):
            find(former)

    def test_the_same_filename_is_refused_while_it_is_coming_in(self, delivery):
        former = begin(delivery)

        with being_received(former), pytest.raises(UploadBusy, match=r"'a\.txt'"):
            begin(delivery)
        assert find(former) == former

    def test_the_same_filename_may_be_complete_just_now(self, delivery, just_before):
        former = append(begin(delivery), TEXT[:10])
        just_before(lambda: append(former, TEXT[10:]))

        with pytest.raises(DuplicateFilename):
            begin(delivery)
        assert contents(delivery) == {"a.txt": TEXT}

    def test_a_failure_leaves_no_row(self, delivery, upload_root):
        upload_root.write_bytes(b"")

        with pytest.raises(NotADirectoryError):
            begin(delivery)
        assert not Upload.objects.exists()


class TestLimits:
    """They are asked before the first byte comes, and again after the last."""

    @pytest.mark.parametrize(
        ("name", "value", "error"),
        [
            ("MAX_FILE_BYTES", 24, FileTooLarge),
            ("MAX_DELIVERY_BYTES", 24, DeliveryTooLarge),
            ("USER_QUOTA_BYTES", 24, QuotaExceeded),
            ("MAX_FILES", 0, TooManyFiles),
            ("ALLOWED_EXTENSIONS", [".pdf"], ExtensionNotAllowed),
        ],
    )
    def test_what_is_too_much_is_refused_at_both_ends(
        self, delivery, settings, upload_root, name, value, error
    ):
        upload = append(begin(delivery), TEXT[:10])

        setattr(settings, f"DELIVERY_STORE_{name}", value)
        with pytest.raises(error):
            begin(delivery, filename="b.txt")
        with pytest.raises(error):
            append(upload, TEXT[10:])

        assert not Upload.objects.exists()
        assert not FileMeta.objects.exists()
        assert partial_files(upload_root) == {}

    @pytest.mark.parametrize(
        "name", ["MAX_FILE_BYTES", "MAX_DELIVERY_BYTES", "USER_QUOTA_BYTES"]
    )
    def test_what_just_fits_is_taken(self, delivery, settings, name):
        setattr(settings, f"DELIVERY_STORE_{name}", LENGTH)
        append(begin(delivery), TEXT)

        assert contents(delivery) == {"a.txt": TEXT}

    def test_the_type_is_known_at_the_end(self, delivery, settings):
        settings.DELIVERY_STORE_ALLOWED_TYPES = ["image/*"]
        upload = begin(delivery)

        with pytest.raises(TypeNotAllowed):
            append(upload, TEXT)
        assert not Upload.objects.exists()

    @pytest.mark.parametrize(
        ("name", "value", "error"),
        [
            ("MAX_DELIVERY_BYTES", 2 * LENGTH - 1, DeliveryTooLarge),
            ("USER_QUOTA_BYTES", 2 * LENGTH - 1, QuotaExceeded),
            ("MAX_FILES", 1, TooManyFiles),
        ],
    )
    def test_uploads_that_are_running_count(
        self, delivery, settings, name, value, error
    ):
        setattr(settings, f"DELIVERY_STORE_{name}", value)
        begin(delivery)

        with pytest.raises(error):
            begin(delivery, filename="b.txt")
        # In the place of the first one, there is room.
        begin(delivery)

    def test_the_quota_counts_uploads_into_all_deliveries(self, delivery, settings):
        settings.DELIVERY_STORE_USER_QUOTA_BYTES = 2 * LENGTH - 1
        begin(Delivery.begin(user=delivery.delivered_by))

        with pytest.raises(QuotaExceeded):
            begin(delivery)
        begin(Delivery.begin(user=UserFactory()))


class TestAppend:
    def test_the_last_byte_hands_the_file_in(self, delivery, upload_root):
        upload = begin(delivery)

        assert append(upload, TEXT[:10]).filemeta_id is None
        assert partial_files(upload_root) == {upload.pk.hex: TEXT[:10]}
        upload = append(upload, TEXT[10:])

        assert contents(delivery) == {"a.txt": TEXT}
        assert upload.filemeta_id == delivery.files.get().pk
        assert delivery.files.get().digest == f"sha256:{sha256(TEXT).hexdigest()}"
        assert partial_files(upload_root) == {}

    def test_an_empty_file_is_complete_at_once(self, delivery):
        append(begin(delivery, length=0), b"")

        assert contents(delivery) == {"a.txt": b""}

    def test_no_more_is_read_than_was_announced(self, delivery):
        stream = io.BytesIO(TEXT + b" and after")
        upload = begin(delivery)
        uploads.append(upload, delivery.delivered_by, 0, stream)

        assert contents(delivery) == {"a.txt": TEXT}
        assert stream.read() == b" and after"

    @pytest.mark.parametrize("offset", [0, 9, 11, 10**9])
    def test_another_offset_is_refused_and_changes_nothing(
        self, delivery, upload_root, offset
    ):
        upload = append(begin(delivery), TEXT[:10])

        with pytest.raises(WrongOffset, match=r"10 bytes of 'a\.txt' are kept"):
            append(upload, b"other", offset)
        assert partial_files(upload_root) == {upload.pk.hex: TEXT[:10]}
        assert find(upload).offset == 10

    def test_two_at_once_do_not_mix(self, delivery, upload_root):
        upload = append(begin(delivery), TEXT[:10])

        with being_received(upload), pytest.raises(UploadBusy):
            append(upload, TEXT[10:])
        assert partial_files(upload_root) == {upload.pk.hex: TEXT[:10]}
        append(upload, TEXT[10:])
        assert contents(delivery) == {"a.txt": TEXT}

    def test_who_waited_for_the_other_sees_what_the_other_did(self, delivery, user):
        late = begin(delivery)
        append(late, TEXT[:10])

        with pytest.raises(WrongOffset):
            uploads.append(late, user, 0, io.BytesIO(TEXT))
        append(late, TEXT[10:])
        uploads.append(late, user, LENGTH, io.BytesIO(b""))
        assert late.filemeta_id == delivery.files.get().pk

    def test_a_write_that_fails_counts_for_nothing(self, delivery, upload_root):
        upload = append(begin(delivery), TEXT[:10])
        stream = Breaks(b"torn", OSError("no space left"))

        with pytest.raises(OSError, match="no space"):
            uploads.append(upload, delivery.delivered_by, 10, stream)
        assert find(upload).offset == 10
        append(upload, TEXT[10:])
        assert contents(delivery) == {"a.txt": TEXT}

    def test_what_is_synced_counts_while_the_rest_is_coming(
        self, delivery, monkeypatch
    ):
        monkeypatch.setattr(uploads, "_SYNC_EVERY", 10)
        upload = begin(delivery)

        with pytest.raises(Killed):
            uploads.append(
                upload, delivery.delivered_by, 0, Breaks(TEXT[:24], Killed())
            )
        assert find(upload).offset == 20
        append(upload, TEXT[20:])
        assert contents(delivery) == {"a.txt": TEXT}

    def test_the_bytes_are_synced_before_they_are_counted(
        self, delivery, settings, monkeypatch
    ):
        settings.DELIVERY_STORE_DURABILITY = "full"
        upload = begin(delivery)
        seen = []
        sync = os.fsync

        def fsync(fd):
            if os.fstat(fd).st_ino == upload.path.stat().st_ino:
                offset = Upload.objects.get().offset
                seen.append((offset, upload.path.read_bytes()))
            sync(fd)

        monkeypatch.setattr(os, "fsync", fsync)
        append(upload, TEXT[:10])
        append(upload, TEXT[10:20])

        assert seen == [(0, TEXT[:10]), (10, TEXT[:20])]

    def test_bytes_that_nobody_was_answered_for_are_cut_off(self, delivery):
        upload = append(begin(delivery), TEXT[:10])
        with upload.path.open("ab") as file:
            file.write(b"written, but not counted, when the server was killed")

        append(upload, TEXT[10:12])
        assert upload.path.read_bytes() == TEXT[:12]

    @pytest.mark.parametrize("what", ["shorter", "gone"])
    def test_a_partial_file_that_lost_bytes_is_given_up(
        self, delivery, upload_root, caplog, what
    ):
        upload = append(begin(delivery), TEXT[:10])
        if what == "gone":
            upload.path.unlink()
        else:
            upload.path.write_bytes(b"short")

        with caplog.at_level(logging.ERROR), pytest.raises(UploadNotFound):
            append(upload, TEXT[10:])
        assert f"10 bytes of upload {upload.pk} are lost" in caplog.text
        assert not Upload.objects.exists()
        assert partial_files(upload_root) == {}

    def test_an_abandoned_delivery_ends_its_uploads(self, delivery, user):
        class AbandonsAtTheEnd(io.BytesIO):
            def read(self, size=-1, /):
                if not (chunk := super().read(size)):
                    Delivery.objects.get(pk=delivery.pk).abandon()
                return chunk

        upload = begin(delivery)
        with pytest.raises(UploadNotFound, match="given up"):
            uploads.append(upload, user, 0, AbandonsAtTheEnd(b"What"))
        with pytest.raises(UploadNotFound):
            find(upload)

    def test_a_delivery_may_be_abandoned_just_now(self, delivery, just_before):
        upload = begin(delivery)
        just_before(delivery.abandon)

        with pytest.raises(UploadNotFound):
            append(upload, TEXT, 0)

    def test_a_finished_delivery_takes_not_one_byte_more(self, delivery, upload_root):
        upload = append(begin(delivery), TEXT[:10])
        delivery.add_file("b.txt", b"b")
        # As if it had been finished before uploads stood in the way.
        Upload.objects.update(filemeta_id=0)
        delivery.finish()
        Upload.objects.update(filemeta_id=None)

        with pytest.raises(DeliveryNotOpen):
            append(upload, TEXT[10:])
        assert partial_files(upload_root) == {}
        assert not Upload.objects.exists()

    def test_a_delivery_is_not_finished_while_a_file_is_on_its_way(self, delivery):
        upload = append(begin(delivery), TEXT[:10])
        delivery.add_file("b.txt", b"b")

        with pytest.raises(DeliveryIncomplete, match=r"receiving a\.txt;"):
            delivery.finish()

        append(upload, TEXT[10:])
        delivery.finish()

    def test_a_name_that_was_taken_meanwhile_is_refused_at_the_end(
        self, delivery, upload_root
    ):
        upload = append(begin(delivery), TEXT[:10])
        delivery.add_file("a.txt", b"was quicker")

        with pytest.raises(DuplicateFilename):
            append(upload, TEXT[10:])
        assert contents(delivery) == {"a.txt": b"was quicker"}
        assert not Upload.objects.exists()
        assert partial_files(upload_root) == {}

    def test_a_twin_of_the_same_size_is_no_excuse(self, delivery):
        upload = append(begin(delivery), TEXT[:10])
        delivery.add_file("a.txt", TEXT.upper())

        with pytest.raises(DuplicateFilename):
            append(upload, TEXT[10:])


class TestAfterTheServerWasKilled:
    """The last byte is kept, but nobody was told."""

    def test_before_the_file_was_in(self, delivery, killed_at):
        upload = begin(delivery)
        with killed_at(Delivery, "add_file"):
            append(upload, TEXT)
        assert contents(delivery) == {}

        assert find(upload).filemeta_id == delivery.files.get().pk
        assert contents(delivery) == {"a.txt": TEXT}

    def test_while_the_file_was_copied(self, delivery, killed_at, upload_root):
        upload = begin(delivery)
        # What a killed add_file leaves: a row of a file that is being received.
        FileMeta.objects.create(delivery=delivery, filename="a.txt", content_type="")
        with killed_at(Delivery, "add_file"):
            append(upload, TEXT)

        append(upload, b"")
        assert contents(delivery) == {"a.txt": TEXT}
        assert partial_files(upload_root) == {}

    @pytest.mark.parametrize("finished", [False, True])
    @pytest.mark.parametrize("full", [False, True])
    def test_between_the_file_and_its_note(
        self, delivery, settings, killed_after, upload_root, finished, full
    ):
        upload = append(begin(delivery), TEXT[:10])
        with killed_after(Delivery, "add_file"):
            append(upload, TEXT[10:])
        row = delivery.files.get()
        if finished:
            delivery.finish()
        if full:
            settings.DELIVERY_STORE_MAX_FILES = 1

        assert find(upload).filemeta_id == row.pk
        assert contents(delivery) == {"a.txt": TEXT}
        assert partial_files(upload_root) == {}

    def test_between_the_note_and_the_removal_of_the_partial_file(
        self, delivery, killed_at, upload_root
    ):
        upload = begin(delivery)
        with killed_at(fsops, "remove"):
            append(upload, TEXT)

        assert find(upload).filemeta_id == delivery.files.get().pk
        Upload.objects.update(updated=timezone.now() - timedelta(days=8))
        assert sweep().uploads == 1
        assert partial_files(upload_root) == {}

    def test_another_request_may_be_quicker(self, delivery, killed_at, just_before):
        upload = begin(delivery)
        with killed_at(Delivery, "add_file"):
            append(upload, TEXT)

        just_before(lambda: find(upload))
        assert find(upload).filemeta_id == delivery.files.get().pk

    def test_nobody_hands_it_in_twice(self, delivery, killed_at):
        upload = begin(delivery)
        with killed_at(Delivery, "add_file"):
            append(upload, TEXT)

        with being_received(upload), pytest.raises(UploadBusy):
            find(upload)


class TestFind:
    def test_a_complete_upload_is_found_as_long_as_its_file_is_there(self, delivery):
        upload = append(begin(delivery), TEXT)

        assert find(upload).filemeta_id == delivery.files.get().pk
        delivery.files.get().delete()
        with pytest.raises(UploadNotFound, match="was removed from its delivery"):
            find(upload)

    def test_a_complete_upload_is_found_when_the_delivery_is_finished(self, delivery):
        upload = append(begin(delivery), TEXT)
        delivery.finish()

        assert find(upload).filemeta_id == delivery.files.get().pk


class TestTerminate:
    def test_nothing_is_left(self, delivery, user, upload_root):
        upload = append(begin(delivery), TEXT[:10])
        uploads.terminate(upload, user)

        assert not Upload.objects.exists()
        assert partial_files(upload_root) == {}

    def test_a_complete_upload_takes_its_file_along(self, delivery, user):
        upload = append(begin(delivery), TEXT)
        uploads.terminate(upload, user)

        assert contents(delivery) == {}
        assert not Upload.objects.exists()

    def test_what_was_handed_in_stays(self, delivery, user):
        upload = append(begin(delivery), TEXT)
        delivery.finish()

        with pytest.raises(DeliveryNotOpen):
            uploads.terminate(upload, user)
        assert contents(delivery) == {"a.txt": TEXT}
        assert find(upload) == upload

    def test_an_upload_that_is_coming_in_stays(self, delivery, user):
        upload = begin(delivery)

        with being_received(upload), pytest.raises(UploadBusy):
            uploads.terminate(upload, user)
        assert find(upload) == upload


class TestPermissions:
    @pytest.fixture
    def who(self, delivery):
        return {
            "its owner": delivery.delivered_by,
            "a superuser": UserFactory(is_superuser=True),
            "somebody else": UserFactory(),
            "somebody who left": UserFactory(is_superuser=True, is_active=False),
            "nobody": AnonymousUser(),
        }

    @pytest.mark.parametrize("name", ["its owner", "a superuser"])
    def test_these_may(self, delivery, who, name):
        upload = uploads.begin(delivery, who[name], "a.txt", 4)

        uploads.append(upload, who[name], 0, io.BytesIO(b"Wh"))
        assert uploads.find(upload.pk, who[name]).offset == 2
        uploads.terminate(upload, who[name])

    @pytest.mark.parametrize("name", ["somebody else", "somebody who left", "nobody"])
    def test_these_may_not(self, delivery, who, upload_root, name):
        upload = begin(delivery)

        with pytest.raises(NotPermitted):
            uploads.begin(delivery, who[name], "a.txt", 4)
        with pytest.raises(NotPermitted):
            uploads.append(upload, who[name], 0, io.BytesIO(TEXT))
        with pytest.raises(UploadNotFound, match="There is no upload"):
            uploads.find(upload.pk, who[name])
        with pytest.raises(NotPermitted):
            uploads.terminate(upload, who[name])
        assert partial_files(upload_root) == {upload.pk.hex: b""}

    def test_a_delivery_of_nobody_is_not_everybodys(self):
        delivery = Delivery.begin()

        with pytest.raises(NotPermitted):
            uploads.begin(delivery, AnonymousUser(), "a.txt", 4)


class TestSweep:
    """Old uploads go, whatever was left of them."""

    @staticmethod
    def let_time_pass(upload_root, *, days):
        for upload in Upload.objects.all():
            updated = upload.updated - timedelta(days=days)
            Upload.objects.filter(pk=upload.pk).update(updated=updated)
        for path in upload_root.iterdir():
            changed = path.stat().st_mtime - timedelta(days=days).total_seconds()
            os.utime(path, (changed, changed))

    def test_uploads_without_news_go(self, delivery, upload_root):
        append(begin(delivery), TEXT[:10])
        self.let_time_pass(upload_root, days=8)
        young = begin(delivery, filename="b.txt")

        assert preview().uploads == 1
        assert sweep().uploads == 1
        assert list(Upload.objects.all()) == [young]
        assert list(partial_files(upload_root)) == [young.pk.hex]

    def test_of_complete_uploads_only_the_row_goes(self, delivery, upload_root):
        append(begin(delivery), TEXT)
        self.let_time_pass(upload_root, days=8)

        assert sweep().uploads == 1
        assert not Upload.objects.exists()
        assert contents(delivery) == {"a.txt": TEXT}

    def test_an_upload_that_is_coming_in_stays(self, delivery, upload_root):
        upload = append(begin(delivery), TEXT[:10])
        self.let_time_pass(upload_root, days=8)

        with being_received(upload):
            assert sweep().uploads == 0
        append(upload, TEXT[10:])
        assert contents(delivery) == {"a.txt": TEXT}

    def test_an_upload_that_went_on_since_the_list_was_made_stays(
        self, delivery, upload_root, monkeypatch
    ):
        upload = begin(delivery)
        self.let_time_pass(upload_root, days=8)
        with_news = iter([Upload.objects.all(), Upload.objects.none()])
        queryset = type(Upload.objects.all())
        monkeypatch.setattr(queryset, "stale", lambda self: next(with_news))

        assert sweep().uploads == 0
        assert find(upload) == upload

    def test_partial_files_of_abandoned_deliveries_go_when_they_are_old(
        self, delivery, upload_root
    ):
        append(begin(delivery), TEXT[:10])
        delivery.abandon()

        assert sweep().uploads == 0
        self.let_time_pass(upload_root, days=8)
        assert preview().uploads == 1
        assert sweep().uploads == 1
        assert partial_files(upload_root) == {}

    def test_a_partial_file_that_somebody_holds_stays(self, delivery, upload_root):
        upload = begin(delivery)
        delivery.abandon()
        self.let_time_pass(upload_root, days=8)

        with being_received(upload):
            assert sweep().uploads == 0
        assert list(partial_files(upload_root)) == [upload.pk.hex]

    def test_files_of_others_in_the_folder_stay(self, upload_root):
        upload_root.mkdir()
        (upload_root / "notes.txt").write_bytes(b"")
        (upload_root / ("f" * 31 + "g")).write_bytes(b"")
        self.let_time_pass(upload_root, days=8)

        assert sweep().uploads == 0
        assert len(partial_files(upload_root)) == 2

    @pytest.mark.parametrize("root", [None, "nowhere"])
    def test_without_a_folder_there_is_nothing_to_do(self, settings, tmp_path, root):
        settings.DELIVERY_STORE_UPLOAD_ROOT = root and tmp_path / root

        assert preview().uploads == 0
        assert sweep().uploads == 0


class TestExclusive:
    def test_a_file_is_opened_for_one_at_a_time(self, tmp_path):
        path = tmp_path / "file"
        path.write_bytes(b"old")

        with fsops.exclusive(path) as file:
            assert file.read() == b"old"
            with pytest.raises(BlockingIOError), fsops.exclusive(path):
                pass
        with fsops.exclusive(path):
            pass

    def test_a_file_that_is_missing_is_not_made(self, tmp_path):
        with pytest.raises(FileNotFoundError), fsops.exclusive(tmp_path / "file"):
            pass
        assert not (tmp_path / "file").exists()

    def test_a_file_that_was_removed_before_it_was_locked_is_missing(
        self, tmp_path, monkeypatch
    ):
        path = tmp_path / "file"
        path.write_bytes(b"")
        lock = fcntl.flock

        def flock(file, operation):
            path.unlink()
            path.write_bytes(b"another")
            lock(file, operation)

        monkeypatch.setattr(fcntl, "flock", flock)
        with pytest.raises(FileNotFoundError), fsops.exclusive(path):
            pass


class TestAppendToAFile:
    @pytest.mark.parametrize("durability", ["full", "none"])
    def test_it_is_cut_where_the_new_bytes_begin(self, tmp_path, durability):
        path = tmp_path / "file"
        path.write_bytes(b"0123456789")
        policy = fsops.Policy(root=tmp_path, durability=fsops.Durability(durability))

        with path.open("r+b") as file:
            assert fsops.append(file, 4, [b"ab", b"", b"c"], policy) == 3
            assert path.read_bytes() == b"0123abc"
            assert fsops.append(file, 7, [], policy) == 0
            assert fsops.append(file, 0, [], policy) == 0
        assert path.read_bytes() == b""

    def test_a_file_that_is_too_short_is_damaged(self, tmp_path):
        path = tmp_path / "file"
        path.write_bytes(b"0123")

        with path.open("r+b") as file, pytest.raises(FileDamaged, match="byte 5"):
            fsops.append(file, 5, [b"a"], fsops.Policy(root=tmp_path))
        assert path.read_bytes() == b"0123"


class Resuming(RuleBasedStateMachine):
    """An upload with every kind of trouble, beside a bytearray that has none."""

    def __init__(self):
        super().__init__()
        self.data = bytes(range(100))
        self.kept = bytearray()
        self.user = UserFactory()
        self.delivery = Delivery.begin(user=self.user)
        self.upload = begin(self.delivery, length=len(self.data))

    def has_more(self):
        return len(self.kept) < len(self.data)

    @rule(size=st.integers(0, 40))
    def go_on(self, size):
        chunk = self.data[len(self.kept) :][:size]
        append(self.upload, chunk)
        self.kept += chunk

    @precondition(has_more)
    @rule(size=st.integers(0, 40))
    def fail(self, size):
        chunk = self.data[len(self.kept) :][: min(size, 99 - len(self.kept))]
        with pytest.raises(OSError, match="broken"):
            uploads.append(
                find(self.upload),
                self.user,
                len(self.kept),
                Breaks(chunk, OSError("broken")),
            )
        # Ten bytes are the interval of syncing here.
        self.kept += chunk[: len(chunk) // 10 * 10]

    @precondition(has_more)
    @rule(garbage=st.binary(max_size=200))
    def crash(self, garbage):
        with self.upload.path.open("ab") as file:
            file.write(garbage)

    @rule(offset=st.integers(0, 120))
    def come_at_any_offset(self, offset):
        if offset == len(self.kept):
            return
        with pytest.raises(WrongOffset):
            append(self.upload, b"wrong", offset)

    @invariant()
    def the_offset_says_what_is_kept(self):
        upload = find(self.upload)
        assert upload.offset == len(self.kept)
        assert self.data.startswith(bytes(self.kept))
        if self.has_more():
            assert upload.path.read_bytes()[: upload.offset] == self.kept
            assert contents(self.delivery) == {}
        else:
            assert contents(self.delivery) == {"a.txt": self.data}
            assert not upload.path.exists()


def test_an_upload_ends_with_all_its_bytes_whatever_happens(monkeypatch):
    monkeypatch.setattr(uploads, "_SYNC_EVERY", 10)
    monkeypatch.setattr(FileMeta, "deliverystore", MemoryDeliveryStore())
    run_state_machine_as_test(
        Resuming,
        settings=hypothesis_settings(max_examples=30, stateful_step_count=20),
    )

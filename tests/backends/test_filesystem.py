"""Fs and FsHier as Django storages: all that is expected of FileSystemStorage."""

from __future__ import annotations

import os
import re
import stat
import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.core.exceptions import SuspiciousFileOperation
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import (
    InMemoryUploadedFile,
    SimpleUploadedFile,
    TemporaryUploadedFile,
)
from django.utils import timezone

from deliverystore import fsops
from deliverystore.backends import FsDeliveryStore, FsHierDeliveryStore
from deliverystore.exceptions import InvalidName, SettingInvalid


@pytest.fixture(params=[FsDeliveryStore, FsHierDeliveryStore])
def cls(request):
    return request.param


@pytest.fixture
def root(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def store(cls, root):
    return cls(root, base_url="/files/")


def content_of(store, name):
    with store.open(name) as file:
        return file.read()


def all_files(root):
    return sorted(
        p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()
    )


class TestSave:
    def test_the_content_is_where_path_says(self, store, root):
        name = store.save("folder/essay.txt", ContentFile(b"content"))

        assert name == "folder/essay.txt"
        assert store.path(name) == str(root / "folder" / "essay.txt")
        assert Path(store.path(name)).read_bytes() == b"content"

    def test_the_name_of_the_content_is_used_if_none_is_given(self, store):
        assert store.save(None, ContentFile(b"content", name="essay.txt")) == (
            "essay.txt"
        )

    def test_a_name_that_is_taken_gets_an_addition(self, store, root):
        first = store.save("essay.txt", ContentFile(b"first"))
        second = store.save("essay.txt", ContentFile(b"second"))

        assert first == "essay.txt"
        assert second.startswith("essay_")
        assert second.endswith(".txt")
        assert content_of(store, first) == b"first"
        assert content_of(store, second) == b"second"

    @pytest.mark.parametrize(
        ("name", "pattern"),
        [
            ("archive.tar.gz", r"archive_\w{7}\.tar\.gz"),
            (".profile", r"\.profile_\w{7}"),
            ("no extension", r"no extension_\w{7}"),
            ("dir.ectory/essay", r"dir\.ectory/essay_\w{7}"),
        ],
    )
    def test_the_addition_goes_before_the_extensions(self, store, name, pattern):
        store.save(name, ContentFile(b"first"))

        assert re.fullmatch(pattern, store.save(name, ContentFile(b"second")))

    def test_a_name_that_became_too_long_is_cut(self, store):
        name = "a" * 60 + ".txt"
        saved = [store.save(name, ContentFile(b"x"), max_length=64) for _ in range(3)]

        assert saved[0] == name
        assert len(set(saved)) == 3
        assert all(len(one) <= 64 and one.endswith(".txt") for one in saved)

    def test_a_name_that_cannot_be_cut_enough_is_refused(self, store):
        store.save("essay.txt", ContentFile(b"first"))

        with pytest.raises(SuspiciousFileOperation, match="max_length"):
            store.save("essay.txt", ContentFile(b"second"), max_length=5)

    def test_a_name_that_the_disk_finds_too_long_is_an_error(self, store, root):
        with pytest.raises(OSError, match="File name too long"):
            store.save("a" * 300, ContentFile(b"content"))

        assert all_files(root) == []

    def test_str_content_is_saved_as_utf8(self, store):
        name = store.save("essay.txt", ContentFile("Grüße, 世界"))

        assert content_of(store, name) == "Grüße, 世界".encode()

    def test_content_is_saved_in_chunks_not_all_at_once(self, store, monkeypatch):
        class Large(File):
            def __init__(self):
                super().__init__(None, "large")

            def chunks(self, chunk_size=None):
                yield from (b"%d" % n for n in range(5))

            def read(self, *args):
                raise AssertionError("all of it was read")

        assert content_of(store, store.save("large", Large())) == b"01234"

    def test_the_chunks_of_text_may_have_any_size(self, store):
        class Text(File):
            def __init__(self):
                super().__init__(None, "text")

            def chunks(self, chunk_size=None):
                yield from ["ä" * 5000, "", "ö", "🎓" * 3]

        name = store.save("text", Text())

        assert content_of(store, name).decode() == "ä" * 5000 + "ö" + "🎓" * 3

    def test_content_that_breaks_off_leaves_nothing(self, store, root):
        class Broken(ContentFile):
            def chunks(self, chunk_size=None):
                yield b"half a file" * 100_000
                raise ConnectionResetError

        with pytest.raises(ConnectionResetError):
            store.save("essay.txt", Broken(b""))

        assert all_files(root) == []

    def test_saving_does_not_close_the_content(self, store, tmp_path):
        (tmp_path / "source").write_bytes(b"content")
        with (tmp_path / "source").open("rb") as file:
            store.save("essay.txt", File(file))

            assert not file.closed

    @pytest.mark.parametrize(
        "name",
        ["../essay.txt", "a/../../essay.txt", "/tmp/essay.txt", "..", ".", "", "a/.."],  # noqa: S108
    )
    def test_names_that_leave_the_folder_are_refused(self, store, root, name):
        with pytest.raises(SuspiciousFileOperation):
            store.save(name, ContentFile(b"content"))

        assert not root.exists() or all_files(root) == []

    def test_names_of_files_that_are_being_written_are_refused(self, store):
        with pytest.raises(InvalidName, match="reserved"):
            store.save(".deliverystore-0123", ContentFile(b"content"))

    def test_a_folder_of_that_name_gives_another_name(self, store, root):
        (root / "essay").mkdir(parents=True)

        assert store.save("essay", ContentFile(b"content")).startswith("essay_")

    def test_a_file_in_the_place_of_the_folder_is_an_error(self, store):
        store.save("essay", ContentFile(b"content"))

        with pytest.raises(OSError, match="essay"):
            store.save("essay/another", ContentFile(b"content"))

    def test_a_dangling_symlink_is_a_name_that_is_taken(self, store, root):
        root.mkdir()
        (root / "essay").symlink_to(root / "missing")

        assert store.save("essay", ContentFile(b"content")).startswith("essay_")
        assert not (root / "missing").exists()


class TestUploads:
    def test_an_uploaded_file_in_memory(self, store):
        upload = SimpleUploadedFile("essay.txt", b"content", "text/plain")

        assert content_of(store, store.save(upload.name, upload)) == b"content"

    def test_an_uploaded_file_that_was_read_from_is_saved_from_its_start(self, store):
        upload = SimpleUploadedFile("essay.txt", b"content")
        upload.read(4)

        assert content_of(store, store.save("essay.txt", upload)) == b"content"

    def test_an_uploaded_text(self, store, tmp_path):
        (tmp_path / "source").write_text("Grüße", encoding="utf-8")
        with (tmp_path / "source").open(encoding="utf-8") as file:
            upload = InMemoryUploadedFile(file, "f", "f.txt", "text/plain", 5, None)
            name = store.save("essay.txt", upload)

        assert content_of(store, name) == "Grüße".encode()

    def test_an_uploaded_file_on_disk_is_copied_and_stays_usable(self, store):
        with TemporaryUploadedFile("essay.txt", "text/plain", 7, None) as upload:
            upload.write(b"content")
            upload.seek(0)

            name = store.save("essay.txt", upload)

            assert content_of(store, name) == b"content"
            assert upload.read() == b"content"

    def test_nothing_is_lost_that_an_uploaded_file_still_buffers(self, store):
        with TemporaryUploadedFile("essay.txt", "text/plain", 7, None) as upload:
            upload.write(b"content")

            assert content_of(store, store.save("essay.txt", upload)) == b"content"

    def test_an_uploaded_file_gets_the_permissions_of_all_others(self, cls, root):
        store = cls(root, file_permissions_mode=0o640)
        with TemporaryUploadedFile("essay.txt", "text/plain", 1, None) as upload:
            name = store.save("essay.txt", upload)

        assert stat.S_IMODE(Path(store.path(name)).stat().st_mode) == 0o640


class TestAllowOverwrite:
    @pytest.fixture
    def store(self, cls, root):
        return cls(root, allow_overwrite=True)

    def test_a_second_save_replaces_the_whole_content(self, store, root):
        store.save("essay.txt", ContentFile(b"a long old content"))

        assert store.save("essay.txt", ContentFile(b"new")) == "essay.txt"
        assert content_of(store, "essay.txt") == b"new"
        assert all_files(root) == ["essay.txt"]

    def test_an_uploaded_file_on_disk_replaces_as_well(self, store):
        store.save("essay.txt", ContentFile(b"a long old content"))
        with TemporaryUploadedFile("essay.txt", "text/plain", 3, None) as upload:
            upload.write(b"new")
            store.save("essay.txt", upload)

        assert content_of(store, "essay.txt") == b"new"

    def test_a_save_that_breaks_off_leaves_the_old_content(self, store):
        class Broken(ContentFile):
            def chunks(self, chunk_size=None):
                yield b"half"
                raise ConnectionResetError

        store.save("essay.txt", ContentFile(b"old"))
        with pytest.raises(ConnectionResetError):
            store.save("essay.txt", Broken(b""))

        assert content_of(store, "essay.txt") == b"old"


class TestRaces:
    @pytest.mark.parametrize("on_disk", [False, True])
    def test_eight_threads_that_save_one_name_lose_nothing(self, store, root, on_disk):
        saved = {}
        barrier = threading.Barrier(8)

        def save(n):
            content = bytes([n]) * 300_000
            if on_disk:
                upload = TemporaryUploadedFile("f", "text/plain", len(content), None)
                upload.write(content)
            else:
                upload = ContentFile(content)
            barrier.wait()
            saved[n] = store.save("folder/essay.txt", upload)
            upload.close()

        threads = [threading.Thread(target=save, args=[n]) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(set(saved.values())) == 8
        assert sorted(saved.values()) == all_files(root)
        for n, name in saved.items():
            assert content_of(store, name) == bytes([n]) * 300_000

    def test_a_name_that_is_taken_while_the_content_arrives_gets_an_addition(
        self, store, root
    ):
        class Slow(ContentFile):
            def chunks(self, chunk_size=None):
                yield b"slow"
                store.save("essay.txt", ContentFile(b"quick"))

        name = store.save("essay.txt", Slow(b""))

        assert name != "essay.txt"
        assert content_of(store, name) == b"slow"
        assert content_of(store, "essay.txt") == b"quick"

    def test_a_folder_that_is_lost_while_the_content_arrives_is_made_again(
        self, store, root
    ):
        class Slow(ContentFile):
            def chunks(self, chunk_size=None):
                yield b"content"
                (root / "folder").rmdir()

        store.save("folder/essay.txt", Slow(b""))

        assert content_of(store, "folder/essay.txt") == b"content"

    def test_the_root_is_made_again_if_it_is_lost(self, store, root):
        store.save("essay.txt", ContentFile(b"content"))
        store.delete("essay.txt")
        root.rmdir()

        store.save("essay.txt", ContentFile(b"content"))

        assert content_of(store, "essay.txt") == b"content"


class TestPermissions:
    @pytest.fixture(autouse=True)
    def umask(self):
        before = os.umask(0o027)
        yield
        os.umask(before)

    @staticmethod
    def modes(store, name="a/b/essay.txt"):
        path = Path(store.path(store.save(name, ContentFile(b"content"))))
        return [
            stat.S_IMODE(p.stat().st_mode)
            for p in (path, path.parent.parent, path.parent)
        ]

    def test_the_settings_of_django_decide(self, cls, root, settings):
        settings.FILE_UPLOAD_PERMISSIONS = 0o654
        settings.FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o765

        assert self.modes(cls(root)) == [0o654, 0o765, 0o765]

    def test_they_are_read_when_they_change(self, cls, root, settings):
        store = cls(root)
        settings.FILE_UPLOAD_PERMISSIONS = 0o600
        assert self.modes(store)[0] == 0o600
        settings.FILE_UPLOAD_PERMISSIONS = 0o640
        assert self.modes(store)[0] == 0o640

    def test_by_default_files_have_those_of_django_and_folders_the_umask(
        self, cls, root
    ):
        assert self.modes(cls(root)) == [0o644, 0o750, 0o750]

    def test_none_leaves_them_to_the_umask(self, cls, root, settings):
        settings.FILE_UPLOAD_PERMISSIONS = None

        assert self.modes(cls(root)) == [0o640, 0o750, 0o750]

    def test_the_arguments_go_before_the_settings(self, cls, root, settings):
        settings.FILE_UPLOAD_PERMISSIONS = 0o654
        settings.FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o765
        store = cls(root, file_permissions_mode=0o600, directory_permissions_mode=0o700)

        assert self.modes(store) == [0o600, 0o700, 0o700]

    def test_they_hold_for_every_way_to_write(self, cls, root):
        store = cls(root, file_permissions_mode=0o600, directory_permissions_mode=0o700)
        with store.write_open("a/1") as file:
            file.write(b"content")
        with store.open("a/2", "wb") as file:
            file.write(b"content")
        store.copy("a/1", "a/3")

        modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in root.rglob("*")}
        assert modes == {"a": 0o700, "1": 0o600, "2": 0o600, "3": 0o600}


class TestDelete:
    def test_the_file_is_gone_and_its_folder_stays(self, store, root):
        store.save("folder/essay.txt", ContentFile(b"content"))
        store.delete("folder/essay.txt")

        assert not store.exists("folder/essay.txt")
        assert (root / "folder").is_dir()

    def test_a_missing_file_is_no_error(self, store):
        store.delete("missing.txt")
        store.delete("missing/folder/essay.txt")

    def test_an_empty_name_is_refused(self, store):
        with pytest.raises(ValueError, match="name must be given"):
            store.delete("")

    def test_an_empty_folder_is_deleted_another_one_is_not(self, store, root):
        (root / "empty").mkdir(parents=True)
        store.save("full/essay.txt", ContentFile(b"content"))

        store.delete("empty")
        with pytest.raises(OSError, match="not empty"):
            store.delete("full")

        assert store.listdir("") == (["full"], [])

    def test_a_name_that_leaves_the_folder_is_refused(self, store, tmp_path):
        (tmp_path / "outside").write_bytes(b"")

        with pytest.raises(SuspiciousFileOperation):
            store.delete("../outside")

        assert (tmp_path / "outside").exists()

    def test_an_error_of_the_system_is_raised(self, store, root):
        (root / "essay").mkdir(parents=True)
        (root / "essay" / "file").touch()

        with pytest.raises(OSError, match="essay"):
            store.remove("essay")

    def test_remove_takes_the_folders_that_it_leaves_empty_with_it(self, store, root):
        store.save("0/1/5/7", ContentFile(b"content"))
        store.save("0/2/6/8", ContentFile(b"content"))
        store.remove("0/1/5/7")

        assert store.listdir("0") == (["2"], [])
        store.remove("0/2/6/8")
        assert store.listdir("") == ([], [])


class TestListing:
    def test_folders_and_files_are_told_apart(self, store):
        for name in ["b.txt", "a.txt", "folder/c.txt", "folder/deeper/d.txt"]:
            store.save(name, ContentFile(b""))

        folders, files = store.listdir("")
        assert (folders, sorted(files)) == (["folder"], ["a.txt", "b.txt"])
        assert store.listdir("folder") == (["deeper"], ["c.txt"])

    def test_files_that_are_being_written_are_hidden(self, store, monkeypatch):
        monkeypatch.setattr(fsops, "_can_link_open_files", lambda: False)
        with store.write_open("folder/essay.txt"):
            assert len(os.listdir(store.path("folder"))) == 1  # noqa: PTH208
            assert store.listdir("folder") == ([], [])

    @pytest.mark.parametrize("name", [".deliverystore-01", "a/.deliverystore-01", "\0"])
    def test_they_are_out_of_reach_and_so_is_what_the_disk_cannot_name(
        self, store, name
    ):
        for method in (store.path, store.delete, store.size, store.listdir):
            with pytest.raises(InvalidName, match="is no name of a stored file"):
                method(name)

    def test_a_missing_folder_is_an_error(self, store):
        with pytest.raises(FileNotFoundError):
            store.listdir("missing")

    def test_a_folder_outside_is_refused(self, store):
        with pytest.raises(SuspiciousFileOperation):
            store.listdir("..")


class TestUrl:
    @pytest.mark.parametrize(
        ("name", "url"),
        [
            ("essay.txt", "/files/essay.txt"),
            ("my essay?.txt", "/files/my%20essay%3F.txt"),
            ("a/b #1.txt", "/files/a/b%20%231.txt"),
            ("Übung.txt", "/files/%C3%9Cbung.txt"),
            ("back\\slash", "/files/back/slash"),
            ("//evil.example/x", "/files/evil.example/x"),
            ("~!*()'", "/files/~!*()'"),
        ],
    )
    def test_names_are_quoted_below_the_base_url(self, store, name, url):
        assert store.url(name) == url

    def test_a_base_url_gets_its_slash_at_the_end(self, cls, root):
        assert cls(root, base_url="/files").url("essay.txt") == "/files/essay.txt"

    def test_without_a_base_url_there_is_none_not_even_below_media(
        self, cls, root, settings
    ):
        settings.MEDIA_URL = "/media/"

        with pytest.raises(ValueError, match="not accessible via a URL"):
            cls(root).url("essay.txt")


class TestTimes:
    @pytest.mark.parametrize("method", ["accessed", "created", "modified"])
    def test_they_are_aware_if_the_project_uses_time_zones(
        self, store, settings, method
    ):
        settings.USE_TZ, settings.TIME_ZONE = True, "Africa/Algiers"
        name = store.save("essay.txt", ContentFile(b"content"))
        moment = getattr(store, f"get_{method}_time")(name)

        assert timezone.is_aware(moment)
        assert abs(moment - timezone.now()) < timedelta(seconds=30)

    @pytest.mark.parametrize("method", ["accessed", "created", "modified"])
    def test_they_are_naive_local_times_if_it_does_not(self, store, settings, method):
        settings.USE_TZ = False
        name = store.save("essay.txt", ContentFile(b"content"))
        moment = getattr(store, f"get_{method}_time")(name)

        assert timezone.is_naive(moment)
        assert abs(moment - datetime.now()) < timedelta(seconds=30)  # noqa: DTZ005

    def test_those_of_a_missing_file_are_an_error(self, store):
        with pytest.raises(FileNotFoundError):
            store.get_modified_time("missing.txt")


class TestRoot:
    def test_it_can_be_a_path_a_str_or_relative(self, cls, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)

        locations = {
            cls(root).location for root in ["store", Path("store"), "./store/"]
        }

        assert locations == {str(tmp_path / "store")}

    def test_it_can_lead_up_and_down_again(self, cls, tmp_path):
        store = cls(tmp_path / "project" / ".." / "store")

        name = store.save("folder/essay.txt", ContentFile(b"content"))
        again = store.save("folder/essay.txt", ContentFile(b"again"))
        store.remove(again)
        store.remove(name)

        assert name == "folder/essay.txt"
        assert store.listdir("") == ([], [])

    def test_it_can_lie_below_a_folder_of_any_name(self, cls, tmp_path):
        store = cls(tmp_path / ".deliverystore-backup")

        name = store.save("essay.txt", ContentFile(b"content"))

        assert content_of(store, name) == b"content"

    def test_it_can_be_a_symlink(self, cls, tmp_path):
        (tmp_path / "disk").mkdir()
        (tmp_path / "store").symlink_to(tmp_path / "disk")

        name = cls(tmp_path / "store").save("a/essay.txt", ContentFile(b"content"))

        assert (tmp_path / "disk" / name).read_bytes() == b"content"

    def test_it_is_taken_from_the_settings_at_each_use(self, cls, settings, tmp_path):
        store = cls()
        for folder in ("one", "two"):
            settings.DELIVERY_STORE_ROOT = tmp_path / folder
            store.save("essay.txt", ContentFile(folder))

        assert (tmp_path / "one" / "essay.txt").read_text() == "one"
        assert (tmp_path / "two" / "essay.txt").read_text() == "two"

    def test_without_one_the_error_says_what_to_set(self, cls, settings):
        settings.DELIVERY_STORE_ROOT = None

        with pytest.raises(SettingInvalid, match="DELIVERY_STORE_ROOT is not set"):
            cls().save("essay.txt", ContentFile(b"content"))

    def test_durability_is_taken_from_the_settings_at_each_use(
        self, cls, settings, root, monkeypatch
    ):
        store, synced = cls(root), []
        original = os.fsync
        monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(fd), original(fd)))

        settings.DELIVERY_STORE_DURABILITY = "none"
        store.save("essay.txt", ContentFile(b"content"))
        assert synced == []

        settings.DELIVERY_STORE_DURABILITY = "full"
        store.save("essay.txt", ContentFile(b"content"))
        assert len(synced) == 2

        synced.clear()
        cls(root, durability="none").save("essay.txt", ContentFile(b"content"))
        assert synced == []

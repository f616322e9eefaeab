"""What becomes of files and folders, whoever else is at work or whatever breaks."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import gc
import mmap
import os
import stat
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from datetime import timedelta, timezone
from pathlib import Path

import pytest

from deliverystore import fsops
from deliverystore.exceptions import FileDamaged, FileExists
from deliverystore.fsops import Durability, Group, Policy
from deliverystore.paths import is_temporary

LARGE = bytes(range(256)) * 4096


class Interruption(Exception):
    pass


@pytest.fixture(params=["without a name", "under a temporary name"])
def drafts(request, monkeypatch):
    """Run a test both where the system has O_TMPFILE and where it has not."""
    if request.param == "under a temporary name":
        monkeypatch.setattr(fsops, "_can_link_open_files", lambda: False)


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.fixture
def policy(root):
    return Policy(root=root, durability=Durability.NONE)


def write(path, policy, content, **options):
    with fsops.new_file(path, policy, **options) as file:
        file.write(content)


def write_group(root, policy, group):
    for n in range(5):
        write(root / f"{n}", policy, b"content", group=group)


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def open_before():
    """Return how many files are open that no garbage will close meanwhile."""
    gc.collect()
    return open_files()


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


@contextmanager
def nothing_left_open():
    before = open_before()
    yield
    assert open_files() == before


@contextmanager
def failing(monkeypatch, function, error, *, from_call=1):
    """Let a function of the system fail once; give the list of its calls."""
    original, calls = getattr(os, function), []

    def fail(*args, **kwargs):
        calls.append(args)
        if len(calls) == from_call:
            raise OSError(error, os.strerror(error))
        return original(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(os, function, fail)
        yield calls


def in_threads(*actions):
    errors = []

    def run(action):
        try:
            barrier.wait()
            action()
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    barrier = threading.Barrier(len(actions))
    threads = [threading.Thread(target=run, args=[action]) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


@pytest.mark.usefixtures("drafts")
class TestNewFile:
    def test_it_appears_when_it_is_closed(self, root, policy):
        file = fsops.new_file(root / "essay", policy)
        file.write(LARGE)
        assert not (root / "essay").exists()

        file.close()

        assert (root / "essay").read_bytes() == LARGE
        assert names_in(root) == ["essay"]

    def test_str_is_written_as_utf8_and_the_bytes_are_counted(self, root, policy):
        with fsops.new_file(root / "essay", policy) as file:
            assert file.write("Grüße") == 7
            file.writelines(["a", b"b"])

        assert (root / "essay").read_bytes() == "Grüßeab".encode()

    def test_what_was_written_can_be_read_and_changed_before_it_is_closed(
        self, root, policy
    ):
        with fsops.new_file(root / "essay", policy) as file:
            file.write(b"0123456789")
            file.seek(2)
            assert file.read(3) == b"234"
            file.seek(0)
            file.write(b"X")
            file.truncate(4)

        assert (root / "essay").read_bytes() == b"X123"

    def test_its_folders_are_made(self, root, policy):
        write(root / "a" / "b" / "essay", policy, b"content")

        assert (root / "a" / "b" / "essay").read_bytes() == b"content"

    def test_a_taken_name_is_not_replaced(self, root, policy):
        write(root / "essay", policy, b"old")

        with nothing_left_open(), pytest.raises(FileExists, match="essay exists"):
            write(root / "essay", policy, b"new")

        assert (root / "essay").read_bytes() == b"old"
        assert names_in(root) == ["essay"]

    def test_a_name_that_is_taken_before_the_end_is_not_replaced_either(
        self, root, policy
    ):
        file = fsops.new_file(root / "essay", policy)
        (root / "essay").write_bytes(b"quicker")

        with pytest.raises(FileExistsError):
            file.close()

        assert (root / "essay").read_bytes() == b"quicker"

    def test_it_replaces_if_asked_to(self, root, policy):
        write(root / "essay", policy, b"a long old content")
        write(root / "essay", policy, b"new", replace=True)

        assert (root / "essay").read_bytes() == b"new"
        assert names_in(root) == ["essay"]

    def test_who_has_the_old_file_open_goes_on_reading_it(self, root, policy):
        write(root / "essay", policy, b"old")

        with (root / "essay").open("rb") as old:
            write(root / "essay", policy, b"new", replace=True)

            assert old.read() == b"old"

    def test_a_folder_is_not_replaced_and_no_litter_is_left(self, root, policy):
        (root / "essay").mkdir()

        with nothing_left_open(), pytest.raises(IsADirectoryError):
            write(root / "essay", policy, b"new", replace=True)

        assert names_in(root) == ["essay"]

    def test_another_path_is_taken_if_the_first_is(self, root, policy):
        numbered = iter(range(2, 10))
        write(root / "essay", policy, b"1")
        write(root / "essay2", policy, b"2")

        def another_path(path):
            return root / f"essay{next(numbered)}"

        file = fsops.new_file(root / "essay", policy, another_path=another_path)
        file.write(b"3")
        file.close()

        assert file.path == root / "essay3"
        assert (root / "essay3").read_bytes() == b"3"
        assert names_in(root) == ["essay", "essay2", "essay3"]

    def test_a_block_that_raises_leaves_nothing_behind(self, root, policy):
        def write_and_fail():
            with fsops.new_file(root / "essay", policy) as file:
                file.write(LARGE)
                raise Interruption

        with nothing_left_open(), pytest.raises(Interruption):
            write_and_fail()

        assert names_in(root) == []

    def test_a_writer_that_is_lost_leaves_nothing_behind(self, root, policy):
        with nothing_left_open():
            file = fsops.new_file(root / "essay", policy)
            file.write(LARGE)
            del file

        assert names_in(root) == []

    def test_a_discarded_file_can_be_closed_and_discarded_again(self, root, policy):
        file = fsops.new_file(root / "essay", policy)
        file.discard()
        file.discard()
        file.close()

        assert names_in(root) == []

    def test_a_file_that_appeared_stays_if_it_is_discarded_afterwards(
        self, root, policy
    ):
        file = fsops.new_file(root / "essay", policy)
        file.close()
        file.discard()

        assert names_in(root) == ["essay"]

    def test_nothing_can_be_written_after_the_end(self, root, policy):
        file = fsops.new_file(root / "essay", policy)
        file.close()

        with pytest.raises(ValueError, match="closed"):
            file.write(b"more")

    def test_a_full_disk_is_an_error_and_leaves_nothing_behind(
        self, root, policy, monkeypatch
    ):
        file = fsops.new_file(root / "essay", policy)
        file.write(b"small enough to be buffered")
        full = os.open("/dev/full", os.O_RDWR)
        os.dup2(full, file.fileno())
        os.close(full)

        with pytest.raises(OSError, match=r"No space left on device: '[^']*'$"):
            file.close()

        assert names_in(root) == []

    def test_a_file_in_the_place_of_a_folder_is_an_error(self, root, policy):
        (root / "file").write_bytes(b"")

        with nothing_left_open(), pytest.raises(OSError, match="file"):
            fsops.new_file(root / "file" / "essay", policy)
        with nothing_left_open(), pytest.raises(OSError, match="file"):
            fsops.new_file(root / "file" / "deeper" / "essay", policy)

    def test_eight_threads_that_create_one_name_make_one_file(self, root, policy):
        outcomes = []

        def create(n):
            try:
                write(root / "folder" / "essay", policy, bytes([n]) * 100_000)
                outcomes.append(n)
            except FileExists:
                pass

        in_threads(*(lambda n=n: create(n) for n in range(8)))

        [winner] = outcomes
        assert (root / "folder" / "essay").read_bytes() == bytes([winner]) * 100_000
        assert names_in(root / "folder") == ["essay"]


class TestLostFolder:
    def test_a_folder_that_is_lost_before_the_end_is_made_again(self, root, policy):
        file = fsops.new_file(root / "folder" / "essay", policy)
        file.write(b"content")
        (root / "folder").rmdir()

        file.close()

        assert (root / "folder" / "essay").read_bytes() == b"content"

    def test_a_folder_that_is_lost_with_the_content_is_an_error(
        self, root, policy, monkeypatch
    ):
        monkeypatch.setattr(fsops, "_can_link_open_files", lambda: False)
        before = open_before()
        file = fsops.new_file(root / "folder" / "essay", policy)
        for litter in (root / "folder").iterdir():
            litter.unlink()
        (root / "folder").rmdir()

        with pytest.raises(FileNotFoundError):
            file.close()

        assert open_files() == before
        assert names_in(root / "folder") == []


class TestPermissions:
    @pytest.fixture(autouse=True)
    def umask(self):
        before = os.umask(0o027)
        yield
        os.umask(before)

    @staticmethod
    def mode(path):
        return stat.S_IMODE(path.stat().st_mode)

    @pytest.mark.usefixtures("drafts")
    def test_without_a_policy_the_umask_decides(self, root, policy):
        write(root / "folder" / "essay", policy, b"")

        assert self.mode(root / "folder" / "essay") == 0o640
        assert self.mode(root / "folder") == 0o750

    @pytest.mark.usefixtures("drafts")
    def test_the_policy_goes_before_the_umask(self, root):
        policy = Policy(root=root, file_permissions=0o664, folder_permissions=0o771)
        write(root / "a" / "b" / "essay", policy, b"")

        assert self.mode(root / "a" / "b" / "essay") == 0o664
        assert self.mode(root / "a" / "b") == 0o771
        assert self.mode(root / "a") == 0o771

    @pytest.mark.usefixtures("drafts")
    def test_a_file_can_be_read_by_its_owner_alone(self, root):
        policy = Policy(root=root, file_permissions=0o400)
        write(root / "essay", policy, b"content")
        write(root / "essay", policy, b"replaced", replace=True)

        assert self.mode(root / "essay") == 0o400

    def test_a_folder_that_was_there_keeps_its_permissions(self, root):
        (root / "folder").mkdir(mode=0o700)
        policy = Policy(root=root, folder_permissions=0o777)

        fsops.make_folders(root / "folder" / "new", policy)

        assert self.mode(root / "folder") == 0o700
        assert self.mode(root / "folder" / "new") == 0o777

    def test_a_copy_has_the_permissions_of_the_policy(self, root):
        (root / "source").write_bytes(b"content")
        (root / "source").chmod(0o777)

        fsops.copy_file(
            root / "source", root / "copy", Policy(root=root, file_permissions=0o600)
        )

        assert self.mode(root / "copy") == 0o600


@pytest.mark.usefixtures("drafts")
class TestGroup:
    def test_nothing_is_visible_before_its_end_and_all_is_after_it(self, root, policy):
        with Group() as group:
            for n in range(20):
                write(root / f"{n % 3}" / f"{n}", policy, b"%d" % n, group=group)
            assert not list(root.rglob("[0-9]*/[0-9]*"))

        for n in range(20):
            assert (root / f"{n % 3}" / f"{n}").read_bytes() == b"%d" % n
        assert not list(root.rglob(".deliverystore-*"))

    def test_a_block_that_raises_leaves_nothing_behind(self, root, policy):
        def write_and_fail():
            with Group() as group:
                write_group(root, policy, group)
                raise Interruption

        with nothing_left_open(), pytest.raises(Interruption):
            write_and_fail()

        assert names_in(root) == []

    def test_copies_can_be_part_of_it(self, root, policy):
        (root / "source").write_bytes(b"content")

        with Group() as group:
            fsops.copy_file(root / "source", root / "copy", policy, group=group)
            assert not (root / "copy").exists()

        assert (root / "copy").read_bytes() == b"content"

    def test_more_files_than_a_process_can_have_open_go_through_it(self, root, policy):
        before = open_before()

        with Group() as group:
            for n in range(600):
                write(root / f"{n}", policy, b"%d" % n, group=group)
                assert len(list(Path("/proc/self/fd").iterdir())) < before + 300

        assert len(names_in(root)) == 600
        assert open_files() == before

    def test_a_name_that_is_taken_is_an_error_of_the_group(self, root, policy):
        (root / "1").write_bytes(b"old")

        with (
            nothing_left_open(),
            pytest.raises(FileExists, match="1 exists"),
            Group() as group,
        ):
            write_group(root, policy, group)

        assert (root / "1").read_bytes() == b"old"
        assert not list(root.glob(".deliverystore-*"))

    def test_a_file_that_is_closed_too_late_is_refused_not_lost_in_silence(
        self, root, policy
    ):
        with nothing_left_open():
            with Group() as group:
                late = fsops.new_file(root / "late", policy, group=group)

            with pytest.raises(ValueError, match="after its group had ended"):
                late.close()
            del late

        assert names_in(root) == []

    def test_a_sync_that_fails_publishes_nothing(self, root, monkeypatch):
        policy = Policy(root=root)

        with (
            nothing_left_open(),
            failing(monkeypatch, "fsync", errno.EIO, from_call=3) as calls,
            pytest.raises(OSError, match="Input/output error"),
            Group() as group,
        ):
            write_group(root, policy, group)

        assert len(calls) == 3
        assert names_in(root) == []


@pytest.mark.usefixtures("drafts")
class TestFailedSync:
    @pytest.mark.parametrize("replace", [False, True])
    def test_of_the_content_leaves_all_as_it_was_and_is_not_retried(
        self, root, monkeypatch, replace
    ):
        policy = Policy(root=root)
        if replace:
            (root / "essay").write_bytes(b"old")
        before = names_in(root)

        with (
            nothing_left_open(),
            failing(monkeypatch, "fsync", errno.EIO) as calls,
            pytest.raises(OSError, match="Input/output error"),
        ):
            write(root / "essay", policy, b"new", replace=replace)

        assert len(calls) == 1
        assert names_in(root) == before
        if replace:
            assert (root / "essay").read_bytes() == b"old"

    def test_of_the_folder_is_an_error_of_unknown_outcome(self, root, monkeypatch):
        with (
            nothing_left_open(),
            failing(monkeypatch, "fsync", errno.EIO, from_call=2) as calls,
            pytest.raises(OSError, match="Input/output error"),
        ):
            write(root / "essay", Policy(root=root), b"new")

        assert len(calls) == 2
        assert not list(root.glob(".deliverystore-*"))

    def test_of_a_new_folder_is_an_error(self, root, monkeypatch):
        with (
            nothing_left_open(),
            failing(monkeypatch, "fsync", errno.EIO),
            pytest.raises(OSError, match="Input/output error"),
        ):
            write(root / "folder" / "essay", Policy(root=root), b"new")

        assert names_in(root / "folder") == []


class TestSystemsWithoutUnnamedFiles:
    @pytest.mark.parametrize("error", [errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL])
    def test_a_temporary_name_is_used_instead(self, root, policy, monkeypatch, error):
        original = os.open

        def open_(path, flags, *args, **kwargs):
            if flags & os.O_TMPFILE == os.O_TMPFILE:
                raise OSError(error, os.strerror(error))
            return original(path, flags, *args, **kwargs)

        monkeypatch.setattr(os, "open", open_)
        file = fsops.new_file(root / "essay", policy)
        [temporary] = names_in(root)
        assert temporary.startswith(".deliverystore-")
        file.close()

        assert names_in(root) == ["essay"]

    def test_any_other_error_is_raised(self, root, policy, monkeypatch):
        with (
            failing(monkeypatch, "open", errno.ENOSPC),
            pytest.raises(OSError, match="No space left"),
        ):
            fsops.new_file(root / "essay", policy)


@pytest.mark.usefixtures("drafts")
class TestCopyFile:
    @pytest.fixture(params=["in the kernel", "through this process"])
    def way(self, request, monkeypatch):
        if request.param == "through this process":
            with failing_always(monkeypatch, "copy_file_range", errno.EXDEV):
                yield
        else:
            yield

    @pytest.mark.parametrize("content", [b"", b"content", LARGE * 3])
    def test_the_copy_is_equal_and_independent(self, root, policy, way, content):
        (root / "source").write_bytes(content)
        with nothing_left_open():
            fsops.copy_file(root / "source", root / "folder" / "copy", policy)
        (root / "source").write_bytes(b"changed")

        assert (root / "folder" / "copy").read_bytes() == content
        assert names_in(root / "folder") == ["copy"]

    def test_a_taken_name_is_not_replaced(self, root, policy, way):
        (root / "source").write_bytes(b"new")
        (root / "copy").write_bytes(b"old")

        with nothing_left_open(), pytest.raises(FileExists):
            fsops.copy_file(root / "source", root / "copy", policy)

        assert (root / "copy").read_bytes() == b"old"

    def test_it_replaces_if_asked_to(self, root, policy, way):
        (root / "source").write_bytes(b"new")
        (root / "copy").write_bytes(b"a long old content")

        fsops.copy_file(root / "source", root / "copy", policy, replace=True)

        assert (root / "copy").read_bytes() == b"new"

    def test_a_missing_source_is_an_error_and_makes_nothing(self, root, policy, way):
        with nothing_left_open(), pytest.raises(FileNotFoundError):
            fsops.copy_file(root / "missing", root / "folder" / "copy", policy)

        assert names_in(root) == []

    def test_a_copy_that_breaks_off_leaves_nothing(self, root, policy, monkeypatch):
        (root / "source").write_bytes(LARGE)

        with (
            nothing_left_open(),
            failing(monkeypatch, "copy_file_range", errno.EIO, from_call=2),
            pytest.raises(OSError, match="Input/output error"),
        ):
            fsops.copy_file(root / "source", root / "copy", policy)

        assert names_in(root) == ["source"]

    def test_a_file_whose_size_the_kernel_does_not_know_is_copied(self, root, policy):
        fsops.copy_file(Path("/proc/self/cmdline"), root / "copy", policy)

        assert (root / "copy").read_bytes() == Path("/proc/self/cmdline").read_bytes()


@contextmanager
def failing_always(monkeypatch, function, error):
    def fail(*args, **kwargs):
        raise OSError(error, os.strerror(error))

    with monkeypatch.context() as patch:
        patch.setattr(os, function, fail)
        yield


class TestMove:
    @pytest.fixture(params=["within a file system", "to another file system"])
    def way(self, request, monkeypatch):
        if request.param == "to another file system":
            original = os.link

            def link(source, target, **kwargs):
                if not kwargs and ".deliverystore-" not in str(source):
                    if os.path.lexists(target):
                        raise FileExistsError(errno.EEXIST, "File exists")
                    raise OSError(errno.EXDEV, "Invalid cross-device link")
                return original(source, target, **kwargs)

            monkeypatch.setattr(os, "link", link)

    @pytest.fixture
    def source(self, root):
        (root / "source").write_bytes(b"content")
        return root / "source"

    def test_the_file_has_its_new_name_only(self, root, policy, source, way):
        fsops.move(source, root / "folder" / "target", policy)

        assert (root / "folder" / "target").read_bytes() == b"content"
        assert names_in(root) == ["folder"]

    def test_another_file_is_never_replaced(self, root, policy, source, way):
        (root / "target").write_bytes(b"old")

        with pytest.raises(FileExists, match="target exists"):
            fsops.move(source, root / "target", policy)

        assert source.read_bytes() == b"content"
        assert (root / "target").read_bytes() == b"old"

    def test_a_missing_file_is_an_error(self, root, policy, way):
        with pytest.raises(FileNotFoundError):
            fsops.move(root / "missing", root / "target", policy)

    def test_a_move_that_was_killed_half_way_is_completed(self, root, policy, source):
        os.link(source, root / "target")

        fsops.move(source, root / "target", policy)

        assert names_in(root) == ["target"]
        assert (root / "target").read_bytes() == b"content"

    def test_a_file_that_is_moved_to_itself_is_not_lost(self, root, policy, source):
        with pytest.raises(FileExists):
            fsops.move(source, source, policy)
        with pytest.raises(FileExists):
            fsops.move(source, root / "folder" / ".." / "source", policy)
        (root / "again").symlink_to(root)
        with pytest.raises(FileExists):
            fsops.move(source, root / "again" / "source", policy)

        assert source.read_bytes() == b"content"

    def test_a_file_of_two_names_that_is_moved_to_itself_keeps_both(
        self, root, policy, source
    ):
        os.link(source, root / "other")

        with pytest.raises(FileExists):
            fsops.move(source, source, policy)

        assert names_in(root) == ["other", "source"]

    def test_a_file_is_not_lost_to_a_symlink_that_points_to_it(
        self, root, policy, source
    ):
        (root / "target").symlink_to(source)
        os.link(source, root / "other")

        with pytest.raises(FileExists):
            fsops.move(source, root / "target", policy)

        assert source.read_bytes() == b"content"

    def test_eight_threads_that_move_one_file_move_it_once(self, root, policy, source):
        moved = []

        def move(n):
            with suppress(FileNotFoundError):
                fsops.move(source, root / f"target{n}", policy)
                moved.append(n)

        in_threads(*(lambda n=n: move(n) for n in range(8)))

        contents = [p.read_bytes() for p in root.glob("target*")]
        assert moved
        assert set(contents) == {b"content"}
        assert not source.exists()

    def test_a_content_that_cannot_be_synced_is_not_moved(
        self, root, source, monkeypatch
    ):
        with (
            nothing_left_open(),
            failing(monkeypatch, "fsync", errno.EIO) as calls,
            pytest.raises(OSError, match="Input/output error"),
        ):
            fsops.move(source, root / "target", Policy(root=root))

        assert len(calls) == 1
        assert names_in(root) == ["source"]


@pytest.fixture(params=["renameat2", "a link", "no renameat2 here"])
def way_to_rename(request, monkeypatch):
    """Rename at once, or by two names where the system or the disk cannot do that."""
    if request.param == "a link":
        monkeypatch.setattr(fsops, "_renameat2", lambda: None)
    elif request.param == "no renameat2 here":

        def refuse(*args):
            ctypes.set_errno(errno.EINVAL)
            return -1

        monkeypatch.setattr(fsops, "_renameat2", lambda: refuse)


@pytest.mark.usefixtures("way_to_rename")
class TestRename:
    @pytest.fixture
    def source(self, root):
        (root / "source").write_bytes(b"content")
        return root / "source"

    @pytest.mark.parametrize("durability", Durability)
    def test_the_file_has_its_new_name_only(self, root, source, durability):
        policy = Policy(root=root, durability=durability)

        with nothing_left_open():
            fsops.rename(source, root / "target", policy)

        assert names_in(root) == ["target"]
        assert (root / "target").read_bytes() == b"content"

    def test_another_file_is_never_replaced(self, root, policy, source):
        (root / "target").write_bytes(b"old")

        with nothing_left_open(), pytest.raises(FileExists, match="target exists"):
            fsops.rename(source, root / "target", policy)

        assert source.read_bytes() == b"content"
        assert (root / "target").read_bytes() == b"old"

    def test_a_missing_file_or_folder_is_named(self, root, policy, source):
        with pytest.raises(FileNotFoundError, match="missing"):
            fsops.rename(root / "missing", root / "target", policy)
        with pytest.raises(FileNotFoundError, match="folder"):
            fsops.rename(source, root / "folder" / "target", policy)

        assert names_in(root) == ["source"]

    def test_of_eight_threads_that_rename_one_file_one_does(self, root, policy, source):
        renamed = []

        def rename(n):
            with suppress(FileNotFoundError, FileExistsError):
                fsops.rename(source, root / "target", policy)
                renamed.append(n)

        in_threads(*(lambda n=n: rename(n) for n in range(8)))

        assert len(renamed) == 1
        assert names_in(root) == ["target"]

    def test_a_content_that_cannot_be_synced_is_not_renamed(
        self, root, source, monkeypatch
    ):
        with (
            nothing_left_open(),
            failing(monkeypatch, "fsync", errno.EIO),
            pytest.raises(OSError, match="Input/output error"),
        ):
            fsops.rename(source, root / "target", Policy(root=root))

        assert names_in(root) == ["source"]


def test_a_rename_by_two_names_that_was_killed_half_way_is_completed(
    root, policy, monkeypatch
):
    monkeypatch.setattr(fsops, "_renameat2", lambda: None)
    (root / "source").write_bytes(b"content")
    os.link(root / "source", root / "target")

    fsops.rename(root / "source", root / "target", policy)

    assert names_in(root) == ["target"]


def test_a_rename_by_two_names_is_not_disturbed_between_its_steps(
    root, policy, monkeypatch
):
    monkeypatch.setattr(fsops, "_renameat2", lambda: None)
    source, target, link = root / "source", root / "target", os.link
    source.write_bytes(b"content")
    threads, seen = [], []

    def rename():
        with suppress(FileNotFoundError):
            fsops.rename(source, target, policy)
            seen.append("another one did")

    def linked(*args):
        monkeypatch.setattr(os, "link", link)
        link(*args)
        threads.append(threading.Thread(target=rename))
        threads[0].start()
        threads[0].join(0.3)
        seen.append(source.exists())

    monkeypatch.setattr(os, "link", linked)
    fsops.rename(source, target, policy)
    threads[0].join()

    assert seen == [True]
    assert names_in(root) == ["target"]


class TestTaking:
    def test_what_is_taken_is_there_under_its_new_name(self, root):
        (root / "a").write_bytes(b"content")

        assert fsops.take(f"{root}/a", f"{root}/b")
        assert not fsops.take(f"{root}/a", f"{root}/c")
        assert names_in(root) == ["b"]

    def test_what_is_dropped_is_gone(self, root):
        (root / "a").write_bytes(b"content")

        assert fsops.drop(f"{root}/a")
        assert not fsops.drop(f"{root}/a")
        assert names_in(root) == []


class TestFolders:
    def test_parents_are_made_and_a_second_time_is_no_error(self, root, policy):
        fsops.make_folders(root / "a" / "b" / "c", policy)
        fsops.make_folders(root / "a" / "b" / "c", policy)

        assert (root / "a" / "b" / "c").is_dir()

    def test_the_root_itself_is_made(self, tmp_path):
        root = tmp_path / "not" / "yet" / "there"

        write(root / "essay", Policy(root=root), b"content")

        assert (root / "essay").read_bytes() == b"content"

    def test_a_file_in_the_place_of_a_folder_is_an_error(self, root, policy):
        (root / "a").write_bytes(b"")

        with pytest.raises(FileExistsError):
            fsops.make_folders(root / "a", policy)

    def test_eight_threads_can_make_the_same_folders(self, root, policy):
        folder = root.joinpath(*map(str, range(20)))

        in_threads(*[lambda: fsops.make_folders(folder, policy)] * 8)

        assert folder.is_dir()

    def test_a_folder_is_removed_only_if_it_is_empty(self, root, policy):
        write(root / "folder" / "essay", policy, b"")
        with pytest.raises(OSError, match="not empty"):
            fsops.remove_folder(root / "folder", policy)

        fsops.remove(root / "folder" / "essay", policy)
        fsops.remove_folder(root / "folder", policy)

        assert names_in(root) == []

    def test_empty_parents_are_removed_up_to_the_root(self, root, policy):
        (root / "a" / "b" / "c").mkdir(parents=True)

        fsops.remove_empty_folders(root / "a" / "b" / "c", policy)

        assert names_in(root) == []
        assert root.is_dir()

    def test_parents_with_other_files_stay(self, root, policy):
        (root / "a" / "b").mkdir(parents=True)
        (root / "a" / "essay").write_bytes(b"")

        fsops.remove_empty_folders(root / "a" / "b", policy)

        assert names_in(root / "a") == ["essay"]

    def test_folders_outside_of_the_root_are_left_alone(self, tmp_path, root, policy):
        (tmp_path / "outside").mkdir()

        fsops.remove_empty_folders(tmp_path / "outside", policy)

        assert (tmp_path / "outside").is_dir()

    def test_removing_a_missing_file_is_an_error(self, root, policy):
        with pytest.raises(FileNotFoundError):
            fsops.remove(root / "missing", policy)

    @pytest.mark.usefixtures("drafts")
    def test_writers_are_not_disturbed_by_those_who_remove_empty_folders(
        self, root, policy
    ):
        folder = root / "0" / "0"

        def write_and_remove(n):
            for i in range(60):
                path = folder / f"{n}" / f"{i}"
                write(path, policy, b"content")
                assert path.read_bytes() == b"content"
                fsops.remove(path, policy)
                fsops.remove_empty_folders(path.parent, policy)

        in_threads(*(lambda n=n: write_and_remove(n) for n in range(4)))

        assert names_in(root) == []


class TestAppending:
    @pytest.fixture
    def path(self, root):
        (root / "upload").write_bytes(b"0123456789")
        return root / "upload"

    def test_chunks_are_written_from_the_offset_on_and_the_rest_is_cut(
        self, path, policy
    ):
        with fsops.exclusive(path) as file:
            assert fsops.append(file, 4, [b"abc", b"", b"de"], policy) == 5
            assert path.read_bytes() == b"0123abcde"

    def test_nothing_can_follow_what_is_not_there(self, path, policy):
        with (
            fsops.exclusive(path) as file,
            pytest.raises(FileDamaged, match="has lost bytes before byte 11"),
        ):
            fsops.append(file, 11, [b"abc"], policy)

        assert path.read_bytes() == b"0123456789"

    def test_chunks_that_break_off_leave_what_was_before_the_offset(self, path, policy):
        def breaking_off():
            yield b"abc"
            raise ConnectionResetError

        with fsops.exclusive(path) as file:
            with pytest.raises(ConnectionResetError):
                fsops.append(file, 4, breaking_off(), policy)
            assert fsops.append(file, 4, [b"XYZ"], policy) == 3

        assert path.read_bytes() == b"0123XYZ"

    def test_it_is_synced_when_the_call_returns(self, path, root, monkeypatch):
        with (
            nothing_left_open(),
            failing(monkeypatch, "fsync", errno.EIO) as calls,
            pytest.raises(OSError, match="Input/output error"),
            fsops.exclusive(path) as file,
        ):
            fsops.append(file, 0, [b"abc"], Policy(root=root))

        assert len(calls) == 1

    def test_only_one_has_the_file_at_a_time(self, path):
        with (
            fsops.exclusive(path),
            pytest.raises(BlockingIOError),
            fsops.exclusive(path),
        ):
            pass

        with fsops.exclusive(path):
            pass

    def test_a_file_that_is_missing_or_removed_just_now_is_an_error(
        self, path, monkeypatch
    ):
        original = fcntl.flock

        def remove_and_lock(*args):
            path.unlink()
            return original(*args)

        monkeypatch.setattr(fcntl, "flock", remove_and_lock)
        with pytest.raises(FileNotFoundError, match="removed just now"):
            fsops.exclusive(path).__enter__()
        with pytest.raises(FileNotFoundError):
            fsops.exclusive(path).__enter__()


@pytest.mark.parametrize(
    ("seconds", "year"), [(0, 1970), (1e13, 9999), (-1e13, 1900), (1.5e9, 2017)]
)
def test_every_time_that_a_file_can_have_is_one_of_the_calendar(seconds, year):
    changed = fsops.changed(seconds)

    assert changed.year == year
    for hours in (-15, 15):
        assert changed.astimezone(timezone(timedelta(hours=hours)))


def test_a_temporary_file_is_written_and_its_folder_made(root, policy):
    folder = root / "a" / "b"
    path = fsops.write_temporary(folder, [b"one", b"", b"two"], policy)

    assert Path(path).read_bytes() == b"onetwo"
    assert [is_temporary(entry.name) for entry in folder.iterdir()] == [True]


def test_a_temporary_file_that_breaks_leaves_nothing(root, policy):
    def chunks():
        yield b"some"
        raise Interruption

    with pytest.raises(Interruption), nothing_left_open():
        fsops.write_temporary(root, chunks(), policy)

    assert names_in(root) == []


def test_a_second_name_takes_the_place_of_what_is_there(tmp_path):
    (tmp_path / "new").write_bytes(b"new")
    (tmp_path / "old").write_bytes(b"old")
    for _ in range(2):
        # Of two names of one file, neither goes.
        fsops.add_name(str(tmp_path / "new"), str(tmp_path / "old"))
    fsops.add_name(str(tmp_path / "new"), str(tmp_path / "other"))

    found = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert found == {"new": b"new", "old": b"new", "other": b"new"}


def test_a_mark_is_an_empty_file(tmp_path):
    for _ in range(2):
        fsops.mark(str(tmp_path / "mark"))

    assert (tmp_path / "mark").read_bytes() == b""


@pytest.fixture
def file(tmp_path):
    """Return a file of which the system tells whether it is open for writing."""
    file = tmp_path / "file"
    with file.open("wb"):
        if not fsops.is_open_for_writing(str(file)):
            pytest.skip("the system does not tell who writes")
    return file


@pytest.mark.parametrize("mode", ["ab", "r+b"])
def test_a_file_is_open_for_writing_until_all_have_closed_it(file, mode):
    with file.open(mode):
        with file.open(mode):
            assert fsops.is_open_for_writing(str(file))
        assert fsops.is_open_for_writing(str(file))

    with file.open("rb"):
        assert not fsops.is_open_for_writing(str(file))


def test_a_file_that_is_mapped_for_writing_is_open(file):
    file.write_bytes(b"content")
    with file.open("r+b") as opened:
        content = mmap.mmap(opened.fileno(), 0)

    with content:
        assert fsops.is_open_for_writing(str(file))
    assert not fsops.is_open_for_writing(str(file))


def test_a_question_leaves_no_lease_in_a_process_that_starts_meanwhile(
    file, monkeypatch
):
    # As a process that is being started has it until it runs another program.
    kept = []
    monkeypatch.setattr(os, "close", kept.append)
    fsops.is_open_for_writing(str(file))
    monkeypatch.undo()

    fd = os.open(file, os.O_WRONLY | os.O_NONBLOCK)
    for one in [*kept, fd]:
        os.close(one)
    assert len(kept) == 1


def test_who_opens_a_file_in_the_middle_of_the_question_ends_nobody(file):
    ask = """
import fcntl, subprocess, sys
from deliverystore import fsops

asked = fcntl.fcntl

def ask(fd, command, argument):
    result = asked(fd, command, argument)
    if (command, argument) == (fcntl.F_SETLEASE, fcntl.F_RDLCK):
        subprocess.run([sys.executable, "-c", f'''
import os
try:
    os.open({sys.argv[1]!r}, os.O_WRONLY | os.O_NONBLOCK)
except BlockingIOError:
    print("held", flush=True)
'''])
    return result

fcntl.fcntl = ask
print(fsops.is_open_for_writing(sys.argv[1]))
"""
    arguments = [sys.executable, "-c", ask, str(file)]

    said = subprocess.run(arguments, check=True, capture_output=True, text=True)

    assert said.stdout.split() == ["held", "False"]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EINVAL])
def test_where_the_system_tells_nothing_no_file_is_open_for_writing(
    file, monkeypatch, number
):
    def refuse(*arguments):
        raise OSError(number, os.strerror(number))

    with file.open("ab"):
        monkeypatch.setattr(fcntl, "fcntl", refuse)
        assert not fsops.is_open_for_writing(str(file))
        monkeypatch.undo()
        monkeypatch.delattr(fcntl, "F_SETLEASE")
        assert not fsops.is_open_for_writing(str(file))


def test_what_is_no_file_is_not_open_for_writing(file, tmp_path):
    (tmp_path / "link").symlink_to(file)
    os.mkfifo(tmp_path / "pipe")

    with file.open("ab"):
        for name in ("link", "pipe", "missing"):
            assert not fsops.is_open_for_writing(str(tmp_path / name))


def test_only_one_at_a_time_is_alone_in_a_folder(tmp_path):
    order = []

    def other():
        with fsops.alone_in(tmp_path):
            order.append("other")

    with fsops.alone_in(tmp_path):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(0.1)
        order.append("first")
    thread.join()

    assert order == ["first", "other"]

"""The temporary folder of one job."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time

import pytest

from deliverystore.backends import MemoryDeliveryStore
from deliverystore.exceptions import FileNotFound, InvalidName, SettingInvalid
from deliverystore.publishing import (
    BasicFileStorage,
    StorageInterface,
    WorkbenchManager,
)
from deliverystore.publishing.workbench import _own_folder

PHOTO = ["dir1", "photo.jpg"]


@pytest.fixture
def manager(tmp_path):
    return WorkbenchManager(tmp_path / "benches")


@pytest.fixture
def local(tmp_path):
    storage = BasicFileStorage(tmp_path / "media")
    storage.store_unique(PHOTO, b"a photo")
    return storage


@pytest.fixture
def remote():
    storage = StorageInterface(MemoryDeliveryStore())
    storage.store_unique(PHOTO, b"a photo")
    return storage


def make_old(path):
    os.utime(path, (time.time() - 7200,) * 2)


def test_a_workbench_is_gone_when_its_block_ends(manager):
    bench = manager.create()
    with contextlib.suppress(ValueError), bench:
        bench.joinpath("a.txt").write_text("x")
        raise ValueError

    assert list(manager.base.iterdir()) == []
    bench.destroy()


def test_nobody_else_may_look_into_it(manager):
    with manager.create() as bench:
        assert bench.path.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("part", ["../x", "/etc/passwd", "a/../../b"])
def test_a_path_does_not_leave_it(manager, part):
    with manager.create() as bench, pytest.raises(InvalidName, match="leaves"):
        bench.joinpath(part)


def test_a_file_of_a_local_storage_is_where_it_is(manager, local):
    with manager.create() as bench:
        path = bench.localized_file(local, PHOTO)

        assert str(path) == local.get_local_path(PHOTO)
    assert path.read_bytes() == b"a photo"


def test_who_wants_to_write_gets_a_copy(manager, local):
    with manager.create() as bench:
        path = bench.localized_file(local, PHOTO, writable=True)
        path.write_bytes(b"something else")

    with local.get_file(PHOTO) as file:
        assert file.read() == b"a photo"


def test_a_file_of_a_remote_storage_is_copied(manager, remote):
    with manager.create() as bench:
        path = bench.localized_file(remote, PHOTO)

        assert path == bench.path / "photo.jpg"
        assert path.read_bytes() == b"a photo"


def test_a_copy_keeps_its_extension_under_another_name(manager, remote):
    with manager.create() as bench:
        named = bench.localized_file(remote, PHOTO, "source")
        again = bench.localized_file(remote, PHOTO, "source")
        bare = bench.localized_file(
            remote, PHOTO, "source", keep_extension_if_copying=False
        )

        assert [path.name for path in (named, again, bare)] == [
            "source.jpg",
            "source-2.jpg",
            "source",
        ]


def test_what_is_not_stored_cannot_be_copied(manager, remote):
    with manager.create() as bench, pytest.raises(FileNotFound):
        bench.localized_file(remote, ["gone.jpg"])


def test_only_old_workbenches_that_nobody_holds_are_cleared(manager):
    old, new = manager.base / f"{1:016x}", manager.base / f"{2:016x}"
    with manager.create() as held:
        for path in (old, new):
            path.mkdir()
        (old / "large.bin").write_bytes(b"x")
        make_old(old)
        make_old(held.path)

        assert manager.clear(older_than=3600) == [old]

        assert held.path.is_dir()
        assert new.is_dir()


def test_what_is_no_workbench_stays_whatever_folder_is_named(manager):
    """It may be that of the deliveries, or of all temporary files."""
    for name in ("1", "2026", "photos", "A" * 16, "f" * 17):
        (manager.base / name).mkdir(parents=True)
        make_old(manager.base / name)

    assert manager.clear(older_than=0) == []
    assert len(list(manager.base.iterdir())) == 5


def test_the_workbench_of_a_killed_process_is_cleared(manager):
    code = (
        "import sys, os, signal\n"
        "from deliverystore.publishing.workbench import WorkbenchManager\n"
        f"bench = WorkbenchManager({str(manager.base)!r}).create()\n"
        "print(bench.path, flush=True)\n"
        "sys.stdin.readline()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", f"import django; django.setup()\n{code}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        path = process.stdout.readline().strip()
        assert manager.clear(older_than=0) == []
        process.stdin.write("\n")
        process.stdin.close()

    assert [str(one) for one in manager.clear(older_than=0)] == [path]
    assert list(manager.base.iterdir()) == []


def test_without_a_folder_there_is_nothing_to_clear(tmp_path):
    assert WorkbenchManager(tmp_path / "none").clear(older_than=0) == []


def test_the_base_is_that_of_the_settings(settings, tmp_path):
    settings.DELIVERY_STORE_WORKBENCH_ROOT = tmp_path / "set"

    assert WorkbenchManager().base == tmp_path / "set"


def test_without_a_setting_the_base_belongs_to_this_user_alone(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = tmp_path / f"deliverystore-workbench-{os.getuid()}"

    with WorkbenchManager().create() as bench:
        assert bench.path.parent == folder
    assert folder.stat().st_mode & 0o777 == 0o700

    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(SettingInvalid, match="belongs to somebody else"):
        _own_folder()

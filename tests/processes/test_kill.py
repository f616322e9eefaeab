"""A process that is killed while it takes a file in."""

from __future__ import annotations

import signal

import pytest

pytestmark = pytest.mark.processes


@pytest.fixture
def killed(project):
    """Make a project in which an upload was killed in the middle."""
    with project.start("tests.processes.slow_upload") as process:
        assert process.stdout.readline() == "hangs\n"
        process.send_signal(signal.SIGKILL)
    return project


def test_nothing_of_the_broken_upload_is_on_the_disk(killed):
    assert len(killed.files()) == 1
    names = "list(FileMeta.objects.exclude(completed=None).values_list('filename'))"
    assert killed.query(names) == [["hello.txt"]]


def test_the_delivery_is_not_finished_without_the_file(killed):
    with pytest.raises(AssertionError, match=r"still receiving large\.bin"):
        killed.query("Delivery.objects.get().finish()")


def test_the_upload_can_be_repeated_and_the_delivery_finished(killed):
    killed.query("[Delivery.objects.get().add_file('large.bin', 'x').size]")
    killed.query("Delivery.objects.get().finish()")

    verified = "[c for _, c in Delivery.objects.get().verify()]"
    assert killed.query(verified) == ["intact", "intact"]


def test_the_broken_file_can_be_removed_and_the_delivery_finished(killed):
    killed.query("FileMeta.objects.get(filename='large.bin').delete()[0]")
    killed.query("Delivery.objects.get().finish()")

    assert killed.query("[Delivery.objects.get().file_count]") == [1]

"""The command that compares a receipt with what is stored."""

from __future__ import annotations

import io
import json
import os
import signal

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command

from deliverystore.backends import MemoryDeliveryStore
from deliverystore.management.progress import Progress
from deliverystore.models import FileMeta
from deliverystore.testing import override_delivery_store
from tests.factories import finished_delivery

pytestmark = pytest.mark.django_db


@pytest.fixture
def delivery():
    return finished_delivery(files=[("a.txt", b"1"), ("b.txt", b"22")])


@pytest.fixture
def receipt(delivery, tmp_path):
    path = tmp_path / "receipt.json"
    path.write_text(json.dumps(delivery.receipt()))
    return path


def test_it_says_of_each_file_that_it_is_intact(receipt):
    output = io.StringIO()

    call_command("verify_receipt", receipt, stdout=output)

    lines = output.getvalue().splitlines()
    assert "intact" in lines[1]
    assert lines[1].endswith("a.txt")
    assert lines[2].endswith("b.txt")


def test_it_fails_naming_what_is_not(receipt, delivery):
    FileMeta.deliverystore.remove(delivery.files.first())
    output = io.StringIO()

    with pytest.raises(CommandError, match="do not agree") as raised:
        call_command("verify_receipt", receipt, stdout=output)

    assert raised.value.returncode == 1
    assert "missing" in output.getvalue().splitlines()[1]


def test_it_refuses_what_is_no_receipt(tmp_path):
    (tmp_path / "receipt.json").write_text("{}")

    for name in ("receipt.json", "missing.json"):
        with pytest.raises(CommandError, match=name) as raised:
            call_command("verify_receipt", tmp_path / name)
        assert raised.value.returncode == 2


def test_it_says_it_as_json(receipt, delivery):
    FileMeta.deliverystore.remove(delivery.files.first())
    output = io.StringIO()

    with pytest.raises(CommandError):
        call_command("verify_receipt", receipt, "--json", stdout=output)

    said = json.loads(output.getvalue())
    assert (said["delivery"], said["exists"], said["agrees"]) == (
        delivery.pk,
        True,
        False,
    )
    assert [(f["name"], f["size"], f["condition"]) for f in said["files"]] == [
        ("a.txt", 1, "missing"),
        ("b.txt", 2, "intact"),
    ]


def test_it_says_that_the_delivery_is_gone(receipt, delivery):
    delivery.delete()
    output = io.StringIO()

    with pytest.raises(CommandError, match="is gone") as raised:
        call_command("verify_receipt", receipt, stdout=output)

    assert raised.value.returncode == 1
    assert output.getvalue().count("missing") == 2


def test_it_says_that_all_rows_of_the_delivery_are_gone(receipt, delivery):
    delivery.files.all().delete_with_removals()
    output = io.StringIO()

    with pytest.raises(
        CommandError, match="Changed in the delivery: first_byte"
    ) as raised:
        call_command("verify_receipt", receipt, stdout=output)

    assert raised.value.returncode == 1
    assert output.getvalue().count("missing") == 2


class Unreadable(MemoryDeliveryStore):
    """Fails for one name, as a disk may."""

    def _open(self, name, mode="rb"):
        raise PermissionError(13, "Permission denied", name)


def test_why_a_file_cannot_be_read_is_said_and_not_logged(receipt, delivery, caplog):
    output = io.StringIO()
    with override_delivery_store(Unreadable()) as store:
        store.save(name := store.name_of(delivery.files.first()), ContentFile(b"1"))
        with pytest.raises(CommandError, match="do not agree"):
            call_command("verify_receipt", receipt, stdout=output)
        document = io.StringIO()
        with pytest.raises(CommandError):
            call_command("verify_receipt", receipt, "--json", stdout=document)

    said = f"[Errno 13] Permission denied: '{name}'"
    assert output.getvalue().splitlines()[1].endswith(f"a.txt: {said}")
    assert "unreadable" in output.getvalue()
    first = json.loads(document.getvalue())["files"][0]
    assert (first["condition"], first["reason"]) == ("unreadable", said)
    assert caplog.text == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_and_what_was_read_is_said(
    receipt, delivery, monkeypatch, number
):
    original = Progress.advance

    def interrupt(bar, count=1):
        original(bar, count)
        if count:
            os.kill(os.getpid(), number)

    monkeypatch.setattr(Progress, "advance", interrupt)
    output = io.StringIO()

    with pytest.raises(CommandError, match="Stopped before the end") as raised:
        call_command("verify_receipt", receipt, "--json", stdout=output)

    assert raised.value.returncode == 2
    said = json.loads(output.getvalue())
    assert (said["agrees"], said["unread"]) == (False, 2 - len(said["files"]))
    assert said["unread"] >= 1


def test_a_bar_counts_the_bytes_that_are_read(receipt, delivery, monkeypatch):
    counts = []
    monkeypatch.setattr(Progress, "advance", lambda bar, count=1: counts.append(count))

    call_command("verify_receipt", receipt, stdout=io.StringIO())

    assert sum(counts) == 3

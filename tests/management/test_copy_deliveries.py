"""The command that copies into another store."""

from __future__ import annotations

import io
import json
import os
import re
import signal

import pytest
from django.core.management import CommandError, call_command

from deliverystore.backends import MemoryDeliveryStore
from deliverystore.backends.handler import store_for
from deliverystore.models import FileMeta
from tests.factories import finished_delivery

pytestmark = pytest.mark.django_db


class Silent(MemoryDeliveryStore):
    def _exists(self, name):
        raise OSError("The service does not answer.")


@pytest.fixture(autouse=True)
def stores(settings, tmp_path):
    """Have other stores in the settings, and two files in the one in use."""
    backend = {"BACKEND": "deliverystore.backends.FsHierDeliveryStore"}
    settings.STORAGES = {
        **settings.STORAGES,
        "new": {**backend, "OPTIONS": {"root": tmp_path / "new"}},
        "newer": {**backend, "OPTIONS": {"root": tmp_path / "newer"}},
        "same": backend,
        "silent": {"BACKEND": f"{__name__}.Silent"},
    }
    finished_delivery(files=[("a.txt", b"aaa"), ("b.txt", b"bb")])


def run(*arguments):
    """Return what the command prints, and its exit code."""
    output = io.StringIO()
    try:
        call_command("copy_deliveries", *arguments, stdout=output)
    except CommandError as error:
        return output.getvalue() or str(error), error.returncode
    return output.getvalue(), 0


def words(text):
    return re.sub(r"\s+", " ", text).strip()


def first_file():
    return FileMeta.objects.order_by("pk").first()


def damage(file):
    with FileMeta.deliverystore.write_open(file) as opened:
        opened.write("bbb")


def test_it_copies_from_the_store_in_use_into_another():
    assert [run("--to", "new", "--dry-run")[1], run("--to", "new")[1]] == [0, 0]

    with store_for("new").read_open(first_file()) as opened:
        assert opened.read() == b"aaa"
    text, code = run("--to", "new")
    assert words(text) == "0 copied 0 bytes 2 present with the right size"
    assert code == 0


def test_it_says_what_it_has_done_and_what_it_would_do():
    assert words(run("--to", "new", "--dry-run")[0]) == "2 to copy 5 bytes"
    assert words(run("--to", "new")[0]) == "2 copied 5 bytes"
    assert words(run("--to", "new", "--verify")[0]).endswith("with the right content")


def test_it_copies_from_another_store_into_the_one_in_use():
    run("--to", "new")
    FileMeta.deliverystore.remove(first_file())

    text, code = run("--from", "new", "--jobs", "2")

    assert words(text) == "1 copied 3 bytes 1 present with the right size"
    assert code == 0
    assert first_file().get_all_data_as_string() == b"aaa"


def test_it_copies_from_one_other_store_into_another():
    run("--to", "new")
    FileMeta.deliverystore.remove(first_file())

    assert run("--from", "new", "--to", "newer")[1] == 0
    assert store_for("newer").exists(first_file())


def test_the_fallback_is_neither_copied_from_nor_taken_for_the_store_in_use(settings):
    run("--to", "new")
    FileMeta.deliverystore.remove(file := first_file())
    settings.DELIVERY_STORE_FALLBACK = "new"

    assert run("--to", "newer")[1] == 1
    assert words(run("--from", "new")[0]).startswith("1 copied")
    settings.DELIVERY_STORE_FALLBACK = None
    assert file.get_all_data_as_string() == b"aaa"


def test_what_cannot_be_copied_is_named_and_the_exit_code_is_1():
    damage(file := first_file())

    text, code = run("--to", "new")

    assert code == 1
    assert text.startswith(
        f"damaged: delivery {file.delivery_id}, file {file.pk} 'a.txt': "
    )
    assert words(text).endswith(
        "1 copied 2 bytes 1 damaged the source has other bytes than were handed in; "
        "see: manage.py check_deliveries"
    )


def test_what_differs_is_replaced_on_demand():
    run("--to", "new")
    damage(first_file())

    assert run("--from", "new", "--verify")[1] == 1
    assert run("--from", "new", "--verify", "--replace")[1] == 0
    assert first_file().get_all_data_as_string() == b"aaa"


def test_json_is_one_document():
    damage(file := first_file())

    text, code = run("--to", "new", "--json")

    document = json.loads(text)
    [problem] = document["problems"]
    assert "changed in the store" in problem.pop("reason")
    assert problem == {
        "outcome": "damaged",
        "delivery_id": file.delivery_id,
        "filemeta_id": file.pk,
        "filename": "a.txt",
    }
    assert document["files"]["copied"] == 1
    assert document["bytes"] == {
        **dict.fromkeys(document["files"], 0),
        "copied": 2,
        "damaged": 3,
    }
    assert (document["dry_run"], document["stopped"], code) == (False, False, 1)


def test_json_without_problems_is_one_document_too():
    document = json.loads(run("--to", "new", "--json", "--dry-run")[0])

    assert document["problems"] == []
    assert document["dry_run"] is True


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Name a store in STORAGES"),
        (["--to", "nowhere"], "STORAGES has no 'nowhere'; it has: default"),
        (["--to", "new", "--from", "new"], "'new' and 'new' are the same place"),
        (["--to", "same"], "the store in use and 'same' are the same place"),
        (["--to", "silent"], "Could not copy: The service does not answer"),
        (["--to", "new", "--jobs", "0"], "'0' is no number from 1 on"),
        (["--to", "new", "--jobs", "two"], "'two' is no number from 1 on"),
    ],
)
def test_what_cannot_begin_has_the_exit_code_2(arguments, message):
    text, code = run(*arguments)

    assert re.search(message, text)
    assert code == 2 or "--jobs" in arguments


def test_a_source_that_is_not_mounted_is_said_after_what_was_done(
    monkeypatch, settings
):
    monkeypatch.setattr("deliverystore.copying.running._GIVE_UP_AFTER", 1)
    settings.DELIVERY_STORE_ROOT = f"{settings.DELIVERY_STORE_ROOT}-unmounted"
    output = io.StringIO()

    with pytest.raises(CommandError, match="Could not copy: The source has none") as e:
        call_command("copy_deliveries", "--to=new", "--json", "--jobs=1", stdout=output)

    assert e.value.returncode == 2
    document = json.loads(output.getvalue())
    assert (document["files"]["missing"], document["stopped"]) == (1, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_and_it_says_how_to_go_on(number, monkeypatch):
    taken = []

    def interrupt(bar, count=1):
        taken.append(count)
        os.kill(os.getpid(), number)

    monkeypatch.setattr("deliverystore.management.progress.Progress.advance", interrupt)

    text, code = run("--to", "new", "--jobs", "1")

    assert "Stopped before the end. The same command goes on there." in text
    assert code == 2
    monkeypatch.undo()
    assert run("--to", "new")[1] == 0

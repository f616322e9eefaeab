"""The command that checks everything that is stored."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError

from deliverystore.backends import FsDeliveryStore, MemoryDeliveryStore
from deliverystore.backends.fallback import FallbackDeliveryStore
from deliverystore.exceptions import StoreUnavailable
from deliverystore.models import Check, Condition, FileMeta
from deliverystore.testing import override_delivery_store
from tests.checking.conftest import falsify, hand_in, lay, path_of

pytestmark = pytest.mark.django_db(transaction=True)


def said(*arguments, code=0):
    """Return what the command prints; it must end with this exit code."""
    output = io.StringIO()
    if code == 0:
        call_command("check_deliveries", *arguments, stdout=output)
        return output.getvalue()
    with pytest.raises(CommandError) as raised:
        call_command("check_deliveries", *arguments, stdout=output)
    assert raised.value.returncode == code
    return f"{output.getvalue()}{raised.value}"


@pytest.fixture
def other_stores(settings, tmp_path):
    backend = "deliverystore.backends.FsDeliveryStore"
    for name in ("backup", "quarantine"):
        options = {"root": tmp_path / name}
        settings.STORAGES = {
            **settings.STORAGES,
            name: {"BACKEND": backend, "OPTIONS": options},
        }
    return tmp_path


def back_up(folder):
    for file in FileMeta.objects.all():
        path = folder / "backup" / str(file.delivery_id) / str(file.pk)
        path.parent.mkdir(parents=True)
        path.write_bytes(path_of(file).read_bytes())


def test_it_says_how_much_was_checked_and_that_all_is_well():
    hand_in(2)
    text = said()

    assert "deliveries                     2\n" in text
    assert "files                          2  (22 bytes read)\n" in text
    assert "names in the store             2\n" in text
    assert text.endswith("Complete: everything is stored as it was handed in.\n")


def test_it_shows_what_it_found_and_what_to_do_next():
    broken, _ = hand_in(2)
    falsify(broken.files.get())
    lay("0/0/7/777", b"whose?")
    text = said(code=1)

    name = FileMeta.deliverystore.name_of(broken.files.get())
    assert "KIND          DELIVERY  FILE  NAME IN THE STORE  REPAIRED  DETAIL" in text
    assert f"\nwrong digest  {broken.pk}" in text
    assert f"  {name}  " in text
    assert "\nstray " in text
    assert "wrong digest: other bytes than handed in; restore it: " in text
    assert "stray: bytes without a row; set them aside: " in text
    assert text.endswith("Complete, with findings.\nFindings: 2.")


def test_many_findings_are_cut():
    for number in range(60):
        lay(f"0/0/7/{number + 700}")

    assert "… and 10 more: see the admin, or --json." in said(code=1)


def test_it_stops_at_its_limits_and_goes_on():
    hand_in(3)

    text = said("--max-bytes", "12B")
    assert "Stopped at its limit at: files. The same command goes on there." in text
    text = said("--max-seconds", "100")
    assert f"Goes on with check {Check.objects.get().pk} of" in text
    assert "Complete: " in text


def test_as_json_it_prints_one_document():
    [delivery] = hand_in(1)
    path_of(delivery.files.get()).unlink()
    output = io.StringIO()
    with pytest.raises(CommandError):
        call_command("check_deliveries", "--json", "--subset=1/1", stdout=output)

    document = json.loads(output.getvalue())
    assert document["ending"] == "complete"
    assert (document["files"], document["found"], document["names"]) == (1, 1, 0)
    [finding] = document["findings"]
    assert finding["kind"] == "missing"
    assert finding["delivery_id"] == delivery.pk
    assert finding["filemeta_id"] == delivery.files.get().pk


def test_it_repairs_at_once(other_stores):
    broken, _ = hand_in(2)
    back_up(other_stores)
    falsify(broken.files.get())
    lay("0/0/7/777", b"whose?")
    options = ["--repair", "--restore-from=backup", "--quarantine-to=quarantine"]

    text = said(*options, "--dry-run", code=1)
    assert "0/0/7/777: would be quarantined\n" in text
    text = said(*options, "--last", code=1)
    name = FileMeta.deliverystore.name_of(broken.files.get())
    assert f"{name}: restored\n" in text
    assert "Nothing is left to repair." in text
    assert Check.objects.count() == 1
    assert "Complete: everything" in said(*options)
    assert Check.objects.count() == 2


def test_as_json_it_says_what_was_repaired(other_stores):
    hand_in(1)
    lay("0/0/7/777", b"whose?")
    output = io.StringIO()
    options = ["--json", "--repair", "--quarantine-to=quarantine"]
    with pytest.raises(CommandError):
        call_command("check_deliveries", *options, stdout=output)

    document = json.loads(output.getvalue())
    assert document["dry_run"] is False
    assert [one["done"] for one in document["repairs"]] == ["quarantined"]
    assert document["findings"][0]["repaired"] == "quarantined"


def test_it_says_why_something_is_not_repaired(other_stores):
    [delivery] = hand_in(1)
    falsify(delivery.files.get())

    text = said("--repair", "--restore-from=backup", code=1)
    assert "not repaired. The other store has not got it" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--repair"], "--repair needs --restore-from or --quarantine-to"),
        (["--restore-from=backup"], "go with --repair"),
        (["--repair", "--restore-from=nowhere"], "STORAGES has no 'nowhere'"),
        (["--repair", "--restore-from=backup", "--last"], "there was no check"),
        (["--repair", "--quarantine-to=same"], "is the store that is checked"),
        (["--repair", "--quarantine-to=below"], "lies in the folder of the store"),
    ],
)
def test_what_it_cannot_do_has_an_exit_code_of_its_own(
    other_stores, settings, arguments, words
):
    backend = {"BACKEND": "deliverystore.backends.FsHierDeliveryStore"}
    below = {"root": settings.DELIVERY_STORE_ROOT / "below"}
    settings.STORAGES = {
        **settings.STORAGES,
        "same": backend,
        "below": {**backend, "OPTIONS": below},
    }

    assert words in said(*arguments, code=2)
    assert not Check.objects.exists()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--max-bytes", "many"),
        ("--subset", "3/2"),
        ("--subset", "0/2"),
        ("--subset", "half"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(option, value):
    with pytest.raises(CommandError, match=value):
        call_command("check_deliveries", option, value)


def test_an_error_is_not_taken_for_a_finding(monkeypatch):
    hand_in(1)

    def fail(*arguments, **options):
        raise RuntimeError("the endpoint is gone")

    monkeypatch.setattr("deliverystore.backends.FsHierDeliveryStore.walk", fail)

    assert "Could not check: the endpoint is gone" in said(code=2)
    assert Check.objects.get().ending == "failed"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_at_a_checkpoint(monkeypatch, number):
    hand_in(3)
    original = FileMeta.deliverystore.read_open
    before = signal.getsignal(number)

    def read_open(self, file):
        os.kill(os.getpid(), number)
        return original(file)

    monkeypatch.setattr(
        "deliverystore.backends.FsHierDeliveryStore.read_open", read_open
    )
    text = said(code=2)
    monkeypatch.undo()

    assert "Interrupted at: files. The same command goes on there." in text
    assert signal.getsignal(number) is before
    assert "Complete: " in said()


# -- What it says of what was looked at --------------------------------------------


class CannotList(MemoryDeliveryStore):
    def walk(self, after="", **options):
        raise NotImplementedError


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--quick"], "Complete: all sizes are right; nothing was read.\n"),
        (["--subset=1/7"], "Complete: nothing found in part 1/7.\n"),
        (
            ["--quick", "--subset=1/7"],
            "Complete: all sizes are right in part 1/7; nothing was read.\n",
        ),
    ],
)
def test_it_says_no_more_than_it_has_looked_at(arguments, words):
    hand_in(2)

    assert said(*arguments).endswith(words)


def test_it_says_if_the_names_in_the_store_were_not_looked_at():
    with override_delivery_store(CannotList()):
        hand_in(1)
        text = said()

    assert "What else is in the store, it cannot tell." in text


def test_it_says_that_some_files_may_be_in_the_fallback_alone(tmp_path):
    first = FsDeliveryStore(tmp_path / "first")
    hand_in(1)
    both = FallbackDeliveryStore(first, FileMeta.deliverystore)
    with override_delivery_store(both):
        text = said()

    assert "Some of it may be in the fallback alone." in text


def test_it_says_that_it_begins_anew_when_the_store_is_another_one(tmp_path):
    hand_in(3)
    said("--max-bytes=12B")
    begun = Check.objects.get()
    with override_delivery_store(FsDeliveryStore(tmp_path / "new")):
        text = said(code=1)

    assert f"Gives up check {begun.pk}: it looked at another store." in text
    assert "Goes on" not in text
    assert "missing" in text


def test_names_cannot_do_anything_to_the_terminal(other_stores):
    hand_in(1)
    lay("0/0/7/\x1b[31mred\n2")
    text = said("--repair", "--quarantine-to=quarantine", code=1)

    assert "\x1b" not in text
    assert "0/0/7/\\x1b[31mred\\n2: quarantined\n" in text


# -- What it says when it fails ----------------------------------------------------


@pytest.fixture
def failing_walk(monkeypatch):
    def walk(*arguments, **options):
        raise StoreUnavailable("the endpoint is gone")

    asked = "deliverystore.checking.running.ask"
    monkeypatch.setattr(asked, lambda store: None)
    monkeypatch.setattr("deliverystore.backends.FsHierDeliveryStore.walk", walk)


def test_what_was_found_before_it_failed_is_said(failing_walk):
    [delivery] = hand_in(1)
    path_of(delivery.files.get()).unlink()
    text = said(code=2)

    assert f"\nmissing  {delivery.pk}" in text
    assert "Failed at: names in the store. The same command goes on there." in text
    assert text.endswith("Could not check: the endpoint is gone")


def test_also_when_it_fails_there_is_one_document(failing_walk):
    [delivery] = hand_in(1)
    path_of(delivery.files.get()).unlink()
    output = io.StringIO()
    with pytest.raises(CommandError):
        call_command("check_deliveries", "--json", stdout=output)

    document = json.loads(output.getvalue())
    assert document["ending"] == "failed"
    assert [one["kind"] for one in document["findings"]] == ["missing"]


def test_also_when_a_repair_fails_there_is_one_document(other_stores, monkeypatch):
    hand_in(1)
    lay("0/0/7/777", b"whose?")
    output = io.StringIO()

    def note(self, repaired):
        raise DatabaseError("the database is gone")

    monkeypatch.setattr("deliverystore.models.Finding.note", note)
    options = ["--json", "--repair", "--quarantine-to=quarantine"]
    with pytest.raises(CommandError, match="the database is gone") as raised:
        call_command("check_deliveries", *options, stdout=output)

    assert raised.value.returncode == 2
    document = json.loads(output.getvalue())
    assert document["repairs"] == []
    assert len(document["findings"]) == 1


# -- Repairing what was found before -----------------------------------------------


def test_what_all_the_last_checks_have_found_is_repaired(other_stores):
    """Those of other parts, and a full one before one of sizes."""
    deliveries = hand_in(3)
    back_up(other_stores)
    files = [delivery.files.get() for delivery in deliveries]
    falsify(files[0])
    said(code=1)
    path_of(files[1]).unlink()
    said("--quick", code=1)
    for part in (1, 2, 3):
        with contextlib.suppress(CommandError):
            call_command("check_deliveries", f"--subset={part}/3", stdout=io.StringIO())
    text = said("--repair", "--last", "--restore-from=backup", code=1)

    assert {file.verify() for file in files} == {Condition.INTACT}
    assert "Nothing is left to repair." in text
    assert "intact by now" in text
    assert "Nothing is left" in said("--repair", "--last", "--restore-from=backup")


def test_of_one_part_only_what_was_found_there_is_repaired(other_stores):
    deliveries = hand_in(6)
    back_up(other_stores)
    files = [delivery.files.get() for delivery in deliveries]
    for file in files:
        falsify(file)
    for part in (1, 2):
        said(f"--subset={part}/2", code=1)
    options = ["--repair", "--last", "--restore-from=backup"]
    said("--subset=1/2", *options, code=1)

    intact = [file.pk for file in files if file.verify() is Condition.INTACT]
    assert intact == [file.pk for file in files if file.pk % 2]
    assert "there was no check of this part yet" in said(
        "--subset=1/3", *options, code=2
    )


def test_what_is_not_repaired_is_said_with_what_to_do(other_stores):
    [delivery] = hand_in(1)
    falsify(delivery.files.get())
    lay("0/0/7/777", b"whose?")
    said(code=1)
    text = said("--repair", "--last", "--quarantine-to=quarantine", code=1)

    assert "0/0/7/777: quarantined" in text
    assert f"\nwrong digest  {delivery.pk}" in text
    assert "restore it: manage.py check_deliveries --repair --last" in text
    assert "Not repaired: 1." in text


def test_as_json_it_says_what_is_left(other_stores):
    hand_in(1)
    gone = lay("0/0/7/700000000", b"whose?")
    lay("0/0/7/700000001", b"whose?")
    said(code=1)
    gone.unlink()
    output = io.StringIO()
    options = ["--json", "--repair", "--last", "--quarantine-to=quarantine"]
    with pytest.raises(CommandError):
        call_command("check_deliveries", *options, stdout=output)

    document = json.loads(output.getvalue())
    assert [one["done"] for one in document["repairs"]] == ["", "quarantined"]
    assert [one["name"] for one in document["findings"]] == ["0/0/7/700000000"]


def test_a_fallback_that_has_the_first_file_can_be_restored_from(
    other_stores, settings
):
    """The store that is checked is the one in use, and not who has some file."""
    hand_in(1)
    back_up(other_stores)
    file = FileMeta.objects.get()
    FileMeta.objects.filter(pk=file.pk).update(stored_as="1/1")
    path_of(file).unlink()
    (other_stores / "backup" / "1").mkdir(exist_ok=True)
    backup = FsDeliveryStore(other_stores / "backup")
    first = FsDeliveryStore(other_stores / "first")
    with override_delivery_store(FallbackDeliveryStore(first, backup)):
        with backup.write_open("1/1") as target:
            target.write(b"whatever")
        text = said("--repair", "--restore-from=backup", code=1)

    assert "is the store that is checked" not in text

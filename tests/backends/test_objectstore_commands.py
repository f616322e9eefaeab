"""Commands and deliveries over an object store, also while it is not at its best."""

from __future__ import annotations

import io
import json
import secrets
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command

from deliverystore.backends import DjangoStorageDeliveryStore
from deliverystore.backends.handler import store_for
from deliverystore.models import Condition, Delivery, FileMeta
from deliverystore.testing import override_delivery_store
from tests.factories import finished_delivery

pytestmark = [pytest.mark.objectstore, pytest.mark.django_db(transaction=True)]

KILOBYTE = 1000


@pytest.fixture
def aliases(settings, object_store, tmp_path):
    """Have two places of the object store and a folder in STORAGES."""
    place = f"{object_store.prefix}/{secrets.token_hex(8)}"
    settings.STORAGES = {
        **settings.STORAGES,
        **{
            name: {
                "BACKEND": "storages.backends.s3.S3Storage",
                "OPTIONS": object_store.options(location=f"{place}/{name}"),
            }
            for name in ("objects", "quarantine")
        },
        "disk": {
            "BACKEND": "deliverystore.backends.FsHierDeliveryStore",
            "OPTIONS": {"root": tmp_path / "disk"},
        },
        "not there": {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": object_store.options(bucket_name="not-there"),
        },
    }
    settings.DELIVERY_STORE_ROOT = tmp_path / "disk"
    return settings


def use(settings, alias):
    """Let the settings choose an alias, as they do after a move to S3."""
    backend = "deliverystore.backends.DjangoStorageDeliveryStore"
    settings.DELIVERY_STORE_BACKEND = backend
    settings.DELIVERY_STORE_STORAGE = alias
    settings.DELIVERY_STORE_ROOT = ""


def run(*words):
    """Return what a command says as JSON, and its exit code."""
    output = io.StringIO()
    try:
        call_command(*words, "--json", stdout=output)
    except CommandError as error:
        said = output.getvalue()
        return json.loads(said) if said else str(error), error.returncode
    return json.loads(output.getvalue()), 0


def hand_in(count):
    files = [(f"{n}.txt", f"content of {n}".encode()) for n in range(count)]
    return finished_delivery(files=files)


@pytest.mark.usefixtures("objects")
def test_deliveries_move_to_an_object_store_and_are_looked_after_there(
    aliases, tmp_path, monkeypatch
):
    delivery = hand_in(5)
    (tmp_path / "receipt.json").write_text(json.dumps(delivery.receipt()))
    others = hand_in(2)

    said, code = run("copy_deliveries", "--to=objects")
    assert (said["files"]["copied"], code) == (7, 0)
    said, code = run("copy_deliveries", "--to=objects", "--verify")
    assert (said["files"]["present"], code) == (7, 0)

    use(aliases, "objects")
    store = store_for("objects")
    said, code = run("check_deliveries")
    assert (said["files"], said["names"], said["found"], code) == (7, 7, 0, 0)
    said, code = run("verify_receipt", str(tmp_path / "receipt.json"))
    assert (said["agrees"], code) == (True, 0)

    missing, damaged, *_ = delivery.files.all()
    store.remove(missing)
    with store.write_open(damaged) as file:
        file.write(b"content of 0")
    store.save("77/777", ContentFile(b"whose?"))
    # An object store does not say that it is older than it is.
    soon = datetime.now(UTC) + timedelta(hours=1)
    monkeypatch.setattr("deliverystore.checking.names.untouched_since", lambda: soon)
    options = ["--repair", "--restore-from=disk", "--quarantine-to=quarantine"]
    said, code = run("verify_receipt", str(tmp_path / "receipt.json"))
    assert [file["condition"] for file in said["files"]][:2] == ["missing", "damaged"]
    said, code = run("check_deliveries", *options)
    assert (said["found"], said["repaired"], code) == (3, 3, 1)
    assert sorted(one["kind"] for one in said["findings"]) == [
        "missing",
        "stray",
        "wrong digest",
    ]
    assert run("check_deliveries")[1] == 0
    kept = {entry.name.partition("/")[2] for entry in store_for("quarantine").walk()}
    assert kept == {"77/777", store.name_of(damaged)}

    others.delete()
    aliases.DELIVERY_STORE_GRACE = timedelta(0)
    said, code = run("sweep_deliveries")
    assert (said["files"], said["refused"], code) == (2, 0, 0)
    assert len(list(store.walk())) == 5


@pytest.mark.usefixtures("objects")
@pytest.mark.parametrize(
    "words",
    [["copy_deliveries", "--to=not there"], ["copy_deliveries", "--from=not there"]],
)
def test_a_wrong_bucket_is_said_once(aliases, words):
    hand_in(1)

    said, code = run(*words)

    assert code == 2
    assert "Check its bucket_name" in said


@pytest.mark.usefixtures("objects")
def test_the_sweep_does_not_take_a_wrong_bucket_for_an_empty_one(aliases):
    delivery = hand_in(2)
    hand_in(2)
    use(aliases, "not there")
    aliases.DELIVERY_STORE_GRACE = timedelta(0)
    delivery.delete()

    said, code = run("sweep_deliveries")

    assert code == 2
    assert said["refused"] == 2
    assert said["files"] == 0


@pytest.mark.processes
def test_a_service_that_trickles_is_waited_for(objects, proxy):
    from botocore.config import Config

    patience = Config(read_timeout=1, retries={"total_max_attempts": 1})
    storage = objects.behind(proxy).storage(client_config=patience)
    content = secrets.token_bytes(100 * KILOBYTE)
    store = DjangoStorageDeliveryStore(objects.prefix, storage)
    with override_delivery_store(store):
        delivery = finished_delivery(files=[("essay.txt", content)])
        proxy.trickles.set()

        assert delivery.files.get().get_all_data_as_string() == content
        assert run("check_deliveries", "--quick")[0]["found"] == 0
        proxy.trickles.clear()


@pytest.mark.processes
def test_with_one_server_down_one_can_hand_in_and_check(aliases, one_server_down):
    use(aliases, "objects")

    deliveries = [hand_in(4) for _ in range(4)]

    assert {file.verify() for file in FileMeta.objects.all()} == {Condition.INTACT}
    said, code = run("check_deliveries")
    assert (said["files"], said["found"], code) == (16, 0, 0)
    deliveries[0].delete()
    aliases.DELIVERY_STORE_GRACE = timedelta(0)
    assert run("sweep_deliveries")[0]["files"] == 4
    assert Delivery.objects.count() == 3

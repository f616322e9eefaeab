"""Scenarios: what deliveries do with rows and bytes, on SQLite and on PostgreSQL."""

from __future__ import annotations

import functools
import os
import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection, connections, transaction

from deliverystore import fsops, uploads
from deliverystore.models import (
    Check,
    Condition,
    Counter,
    Delivery,
    FileMeta,
    Finding,
    Removal,
    Upload,
)
from deliverystore.sweeping import sweep
from tests.durability.proof import Scenario, View
from tests.durability.tracing import Fate

DATABASE = "db.sqlite3"
ESSAY = b"what was handed in" * 100


class Regret(Exception):
    """A person changes their mind in the middle of a transaction."""


def begin() -> None:
    """Open a delivery."""
    Delivery.begin()


def _open() -> Delivery:
    return Delivery.objects.get(pk=1)


def finished_delivery() -> Delivery:
    return Delivery.objects.get(pk=2)


def add_file() -> None:
    _open().add_file("new.txt", ESSAY)


def add_files() -> None:
    _open().add_files([("new.txt", ESSAY), ("other.txt", b"other")])


def finish() -> None:
    _open().finish()


def hand_in() -> None:
    """Do all of it."""
    delivery = Delivery.begin()
    delivery.add_file("new.txt", ESSAY)
    delivery.finish()


def abandon() -> None:
    _open().abandon()


def remove_a_file() -> None:
    FileMeta.objects.get(delivery=1).delete()


def copy() -> None:
    finished_delivery().copy(None)


def delete() -> None:
    finished_delivery().delete()


def in_one_transaction() -> None:
    """Hand in as a view does with ATOMIC_REQUESTS."""
    with transaction.atomic():
        hand_in()


def regret_all() -> None:
    """Roll back after everything was done."""
    try:
        with transaction.atomic():
            hand_in()
            delivery = _open()
            delivery.add_file("new.txt", ESSAY)
            FileMeta.objects.get(delivery=1, filename="old.txt").delete()
            finished_delivery().delete()
            delivery.abandon()
            raise Regret  # noqa: TRY301
    except Regret:
        pass


def regret_a_part() -> None:
    """Roll back to a savepoint, and go on."""
    with transaction.atomic():
        delivery = _open()
        try:
            with transaction.atomic():
                delivery.add_file("new.txt", b"first thoughts")
                FileMeta.objects.get(delivery=1, filename="old.txt").delete()
                finished_delivery().delete()
                raise Regret  # noqa: TRY301
        except Regret:
            delivery.add_file("new.txt", ESSAY)
        delivery.finish()


def go_on_with_an_upload() -> None:
    upload = Upload.objects.get()
    if upload.is_received:
        uploads.find(upload.pk, _ada())
    else:
        rest = BytesIO(ESSAY[upload.offset :])
        uploads.append(upload, _ada(), upload.offset, rest)


# Each, and what may be raised when it is repeated after it was done.
OPERATIONS: dict[Callable[[], None], tuple[str, ...] | None] = {
    begin: None,
    add_file: ("DuplicateFilename",),
    add_files: ("DuplicateFilename",),
    finish: ("DeliveryNotOpen",),
    hand_in: None,
    abandon: ("DoesNotExist",),
    remove_a_file: ("DoesNotExist",),
    copy: None,
    delete: ("DoesNotExist",),
    in_one_transaction: None,
    regret_all: (),
    go_on_with_an_upload: (),
    regret_a_part: ("DeliveryNotOpen", "DuplicateFilename"),
}

REMOVALS = (abandon, remove_a_file)


def on_sqlite() -> Iterator[Scenario]:
    """Yield what deliveries do; the database lies below the folder, too."""
    for work, again in OPERATIONS.items():
        yield Scenario(
            name=work.__name__.replace("_", " "),
            variant="SQLite",
            prepare=_prepare_sqlite,
            operation=functools.partial(do, work),
            look=_look,
            again=again,
            fates=(Fate.KILL, Fate.EIO),
            in_place=_is_in_place,
            is_litter=lambda name: True,
            tidy=False,
            meanwhile=("open None",),
            removes_later=work in REMOVALS,
            only_changes=True,
        )


def on_postgresql() -> Iterator[Scenario]:
    """Yield the same; what is said to the server counts as steps."""
    for work, again in OPERATIONS.items():
        yield Scenario(
            name=work.__name__.replace("_", " "),
            variant="PostgreSQL",
            prepare=_prepare_postgresql,
            operation=functools.partial(do, work),
            look=_look,
            again=again,
            fates=(Fate.KILL, Fate.EIO, Fate.ECONNRESET),
            in_place=_is_in_place,
            copyable=False,
            steps_on_sockets=True,
            is_litter=lambda name: True,
            tidy=False,
            meanwhile=("open None",),
            removes_later=work in REMOVALS,
            only_changes=True,
        )


def _is_in_place(name: str) -> bool:
    """Tell whether a file is the database's, or that of an upload that goes on."""
    return name.startswith(DATABASE) or re.fullmatch("[0-9a-f]{32}", name) is not None


def use(root: Path) -> None:
    """Let the app work below a folder."""
    connections.close_all()
    if connection.vendor == "sqlite":
        connection.settings_dict["NAME"] = str(root / DATABASE)
    fsops._can_link_open_files = lambda: True  # type: ignore[assignment]
    settings.DELIVERY_STORE_ROOT = root / "files"
    settings.DELIVERY_STORE_UPLOAD_ROOT = root / "partial"
    settings.DELIVERY_STORE_DURABILITY = "full"
    settings.DELIVERY_STORE_GRACE = timedelta(0)


def do(work: Callable[[], None], root: Path) -> None:
    use(root)
    try:
        work()
    finally:
        connections.close_all()


def _look(root: Path) -> View:
    """Return what each delivery holds, before and after a sweep, which must agree."""
    use(root)
    wait_for_others()
    try:
        before = dict(deliveries())
        sweep()
        if (after := dict(deliveries())) != before:
            return {"what the sweep changed": (before, after)}
        return before
    finally:
        connections.close_all()


def deliveries() -> Iterator[tuple[str, object]]:
    for upload in Upload.objects.all():
        # What was received completely is handed in now, if it was not before.
        yield "upload", uploads.find(upload.pk, _ada()).offset
    for delivery in Delivery.objects.order_by("pk"):
        found = delivery.verify()
        conditions = {condition for _, condition in found}
        state = f"{delivery.state} {delivery.number}"
        if delivery.state == Delivery.State.FINISHED and (
            conditions != {Condition.INTACT} or len(found) != delivery.file_count
        ):
            state += ", but not with all of its bytes"
        yield f"delivery {delivery.pk}", state
        for file, condition in found:
            yield f"{delivery.pk}/{file.filename}", f"{file.size} bytes, {condition}"


@functools.cache
def _migrated() -> bytes:
    """Return an SQLite database with all tables."""
    path = Path(settings.DELIVERY_STORE_ROOT) / str(os.getpid())
    connection.settings_dict["NAME"] = str(path)
    call_command("migrate", run_syncdb=True, verbosity=0)
    connections.close_all()
    return path.read_bytes()


def _prepare_sqlite(root: Path) -> None:
    content = _migrated()
    (root / DATABASE).write_bytes(content)
    _hand_in_old(root)


def _prepare_postgresql(root: Path) -> None:
    use(root)
    wait_for_others()
    with connection.cursor() as cursor:
        for model in (Finding, Check, Upload, FileMeta, Delivery, Removal, Counter):
            table, key = model._meta.db_table, model._meta.pk.column
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608 - much faster than TRUNCATE
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence(%s, %s), 1, false)", [table, key]
            )
    _hand_in_old(root)


def wait_for_others() -> None:
    """Wait until PostgreSQL has ended what a killed process had begun."""
    if connection.vendor != "postgresql":
        return
    end = time.monotonic() + 30
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid() "
                "AND backend_type = 'client backend'"
            )
            if not cursor.fetchone()[0]:
                return
            if time.monotonic() > end:
                raise RuntimeError("PostgreSQL goes on with what nobody waits for.")
            time.sleep(0.002)


def _ada():
    return get_user_model().objects.get_or_create(username="ada")[0]


def _hand_in_old(root: Path) -> None:
    """Make delivery 1, which is open, 2, which is finished, 3 with an upload."""
    use(root)
    settings.DELIVERY_STORE_DURABILITY = "none"
    Delivery.begin().add_file("old.txt", b"old")
    delivery = Delivery.begin()
    delivery.add_file("done.txt", b"done")
    delivery.finish()
    uploads.begin(Delivery.begin(user=_ada()), _ada(), "big.bin", len(ESSAY))
    connections.close_all()

"""Where the files of a spool go: to the data center, to a delivery, to own code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import cast

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.exceptions import ObjectDoesNotExist
from django.core.management.base import CommandError
from django.db import models
from django.utils.module_loading import import_string

from deliverystore.datacenter import DataCenter, OnTaken, naming, start_run
from deliverystore.datacenter.runs.starting import check
from deliverystore.digests import Digester
from deliverystore.exceptions import DeliveryStoreError, RunBusy
from deliverystore.management import run_report
from deliverystore.management.ending import FAILED
from deliverystore.models import Delivery, ImportRun
from deliverystore.models.access import User
from deliverystore.spool import Claim
from deliverystore.streams import CHUNK_SIZE

# Does something with a claimed file; says what, in a few words.
Target = Callable[[Claim], object]

DATACENTER, DELIVERY = "datacenter", "delivery"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the arguments of the command say of the target."""

    to: str
    user: str = ""
    recipient: str = ""
    processor: str = ""
    mode: str = ""


def target(asked: Asked) -> Target:
    """Return what is to be done with each file.

    Raise CommandError if an argument names nothing, or does not fit.
    """
    if bool(asked.processor) != bool(asked.mode):
        raise _refused("Give both --processor and --mode, or none of them.")
    if asked.processor and asked.to != DATACENTER:
        raise _refused("--processor and --mode are for the data center.")
    if asked.recipient and asked.to != DELIVERY:
        raise _refused("--recipient is for deliveries.")
    if asked.user and asked.to not in {DATACENTER, DELIVERY}:
        raise _refused("--user is for the data center and for deliveries.")
    user = _user(asked.user) if asked.user else None
    if asked.to == DATACENTER:
        _check_data_center(asked, user)
        return partial(
            to_datacenter, user=user, processor=asked.processor, mode=asked.mode
        )
    if asked.to == DELIVERY:
        recipient = _recipient(asked.recipient) if asked.recipient else None
        return partial(to_delivery, user=user, recipient=recipient)
    return _own(asked.to)


def to_datacenter(
    claim: Claim, *, user: User | None, processor: str = "", mode: str = ""
) -> str:
    """Upload a file to the data center and, with a processor, have it imported.

    If the same file waits there already, since somebody was killed after the upload,
    it is not uploaded again.
    """
    center = DataCenter()
    name = _uploaded_before(center, claim)
    if name is None:
        with claim.open() as file:
            uploaded = center.upload(
                claim.filename,
                file,
                user=user,
                on_taken=OnTaken.RENAME,
                notify=not processor,
            )
        name = uploaded.relative_path
    other_name = "" if name == claim.filename else name
    if not processor:
        return "waits in the data center" + (other_name and f", as {other_name!r}")
    try:
        run = start_run(name, processor, mode, user=user)
    except RunBusy:
        return "is being imported already"
    except DeliveryStoreError:
        # It stays in the spool, and must not take a place here as well.
        center.delete(name)
        raise
    # It may be over: without workers of their own, tasks are done at once.
    run.refresh_from_db()
    of_file = other_name and f" of {other_name!r}"
    return f"import {run.pk}{of_file}{run_report.how_it_goes(run)}"


def to_delivery(
    claim: Claim, *, user: User | None, recipient: models.Model | None
) -> str:
    """Hand a file in as a delivery of its own."""
    delivery = Delivery.begin(recipient, user)
    try:
        with claim.open() as file:
            delivery.add_file(claim.filename, file)
        delivery.finish()
    except Exception:
        if delivery.state == Delivery.State.OPEN:
            delivery.abandon()
        raise
    return f"handed in as delivery {delivery.pk}"


def _uploaded_before(center: DataCenter, claim: Claim) -> str | None:
    """Return the name of a file that waits with the same name and bytes."""
    name = naming.clean_name(claim.filename)
    if not center.place.exists(name):
        return None
    with claim.open() as file, Digester() as digester:
        while chunk := file.read(CHUNK_SIZE):
            digester.update(chunk)
        return name if digester.digest() == center.place.digest(name) else None


def _check_data_center(asked: Asked, user: User | None) -> None:
    """Raise CommandError if no file at all could be imported like this.

    Raise SettingInvalid if there is no data center.
    """
    DataCenter()
    if not asked.processor:
        return
    run = ImportRun(processor=asked.processor, mode=asked.mode)
    try:
        # What there is, is told to who types the command; then what the user may do.
        check(run, None)
        check(run, user)
    except DeliveryStoreError as error:
        how = f"--processor {asked.processor} --mode {asked.mode}"
        raise _refused(f"{how}: {error}") from error


def _own(path: str) -> Target:
    try:
        found = import_string(path)
    except ImportError as error:
        raise _refused(f"--to {path}: {error}") from error
    if not callable(found):
        raise _refused(f"--to {path}: it cannot be called.")
    return cast("Target", found)


def _user(username: str) -> User:
    model = get_user_model()
    try:
        return cast("User", model._default_manager.get_by_natural_key(username))
    except model.DoesNotExist as error:
        raise _refused(f"There is no user {username!r}.") from error


def _recipient(text: str) -> models.Model:
    """Return the model instance of "app.Model:key"."""
    label, _, key = text.partition(":")
    try:
        found: models.Model = apps.get_model(label)._default_manager.get(pk=key)
    except (LookupError, ValueError, ObjectDoesNotExist) as error:
        message = f"--recipient {text}: {error} Write school.Assignment:7."
        raise _refused(message) from error
    return found


def _refused(message: str) -> CommandError:
    return CommandError(message, returncode=FAILED)

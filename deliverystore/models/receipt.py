"""The receipt: what was handed in, in a form that can be signed and given away."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.signing import BadSignature, Signer

from deliverystore.digests import digest_bytes
from deliverystore.exceptions import DeliveryChanged, ReceiptInvalid

if TYPE_CHECKING:
    from deliverystore.models.delivery import Delivery
    from deliverystore.models.filemeta import FileMeta

_SALT = "deliverystore.receipt"


def manifest_digest(files: Iterable[FileMeta]) -> str:
    """Return the digest of the list of files: names, sizes, digests, in order."""
    manifest = [[file.filename, file.size, file.digest] for file in files]
    return digest_bytes(_canonical(manifest))


def make(delivery: Delivery) -> dict[str, Any]:
    """Return the signed receipt of a finished delivery.

    Raise DeliveryChanged if its rows are not those that were handed in.
    """
    if manifest_digest(delivery.files.order_by("pk")) != delivery.manifest_digest:
        raise DeliveryChanged(
            f"The rows of delivery {delivery.pk} were changed after it was handed in; "
            "nothing is signed that says otherwise."
        )
    document = content(delivery)
    return {**document, "signature": _signature(document)}


def content(delivery: Delivery) -> dict[str, Any]:
    """Return what the receipt of a finished delivery says, as far as rows know it."""
    files = list(delivery.files.order_by("pk"))
    completed = [file.completed for file in files if file.completed]
    return {
        "version": 1,
        "delivery": delivery.pk,
        "number": delivery.number,
        "recipient": delivery.recipient_name or None,
        "user": delivery.user_name or None,
        # Past the app, all its files can be deleted.
        "first_byte": _iso(min((file.created for file in files), default=None)),
        "last_byte": _iso(max(completed, default=None)),
        "time_of_delivery": _iso(delivery.time_of_delivery),
        "files": [
            {"name": file.filename, "size": file.size, "digest": file.digest}
            for file in files
        ],
        "manifest": delivery.manifest_digest,
    }


def check_signature(document: object) -> Mapping[str, Any]:
    """Return a receipt that was signed here, also with a former SECRET_KEY.

    Raise ReceiptInvalid if it is none, or was changed.
    """
    if not isinstance(document, Mapping) or "signature" not in document:
        raise ReceiptInvalid("This is no receipt: it has no signature.")
    rest = {key: value for key, value in document.items() if key != "signature"}
    try:
        text = _canonical(rest).decode()
        _signer().unsign(f"{text}:{document['signature']}")
    except (BadSignature, UnicodeEncodeError) as error:
        raise ReceiptInvalid(
            "The receipt was changed, or was not signed by this site."
        ) from error
    return document


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _signature(document: dict[str, Any]) -> str:
    return _signer().signature(_canonical(document).decode())


def _signer() -> Signer:
    return Signer(salt=_SALT)


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()

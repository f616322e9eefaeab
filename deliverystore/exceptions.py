"""Every error of the app.

DeliveryStoreError
├── FileNotFound            also FileNotFoundError
├── FileExists              also FileExistsError
├── FileDamaged             also OSError
├── InvalidName             also SuspiciousFileOperation, ValueError
├── SettingInvalid          also ImproperlyConfigured
│   └── MissingExtra
├── NotPermitted            also PermissionDenied
├── DeliveryRefused
│   ├── DeliveryNotOpen
│   ├── DeliveryNotFinished
│   ├── DeliveryIncomplete
│   ├── DeliveryEmpty
│   └── DuplicateFilename
├── LimitExceeded           also ValueError
│   ├── FileTooLarge
│   ├── DeliveryTooLarge
│   ├── TooManyFiles
│   ├── QuotaExceeded
│   ├── ExtensionNotAllowed
│   └── TypeNotAllowed
├── UploadBusy              also BlockingIOError
├── UploadNotFound          also LookupError
├── WrongOffset             also ValueError
└── ReceiptInvalid          also ValueError
"""

from __future__ import annotations

from django.core.exceptions import (
    ImproperlyConfigured,
    PermissionDenied,
    SuspiciousFileOperation,
)


class DeliveryStoreError(Exception):
    """The base of every error that deliverystore raises by itself."""


class FileNotFound(DeliveryStoreError, FileNotFoundError):
    """The store has no bytes under this name."""


class FileExists(DeliveryStoreError, FileExistsError):
    """The name is taken, and the caller asked not to replace anything."""


class FileDamaged(DeliveryStoreError, OSError):
    """The stored bytes are not those that were handed in."""


class InvalidName(DeliveryStoreError, SuspiciousFileOperation, ValueError):
    """The name cannot be used: it is empty, too long, or leaves its folder."""


class SettingInvalid(DeliveryStoreError, ImproperlyConfigured):
    """A setting has a value that cannot work."""


class MissingExtra(SettingInvalid):
    """A package is needed that comes with an optional extra."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs a package that is not installed: "
            f'pip install "deliverystore[{extra}]"'
        )


class NotPermitted(DeliveryStoreError, PermissionDenied):
    """The user may not do this with this delivery."""


class DeliveryRefused(DeliveryStoreError):
    """The delivery is not in a state in which this can be done."""


class DeliveryNotOpen(DeliveryRefused):
    """The delivery is finished or gone, so nothing can be added or changed."""


class DeliveryNotFinished(DeliveryRefused):
    """The delivery is still open, so there is nothing final to speak of."""


class DeliveryIncomplete(DeliveryRefused):
    """A file of the delivery is still being received, or its upload broke off."""


class DeliveryEmpty(DeliveryRefused):
    """The delivery has no file."""


class DuplicateFilename(DeliveryRefused):
    """The delivery already has a file of this name, or of its twin by case."""


class LimitExceeded(DeliveryStoreError, ValueError):
    """What is handed in is more, or of another kind, than the settings allow."""


class FileTooLarge(LimitExceeded):
    """One file has more bytes than DELIVERY_STORE_MAX_FILE_BYTES."""


class DeliveryTooLarge(LimitExceeded):
    """All files together exceed DELIVERY_STORE_MAX_DELIVERY_BYTES."""


class TooManyFiles(LimitExceeded):
    """The delivery has as many files as DELIVERY_STORE_MAX_FILES."""


class QuotaExceeded(LimitExceeded):
    """The user has handed in more bytes than DELIVERY_STORE_USER_QUOTA_BYTES."""


class ExtensionNotAllowed(LimitExceeded):
    """The filename does not end as DELIVERY_STORE_ALLOWED_EXTENSIONS asks."""


class TypeNotAllowed(LimitExceeded):
    """The content is of no type in DELIVERY_STORE_ALLOWED_TYPES."""


class UploadBusy(DeliveryStoreError, BlockingIOError):
    """Another request is writing to this upload; a moment later it may work."""


class UploadNotFound(DeliveryStoreError, LookupError):
    """There is no such upload, it has expired, or the user may not continue it."""


class WrongOffset(DeliveryStoreError, ValueError):
    """The upload goes on at another byte."""


class ReceiptInvalid(DeliveryStoreError, ValueError):
    """The receipt was not signed here, was changed, or cannot be read."""

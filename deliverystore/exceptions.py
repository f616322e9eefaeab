"""Every error of the app.

DeliveryStoreError
├── FileNotFound            also FileNotFoundError
├── FileExists              also FileExistsError
├── FileDamaged             also OSError
├── StoreUnavailable        also OSError
├── SyncFailed              also OSError
├── InvalidName             also SuspiciousFileOperation, ValueError
│   └── InvalidFilepath
├── SettingInvalid          also ImproperlyConfigured
│   └── MissingExtra
├── NotPermitted            also PermissionDenied
├── DeliveryRefused
│   ├── DeliveryNotOpen
│   ├── DeliveryNotFinished
│   ├── DeliveryIncomplete
│   ├── DeliveryChanged
│   ├── DeliveryEmpty
│   └── DuplicateFilename
├── LimitExceeded           also ValueError
│   ├── FileTooLarge
│   ├── DeliveryTooLarge
│   ├── TooManyFiles
│   ├── QuotaExceeded
│   ├── ExtensionNotAllowed
│   └── TypeNotAllowed
├── KeyNotFound             also KeyError
├── MetadataInvalid         also ValueError
├── StoreNotFound           also FileNotFoundError
├── StoreReadOnly           also PermissionError
├── StoreBusy               also TimeoutError
├── SectionUnknown          also ValueError
├── ClaimLost               also TimeoutError
├── FileChanged
├── UploadBusy              also BlockingIOError
├── CheckBusy               also BlockingIOError
├── UploadNotFound          also LookupError
├── WrongOffset             also ValueError
├── RunBusy                 also BlockingIOError
├── RunRefused              also ValueError
├── ExportRefused           also ValueError
├── TableUnreadable         also ValueError
├── RowError                also ValueError
├── ColumnsRefused          also ValueError
├── ProcessorNotFound       also LookupError
├── NoWebServing            also ValueError
├── NotLocal                also NotImplementedError
├── PublishingRefused       also ValueError
├── ProcessingFailed        also ValueError
└── ReceiptInvalid          also ValueError
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import (
    ImproperlyConfigured,
    PermissionDenied,
    SuspiciousFileOperation,
    ValidationError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deliverystore.datacenter.problems import Problem
    from deliverystore.datacenter.rows.arranging import ColumnProblem


class DeliveryStoreError(Exception):
    """The base of every error that deliverystore raises by itself."""


class FileNotFound(DeliveryStoreError, FileNotFoundError):
    """The store has no bytes under this name."""


class FileExists(DeliveryStoreError, FileExistsError):
    """The name is taken, and the caller asked not to replace anything."""


class FileDamaged(DeliveryStoreError, OSError):
    """The stored bytes are not those that were handed in."""


class StoreUnavailable(DeliveryStoreError, OSError):
    """The service behind the store does not answer, refuses, or fails."""


class SyncFailed(DeliveryStoreError, OSError):
    """The disk did not confirm what was written: nobody knows what is there."""


class InvalidName(DeliveryStoreError, SuspiciousFileOperation, ValueError):
    """The name cannot be used: it is empty, too long, or leaves its folder."""


class InvalidFilepath(InvalidName):
    """A list of parts names no stored file: a part of it cleans to nothing."""


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


class DeliveryChanged(DeliveryRefused):
    """The rows of a finished delivery are not those that were handed in."""


class DeliveryEmpty(DeliveryRefused):
    """The delivery has no file."""


class DuplicateFilename(DeliveryRefused):
    """The delivery already has a file of this name, or of its twin by case."""


class LimitExceeded(DeliveryStoreError, ValueError):
    """What is handed in is more, or of another kind, than the settings allow."""


class FileTooLarge(LimitExceeded):
    """One file has more bytes than a setting allows."""


class DeliveryTooLarge(LimitExceeded):
    """All files together exceed DELIVERY_STORE_MAX_DELIVERY_BYTES."""


class TooManyFiles(LimitExceeded):
    """There are as many files as a setting allows."""


class QuotaExceeded(LimitExceeded):
    """The user has handed in more bytes than DELIVERY_STORE_USER_QUOTA_BYTES."""


class ExtensionNotAllowed(LimitExceeded):
    """The filename does not end as DELIVERY_STORE_ALLOWED_EXTENSIONS asks."""


class TypeNotAllowed(LimitExceeded):
    """The content is of no type in DELIVERY_STORE_ALLOWED_TYPES."""


class KeyNotFound(DeliveryStoreError, KeyError):
    """A key-value store has nothing under this key."""

    def __str__(self) -> str:
        # A KeyError would put quotation marks around the message.
        return ", ".join(map(str, self.args))


class MetadataInvalid(DeliveryStoreError, ValueError):
    """The metadata has something that JSON, or a database, cannot hold."""


class StoreNotFound(DeliveryStoreError, FileNotFoundError):
    """The folder is no key-value store: it is missing, or its magic file is."""


class StoreReadOnly(DeliveryStoreError, PermissionError):
    """The key is in a key-value store, or a part of one, that is only read."""


class StoreBusy(DeliveryStoreError, TimeoutError):
    """A change of a key-value store took so long that its data may be gone."""


class SectionUnknown(DeliveryStoreError, ValueError):
    """A spool has no section of this name."""


class ClaimLost(DeliveryStoreError, TimeoutError):
    """The claim was ended before, or its lease ended and the file was given back."""


class FileChanged(DeliveryStoreError):
    """A claimed file was written to while somebody worked on it."""


class UploadBusy(DeliveryStoreError, BlockingIOError):
    """Another request is writing to this upload; a moment later it may work."""


class CheckBusy(DeliveryStoreError, BlockingIOError):
    """Another process goes on with this check, or it was given up."""


class UploadNotFound(DeliveryStoreError, LookupError):
    """There is no such upload, it has expired, or the user may not continue it."""


class WrongOffset(DeliveryStoreError, ValueError):
    """The upload goes on at another byte."""


class RunBusy(DeliveryStoreError, BlockingIOError):
    """The file has a run that is not over, or another worker is at this work."""


class RunRefused(DeliveryStoreError, ValueError):
    """The run cannot begin like this, or is not in a state for what is asked."""


class ExportRefused(DeliveryStoreError, ValueError):
    """The export cannot begin like this, or its data does not fit the format."""


class TableUnreadable(DeliveryStoreError, ValueError):
    """The file cannot be read as a table at all; its problem says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


class RowError(DeliveryStoreError, ValueError):
    """A row cannot go in; raised by the hooks of a processor.

    field is the processor's field that is at fault, "" if it is the row as a whole.
    """

    def __init__(self, message: str, *, field: str = "", code: str = "refused") -> None:
        super().__init__(message)
        self.field = field
        self.code = code

    def as_validation_error(self) -> ValidationError:
        """Return the same error in Django's terms."""
        error = ValidationError(str(self), code=self.code)
        return ValidationError({self.field: error}) if self.field else error


class ColumnsRefused(DeliveryStoreError, ValueError):
    """The columns of a file do not fit the processor; its problems say why."""

    def __init__(self, problems: Sequence[ColumnProblem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = tuple(problems)


class ProcessorNotFound(DeliveryStoreError, LookupError):
    """No processor has this name."""


class NoWebServing(DeliveryStoreError, ValueError):
    """The storage has no address under which visitors can get its files."""


class NotLocal(DeliveryStoreError, NotImplementedError):
    """The storage keeps its files elsewhere, so that they have no local path."""


class PublishingRefused(DeliveryStoreError, ValueError):
    """The file cannot be published like this, or is not in a state for it."""


class ProcessingFailed(DeliveryStoreError, ValueError):
    """Nothing can be made of the file; raised by media processors.

    metadata, which JSON can hold, is kept with the error for whoever looks into it.
    """

    def __init__(self, message: str, **metadata: object) -> None:
        super().__init__(message)
        self.metadata = metadata


class ReceiptInvalid(DeliveryStoreError, ValueError):
    """The receipt was not signed here, was changed, or cannot be read."""

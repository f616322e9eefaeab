"""What S3 can do for a delivery store that the storage of django-storages does not."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import BinaryIO, TypedDict, cast

from boto3.s3.transfer import S3Transfer
from botocore.client import BaseClient
from botocore.exceptions import (
    ClientError,
    ConnectionError,  # noqa: A004 - it is no built-in one
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.response import StreamingBody
from storages.backends.s3 import S3Storage

# As boto3 spells them; HEAD has only the number.
_MISSING = {"404", "NoSuchKey", "NoSuchUpload"}
_REFUSED = {
    "401",
    "403",
    "AccessDenied",
    "AuthorizationHeaderMalformed",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
}


class Entry(TypedDict):
    """What a listing tells of one object."""

    name: str
    size: int
    modified: datetime


class Objects:
    """The objects of an S3 storage, by the names that the storage gives them.

    FileNotFoundError is raised if there is no such object, otherwise what boto3 raises.
    """

    def __init__(self, storage: S3Storage) -> None:
        self._storage = storage

    def open(self, name: str, start: int = 0, end: int | None = None) -> BinaryIO:
        """Return an object, or the bytes from start to before end, as an open file."""
        try:
            return cast("BinaryIO", _ObjectReader(self, name, start, end))
        except ClientError as error:
            if _code(error) == "InvalidRange":
                # It begins behind the last byte.
                return io.BytesIO()
            raise

    def get(self, name: str, **conditions: str) -> Mapping:
        """Return the answer to a GET; its "Body" is read bit by bit."""
        params = self._params(name, S3Transfer.ALLOWED_DOWNLOAD_ARGS)
        try:
            answer: Mapping = self._client.get_object(**params, **conditions)
        except ClientError as error:
            raise _missing(name, error) from error
        return answer

    def copy(self, source: str, target: str) -> None:
        """Copy an object inside the service: no byte passes through this machine.

        What is larger than a part is copied in parts; so there is no limit of 5 GB.
        """
        params = self._params(target, S3Transfer.ALLOWED_COPY_ARGS)
        if self._storage.default_acl:
            params.setdefault("ACL", self._storage.default_acl)
        # A key of one's own is needed for both.
        params |= {
            f"CopySource{key}": value
            for key, value in params.items()
            if key.startswith("SSECustomer")
        }
        bucket, key = params.pop("Bucket"), params.pop("Key")
        try:
            self._client.copy(
                {"Bucket": bucket, "Key": self._key(source)},
                bucket,
                key,
                ExtraArgs=params,
                Config=self._storage.transfer_config,
            )
        except ClientError as error:
            raise _missing(source, error) from error

    def walk(self, folder: str, after: str = "") -> Iterator[Entry]:
        """Yield what lies below a folder, sorted by bytes, going on after a name."""
        prefix = self._prefix(folder)
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._storage.bucket_name, Prefix=prefix, StartAfter=prefix + after
        )
        for page in pages:
            for found in page.get("Contents", ()):
                yield Entry(
                    name=found["Key"].removeprefix(prefix),
                    size=found["Size"],
                    modified=found["LastModified"],
                )

    def broken_uploads(self, folder: str, before: datetime) -> Iterator[str]:
        """Yield "<upload id>:<name>" of uploads without a new part since a moment."""
        prefix = self._prefix(folder)
        pages = self._client.get_paginator("list_multipart_uploads").paginate(
            Bucket=self._storage.bucket_name, Prefix=prefix
        )
        for page in pages:
            for upload in page.get("Uploads", ()):
                if upload["Initiated"] < before and not self._goes_on(upload, before):
                    name = upload["Key"].removeprefix(prefix)
                    yield f"{upload['UploadId']}:{name}"

    def abort_upload(self, upload: str, name: str) -> None:
        """Throw away the parts of an upload that broke off."""
        try:
            self._client.abort_multipart_upload(
                Bucket=self._storage.bucket_name, Key=self._key(name), UploadId=upload
            )
        except ClientError as error:
            raise _missing(name, error) from error

    def advice_on(self, error: Exception) -> str:
        """Return what to do about an error of S3, or ""."""
        code = _code(error)
        if code in _REFUSED or isinstance(
            error, (NoCredentialsError, PartialCredentialsError)
        ):
            return "Check its access_key and secret_key, and what the key may do."
        if code == "NoSuchBucket":
            return "Check its bucket_name."
        if code in {"412", "PreconditionFailed"}:
            return "It was replaced while it was read: open it again."
        if isinstance(error, (HTTPClientError, ConnectionError, IncompleteReadError)):
            return "Check its endpoint_url, or try again when the service answers."
        return ""

    @property
    def _client(self) -> BaseClient:
        return self._storage.connection.meta.client

    def _goes_on(self, upload: Mapping, since: datetime) -> bool:
        """Tell if an upload got a part since a moment, or is over by now."""
        pages = self._client.get_paginator("list_parts").paginate(
            Bucket=self._storage.bucket_name,
            Key=upload["Key"],
            UploadId=upload["UploadId"],
        )
        try:
            return any(
                part["LastModified"] >= since
                for page in pages
                for part in page.get("Parts", ())
            )
        except ClientError as error:
            if _code(error) in _MISSING:
                return True
            raise

    def _params(self, name: str, allowed: list[str]) -> dict:
        params = self._storage.get_object_parameters(name)
        return {
            **{key: value for key, value in params.items() if key in allowed},
            "Bucket": self._storage.bucket_name,
            "Key": self._key(name),
        }

    def _prefix(self, folder: str) -> str:
        return f"{prefix.rstrip('/')}/" if (prefix := self._key(folder)) else ""

    def _key(self, name: str) -> str:
        # With its own method: subclasses like to change it.
        key: str = self._storage._normalize_name(name)  # noqa: SLF001
        return key


class _ObjectReader(io.RawIOBase):
    """An object of S3 as a file, read as it comes: neither in memory nor on disk.

    All that is read is of one version of the object. After seek(), or if the
    connection broke, it is asked for from there on.
    """

    def __init__(
        self, objects: Objects, name: str, start: int, end: int | None
    ) -> None:
        self._objects = objects
        self._name = name
        self._start = start
        self._last = "" if end is None else str(end - 1)
        self._position = 0
        self._body: StreamingBody | None = None
        # Without a range, since an empty object has none.
        conditions = {"Range": self._range()} if start or self._last else {}
        answer = objects.get(name, **conditions)
        self._body = answer["Body"]
        self._size = answer["ContentLength"]
        self._version = answer["ETag"]

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_CUR: self._position, os.SEEK_END: self._size}.get(whence, 0)
        if base + offset != self._position:
            self._drop()
            self._position = max(base + offset, 0)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        try:
            chunk = self._read(len(buffer))
        except (HTTPClientError, IncompleteReadError):
            self._drop()
            chunk = self._read(len(buffer))
        buffer[: len(chunk)] = chunk
        self._position += len(chunk)
        return len(chunk)

    def close(self) -> None:
        if not self.closed:
            self._drop()
        super().close()

    def _read(self, length: int) -> bytes:
        if self._position >= self._size:
            return b""
        if self._body is None:
            answer = self._objects.get(
                self._name, Range=self._range(), IfMatch=self._version
            )
            self._body = answer["Body"]
        chunk: bytes = self._body.read(length)
        return chunk

    def _range(self) -> str:
        return f"bytes={self._start + self._position}-{self._last}"

    def _drop(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None


def _missing(name: str, error: ClientError) -> Exception:
    """Return the error to raise: the built-in one if there is no such object."""
    return FileNotFoundError(name) if _code(error) in _MISSING else error


def _code(error: Exception) -> str:
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))

"""An object store to test against: the one that the environment names, or moto."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from deliverystore.backends import DeliveryStoreInterface

VARIABLE = "DELIVERYSTORE_TEST_S3_"

_PIECE = 4096
_PAUSE = 0.05


@dataclass(frozen=True, kw_only=True)
class ObjectStore:
    """Where a bucket is, and the keys to it; tests stay below a prefix of their own."""

    endpoint: str
    bucket: str = "deliveries"
    access_key: str = "testing"
    secret_key: str = "testing"
    region: str = "us-east-1"
    prefix: str = field(default_factory=lambda: f"test-{secrets.token_hex(8)}")

    @property
    def environment(self) -> dict[str, str]:
        """Return what names this store to another process."""
        names = ("endpoint", "bucket", "access_key", "secret_key", "region")
        return {VARIABLE + name.upper(): getattr(self, name) for name in names}

    def options(self, **others: Any) -> dict[str, Any]:
        """Return the options for STORAGES, with which clients give up soon."""
        from boto3.s3.transfer import TransferConfig
        from botocore.config import Config

        return {
            "access_key": self.access_key,
            "secret_key": self.secret_key,
            "bucket_name": self.bucket,
            "region_name": self.region,
            "endpoint_url": self.endpoint,
            "client_config": Config(
                connect_timeout=2,
                read_timeout=10,
                retries={"mode": "standard", "total_max_attempts": 2},
            ),
            "transfer_config": TransferConfig(use_threads=False),
            **others,
        }

    def storage(self, **others: Any) -> Any:
        """Return the storage of django-storages with these options."""
        from storages.backends.s3 import S3Storage

        return S3Storage(**self.options(**others))

    def keys(self) -> list[str]:
        """Return the names of all objects below the prefix."""
        found = self.storage().bucket.objects.filter(Prefix=self.prefix)
        return [one.key for one in found]

    def unfinished(self, name: str) -> list[str]:
        """Return the ids of unfinished uploads to a name."""
        uploads = self.storage().bucket.multipart_uploads
        found = uploads.filter(Prefix=f"{self.prefix}/{name}")
        return [upload.id for upload in found]

    def clear(self) -> None:
        """Remove what is below the prefix."""
        bucket = self.storage().bucket
        bucket.objects.filter(Prefix=self.prefix).delete()
        for upload in bucket.multipart_uploads.filter(Prefix=self.prefix):
            upload.abort()

    @contextlib.contextmanager
    def held(self, *, alone: bool) -> Iterator[None]:
        """Keep those away who want to be alone or, being alone, all others."""
        name = f"deliverystore-{urlsplit(self.endpoint).netloc}.lock"
        with (Path(tempfile.gettempdir()) / name).open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            yield

    def behind(self, proxy: Proxy) -> ObjectStore:
        """Return the same store, as it is seen through a proxy."""
        return replace(self, endpoint=f"http://127.0.0.1:{proxy.port}")


@contextlib.contextmanager
def an_object_store() -> Iterator[ObjectStore]:
    """Give an object store, and remove what was left in it."""
    with contextlib.ExitStack() as stack:
        if VARIABLE + "ENDPOINT" in os.environ:
            store = named_object_store()
        else:
            store = stack.enter_context(_moto())
        yield store
        store.clear()


def named_object_store() -> ObjectStore:
    """Return the object store that the environment names."""
    names = ("endpoint", "bucket", "access_key", "secret_key", "region")
    given = {name: os.environ.get(VARIABLE + name.upper()) for name in names}
    return ObjectStore(**{name: value for name, value in given.items() if value})


@contextlib.contextmanager
def _moto() -> Iterator[ObjectStore]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    store = ObjectStore(endpoint=f"http://{host}:{port}")
    store.storage().bucket.create()
    try:
        yield store
    finally:
        server.stop()


class Proxy:
    """Passes bytes on to a server, counts them, and fails when it is told to."""

    def __init__(self, endpoint: str) -> None:
        target = urlsplit(endpoint)
        self._target = (target.hostname, target.port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.port = self._listening.getsockname()[1]
        self.sent = 0
        self.received = 0
        # After so many bytes to the server it is gone, as is every new connection.
        self.vanishes_after: float = float("inf")
        # After so many bytes from the server one connection breaks, and then no more.
        self.breaks_once_after: float = float("inf")
        self.is_silent = threading.Event()
        # Bytes from the server come one by one, so to say: in pieces, with pauses.
        self.trickles = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *exc: object) -> None:
        self._listening.close()
        self.close_all()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                self._open.append(client)
                if self.sent >= self.vanishes_after:
                    client.close()
                    continue
                server = socket.create_connection(self._target)
                self._open.append(server)
                for action in (self._send, self._receive):
                    threading.Thread(
                        target=action, args=(client, server), daemon=True
                    ).start()

    def _send(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := client.recv(64 * 1024):
                self.sent += len(chunk)
                if self.sent >= self.vanishes_after:
                    self.close_all()
                if not self.is_silent.is_set():
                    server.sendall(chunk)
            server.shutdown(socket.SHUT_WR)

    def _receive(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := server.recv(64 * 1024):
                self.received += len(chunk)
                if self.received >= self.breaks_once_after:
                    self.breaks_once_after = float("inf")
                    break
                self._hand_on(chunk, client)
            _close(client)
            _close(server)

    def _hand_on(self, chunk: bytes, client: socket.socket) -> None:
        if not self.trickles.is_set():
            client.sendall(chunk)
            return
        for start in range(0, len(chunk), _PIECE):
            client.sendall(chunk[start : start + _PIECE])
            time.sleep(_PAUSE)

    def close_all(self) -> None:
        """Break all connections."""
        while self._open:
            _close(self._open.pop())


def _close(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


def write(store: DeliveryStoreInterface, name: str, content: bytes) -> None:
    """Write a whole object."""
    with store.write_open(name) as file:
        file.write(content)


def content_of(store: DeliveryStoreInterface, name: str) -> bytes:
    """Return all bytes of an object."""
    with store.read_open(name) as file:
        return file.read()

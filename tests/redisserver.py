"""An empty database of a Redis server, for one test."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
from collections.abc import Iterator

URL = os.environ.get("DELIVERYSTORE_TEST_REDIS", "redis://127.0.0.1:6379")
_OURS = "deliverystore-tests"


@functools.cache
def is_there() -> bool:
    if importlib.util.find_spec("redis") is None:
        return False
    import redis

    with redis.Redis.from_url(URL, socket_connect_timeout=3) as server:
        try:
            return bool(server.ping())
        except redis.ConnectionError:
            return False


@contextlib.contextmanager
def redis_database() -> Iterator[str]:
    """Give the URL of a database with nothing of anybody else in it to the block."""
    import redis

    for number in range(15, 0, -1):
        url = f"{URL}/{number}"
        with redis.Redis.from_url(url) as database:
            if database.dbsize() or not database.set(_OURS, os.getpid(), nx=True):
                continue
            try:
                yield url
            finally:
                database.flushdb()
            return
    raise LookupError(f"No database of {URL} is empty.")

"""An object store for the tests that need one."""

from __future__ import annotations

import os
import secrets
import shlex
import subprocess

import pytest

from deliverystore.backends import DjangoStorageDeliveryStore
from tests.objectstore import VARIABLE, Proxy, an_object_store


@pytest.fixture(scope="session")
def object_store():
    with an_object_store() as objects:
        yield objects


@pytest.fixture
def objects(object_store):
    """Give the object store of this session, with all its servers up."""
    with object_store.held(alone=False):
        yield object_store


@pytest.fixture
def name():
    """Return a name that no test before has used."""
    return f"{secrets.token_hex(8)}.bin"


@pytest.fixture
def s3(objects):
    """Return a delivery store below the prefix of this session."""
    return DjangoStorageDeliveryStore(objects.prefix, objects.storage())


@pytest.fixture
def proxy(objects):
    """Give a proxy before the object store."""
    if not objects.endpoint.startswith("http:"):
        pytest.skip("needs an endpoint without TLS, to stand between")
    with Proxy(objects.endpoint) as proxy:
        yield proxy


@pytest.fixture
def s3_behind_proxy(objects, proxy):
    """Return the same delivery store, as it is seen through the proxy."""
    return DjangoStorageDeliveryStore(objects.prefix, objects.behind(proxy).storage())


@pytest.fixture
def one_server_down(object_store):
    """Stop one server of the object store, and start it again."""
    try:
        stop, start = (os.environ[f"{VARIABLE}{word}"] for word in ("STOP", "START"))
    except KeyError:
        pytest.skip(f"needs {VARIABLE}STOP and _START: commands for one of its servers")
    with object_store.held(alone=True):
        subprocess.run(shlex.split(stop), check=True)
        try:
            yield object_store
        finally:
            subprocess.run(shlex.split(start), check=True)

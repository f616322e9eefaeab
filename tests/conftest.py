"""A folder for each test, and what happens to a test whose tool is missing."""

from __future__ import annotations

import functools
import gc
import importlib.util
import os
import shutil
import subprocess
import zlib

import hypothesis
import psycopg
import pytest
from django.test import TransactionTestCase

from deliverystore.datacenter import DataCenter
from tests import redisserver
from tests.settings import DATABASES, POSTGRESQL

REQUIRE_ALL = os.environ.get("DELIVERYSTORE_REQUIRE_ALL") == "1"

# Two busy cores make any single example slow now and then.
hypothesis.settings.register_profile(
    "deliverystore",
    deadline=None,
    max_examples=int(os.environ.get("DELIVERYSTORE_EXAMPLES", "10")),
)
hypothesis.settings.load_profile("deliverystore")


_DATABASE_FIXTURES = {"db", "transactional_db", "live_server"}


def _asks_a_database(item):
    return (
        item.get_closest_marker("django_db") is not None
        or not _DATABASE_FIXTURES.isdisjoint(item.fixturenames)
        or issubclass(item.cls or object, TransactionTestCase)
    )


def pytest_xdist_auto_num_workers():
    """Return how many workers there are: browsers and disks leave a core idle."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(config, items):
    """Leave out, on another database, what asks none, and all but a share of the rest.

    With DELIVERYSTORE_SHARE=4, a quarter runs, the same one every time.
    """
    share = int(os.environ.get("DELIVERYSTORE_SHARE", "1"))
    on_sqlite = DATABASES["default"]["ENGINE"].endswith("sqlite3")
    chosen, left = [], []
    for item in items:
        mine = zlib.crc32(item.nodeid.encode()) % share == 0
        asked = on_sqlite or _asks_a_database(item)
        (chosen if mine and asked else left).append(item)
    config.hook.pytest_deselected(items=left)
    items[:] = chosen


def pytest_collection_finish():
    """Keep what lives as long as the tests out of every garbage collection."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def delivery_store_root(settings, tmp_path):
    """Keep the deliveries of one test away from those of the next."""
    settings.DELIVERY_STORE_ROOT = tmp_path / "deliveries"
    return settings.DELIVERY_STORE_ROOT


@pytest.fixture
def center(settings, tmp_path):
    """The data center of the settings, in a folder of this test."""
    settings.DELIVERY_STORE_DATACENTER_ROOT = tmp_path / "center"
    return DataCenter()


@pytest.fixture
def upload_root(settings, tmp_path):
    """Let files be uploaded in parts."""
    settings.DELIVERY_STORE_UPLOAD_ROOT = tmp_path / "uploads"
    return settings.DELIVERY_STORE_UPLOAD_ROOT


def _is_there(module):
    return importlib.util.find_spec(module) is not None


@functools.cache
def _has_browser():
    return _is_there("playwright") and shutil.which("chromium") is not None


@functools.cache
def _has_objectstore():
    return all(map(_is_there, ["boto3", "storages", "moto", "flask_cors"]))


@functools.cache
def _has_postgresql():
    try:
        psycopg.connect(
            dbname="postgres",
            host=POSTGRESQL["HOST"],
            port=POSTGRESQL["PORT"],
            user=POSTGRESQL["USER"],
            password=POSTGRESQL["PASSWORD"],
            connect_timeout=3,
        ).close()
    except psycopg.OperationalError:
        return False
    return True


@functools.cache
def _has_strace():
    """Tell if strace is there and may trace: in some containers it may not."""
    try:
        subprocess.run(["strace", "-o", os.devnull, "true"], check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return False
    return True


TOOLS = {
    "browser": (_has_browser, "needs Chromium (Debian: chromium) and playwright"),
    "objectstore": (_has_objectstore, "needs moto, flask-cors and deliverystore[s3]"),
    "postgresql": (_has_postgresql, "needs PostgreSQL: see PGHOST, PGPORT, PGUSER"),
    "redis": (redisserver.is_there, "needs Redis: see DELIVERYSTORE_TEST_REDIS"),
    "strace": (_has_strace, "needs strace, and the right to trace"),
}


def pytest_runtest_setup(item):
    for name, (is_there, reason) in TOOLS.items():
        if item.get_closest_marker(name) and not is_there():
            pytest.skip(reason)


def _skipped(config):
    """Count what was skipped, but for what a store does not even promise."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    reports = reporter.stats.get("skipped", []) if reporter else []
    return sum("does not promise" not in str(report.longrepr) for report in reports)


def pytest_sessionfinish(session):
    """Fail where nothing may be skipped: CI has every tool."""
    if REQUIRE_ALL and _skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter):
    if REQUIRE_ALL and (skipped := _skipped(terminalreporter.config)):
        terminalreporter.write_line(
            f"DELIVERYSTORE_REQUIRE_ALL=1: {skipped} skipped, none may be", red=True
        )

"""A Django project in a temporary folder, for benchmarks."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command


@contextlib.contextmanager
def project(*, apps: Sequence[str] = (), **extra: object) -> Iterator[Path]:
    """Set Django up with SQLite and a delivery store below a new folder, once."""
    with tempfile.TemporaryDirectory(prefix="deliverystore-bench-") as name:
        folder = Path(name)
        settings.configure(
            SECRET_KEY="only for benchmarks",
            INSTALLED_APPS=[
                "django.contrib.auth",
                "django.contrib.contenttypes",
                "deliverystore",
                "benchmarks",
                *apps,
            ],
            DATABASES={
                "default": {
                    "ENGINE": "django.db.backends.sqlite3",
                    "NAME": folder / "db.sqlite3",
                    "OPTIONS": {"transaction_mode": "IMMEDIATE"},
                }
            },
            DELIVERY_STORE_ROOT=folder / "deliveries",
            MEDIA_ROOT=folder / "media",
            USE_TZ=True,
            **extra,
        )
        django.setup()
        call_command("migrate", run_syncdb=True, verbosity=0)
        yield folder

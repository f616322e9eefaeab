"""Settings that a page of the documentation shows."""

from __future__ import annotations

import os

from tests.processes.settings import *  # noqa: F403

exec(os.environ["DELIVERYSTORE_PAGE"])  # noqa: S102

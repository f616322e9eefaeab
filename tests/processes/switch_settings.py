"""Settings that a page of the documentation shows."""

from __future__ import annotations

import os

from tests.processes.settings import *  # noqa: F403
from tests.processes.settings import DELIVERY_STORE_ROOT

# The page is about what is handed in; what visitors see is elsewhere.
MEDIA_ROOT = f"{DELIVERY_STORE_ROOT}-media"

exec(os.environ["DELIVERYSTORE_PAGE"])  # noqa: S102

"""Settings for processes that share a real database and a real folder."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.settings import *  # noqa: F403

DATABASES = {"default": json.loads(os.environ["DELIVERYSTORE_DATABASE"])}
DELIVERY_STORE_ROOT = Path(os.environ["DELIVERYSTORE_ROOT"])
DELIVERY_STORE_UPLOAD_ROOT = os.environ.get("DELIVERYSTORE_UPLOAD_ROOT")
DELIVERY_STORE_USER_QUOTA_BYTES = int(os.environ.get("DELIVERYSTORE_QUOTA", 10**9))
DELIVERY_STORE_MAX_FILES = int(os.environ.get("DELIVERYSTORE_MAX_FILES", 10**9))
DELIVERY_STORE_DATACENTER_ROOT = f"{DELIVERY_STORE_ROOT}-center"

# Wrong ones, too, as JSON.
globals().update(json.loads(os.environ.get("DELIVERYSTORE_SETTINGS", "{}")))

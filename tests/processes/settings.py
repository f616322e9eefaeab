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

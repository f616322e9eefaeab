"""Every setting with its type and default, read from Django at the moment of use."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from django.conf import settings


class Conf:
    """A live view of the settings: each attribute is one name in settings.py."""

    DELIVERY_STORE_BACKEND: str = "deliverystore.backends.FsHierDeliveryStore"
    DELIVERY_STORE_ROOT: str | Path | None = None
    DELIVERY_STORE_INTERVAL: int = 1000
    DELIVERY_STORE_STORAGE: str = "default"
    DELIVERY_STORE_FALLBACK: str | None = None
    DELIVERY_STORE_UPLOAD_ROOT: str | Path | None = None
    DELIVERY_STORE_DATACENTER_ROOT: str | Path | None = None
    DELIVERY_STORE_DATACENTER_STORAGE: str | None = None
    DELIVERY_STORE_DATACENTER_MAX_FILE_BYTES: int | None = None
    DELIVERY_STORE_DATACENTER_MAX_WAITING: int | None = 20
    DELIVERY_STORE_DATACENTER_MAX_NAME_BYTES: int = 200
    DELIVERY_STORE_SPOOLS: dict[str, str | Path] | None = None
    DELIVERY_STORE_KVSTORES: dict[str, str | Path] | None = None
    DELIVERY_STORE_PUBLIC_STORAGE: str = "default"
    DELIVERY_STORE_WORKBENCH_ROOT: str | Path | None = None
    DELIVERY_STORE_DURABILITY: str = "full"
    DELIVERY_STORE_DIGEST: str = "sha256"
    DELIVERY_STORE_MAX_FILE_BYTES: int | None = None
    DELIVERY_STORE_MAX_DELIVERY_BYTES: int | None = None
    DELIVERY_STORE_MAX_FILES: int | None = None
    DELIVERY_STORE_USER_QUOTA_BYTES: int | None = None
    DELIVERY_STORE_ALLOWED_EXTENSIONS: list[str] | None = None
    DELIVERY_STORE_ALLOWED_TYPES: list[str] | None = None
    DELIVERY_STORE_ABANDON_AFTER: timedelta = timedelta(days=7)
    DELIVERY_STORE_GRACE: timedelta = timedelta(days=1)
    DELIVERY_STORE_KEEP_EXPORTS: timedelta = timedelta(days=7)

    def __getattribute__(self, name: str) -> object:
        default = super().__getattribute__(name)
        if name.isupper():
            return getattr(settings, name, default)
        return default


conf = Conf()

"""The two stores of the app: one for what is handed in, one for what visitors see."""

from __future__ import annotations

from django.core.files.storage import Storage

from deliverystore.backends import DeliveryStoreInterface, default_store
from deliverystore.conf import conf
from deliverystore.exceptions import SettingInvalid
from deliverystore.publishing.storage import StorageInterface


class _PublicStore(StorageInterface):
    """The storage that DELIVERY_STORE_PUBLIC_STORAGE names, read at each use."""

    def __init__(self) -> None:
        super().__init__(Storage())

    @property
    def store(self) -> DeliveryStoreInterface:
        alias = conf.DELIVERY_STORE_PUBLIC_STORAGE
        try:
            return StorageInterface(alias).store
        except SettingInvalid as error:
            raise SettingInvalid(f"DELIVERY_STORE_PUBLIC_STORAGE: {error}") from error


queue_store = StorageInterface(default_store)
public_store: StorageInterface = _PublicStore()

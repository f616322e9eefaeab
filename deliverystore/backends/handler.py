"""The stores that the settings choose."""

from __future__ import annotations

from typing import cast

from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import storages
from django.core.signals import setting_changed
from django.utils.functional import LazyObject, empty
from django.utils.module_loading import import_string

from deliverystore.backends.base import DeliveryStoreInterface
from deliverystore.backends.fallback import FallbackDeliveryStore
from deliverystore.backends.wrapper import DjangoStorageDeliveryStore
from deliverystore.conf import conf
from deliverystore.exceptions import MissingExtra, SettingInvalid


def load_store() -> DeliveryStoreInterface:
    """Return a new store of the class that DELIVERY_STORE_BACKEND names.

    Raise SettingInvalid if there is no such class, or it is no delivery store.
    """
    path = conf.DELIVERY_STORE_BACKEND
    try:
        backend = import_string(path)
    except (ImportError, AttributeError, TypeError) as error:
        raise SettingInvalid(f"DELIVERY_STORE_BACKEND: {error}") from error
    # isinstance() would look behind a lazy object: default_store would ask for itself.
    is_class = issubclass(type(backend), type)
    if not (is_class and issubclass(backend, DeliveryStoreInterface)):
        raise SettingInvalid(
            f"DELIVERY_STORE_BACKEND: {path} is no subclass of DeliveryStoreInterface."
        )
    try:
        store: DeliveryStoreInterface = backend()
    except TypeError as error:
        raise SettingInvalid(
            f"DELIVERY_STORE_BACKEND: {path} cannot be made without arguments: {error}"
        ) from error
    return store


def store_for(alias: str) -> DeliveryStoreInterface:
    """Return the store that STORAGES has under an alias.

    A storage that is no delivery store is wrapped, without a prefix. Raise
    SettingInvalid if there is no such alias, or its storage cannot be made.
    """
    if alias not in list(storages.backends):
        known = ", ".join(storages.backends)
        raise SettingInvalid(f"STORAGES has no {alias!r}; it has: {known}.")
    wrapper = DjangoStorageDeliveryStore(root="", storage=alias)
    try:
        storage = wrapper.storage
    except MissingExtra:
        raise
    except (ImproperlyConfigured, TypeError) as error:
        raise SettingInvalid(f"STORAGES[{alias!r}]: {error}") from error
    return storage if isinstance(storage, DeliveryStoreInterface) else wrapper


def load_fallback() -> DeliveryStoreInterface | None:
    """Return the store that DELIVERY_STORE_FALLBACK names, if it names one.

    Raise SettingInvalid if STORAGES has no such alias.
    """
    if (alias := conf.DELIVERY_STORE_FALLBACK) is None:
        return None
    try:
        return store_for(alias)
    except SettingInvalid as error:
        raise SettingInvalid(f"DELIVERY_STORE_FALLBACK: {error}") from error


class _DefaultStore(LazyObject):
    def _setup(self) -> None:
        store, fallback = load_store(), load_fallback()
        if fallback is not None:
            store = FallbackDeliveryStore(store, fallback)
        self._wrapped = store

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        # Django asks this of every model attribute before it runs the checks, which
        # are to say that a setting is wrong.
        try:
            if self._wrapped is empty:
                self._setup()
        except ImproperlyConfigured:
            return _DefaultStore
        return type(self._wrapped)

    def __getattr__(self, name: str) -> object:
        # And this, while the model is made.
        if name == "contribute_to_class":
            raise AttributeError(name)
        return super().__getattr__(name)

    def forget(self) -> None:
        self._wrapped = empty  # type: ignore[assignment]


def _forget(*, setting: str, **kwargs: object) -> None:
    if setting.startswith("DELIVERY_STORE_") or setting == "STORAGES":
        _default.forget()


_default = _DefaultStore()
default_store = cast("DeliveryStoreInterface", _default)
setting_changed.connect(_forget)

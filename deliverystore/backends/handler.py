"""The store that the settings choose."""

from __future__ import annotations

from typing import cast

from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.functional import LazyObject, empty
from django.utils.module_loading import import_string

from deliverystore.backends.base import DeliveryStoreInterface
from deliverystore.conf import conf
from deliverystore.exceptions import SettingInvalid


def load_store() -> DeliveryStoreInterface:
    """Return a new store of the class that DELIVERY_STORE_BACKEND names.

    Raise SettingInvalid if there is no such class, or it is no delivery store.
    """
    path = conf.DELIVERY_STORE_BACKEND
    try:
        backend = import_string(path)
    except (ImportError, AttributeError) as error:
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


class _DefaultStore(LazyObject):
    def _setup(self) -> None:
        self._wrapped = load_store()

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

    def forget(self) -> None:
        self._wrapped = empty  # type: ignore[assignment]


def _forget(*, setting: str, **kwargs: object) -> None:
    if setting.startswith("DELIVERY_STORE_") or setting == "STORAGES":
        _default.forget()


_default = _DefaultStore()
default_store = cast("DeliveryStoreInterface", _default)
setting_changed.connect(_forget)

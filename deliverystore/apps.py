"""The app as Django loads it."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DeliveryStoreConfig(AppConfig):
    """Registers the system checks and finds the processors of all apps."""

    name = "deliverystore"
    verbose_name = _("Delivery store")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks, which read the settings only when they run."""
        from deliverystore import checks  # noqa: F401
        from deliverystore.datacenter import registry
        from deliverystore.publishing import registry as media_registry
        from deliverystore.publishing import removing  # noqa: F401

        registry.autodiscover()
        media_registry.autodiscover()

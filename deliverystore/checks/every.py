"""All checks together, as Django runs them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, register

from deliverystore.checks.datacenter import (
    check_datacenter,
    check_processors,
    check_spools,
)
from deliverystore.checks.limits import (
    check_extensions,
    check_limits,
    check_times,
    check_types,
    check_uploads,
)
from deliverystore.checks.names import check_names
from deliverystore.checks.overlaps import check_overlaps
from deliverystore.checks.publishing import check_public_folder, check_publishing
from deliverystore.checks.stores import (
    check_digest,
    check_durability,
    check_kvstores,
    check_store,
    check_values,
)


@register()
def check_settings(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Check every setting of the app."""
    messages = [
        *check_store(),
        *check_digest(),
        *check_durability(),
        *check_limits(),
        *check_extensions(),
        *check_types(),
        *check_times(),
        *check_uploads(),
        *check_processors(),
        *check_datacenter(),
        *check_spools(),
        *check_kvstores(),
        *check_values(),
        *check_publishing(),
        *check_names(),
    ]
    if any(message.is_serious() for message in messages):
        return messages
    return [*messages, *check_overlaps(), *check_public_folder()]

"""Who may do what: Django's permissions, for all deliveries or for one of them."""

from __future__ import annotations

from typing import Any, Protocol

from django.db import models


class User(Protocol):
    """What is asked of a user: any user model of Django has it."""

    @property
    def pk(self) -> Any: ...

    @property
    def is_authenticated(self) -> Any: ...

    def get_username(self) -> str: ...

    def has_perm(self, perm: str, obj: Any = None) -> bool: ...


def may(user: User, action: str, delivery: models.Model | None = None) -> bool:
    """Tell whether a user has a permission for all deliveries, or for this one.

    action is "view", "download", "verify", "abandon", "publish" or "delete".
    """
    permission = f"deliverystore.{action}_delivery"
    if user.has_perm(permission):
        return True
    return delivery is not None and user.has_perm(permission, delivery)

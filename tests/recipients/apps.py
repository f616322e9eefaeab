from __future__ import annotations

from django.apps import AppConfig


class RecipientsConfig(AppConfig):
    name = "tests.recipients"
    label = "recipients"
    default_auto_field = "django.db.models.BigAutoField"

from __future__ import annotations

from django.apps import AppConfig


class SchoolConfig(AppConfig):
    name = "tests.school"
    label = "school"
    default_auto_field = "django.db.models.BigAutoField"

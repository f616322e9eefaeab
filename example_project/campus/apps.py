from __future__ import annotations

from django.apps import AppConfig


class CampusConfig(AppConfig):
    name = "example_project.campus"
    verbose_name = "Campus"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import gallery  # noqa: F401 - it listens

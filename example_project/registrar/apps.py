from __future__ import annotations

from django.apps import AppConfig


class RegistrarConfig(AppConfig):
    name = "example_project.registrar"
    verbose_name = "Registrar's office"
    default_auto_field = "django.db.models.BigAutoField"

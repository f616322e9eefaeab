"""Pages on which nothing is added or changed, for any number of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from deliverystore.admin.changelist import PER_PAGE

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest


class ReadOnlyAdmin(admin.ModelAdmin):
    """What all our pages have in common."""

    list_per_page = PER_PAGE
    show_full_result_count = False

    class Media:
        css = {"all": ("deliverystore/admin.css",)}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return False

"""Assignments in the admin, each with the way to its deliveries."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from .models import Assignment


@admin.register(Assignment)
class AssignmentAdmin(admin.ModelAdmin):
    list_display = ("title", "course", "deadline", "deliveries")
    list_filter = ("course",)
    search_fields = ("title", "course")
    date_hierarchy = "deadline"
    readonly_fields = ("deliveries",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Assignment]:
        return Assignment.objects.with_delivery_count()

    @admin.display(description="deliveries", ordering="delivery_count")
    def deliveries(self, assignment: Assignment) -> SafeString | str:
        if assignment._state.adding:
            return "-"
        url, count = assignment.deliveries_in_admin, assignment.delivery_count
        return format_html('<a href="{}">{} handed in</a>', url, count)

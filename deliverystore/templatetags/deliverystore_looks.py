"""How numbers, moments and long names look on every page of the admin."""

from __future__ import annotations

from django import template

from deliverystore.admin.datacenter import looks

register = template.Library()

register.filter("amount", looks.number)
register.filter("breakable", looks.breakable)
register.filter("moment", looks.moment)

"""What the address of a list may ask: what its filters offer, and nothing else."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.django_db

LISTS = {name: f"/admin/deliverystore/{name}/" for name in ("delivery", "check")}
LISTS["storedvalue"] = "/admin/deliverystore/storedvalue/"
LISTS |= {name: f"/admin/deliverystore/{name}/" for name in ("importrun", "export")}

ODD = [
    ("importrun", "file__regex", "^(a+)+$"),
    ("importrun", "file__regex", "("),
    ("importrun", "file__iregex", "("),
    ("importrun", "added__year", "0"),
    ("importrun", "state__regex", "("),
    ("importrun", "state__exact__regex", "("),
    ("importrun", "processor__regex", "("),
    ("importrun", "user__password__startswith", "p"),
    ("importrun", "pk", "9" * 30),
    ("export", "filters__contains", "x"),
    ("export", "filters__processor", "x"),
    ("export", "added__year", "0"),
    ("export", "expires__gte", "x"),
    ("delivery", "manifest_digest__regex", "("),
    ("delivery", "user_name__regex", "^(a+)+$"),
    ("delivery", "created__year", "0"),
    ("delivery", "time_of_delivery__regex", "("),
    ("delivery", "time_of_delivery__year__regex", "("),
    ("storedvalue", "metadata__by", "Anna"),
    ("storedvalue", "key__regex", "^(a+)+$"),
    ("storedvalue", "stored_as", "x"),
    ("check", "subset__regex", "("),
    ("check", "started__year", "0"),
    ("check", "ending__regex", "^(a+)+$"),
]


@pytest.mark.parametrize(("name", "lookup", "value"), ODD)
def test_what_no_filter_offers_is_refused(center, boss, client, name, lookup, value):
    assert client.get(LISTS[name], {lookup: value}).status_code == 400


@pytest.mark.parametrize(
    ("name", "lookup", "value"),
    [
        ("importrun", "dry_run__exact", "x"),
        ("importrun", "dry_run__exact", "9" * 30),
        ("importrun", "state__exact", "\0"),
        ("importrun", "processor", "\0"),
        ("importrun", "p", "9" * 30),
        ("importrun", "o", "9" * 30),
        ("export", "state__exact", "\0" * 300),
        ("delivery", "recipient_type", "x"),
        ("delivery", "recipient_type", "9" * 30),
        ("delivery", "recipient_id", "\0"),
        ("delivery", "delivered_by", "9" * 30),
        ("delivery", "delivered_by__id__exact", "x"),
        ("delivery", "number", "9" * 30),
        ("delivery", "state", "\0"),
        ("delivery", "time_of_delivery__year", "0"),
        ("delivery", "time_of_delivery__year", "9" * 30),
        ("delivery", "time_of_delivery__year", "9999"),
        ("delivery", "time_of_delivery__gte", "x"),
        ("delivery", "time_of_delivery__gte", "0001-01-01 00:00:00+14:00"),
        ("delivery", "time_of_delivery__lt", "9999-12-31 23:59:59-12:00"),
        ("delivery", "time_of_delivery__isnull", "x"),
        ("check", "p", "9" * 30),
        ("check", "o", "9" * 30),
    ],
)
def test_an_odd_value_is_no_fault(center, boss, client, name, lookup, value):
    assert client.get(LISTS[name], {lookup: value}, follow=True).status_code == 200


def test_what_the_filters_offer_is_taken(center, boss, client):
    asked = {
        "importrun": ["state__exact=finished", "dry_run__exact=1", "processor=faculty"],
        "export": ["state__exact=finished", "processor=faculty", "o=1", "p=1"],
        "delivery": [
            "state=open",
            "kind=none",
            "time_of_delivery__year=2024&time_of_delivery__month=5",
            "time_of_delivery__gte=2024-01-01%2000:00Z",
            "time_of_delivery__isnull=True",
        ],
        "check": ["", "e=1"],
    }
    for name, queries in asked.items():
        for query in queries:
            assert client.get(f"{LISTS[name]}?{query}").status_code == 200, query

"""The values of key-value stores in the admin."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Permission
from django.core.files.storage import storages
from django.urls import reverse

from deliverystore.admin import storedvalue
from deliverystore.kvstore import DatabaseStore
from deliverystore.models import StoredValue
from tests.admin.datacenter.people import sign_in
from tests.browser import assert_fits
from tests.factories import UserFactory

LIST = "/admin/deliverystore/storedvalue/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(settings):
    settings.STORAGES = {**settings.STORAGES}
    store = DatabaseStore()
    store.set("holidays/beach.jpg", (b"beach", {"year": 2026, "by": "Anna"}))
    store.set("holidays/hut.jpg", (b"hut", {"year": "2026", "by": "Ben"}))
    store.set("Holidays", (b"", {"year": None, "tags": ["a", {"b": "<i>"}]}))
    DatabaseStore(name="other").set("else", (b"else", {"by": "Anna"}))
    return store


@pytest.fixture
def listed(show, store):
    """Return the keys that the list shows."""

    def listed(**params):
        text = show(LIST, **params)
        cells = re.findall(r'field-short_key"><a [^>]*>(.*?)</a>', text)
        return sorted(cells)

    return listed


def page_of(key, name="change"):
    row = StoredValue.objects.get(key=key)
    return reverse(f"admin:deliverystore_storedvalue_{name}", args=[row.pk])


def test_the_list_shows_keys_with_metadata(show, store):
    text = show(LIST)

    assert "holidays/beach.jpg" in text
    assert "by: Anna, year: 2026" in text
    assert "&lt;i&gt;" in text


def test_keys_are_found_by_their_beginning(listed):
    assert listed(q="holidays/") == ["holidays/beach.jpg", "holidays/hut.jpg"]
    assert listed(q="H") == ["Holidays"]
    assert listed(q="%") == []
    assert listed(q="beach") == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("by", "Anna", ["else", "holidays/beach.jpg"]),
        ("by", '"Anna"', ["else", "holidays/beach.jpg"]),
        # As a number and as text.
        ("year", "2026", ["holidays/beach.jpg", "holidays/hut.jpg"]),
        ("year", "2026.0", ["holidays/beach.jpg"]),
        ("year", '"2026"', ["holidays/hut.jpg"]),
        ("year", "null", ["Holidays"]),
        ("tags", '["a", {"b": "<i>"}]', ["Holidays"]),
        ("tags", '["a"', []),
        ("by", "", []),
        ("by", "NaN", []),
        ("by", "\0", []),
        ("missing", "Anna", []),
    ],
)
def test_values_are_found_by_what_their_metadata_is(listed, name, value, expected):
    assert listed(name=name, value=value) == expected


def test_filters_and_search_go_together(listed, show):
    query = {"name": "by", "value": "Anna", "store": "default", "q": "hol"}
    text = show(LIST, **query)

    assert listed(**query) == ["holidays/beach.jpg"]
    assert listed(name="by", value="Anna", store="other") == ["else"]
    assert listed(store="missing") == listed()
    assert '<input type="hidden" name="store" value="default">' in text
    assert '<input type="hidden" name="q" value="hol">' in text
    assert 'name="value" value="Anna"' in text


def test_a_page_shows_the_metadata_as_a_table(show, store):
    text = show(page_of("Holidays"))

    assert "<dt>Storage</dt><dd>values</dd>" in text
    store.set_metadata("no data", {})
    assert "<dt>Storage</dt><dd>-</dd>" in show(page_of("no data"))
    assert '<th scope="row">tags</th>' in text
    assert "[&quot;a&quot;, {&quot;b&quot;: &quot;&lt;i&gt;&quot;}]" in text
    link = re.search(r'href="([^"]*name=year[^"]*)"', text)[1].replace("&amp;", "&")
    assert "Holidays" in show(link)


def test_keys_with_odd_characters_are_shown_so_that_each_is_seen(show, store):
    for key in ("nul\0here", "", "\u202etxt.exe", "x" * 4000):
        store.set(key, (b"data", {"a\0b".replace("\0", "\u202e"): "\u202e" * 10_000}))
    text = show(LIST)

    assert "nul␀here" in text
    assert "\u202e" not in text
    for row in StoredValue.objects.all():
        page = show(reverse("admin:deliverystore_storedvalue_change", args=[row.pk]))
        assert "\u202e" not in page
        assert len(page) < 60_000


def test_data_is_downloaded_and_no_browser_runs_it(boss, client, store):
    store.set("page.html", (b"<script>", {}))
    response = client.get(page_of("page.html", "download"))

    assert b"".join(response.streaming_content) == b"<script>"
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"] == 'attachment; filename="page.html"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]
    assert response["Content-Length"] == "8"
    head = client.head(page_of("page.html", "download"))
    assert (head["Content-Length"], head.content) == ("8", b"")
    assert client.post(page_of("page.html", "download")).status_code == 405


def test_what_is_changed_during_a_download_is_sent_whole_or_not_found(
    boss, client, store, monkeypatch
):
    row = StoredValue.objects.get(key="holidays/hut.jpg")
    address = page_of("holidays/hut.jpg", "download")
    monkeypatch.setattr(storedvalue, "get_object_or_404", lambda *args, **kwargs: row)
    store.set("holidays/hut.jpg", (b"another hut", {}))
    response = client.get(address)

    assert b"".join(response.streaming_content) == b"another hut"
    assert response["Content-Length"] == "11"
    store.delete("holidays/hut.jpg")
    assert client.get(address).status_code == 404


def test_lost_data_is_said_and_not_hidden(boss, client, store):
    row = StoredValue.objects.get(key="holidays/hut.jpg")
    storages["values"].delete(row.stored_as)
    response = client.get(page_of("holidays/hut.jpg", "download"))

    assert response.status_code == 500
    assert "missing" in response.text


@pytest.mark.parametrize("permission", ["view", "download"])
def test_to_look_and_to_download_are_two_permissions(client, store, permission):
    user = UserFactory(is_staff=True)
    codename = f"{permission}_storedvalue"
    user.user_permissions.set(Permission.objects.filter(codename=codename))
    client.force_login(user)
    found = {
        name: client.get(page_of("holidays/hut.jpg", name)).status_code
        for name in ("change", "download")
    }

    other = {"view": "download", "download": "change"}[permission]
    assert found[other] == 403
    assert sorted(found.values()) == [200, 403]


@pytest.mark.parametrize("count", [1, 120])
def test_the_list_needs_the_same_queries_for_many_values(
    boss, client, store, django_assert_max_num_queries, count
):
    keys = [f"many/{n}" for n in range(count)]
    store.multiset_metadata(keys, [{"n": n, "same": 1} for n in range(count)])
    client.get(LIST)
    for query in ({}, {"q": "many/"}, {"name": "same", "value": "1"}):
        with django_assert_max_num_queries(14):
            assert client.get(LIST, query).status_code == 200


def test_an_empty_list_says_where_values_come_from(show):
    assert "DatabaseStore().set" in show(LIST)
    assert 'STORAGES["values"]' in show(LIST)
    assert "No value matches" in show(LIST, q="x")


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_page_is_not_wider_than_the_window(page, live_server, boss, client):
    metadata = {"x" * 300: "y" * 5000, "text": "word " * 500}
    DatabaseStore().set_metadata("z/" * 2000, metadata)
    row = StoredValue.objects.get()
    sign_in(page, live_server, client)
    address = reverse("admin:deliverystore_storedvalue_change", args=[row.pk])
    page.goto(live_server.url + address)

    assert_fits(page)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_key_without_a_break_pushes_no_column_out_of_sight(
    page, live_server, boss, client
):
    DatabaseStore().set_metadata("x" * 4000, {"y" * 300: "z" * 300})
    sign_in(page, live_server, client)
    page.goto(live_server.url + LIST)

    box = page.locator("#result_list td.field-modified").bounding_box()
    filters = page.locator("#changelist-filter").bounding_box()
    assert box["x"] + box["width"] <= filters["x"]

"""Every URL of our pages in the admin, by every role, with GET and with POST.

The URLs come from the resolver: a page that is new and not in the table fails.
"""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, reverse

from deliverystore.datacenter import exports
from deliverystore.kvstore import DatabaseStore
from deliverystore.models import Publication, StoredValue
from tests.admin.datacenter.helpers import some_failed
from tests.admin.datacenter.people import ROLES, person
from tests.checking.conftest import check
from tests.datacenter.places import put
from tests.factories import finished_delivery

pytestmark = pytest.mark.django_db

NOBODY: set[str] = set()
IMPORTERS = {"importer", "half an importer"}
FILES = {"uploader", "downloader", "deleter"} | IMPORTERS
IMPORTER, EXPORTER, DELETER = {"importer"}, {"exporter"}, {"deleter"}
OTHERS = {"exporter", "logviewer"}
PUBLISHER = {"publisher"}
# Of all members of staff; a superuser is everything unless this says otherwise.
STAFF = set(ROLES)
NOT_EVEN_A_SUPERUSER = {"not even a superuser"}
OWNER = EXPORTER | NOT_EVEN_A_SUPERUSER

# Who may GET a page, and who may POST to it.
TABLE = {
    # The menu leads to it, and it leads who sees no files to what they see.
    "datafileinfo_changelist": (FILES | OTHERS, FILES | OTHERS),
    "datafileinfo_unfinished": (FILES, FILES),
    "datafileinfo_finished": (FILES, FILES),
    "datafileinfo_deleted": (DELETER, DELETER),
    # By GET, it leads to the list.
    "datafileinfo_upload": (STAFF, {"uploader"}),
    "datafileinfo_preview": ({"downloader"} | IMPORTERS, IMPORTERS),
    "datafileinfo_download": ({"downloader"}, {"downloader"}),
    "datafileinfo_delete": (IMPORTERS | DELETER, IMPORTERS | DELETER),
    "datafileinfo_restore": (DELETER, DELETER),
    "datafileinfo_processors": (IMPORTERS | EXPORTER, IMPORTERS | EXPORTER),
    "datafileinfo_template": (IMPORTER, IMPORTER),
    "datafileinfo_logs": ({"logviewer"}, {"logviewer"}),
    "importrun_changelist": (IMPORTERS, IMPORTERS),
    "importrun_figures": (IMPORTERS, IMPORTERS),
    "importrun_change": (IMPORTER, IMPORTER),
    "importrun_history": (IMPORTER, IMPORTER),
    "importrun_add": (NOT_EVEN_A_SUPERUSER, NOT_EVEN_A_SUPERUSER),
    "importrun_delete": (NOT_EVEN_A_SUPERUSER, NOT_EVEN_A_SUPERUSER),
    "importrun_progress": (IMPORTER, IMPORTER),
    "importrun_rows": (IMPORTER, IMPORTER),
    "importrun_row": (IMPORTER, IMPORTER),
    "importrun_cancel": (IMPORTER, IMPORTER),
    "importrun_resume": (IMPORTER, IMPORTER),
    "importrun_retry": (IMPORTER, IMPORTER),
    "importrun_correct": (IMPORTER, IMPORTER),
    "importrun_discard": (IMPORTER, IMPORTER),
    "importrun_corrections": (IMPORTER, IMPORTER),
    # By GET, it leads to the list.
    "importrun_forget": (IMPORTERS, IMPORTER),
    "export_changelist": (EXPORTER, EXPORTER),
    "export_new": (EXPORTER, EXPORTER),
    "export_change": (EXPORTER, EXPORTER),
    "export_history": (EXPORTER, EXPORTER),
    "export_add": (NOT_EVEN_A_SUPERUSER, NOT_EVEN_A_SUPERUSER),
    "export_delete": (NOT_EVEN_A_SUPERUSER, NOT_EVEN_A_SUPERUSER),
    "export_progress": (EXPORTER, EXPORTER),
    "export_repeat": (EXPORTER, OWNER),
    "export_remove": (EXPORTER, OWNER),
    "export_download": (OWNER, OWNER),
    "check_changelist": (NOBODY, NOBODY),
    "check_change": (NOBODY, NOT_EVEN_A_SUPERUSER),
    "check_history": (NOBODY, NOBODY),
    "check_add": (NOT_EVEN_A_SUPERUSER, NOT_EVEN_A_SUPERUSER),
    "check_delete": (NOT_EVEN_A_SUPERUSER, NOT_EVEN_A_SUPERUSER),
    "delivery_changelist": (NOBODY, NOBODY),
    "delivery_change": (NOBODY, NOT_EVEN_A_SUPERUSER),
    "delivery_history": (NOBODY, NOBODY),
    "delivery_add": (NOT_EVEN_A_SUPERUSER, NOT_EVEN_A_SUPERUSER),
    "delivery_delete": (NOBODY, NOBODY),
    "delivery_download": (NOBODY, NOT_EVEN_A_SUPERUSER),
    "delivery_receipt": (NOBODY, NOT_EVEN_A_SUPERUSER),
    "delivery_archive": (NOBODY, NOBODY),
    "delivery_verify": (NOBODY, NOBODY),
    "delivery_verify_file": (NOBODY, NOBODY),
    "delivery_abandon": (NOBODY, NOBODY),
    # By GET, it leads to the delivery.
    "delivery_publish": (PUBLISHER, PUBLISHER),
    "publication_changelist": (PUBLISHER, PUBLISHER),
    "publication_change": (PUBLISHER, NOT_EVEN_A_SUPERUSER),
    "publication_history": (PUBLISHER, PUBLISHER),
    "publication_add": (NOT_EVEN_A_SUPERUSER, NOT_EVEN_A_SUPERUSER),
    "publication_delete": (NOT_EVEN_A_SUPERUSER, NOT_EVEN_A_SUPERUSER),
    "publication_progress": (PUBLISHER, PUBLISHER),
    "publication_again": (PUBLISHER, PUBLISHER),
    "publication_off": (PUBLISHER, PUBLISHER),
    "storedvalue_changelist": (NOBODY, NOBODY),
    "storedvalue_change": (NOBODY, NOT_EVEN_A_SUPERUSER),
    "storedvalue_history": (NOBODY, NOBODY),
    "storedvalue_add": (NOT_EVEN_A_SUPERUSER, NOT_EVEN_A_SUPERUSER),
    "storedvalue_delete": (NOT_EVEN_A_SUPERUSER, NOT_EVEN_A_SUPERUSER),
    "storedvalue_download": (NOBODY, NOT_EVEN_A_SUPERUSER),
    # Whoever has a receipt may have it looked at.
    "delivery_verify_receipt": (STAFF, STAFF),
}

# What an address asks for, or a form sends, so that there is something to refuse.
QUERIES = {
    "datafileinfo_preview": {"file": "f.csv"},
    "datafileinfo_download": {"file": "f.csv"},
    "datafileinfo_delete": {"file": "f.csv"},
    "datafileinfo_restore": {"file": "deleted/f.csv"},
    "datafileinfo_template": {"processor": "faculty", "mode": "create"},
    "importrun_corrections": {"processor": "faculty"},
    "importrun_forget": {"processor": "faculty", "correction": "1"},
}


def patterns(found=None):
    """Yield the URLs of our pages, from the resolver of the admin."""
    for one in admin.site.urls[0] if found is None else found:
        if not isinstance(one, URLPattern):
            yield from patterns(one.url_patterns)
        elif (one.name or "").startswith("deliverystore_"):
            yield one


NAMES = sorted(one.name.removeprefix("deliverystore_") for one in patterns())


@pytest.fixture
def addresses(center):
    """Return the address of each page, all of them about something that is there."""
    people = {role: person(role) for role in [*ROLES, "superuser"]}
    run = some_failed(center, user=people["importer"], name="g.csv")
    export = exports.start_export("faculty", people["exporter"], enqueue=False)
    exports.work(export)
    delivery = finished_delivery()
    publication = Publication.objects.create(filemeta=delivery.files.get())
    DatabaseStore().set("key", (b"data", {"a": 1}))
    objects = {
        "importrun": run.pk,
        "export": export.pk,
        "check": check().pk,
        "delivery": delivery.pk,
        "storedvalue": StoredValue.objects.get().pk,
        "filemeta": delivery.files.get().pk,
        "publication": publication.pk,
    }

    def address(pattern):
        model = pattern.name.split("_")[1]
        if "files/" in str(pattern.pattern):
            model = "filemeta"
        values = {"pk": objects.get(model), "object_id": objects.get(model)}
        values["number"] = run.failed_rows.order_by("number").first().number
        wanted = pattern.pattern.converters
        return reverse(
            f"admin:{pattern.name}", kwargs={name: values[name] for name in wanted}
        )

    found = {one.name.removeprefix("deliverystore_"): one for one in patterns()}
    return people, {name: address(one) for name, one in found.items()}


def answer(client, method, address, query):
    if method == "GET":
        return client.get(address, query)
    return client.post(f"{address}?{urlencode(query)}", query)


def verdict(response):
    """Say what became of a request: sent to the login, refused or answered."""
    if response.streaming:
        list(response.streaming_content)
    if response.status_code == 302 and response.url.startswith("/admin/login/"):
        return "login"
    if response.status_code == 302 and response.url == "/admin/":
        # So Django answers if there is nothing that somebody may see.
        return "refused"
    assert response.status_code < 500, response
    return "refused" if response.status_code in (403, 404, 405) else "answered"


def test_the_table_has_all_pages_and_no_other():
    assert set(NAMES) == set(TABLE)


@pytest.mark.long
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_page_is_for_those_in_the_table(center, addresses, method):
    people, pages = addresses
    clients = {role: Client() for role in ["anonymous", *people]}
    for role, user in people.items():
        clients[role].force_login(user)
    wrong = []
    for name in NAMES:
        allowed = TABLE[name][method == "POST"]
        for role, client in clients.items():
            for path in ("f.csv", "deleted/f.csv"):
                put(center, path)
            expected = "answered" if role in allowed else "refused"
            if role == "superuser" and not allowed & NOT_EVEN_A_SUPERUSER:
                expected = "answered"
            if role == "anonymous":
                expected = "login"
            with transaction.atomic():
                response = answer(client, method, pages[name], QUERIES.get(name, {}))
                found = verdict(response)
                transaction.set_rollback(True)
            if found != expected:
                wrong.append((name, role, response.status_code, expected))

    assert wrong == [], "\n" + "\n".join(map(str, wrong))


# The same, of rows that a run has left: who may GET, and who may POST.
LEFT_OVER = {
    "datafileinfo_preview": ({"downloader", "importer"}, IMPORTER),
    "datafileinfo_delete": (IMPORTER | DELETER, IMPORTER | DELETER),
    "datafileinfo_download": ({"downloader"}, {"downloader"}),
}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("name", LEFT_OVER)
def test_rows_that_a_run_has_left_are_for_those_who_may_import_them(
    client, center, addresses, name, method
):
    people, pages = addresses
    found = set()
    for role, user in people.items():
        client.force_login(user)
        query = {"file": "g.create.pending.csv"}
        response = answer(client, method, pages[name], query)
        if verdict(response) == "answered":
            found.add(role)

    assert found == LEFT_OVER[name][method == "POST"] | {"superuser"}

"""What a checker of accessibility says of our pages: nothing serious."""

from __future__ import annotations

import pytest

from deliverystore.datacenter import exports, runs
from deliverystore.kvstore import DatabaseStore
from deliverystore.models import FileMeta, StoredValue
from deliverystore.spool import FileStore
from tests.admin.conftest import LIST
from tests.admin.datacenter.helpers import export_url, imported, run_url, some_failed
from tests.admin.datacenter.people import sign_in, url
from tests.browser import DESK, PHONE, screens
from tests.checking.conftest import check, falsify
from tests.datacenter.csvfiles import table
from tests.datacenter.imports import start
from tests.datacenter.places import put
from tests.factories import UserFactory, finished_delivery, open_delivery
from tests.school.models import Faculty

pytestmark = [
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.django_db(transaction=True),
]

# The rest of a page is Django's.
OURS = "#content"
GRAVE = {"serious", "critical"}


@pytest.fixture
def admin(page, live_server, client, center, upload_root):
    """A browser in which a superuser is logged in."""
    page.user = UserFactory(username="boss", is_staff=True, is_superuser=True)
    client.force_login(page.user)
    sign_in(page, live_server, client)
    page.open = lambda address: page.goto(live_server.url + address)
    return page


def work(center, user):
    """Leave some of everything; return the addresses of the pages that show it."""
    Faculty.objects.create(code="ARTS", name="Arts")
    members = table(("1", "a@b.org", "ARTZ"), header=("number", "email", "faculty"))
    put(center, "members.csv", members)
    failed = runs.start_run("members.csv", "member", "create", enqueue=False)
    failed = runs.work(failed)
    runs.correct_values(failed, "faculty", {"ARTZ": "", "b": "ARTS"}, user)
    other = some_failed(center, name="other.csv", good=30)
    tried = runs.work(runs.retry(some_failed(center, name="n.csv"), enqueue=False))
    again = runs.start_run(tried.pending_file, enqueue=False)
    put(center, f"deleted/{other.pending_file}", "code,name\n")
    dry = imported(center, ("D", "Dry"), name="dry.csv", dry_run=True)
    gone = imported(center, ("GONE", ""), name="gone.csv", mode="remove")
    waits = start(center, ("W", "Waits"), name="waits.csv")
    export = exports.work(exports.start_export("faculty", user, enqueue=False))
    put(center, "new.csv", table(("N", "New"), ("", "")))
    center.delete("new.csv", user=user)
    put(center, "new.csv", table(("N", "New"), ("", "")))
    DatabaseStore().set("holidays/beach.jpg", (b"photo", {"kind": "photo"}))
    stored = StoredValue.objects.get()
    return [
        *(f"/admin/deliverystore/{name}/" for name in ("importrun", "export")),
        *(run_url("change", one.pk) for one in (failed, other, tried, dry, waits)),
        "/admin/deliverystore/storedvalue/",
        f"/admin/deliverystore/storedvalue/{stored.pk}/change/",
        *(run_url(name, other.pk) for name in ("rows", "discard")),
        run_url("rows", runs.work(again).pk),
        run_url("row", failed.pk, 1),
        run_url("retry", gone.pk),
        run_url("figures"),
        f"{run_url('corrections')}?processor=member",
        export_url("new"),
        f"{export_url('new')}?processor=faculty",
        export_url("change", export.pk),
    ]


def files():
    """Return the addresses of the pages about files."""
    names = ("unfinished", "finished", "deleted", "processors", "logs", "upload")
    return [
        *(url(name) for name in ("changelist", *names)),
        f"{url('preview')}?file=new.csv",
        f"{url('preview')}?file=new.csv&processor=faculty&mode=create",
        f"{url('delete')}?file=new.csv",
        f"{url('restore')}?file=deleted/new.csv&file=deleted/other.create.pending.csv",
    ]


def deliveries():
    """Leave deliveries and a check; return the addresses of their pages."""
    finished_delivery(files=[("essay.txt", b"holidays"), ("b.txt", b"2")])
    open_ = open_delivery()
    falsify(FileMeta.objects.get(filename="essay.txt"))
    checked = check()
    return [
        LIST,
        f"{LIST}1/change/",
        f"{LIST}1/delete/",
        f"{LIST}{open_.pk}/abandon/",
        f"{LIST}verify-receipt/",
        "/admin/deliverystore/check/",
        f"/admin/deliverystore/check/{checked.pk}/change/",
    ]


def grave(page):
    """Return what the checker finds in our part of a page."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, context=OURS).response["violations"]
    return [
        f"{one['id']}: {node['target']} {node['html'][:200]}"
        for one in found
        if one["impact"] in GRAVE
        for node in one["nodes"][:3]
    ]


@pytest.fixture
def spools(settings, tmp_path):
    """Two spools: in one a file has failed, the other is not there."""
    settings.DELIVERY_STORE_SPOOLS = {
        "scans": tmp_path / "scans",
        "new": tmp_path / "no",
    }
    store = FileStore(tmp_path / "scans", max_attempts=1)
    store.prepare()
    with store.writing("a") as file:
        file.write("content")
    store.claim().fail()


@screens(DESK, PHONE)
def test_nothing_grave_is_found_on_any_page(admin, center, spools):
    found = {}
    for address in [*work(center, admin.user), *files(), *deliveries()]:
        assert admin.open(address).status == 200, address
        if complaints := grave(admin):
            found[address] = complaints

    assert not found, "\n".join(
        f"{address} {one}" for address, all_ in found.items() for one in all_
    )


@screens(DESK, PHONE)
def test_nothing_grave_is_found_where_objects_are_to_be_removed(admin, center):
    put(center, "old.csv", table(("O",), header=("code",)))
    admin.open(f"{url('preview')}?file=old.csv&use=faculty:remove")
    admin.get_by_role("button", name="Import", exact=True).click()
    admin.get_by_role("heading", name="Remove objects?").wait_for()

    assert grave(admin) == []


def test_the_checker_sees_what_is_wrong(admin):
    admin.open(LIST)
    admin.evaluate("document.querySelector('#content').append(new Image())")

    assert any(one.startswith("image-alt") for one in grave(admin))

"""Figures: charts where there is the extra, tables anyway, at a bounded cost."""

from __future__ import annotations

import importlib
import os
import re
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from deliverystore.admin.datacenter import charts
from deliverystore.datacenter import DataCenter, figures
from deliverystore.models import ImportRun
from deliverystore.spool import FileStore, configured, get_spools
from tests.admin.datacenter.helpers import (
    imported,
    queries_of,
    run_url,
    some_failed,
    who_may,
    words,
)
from tests.admin.datacenter.people import url
from tests.datacenter.places import put
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def make(**values):
    """Make an import that has ended, as if it had been done."""
    now = timezone.now()
    facts = {
        "file": "f.csv",
        "processor": "faculty",
        "mode": "create",
        "state": "finished",
        "started": now - timedelta(seconds=2),
        "ended": now,
        **values,
    }
    return ImportRun(**facts)


@pytest.fixture
def everybody():
    return UserFactory(is_superuser=True)


def test_imports_are_counted_by_the_day(everybody, settings):
    settings.TIME_ZONE = "America/New_York"
    now = timezone.now()
    ImportRun.objects.bulk_create(
        make(added=now - timedelta(days=ago)) for ago in (0, 0, 3, 29, 31)
    )
    days = figures.runs_per_day(everybody)

    assert len(days) == figures.DAYS
    assert days[-1].day == timezone.localdate()
    assert [one.runs for one in days if one.runs] == [1, 1, 2]
    assert days[-4].runs == 1


def test_speeds_are_those_of_the_last_imports(everybody):
    ImportRun.objects.bulk_create(
        make(rows=rows, finished=rows, created=rows) for rows in (10, 0, 30)
    )
    assert [one.rate for one in figures.last_speeds(everybody)] == [5, 15]


def test_failures_are_those_of_first_tries(everybody, center):
    run = some_failed(center, bad=3, good=1)
    ImportRun.objects.bulk_create(
        [make(rows=3, failed=3, parent=run), make(processor="x", rows=2, blank=2)]
    )
    found = {one.processor: one for one in figures.failure_rates(everybody)}

    assert found["faculty"].percent == 75
    assert found["faculty"].runs == 1
    assert found["x"].percent == 0


def test_the_page_has_charts_and_tables_that_say_the_same(center, show):
    imported(center, ("A", "Arts"), name="<b>.csv")
    some_failed(center, bad=3, good=1)
    put(center, "waits.csv")
    text = show(run_url("figures"))

    assert text.count('class="deliverystore-chart"') == 4
    assert text.count("<summary>The same as a table</summary>") == 4
    assert "60.0 %" in text
    assert "Files that wait in the data center, by age: 2 in all" in words(text)
    assert "under an hour 2 under a day 0 under a week 0" in words(text)
    assert "<b>.csv" not in text


def test_the_charts_have_no_script_style_or_address(center, show):
    imported(center, ("A", "Arts"))
    for svg in re.findall(
        r"<svg[^>]*deliverystore-chart.*?</svg>", show(run_url("figures")), re.DOTALL
    ):
        assert not re.search(r"<(script|style|image|use|a)\b", svg)
        assert not re.search(r"\s(style|on\w+|(xlink:)?href)=", svg)
        assert "<!--" not in svg
        assert "//" not in svg.replace("http://www.w3.org/", "")


def test_what_a_chart_is_of_is_escaped():
    title, label = "<script>1</script>", "<script>2</script>&"
    svg = charts.bar_chart(title, [label], [1], in_words=str)

    assert "<script" not in svg
    assert "&lt;script&gt;" in svg


def test_without_the_package_there_are_the_tables_and_the_extra_is_named(
    center, show, monkeypatch
):
    imported(center, ("A", "Arts"))

    def without(name, *args):
        if name == "pygal":
            raise ImportError(name)
        return importlib.import_module(name, *args)

    monkeypatch.setattr(charts, "import_module", without)
    text = show(run_url("figures"))

    assert "deliverystore[charts]" in text
    assert "deliverystore-chart" not in text
    assert text.count("<details open>") == 3  # No file waits.


def test_nothing_yet_is_said(center, show):
    text = words(show(run_url("figures")))

    assert "Nothing was imported in these days." in text
    assert "No import has ended yet." in text
    assert "No file waits." in text


def test_without_a_data_center_the_rest_is_there(show, settings):
    settings.DELIVERY_STORE_DATACENTER_ROOT = None

    assert "Files that wait in the data center" not in show(run_url("figures"))


def test_files_that_wait_are_counted_by_age(center):
    now = time.time()
    for number, hours in enumerate((-5, 0, 0.9, 2, 30, 31, 24 * 8, 24 * 31)):
        path = Path(center.location) / put(center, f"{number}.csv")
        os.utime(path, (now, now - hours * 3600))
    put(center, "finished/f.csv")

    found = [one.files for one in figures.files_waiting(center)]
    assert found == [3, 1, 2, 1, 1]


def test_a_full_data_center_says_that_there_is_more(center, show, monkeypatch):
    monkeypatch.setattr(figures, "WAITING", 3)
    for number in range(5):
        put(center, f"{number}.csv")

    assert "by age: more than 3 in all" in words(show(run_url("figures")))


@pytest.fixture
def spools(settings, tmp_path):
    """Two spools: one that is used, one that nobody has made."""
    settings.DELIVERY_STORE_SPOOLS = {
        "scans": tmp_path / "scans",
        "<b>": tmp_path / "nowhere",
    }
    store = get_spools()["scans"]
    store.prepare()
    then = time.time() - 7200
    for number in range(6):
        path = store.path / "new" / f"{number}"
        path.touch()
        os.utime(path, (then, then))
    FileStore(store.path, lease=timedelta(milliseconds=1)).claim()
    store.claim()
    FileStore(store.path, max_attempts=1).claim().fail()
    (store.path / "new" / "folder").mkdir()
    time.sleep(0.01)
    return settings.DELIVERY_STORE_SPOOLS


def test_spools_are_told_with_what_waits_is_claimed_and_has_failed(show, spools):
    text = words(show(run_url("figures")).replace("\xa0", " "))

    assert "scans 1 3 (1 ignored: no files) 2 hours 2 (1 overdue)" in text
    assert "&lt;b&gt; There is no such spool yet: nobody has started" in text


def test_a_full_spool_says_that_there_is_more(show, spools, monkeypatch):
    monkeypatch.setattr(configured, "_COUNTED", 20)
    monkeypatch.setattr(configured, "_COUNTED_AT_LEAST", 1)
    (spools["scans"] / "new" / "folder").rmdir()
    text = words(show(run_url("figures")).replace("\xa0", " "))

    assert "scans 1 more than 2 at least 2 hours 2 (1 overdue)" in text


def test_folders_in_a_full_spool_do_not_hide_that_there_is_more(
    show, spools, monkeypatch
):
    monkeypatch.setattr(configured, "_COUNTED", 20)
    monkeypatch.setattr(configured, "_COUNTED_AT_LEAST", 1)
    for number in (3, 4):
        (spools["scans"] / "new" / str(number)).unlink()
        (spools["scans"] / "new" / f"folder {number}").mkdir()
    text = words(show(run_url("figures")))

    assert re.search(r"scans 1 at least [01] \([1-3] ignored: no files\) ", text)


def test_who_sees_no_files_is_not_sent_to_them(center, client):
    for may_see, codename in ((True, "run_import"), (False, "view_importrun")):
        client.force_login(who_may(codename))
        assert ("To the files" in client.get(run_url("figures")).text) == may_see


def test_a_spool_that_cannot_be_read_hides_no_other(show, spools, settings, tmp_path):
    file = tmp_path / "file"
    (tmp_path / "file").touch()
    settings.DELIVERY_STORE_SPOOLS = {"wrong": file, "scans": spools["scans"]}
    text = words(show(run_url("figures")))

    assert "wrong The site cannot look at it: Not a directory." in text
    assert "scans 1 3" in text


@pytest.mark.parametrize("then", [1e13, -1e13])
def test_a_file_of_a_year_that_no_calendar_has_hides_no_page(
    client, boss, show, settings, then
):
    memory = Path("/dev/shm")  # noqa: S108 - not every file system has such years
    if not memory.is_dir():
        pytest.skip("There is no file system in memory.")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        settings.DELIVERY_STORE_DATACENTER_ROOT = Path(folder, "center")
        settings.DELIVERY_STORE_SPOOLS = {"scans": Path(folder, "scans")}
        get_spools()["scans"].prepare()
        center = DataCenter()
        put(center, "f.csv", "code,name\nA,Arts\n")
        for path in (center.place.path("f.csv"), Path(folder, "scans/new/s.csv")):
            Path(path).touch()
            os.utime(path, (then, then))

        assert "scans" in words(show(run_url("figures")))
        assert client.get(url("changelist")).status_code == 200
        assert get_spools()["scans"].claim().modified.year in {1900, 9999}


def test_without_spools_nothing_is_said_of_them(show):
    assert "figure-spools" not in show(run_url("figures"))


def test_the_queries_do_not_grow(center, client, boss):
    imported(center, ("A", "Arts"))
    few = queries_of(client, run_url("figures"))
    ImportRun.objects.bulk_create(
        make(rows=9, finished=9, created=9, processor=f"p{n % 7}") for n in range(300)
    )
    assert queries_of(client, run_url("figures")) == few


def test_figures_are_of_imports_that_one_sees(center, client):
    imported(center, ("A", "Arts"))
    client.force_login(who_may("run_import", "add_student"))

    assert "Nothing was imported" in words(client.get(run_url("figures")))

"""The demo as a newcomer runs it: its own process, settings and folder."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
from http.cookiejar import CookieJar
from pathlib import Path
from subprocess import PIPE
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import pytest

PROJECT = Path(__file__).parents[2]
SMALL = ["--big-file-mb=2", "--students=200"]
PASSWORD = re.compile(r"^   (\w+) +(\w{4}-\w{4}-\w{4})  ", re.MULTILINE)

pytestmark = pytest.mark.processes


def _demo(var, *arguments):
    return {
        "args": [sys.executable, "manage.py", "demo", *SMALL, *arguments],
        "cwd": PROJECT,
        "env": {
            **os.environ,
            "CAMPUS_VAR": str(var),
            "DJANGO_SETTINGS_MODULE": "example_project.settings",
        },
        "text": True,
    }


def _run(var, *arguments):
    done = subprocess.run(
        **_demo(var, "--no-serve", *arguments), check=True, capture_output=True
    )
    assert done.stderr == ""
    return done.stdout


def _contents(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def first_run(tmp_path_factory):
    """Return what a first run has told, and its folder."""
    var = tmp_path_factory.mktemp("var")
    return _run(var), var


def test_the_demo_hands_in_loses_finds_and_restores(first_run):
    told, var = first_run
    assert re.search(r"measurements.csv +2.0 MB +sha256:", told)
    assert re.search(r"errors.log +0 bytes +sha256:e3b0c44298fc…", told)
    assert re.search(r"報告書.txt +91 bytes +sha256:", told)
    assert told.count("→ delivery 1, finished") == 3
    before, after = told.split("The file comes back")
    assert "damaged  report.pdf of delivery 1" in before
    assert "FileDamaged: 'report.pdf'" in before
    assert "intact   7 of 8" in before
    assert "intact   8 of 8" in after
    assert "Complete: everything is stored as it was handed in." in after
    stored, copies = _contents(var / "deliveries"), _contents(var / "copies")
    assert len(copies) == 8
    assert copies.items() <= stored.items()
    assert "\x1b" not in told
    lines = told.replace(str(var), "example_project/var").splitlines()
    assert max(map(len, lines)) <= 88


def test_the_demo_imports_corrects_and_finishes(first_run):
    told, var = first_run
    assert re.search(r"^   students.csv +227 +188 +14 +25 ", told, re.MULTILINE)
    assert "\n         matric_no: This student exists already.\n" in told
    assert "   → students.csv: 227 rows = 200 in + 2 given up + 25 blank\n" in told
    assert "8 faculties, 96 courses, 200 students, 248 enrolments: in " in told
    tables = var / "tables"
    # What is left for whoever tries the demo.
    assert [path.name for path in tables.glob("*.csv")] == [
        "new-students.create.pending.csv"
    ]
    assert [path.name for path in (tables / "unfinished").iterdir()] == [
        "new-students.csv"
    ]
    assert (tables / "deleted" / "students.create.pending.csv").exists()
    log = (tables / "logs" / "datacenter.log").read_text()
    assert re.search(r" upload 'students.csv' user='registrar' ", log)


def test_the_demo_drops_a_file_into_a_folder_that_imports_it(first_run):
    told, var = first_run
    assert re.search(
        r"^   → exchange-students.csv: 100 of 100 rows are in, \d+\.\d s after ",
        told,
        re.MULTILINE,
    )
    assert (var / "tables" / "finished" / "exchange-students.csv").exists()
    # What is left for whoever tries it: outside of the folder, which is empty.
    assert f"cp {var}/late-students.csv {var}/hot-folder/new/\n" in told
    assert (var / "late-students.csv").exists()
    assert _contents(var / "hot-folder") == {}


def test_the_demo_publishes_the_photos_that_it_made(first_run):
    told, var = first_run
    assert "→ 10 files are public: " in told
    assert told.count("the gallery   http://127.0.0.1:8000/gallery/\n") == 1
    assert "http://127.0.0.1:8000/admin/deliverystore/publication/" in told
    published = _contents(var / "media" / "published")
    assert sorted(path.name.split("-")[1] for path in published) == [
        *(["medium"] * 4 + ["preview"] + ["thumbnail"] * 5)
    ]
    assert not any(b"Exif" in content for content in published.values())
    assert list((var / "workbench").iterdir()) == []


def test_the_demo_keeps_reports_under_keys(first_run):
    told, var = first_run
    assert "→ 5 reports are kept" in told
    assert re.search(
        r"The one with gallery=True is assignments/\d, “.+”: 5 lines", told
    )
    assert "http://127.0.0.1:8000/admin/deliverystore/storedvalue/" in told
    assert len(_contents(var / "values")) == 5


def test_a_second_run_finds_everything_there(tmp_path):
    first = _run(tmp_path)
    stored, tables = _contents(tmp_path / "deliveries"), _contents(tmp_path / "tables")
    second = _run(tmp_path)
    assert len(PASSWORD.findall(first)) == 6
    assert PASSWORD.findall(second) == []
    assert "--new-passwords" in second
    assert second.count("→ delivery 1, there since") == 3
    assert "All 8 files are in" in second
    assert "intact   8 of 8" in second
    assert _contents(tmp_path / "deliveries") == stored
    table = second.split("An earlier run has imported, corrected and finished all")[1]
    assert re.search(r"^   students.csv +227 +188 +14 +25 ", table, re.MULTILINE)
    assert _contents(tmp_path / "tables") == tables
    assert "100 of 100 rows are in, in an earlier run of the demo" in second
    assert "→ 10 files are public since an earlier run." in second


def test_tables_of_an_older_version_are_told_in_one_sentence(tmp_path):
    demo = _demo(tmp_path, "--no-serve")
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
    subprocess.run(**{**demo, "args": migrate}, check=True)
    with contextlib.closing(sqlite3.connect(tmp_path / "campus.sqlite3")) as older:
        older.execute("ALTER TABLE campus_assignment DROP COLUMN gallery")

    done = subprocess.run(**demo, check=False, capture_output=True)

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"CommandError: {tmp_path} is of an older version of this project: remove it, "
        "and start again."
    ]


def test_a_demo_that_serves_nothing_says_how_to_serve_it(tmp_path):
    told = _run(tmp_path, "--port=8123")
    assert told.splitlines()[2].startswith("deliverystore is a Django app")
    assert re.search(r"^   file +size +digest +stored as$", told, re.MULTILINE)
    after = told.split("After make demo ARGS=--port=8123:\n")[1]
    assert "the site     http://127.0.0.1:8123/\n" in after
    assert "the gallery  http://127.0.0.1:8123/gallery/\n" in after
    assert "(After make demo ARGS=--port=8123.)" in told
    assert told.count("http://127.0.0.1:8123/") == told.count("http://") == 8


def test_a_damage_that_a_stopped_run_left_is_repaired(tmp_path):
    _run(tmp_path)
    path = min(p for p in (tmp_path / "deliveries").rglob("*") if p.is_file())
    content = path.read_bytes()
    path.write_bytes(b"?" + content[1:])
    assert "intact   8 of 8" in _run(tmp_path)
    assert path.read_bytes() == content


@contextlib.contextmanager
def _served(var):
    """Give the address of the site that the demo serves, and what it has told."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/"
    process = subprocess.Popen(**_demo(var, f"--port={port}"), stdout=PIPE)
    try:
        assert process.stdout is not None
        yield url, "".join(iter(process.stdout.readline, f"   the site     {url}\n"))
    finally:
        process.terminate()
        process.communicate()


class Browser:
    """Somebody who is logged in to the site, as soon as it answers."""

    def __init__(self, url, username, told):
        self._cookies = CookieJar()
        self._browser = build_opener(HTTPCookieProcessor(self._cookies))
        for _ in range(100):
            with contextlib.suppress(URLError):
                self.get(f"{url}login/")
                break
            time.sleep(0.1)
        password = dict(PASSWORD.findall(told))[username]
        form = {"username": username, "password": password}
        self.first_page = self.post(f"{url}login/", form)

    def get(self, url):
        with self._browser.open(url) as answer:
            return answer.read().decode()

    def post(self, url, form):
        token = next(one.value for one in self._cookies if one.name == "csrftoken")
        data = urlencode({"csrfmiddlewaretoken": token, **form}).encode()
        with self._browser.open(url, data) as answer:
            return answer.read().decode()


def test_the_printed_password_opens_the_site_that_is_served(tmp_path):
    with _served(tmp_path) as (url, told):
        page = Browser(url, "amina", told).first_page
    assert "Amina Diallo" in page
    assert "1 file not handed in yet" in page


def test_three_clicks_finish_the_import_that_is_left(tmp_path):
    with _served(tmp_path) as (url, told):
        page = re.findall(r"^ +1  (http\S+)$", told, re.MULTILINE)[0]
        registrar = Browser(url, "registrar", told)
        named = 'name="([^"]+)"[^>]* aria-label="What is meant by Faculty of Science'
        (name,) = re.findall(named, registrar.get(page))
        form = {name: "Science", "then": "retry"}
        again = registrar.post(page.replace("/change/", "/correct/"), form)
        (progress,) = re.findall(r'data-progress="/([^"]+)"', again)
        for _ in range(200):
            done = json.loads(registrar.get(url + progress))
            if done["isOver"]:
                break
            time.sleep(0.1)
    assert (done["state"], done["texts"]["failed"]) == ("finished", "0")
    assert not list((tmp_path / "tables").glob("*.csv"))


def test_what_is_typed_brings_a_file_in_until_the_demo_ends(tmp_path):
    with _served(tmp_path) as (url, told):
        (typed,) = re.findall(r"^ +2  (cp \S+ \S+)$", told, re.MULTILINE)
        subprocess.run(typed.split(), check=True)
        registrar = Browser(url, "registrar", told)
        for _ in range(200):
            page = registrar.get(f"{url}admin/deliverystore/importrun/?q=late-students")
            # Where a long name may break.
            page = page.replace("<wbr>", "")
            if "200 in" in page:
                break
            time.sleep(0.1)
    assert "late-students.csv" in page
    assert "200 in" in page
    # When the demo has ended, nobody watches any more.
    subprocess.run(typed.split(), check=True)
    time.sleep(2)
    assert len(_contents(tmp_path / "hot-folder" / "new")) == 1


@pytest.mark.parametrize("students", ["99", "many"])
def test_too_few_students_are_refused_before_anything_is_done(tmp_path, students):
    done = subprocess.run(
        **_demo(tmp_path, f"--students={students}"), check=False, capture_output=True
    )
    assert done.returncode == 2
    assert f"'{students}' is no number from 100 on." in done.stderr
    assert not (tmp_path / "deliveries").exists()


@pytest.mark.parametrize("arguments", [["--port=70000"], []])
def test_a_port_that_cannot_be_used_is_named_before_anything_is_done(
    tmp_path, arguments
):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        arguments = arguments or [f"--port={taken.getsockname()[1]}"]
        done = subprocess.run(
            **_demo(tmp_path, *arguments), check=False, capture_output=True
        )
    assert done.returncode == 1
    assert "Choose another one" in done.stderr
    assert not (tmp_path / "deliveries").exists()

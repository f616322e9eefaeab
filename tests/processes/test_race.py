"""Many real processes at the same moment, on a real database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid

import psycopg
import pytest

from tests.settings import POSTGRESQL, SQLITE

pytestmark = pytest.mark.processes


class Project:
    """A database and a folder that processes share."""

    def __init__(self, database, root):
        self.root = root
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.processes.settings",
            "DELIVERYSTORE_DATABASE": json.dumps(database),
            "DELIVERYSTORE_ROOT": str(root),
        }
        self.run("django", "migrate", "--run-syncdb", "--verbosity=0")

    def run(self, module, *arguments):
        """Run a module to its end and return what it printed."""
        return subprocess.run(
            [sys.executable, "-m", module, *arguments],
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout

    def race(self, name, count):
        """Return what each of the processes of a race said."""
        return json.loads(self.run("tests.processes.race", name, str(count)))

    def query(self, expression):
        """Return the value of an expression on the models, as JSON can hold it."""
        code = (
            "import json; from deliverystore.models import *; "
            f"print(json.dumps({expression}))"
        )
        return json.loads(self.run("django", "shell", "--verbosity=0", "-c", code))

    def files(self):
        return [path for path in self.root.rglob("*") if path.is_file()]


@pytest.fixture
def sqlite_project(tmp_path):
    return Project({**SQLITE, "NAME": str(tmp_path / "db")}, tmp_path / "files")


@pytest.fixture
def plain_sqlite_project(tmp_path):
    """Make a project with SQLite as startproject writes it."""
    database = {"ENGINE": SQLITE["ENGINE"], "NAME": str(tmp_path / "db")}
    return Project(database, tmp_path / "files")


@pytest.fixture
def postgresql_project(tmp_path):
    name = f"deliverystore_{uuid.uuid4().hex}"
    keys = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    server = {key: POSTGRESQL[name] for key, name in keys.items()}
    with psycopg.connect(**server, dbname="postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield Project({**POSTGRESQL, "NAME": name}, tmp_path / "files")
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(
    params=[
        "sqlite",
        "plain_sqlite",
        pytest.param("postgresql", marks=pytest.mark.postgresql),
    ]
)
def project(request):
    return request.getfixturevalue(f"{request.param}_project")


def test_sixteen_that_finish_together_get_the_numbers_1_to_16(project):
    assert sorted(project.race("finish", 16)) == list(range(1, 17))


def test_one_delivery_is_finished_once(project):
    said = project.race("finish_one", 8)

    assert sorted(said) == ["finished"] + 7 * ["refused: DeliveryNotOpen"]
    assert project.query("Delivery.objects.get().number") == 1


def test_of_eight_files_of_one_name_one_is_kept_whole(project):
    said = project.race("add_one_name", 8)

    kept = [one for one in said if not one.startswith("refused")]
    assert len(kept) == 1
    assert said.count("refused: DuplicateFilename") == 7
    stored = "FileMeta.objects.get().get_all_data_as_string().decode()"
    assert project.query(stored) == kept[0]
    assert len(project.files()) == 1


def test_what_was_answered_is_in_the_finished_delivery_and_nothing_else(project):
    said = project.race("add_and_finish", 6)

    answered = {one for one in said if one.endswith(".txt")}
    assert len(said) - len(answered) - 1 == said.count("refused: DeliveryNotOpen")
    stored = "list(FileMeta.objects.values_list('filename', flat=True))"
    assert set(project.query(stored)) == {"hello.txt", *answered}
    verified = "[c for _, c in Delivery.objects.get().verify()]"
    assert set(project.query(verified)) == {"intact"}
    assert len(project.files()) == len(answered) + 1


def test_the_quota_holds_for_all_together(project):
    project.environment["DELIVERYSTORE_QUOTA"] = "35"
    said = project.race("exceed_the_quota", 8)

    assert said.count(10) == 3
    assert said.count("refused: QuotaExceeded") == 5
    assert len(project.files()) == 3

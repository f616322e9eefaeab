"""A database and a folder that processes share."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import uuid

import psycopg
import pytest

from tests.settings import POSTGRESQL, SQLITE


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

    def migrate(self):
        self.run("django", "migrate", "--run-syncdb", "--verbosity=0")

    def run(self, module, *arguments):
        """Run a module to its end and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, module, *arguments):
        """Start a module and return the process, whose output can be read."""
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )

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


def sqlite_database(folder):
    """Return SQLite as startproject writes it."""
    return {"ENGINE": SQLITE["ENGINE"], "NAME": str(folder / "db")}


def connect(database):
    """Return a connection to a database of the server."""
    keys = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    server = {key: database[name] for key, name in keys.items()}
    return psycopg.connect(**server, dbname=database["NAME"], autocommit=True)


@contextlib.contextmanager
def postgresql_database(template="template1"):
    """Give a new database of the server to the block."""
    name = f"deliverystore_{uuid.uuid4().hex}"
    with connect({**POSTGRESQL, "NAME": "postgres"}) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        try:
            yield {**POSTGRESQL, "NAME": name}
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory):
    """Give the file of a database with all tables, to be copied."""
    folder = tmp_path_factory.mktemp("migrated")
    database = sqlite_database(folder)
    Project(database, folder / "files").migrate()
    return database["NAME"]


@pytest.fixture(scope="session")
def migrated_postgresql(tmp_path_factory):
    """Give the name of a database with all tables, to be copied."""
    with postgresql_database() as database:
        Project(database, tmp_path_factory.mktemp("migrated")).migrate()
        yield database["NAME"]


@pytest.fixture
def sqlite_project(migrated_sqlite, tmp_path):
    database = sqlite_database(tmp_path)
    shutil.copyfile(migrated_sqlite, database["NAME"])
    return Project(database, tmp_path / "files")


@pytest.fixture
def postgresql_project(migrated_postgresql, tmp_path):
    with postgresql_database(migrated_postgresql) as database:
        yield Project(database, tmp_path / "files")


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
)
def project(request):
    return request.getfixturevalue(f"{request.param}_project")

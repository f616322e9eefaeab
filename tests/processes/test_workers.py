"""Workers of their own, with the settings and the commands of the page about them."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shlex
import signal
import time
from pathlib import Path

import django
import pytest

from tests.docs.pages import DOCS, blocks_of, commands_in
from tests.processes.conftest import Project, connect, postgresql_database
from tests.redisserver import redis_database
from tests.settings import INSTALLED_APPS

PAGE = DOCS / "how-to" / "background-workers.md"
RUNS = "SELECT state, rows, finished, created FROM deliverystore_importrun"
EXPORTS = "SELECT state, rows FROM deliverystore_export"
NOBODY_LISTENS = "redis://127.0.0.1:1/0"

pytestmark = [pytest.mark.processes, pytest.mark.postgresql]


class Workers:
    """Workers on PostgreSQL: a project, and the processes that work for it."""

    # Where on the page its settings are, and with what its workers are started.
    block = 0
    command = "db_worker"
    # What becomes of a task whose worker was killed.
    given_up = "RUNNING"

    def __init__(self, make_project):
        self._started = []
        (self._typed,) = (one for one in commands_in(PAGE) if self.command in one)
        self.project, self._connection = make_project(self._settings())

    def _settings(self):
        return settings_of(blocks_of(PAGE, "python")[self.block])

    def start(self, count):
        words = shlex.split(self._typed)
        arguments = words[words.index("manage.py") + 1 :]
        self._started += [
            self.project.start("django", *arguments) for _ in range(count)
        ]

    def wait_until_all_are_up(self):
        for process in self._started:
            assert process.stdout.readline()

    def hand_out(self, files, rows, times):
        """Hand imports and exports to the workers."""
        words = [str(files), str(rows), str(times)]
        self.project.run("tests.processes.enqueuing", *words)

    def select(self, sql):
        return self._connection.execute(sql).fetchall()

    def kill_in_the_middle(self, after=0):
        """Kill who imports, once more rows than that are in; return how many are."""
        sql = "SELECT worker FROM deliverystore_importrun WHERE state = 'running'"
        sql += f" AND worker != '' AND NOT is_read AND rows > {after}"
        wait_until(lambda: self.select(sql))
        ((worker,),) = self.select(sql)
        self._kill(int(worker.split(":")[1]))
        ((state, rows, *_),) = self.select(RUNS)
        assert state == "running"
        return rows

    def _kill(self, pid):
        os.kill(pid, signal.SIGKILL)
        for process in self._started:
            if process.pid == pid:
                process.wait()
        # What RQ has forked is waited for by RQ.
        wait_until(lambda: not Path("/proc", str(pid)).exists())

    def stop(self):
        for process in self._started:
            process.kill()
            process.communicate()

    def done(self):
        """Return how many tasks each worker has done."""
        sql = "SELECT count(*) FROM django_tasks_database_dbtaskresult"
        counts = self.select(
            f"{sql} WHERE status = 'SUCCESSFUL' GROUP BY worker_ids ->> 0"
        )
        return [count for (count,) in counts]

    def left(self):
        """Return the states of tasks that are not done, as the backend names them."""
        sql = "SELECT status FROM django_tasks_database_dbtaskresult"
        states = self.select(f"{sql} WHERE status != 'SUCCESSFUL'")
        return [state for (state,) in states]


class RedisWorkers(Workers):
    """Workers on Redis; what they do is in PostgreSQL."""

    block = 1
    command = "rqworker"
    given_up = "FAILED"

    def __init__(self, make_project, url):
        self.url = url
        super().__init__(make_project)

    def _settings(self):
        settings = super()._settings()
        settings["RQ_QUEUES"]["default"]["URL"] = self.url
        return settings

    def done(self):
        import redis
        import rq

        with redis.Redis.from_url(self.url) as connection:
            workers = rq.Worker.all(connection=connection)
            return [one.successful_job_count for one in workers]

    def left(self):
        import redis
        import rq

        with redis.Redis.from_url(self.url) as connection:
            queue = rq.Queue(connection=connection)
            lists = {
                "READY": queue,
                "RUNNING": queue.started_job_registry,
                "FAILED": queue.failed_job_registry,
            }
            return [state for state, jobs in lists.items() for _ in jobs.get_job_ids()]


def wait_until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def settings_of(*blocks):
    """Return what the page says, as a project takes it over."""
    namespace = {"INSTALLED_APPS": list(INSTALLED_APPS)}
    for block in blocks:
        exec(compile(block.parsed, block.path, "exec"), namespace)  # noqa: S102
    return {name: value for name, value in namespace.items() if name.isupper()}


@pytest.fixture(scope="module")
def migrated(tmp_path_factory):
    """Give the name of a database with the tables of everything on the page."""
    for package in ("django_tasks_db", "django_tasks_rq"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"needs {package}")
    settings = settings_of(*blocks_of(PAGE, "python"))
    with pytest.MonkeyPatch.context() as patch, postgresql_database() as database:
        patch.setenv("DELIVERYSTORE_SETTINGS", json.dumps(settings))
        Project(database, tmp_path_factory.mktemp("migrated")).migrate()
        yield database["NAME"]


@pytest.fixture
def make_project(migrated, tmp_path, monkeypatch):
    """Make a project with some settings, whose e-mail goes to files.

    Its database is returned, too, for all that a test wants to know.
    """
    backend = "django.core.mail.backends.filebased.EmailBackend"
    folder = str(tmp_path / "mails")
    mailer = {"BACKEND": backend, "OPTIONS": {"file_path": folder}}
    mail = (
        {"MAILERS": {"default": mailer}}
        if django.VERSION >= (6, 1)
        else {"EMAIL_BACKEND": backend, "EMAIL_FILE_PATH": folder}
    )
    with contextlib.ExitStack() as stack:

        def make(settings):
            monkeypatch.setenv("DELIVERYSTORE_SETTINGS", json.dumps(settings | mail))
            database = stack.enter_context(postgresql_database(migrated))
            connection = stack.enter_context(connect(database))
            return Project(database, tmp_path / "files"), connection

        yield make


@pytest.fixture(params=["db", pytest.param("rq", marks=pytest.mark.redis)])
def workers(request, make_project):
    with contextlib.ExitStack() as stack:
        if request.param == "db":
            workers = Workers(make_project)
        else:
            url = stack.enter_context(redis_database())
            workers = RedisWorkers(make_project, url)
        stack.callback(workers.stop)
        yield workers


def test_two_workers_do_all_there_is_and_everything_once(workers, tmp_path):
    workers.start(2)
    workers.wait_until_all_are_up()
    # So many rows that one worker is at them when the other looks for work.
    workers.hand_out(2, 50_000, times=2)
    # Of each file: an e-mail; an import and an export, both of them twice.
    wait_until(lambda: sum(workers.done()) == 10)

    assert len(workers.done()) == 2
    assert min(workers.done()) > 0
    assert workers.left() == []
    assert workers.select(RUNS) == [("finished", 50_000, 50_000, 50_000)] * 2
    assert workers.select("SELECT count(*) FROM school_faculty") == [(100_000,)]
    assert workers.select(EXPORTS) == [("finished", 300)] * 2
    exported = list((tmp_path / "files-center").glob("exports/*.csv"))
    assert [len(path.read_text().splitlines()) for path in exported] == [301] * 2
    mails = [path.read_text() for path in (tmp_path / "mails").iterdir()]
    assert sum(mail.count("Subject: ") for mail in mails) == 2
    for number in range(2):
        assert sum(f"f{number}.csv waits" in mail for mail in mails) == 1


def test_what_a_killed_worker_has_begun_is_gone_on_with(workers):
    rows = 60_000
    workers.start(1)
    workers.hand_out(1, rows, times=2)
    done = workers.kill_in_the_middle()
    # Another one finds that the import has been handed out twice.
    workers.start(1)
    workers.kill_in_the_middle(after=done)

    # Nobody hands it out a third time; nor does it wait for the lease to end.
    wait_until(lambda: workers.left().count(workers.given_up) == 2)
    said = workers.project.run("django", "import_csv", "--resume")

    assert f"{rows:,}  finished" in said
    assert workers.select(RUNS) == [("finished", rows, rows, rows)]
    assert workers.select("SELECT count(*) FROM school_faculty") == [(rows,)]


@pytest.mark.redis
def test_what_cannot_be_handed_out_waits_for_the_command(make_project):
    workers = RedisWorkers(make_project, NOBODY_LISTENS)
    workers.hand_out(1, 10, times=1)

    assert [state for state, *_ in workers.select(RUNS)] == ["waiting"]
    assert [state for state, _ in workers.select(EXPORTS)] == ["waiting"]

    workers.project.run("django", "import_csv", "--resume")
    workers.project.run("django", "export_csv", "--resume")

    assert workers.select(RUNS) == [("finished", 10, 10, 10)]
    assert workers.select(EXPORTS) == [("finished", 300)]

"""The change of the store, as its page describes it, while the site is in use."""

from __future__ import annotations

import json
import os
import shlex
import time
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, blocks_of, caption_of, commands_in

PAGE = DOCS / "how-to" / "change-the-store.md"
WORKERS = 2

pytestmark = pytest.mark.processes


class Site:
    """Workers that go on while the settings change below them."""

    def __init__(self, project, folder):
        self._project = project
        self._folder = folder
        self._settings = ""
        self._workers = []
        self.said = []
        project.environment["DJANGO_SETTINGS_MODULE"] = (
            "tests.processes.switch_settings"
        )

    def deploy(self, settings):
        """Start workers with the next settings before the former ones have ended."""
        for place in ("srv", "mnt"):
            settings = settings.replace(f"/{place}/", f"{self._folder}/{place}/")
        self._settings += settings
        self._project.environment["DELIVERYSTORE_PAGE"] = self._settings
        module = "tests.processes.switch"
        started = [self._project.start(module) for _ in range(WORKERS)]
        for worker in started:
            assert worker.stdout.readline() == "works\n"
        time.sleep(0.5)
        self.stop()
        self._workers = started

    def type(self, command):
        """Run a command of the page, beside the workers."""
        words = shlex.split(command)
        return self._project.run("django", *words[words.index("manage.py") + 1 :])

    def stop(self):
        for worker in self._workers:
            worker.terminate()
        for worker in self._workers:
            with worker:
                self.said.append(json.loads(worker.stdout.read()))
        self._workers = []

    def files_in(self, place):
        # Workers remove folders while this looks; os.walk() does not mind.
        folder = self._folder / place
        return {
            (Path(parent) / name).relative_to(folder)
            for parent, _, names in os.walk(folder)
            for name in names
        }


@pytest.fixture
def site(project, tmp_path):
    site = Site(project, tmp_path)
    yield site
    for worker in site._workers:
        worker.kill()
        worker.communicate()


def test_every_file_can_be_read_all_the_time(site, project):
    both, swapped, alone, *_ = (
        block.parsed
        for block in blocks_of(PAGE, "python")
        if caption_of(block) == "settings.py"
    )
    preview, copy, copy_the_rest, check = commands_in(PAGE)

    site.deploy(both.replace('FALLBACK = "new"', "FALLBACK = None"))
    site.deploy(both)
    assert "to copy" in site.type(preview)
    assert not site.files_in("mnt")
    site.type(copy)
    copied = site.files_in("mnt")
    assert copied
    site.deploy(swapped)
    site.type(copy_the_rest)
    before = site.files_in("mnt")
    site.deploy(alone)
    site.stop()
    site.type(check)

    assert [one["missing"] for one in site.said] == [[]] * 4 * WORKERS
    for count in ("handed in", "read", "removed"):
        assert all(one[count] for one in site.said)
    assert len(before) > len(copied) / 2
    conditions = "[f.verify() for f in FileMeta.objects.exclude(completed=None)]"
    assert set(project.query(conditions)) == {"intact"}
    rows = project.query("FileMeta.objects.exclude(completed=None).count()")
    left = project.query("Removal.objects.count()")
    assert rows <= len(site.files_in("mnt/deliveries")) <= rows + left


def test_without_the_first_step_there_would_be_files_that_cannot_be_read(site):
    """The test above sees what it should see."""
    both, swapped, *_ = (block.parsed for block in blocks_of(PAGE, "python"))

    site.deploy(both.replace('FALLBACK = "new"', "FALLBACK = None"))
    site.deploy(swapped)
    site.stop()

    assert any(one["missing"] for one in site.said[:WORKERS])

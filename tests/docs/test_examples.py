"""Whoever types in what the documentation shows sees what it says."""

from __future__ import annotations

import re
import shlex
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.core.management import find_commands, get_commands, load_command_class

from deliverystore.publishing import registry
from tests.docs import pages

# test_tutorial.py does what the tutorials say in a project of its own, and
# processes/test_workers.py takes the settings and starts the workers of that page.
ELSEWHERE = (*pages.TUTORIALS, "background-workers.md")
PAGES = [page for page in pages.PAGES if page.name not in ELSEWHERE]
WORKERS = ("django_rq", "django_tasks_db")


def name_of(page):
    return page.relative_to(pages.PROJECT).as_posix()


def commands_of_workers():
    """Return the commands of apps that only a project with their workers installs."""
    found = filter(None, map(find_spec, WORKERS))
    folders = [Path(spec.origin).with_name("management") for spec in found]
    return {command for folder in folders for command in find_commands(folder)}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A current folder; what is imported from it is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in {"school", "students"}:
            del sys.modules[name]


@pytest.fixture(autouse=True)
def media_processors(monkeypatch):
    """Let each page have those that it writes, and no others."""
    monkeypatch.setattr(registry, "_registered", [])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_examples_of_a_page_do_what_it_says(page, settings, folder):
    pages.write_templates(page, folder)
    for example in pages.examples_of(page, pages.things_that_are_there()):
        pages.run(example, settings, folder)


@pytest.mark.parametrize("page", pages.PAGES, ids=name_of)
def test_the_management_commands_of_a_page_exist_and_take_these_arguments(page):
    known = get_commands()
    others = commands_of_workers()

    for command in pages.commands_in(page):
        words = shlex.split(command)
        if "manage.py" not in words:
            continue
        name, *arguments = words[words.index("manage.py") + 1 :]
        if name in others:
            continue
        assert name in known, command
        command_class = load_command_class(known[name], name)
        command_class.create_parser("manage.py", name).parse_args(arguments)


def test_what_the_readme_links_to_exists():
    text = (pages.PROJECT / "README.md").read_text()
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)

    assert [link for link in links if not (pages.PROJECT / link).exists()] == []

"""The tutorials, done step by step in a new project, as their reader does them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, PROJECT, TUTORIALS

BLOCK = re.compile(
    r"^```(?P<language>\w+|{code-block} \w+\n:caption: (?P<file>\S+)\n)\n"
    r"(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
COMMAND = re.compile(r"^\$ (?P<typed>.+)\n(?P<said>(?:(?!\$ ).+\n)*)", re.MULTILINE)
# The test has an environment, and neither a terminal nor a browser.
LEFT_OUT = (
    "python -m venv",
    ". env",
    "pip install",
    "cd ",
    "python manage.py runserver",
)
SHELL = """
import doctest, sys, django
django.setup()
failed, tried = doctest.testfile(sys.argv[1], module_relative=False,
    optionflags=doctest.ELLIPSIS)
sys.exit(failed or not tried)
"""

pytestmark = pytest.mark.processes


class Reader:
    """Does what the tutorial says, in a folder of its own."""

    def __init__(self, folder):
        self._home = folder
        self._typed_into_shell = ""

    @property
    def folder(self):
        school = self._home / "school"
        return school if school.exists() else self._home

    def edit(self, name, text):
        """Add to the settings; any other file is shown as a whole."""
        file = self.folder / name
        before = file.read_text() if file.name == "settings.py" else ""
        file.write_text(before + text)

    def type_into_shell(self, text):
        self._typed_into_shell += text + "\n"

    def leave_shell(self):
        if self._typed_into_shell:
            session = self.folder / "session.txt"
            session.write_text(self._typed_into_shell)
            self._typed_into_shell = ""
            script = self.folder / "session.py"
            script.write_text(SHELL)
            self._run(f"python {script.name} {session.name}")

    def watch(self, command):
        """Leave a command running, as in a terminal of its own."""
        self.watching = subprocess.Popen(
            ["sh", "-c", f"exec {command}"],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        # It has begun.
        assert self.watching.stdout.readline() == f"Watches {self.folder}/dropped.\n"

    def drop(self, command):
        """Drop a file into what is watched; return what is said of it."""
        self._run(command)
        return self.watching.stdout.readline()

    def type(self, command, said):
        self.leave_shell()
        if "watch_spool" in command:
            self.watch(command)
            return
        if command.startswith("cp "):
            self.said_of_file = self.drop(command)
            return
        if command == "python manage.py shell" or command.startswith(LEFT_OUT):
            return
        found = self._run(
            command.replace("createsuperuser", "createsuperuser --noinput"),
            fails="CommandError: " in said,
        )
        if said:
            assert sorted(found.splitlines()) == sorted(said.splitlines())

    @property
    def _environment(self):
        ours = ("DELIVERYSTORE", "DJANGO", "PG")
        return {
            **{key: os.environ[key] for key in os.environ if not key.startswith(ours)},
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": f"{self.folder}{os.pathsep}{PROJECT}",
            "DJANGO_SETTINGS_MODULE": "school.settings",
            "DJANGO_SUPERUSER_PASSWORD": "secret",
        }

    def _run(self, command, *, fails=False):
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            check=False,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert bool(done.returncode) == fails, f"{command}\n{done.stdout}"
        return done.stdout


def test_who_follows_the_tutorials_sees_what_they_say(tmp_path):
    reader = Reader(tmp_path)
    text = "".join((DOCS / name).read_text() for name in TUTORIALS)
    for block in BLOCK.finditer(text):
        if block["file"]:
            reader.edit(block["file"], block["text"])
        elif block["language"] == "python":
            reader.type_into_shell(block["text"])
        elif block["language"] == "console":
            for command in COMMAND.finditer(block["text"]):
                reader.type(command["typed"], command["said"])
    reader.leave_shell()
    reader.watching.terminate()
    ended, _ = reader.watching.communicate(timeout=20)
    (told,) = re.findall(r"^'late.csv': .*\n", text, re.MULTILINE)
    pattern = re.escape(told).replace(r"0\.05", r"\d+\.\d\d")
    assert re.fullmatch(pattern, reader.said_of_file)
    assert ended == "Ends. Done: 1, failed attempts: 0.\n"

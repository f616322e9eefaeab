"""The pages whose examples are run, and what their examples may take for granted."""

from __future__ import annotations

import doctest
import importlib
import re
from copy import deepcopy
from pathlib import Path

from django.contrib.auth.models import AnonymousUser, Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory
from django.test.utils import isolate_apps
from sybil import Document, Example
from sybil.parsers.myst import CodeBlockParser, PythonCodeBlockParser

from deliverystore import checks
from tests.recipients.models import Department

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
PAGES = [
    PROJECT / "README.md",
    *sorted(page for page in DOCS.rglob("*.md") if "_build" not in page.parts),
]
# In this order: each goes on with the project of the one before.
TUTORIALS = ("tutorial.md", "tutorial-import.md", "tutorial-publish.md")
_MODELS = {"__name__": "tests.recipients.models"}
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def blocks_of(page: Path, language: str) -> list[Example]:
    """Return the code blocks of one language, not to be run."""
    parser = CodeBlockParser(language, lambda example: None)
    document = Document.parse(str(page), parser)
    return list(document.examples())


def examples_of(page: Path, namespace: dict) -> list[Example]:
    """Return the Python examples of a page; they share the namespace."""
    document = Document.parse(
        str(page), PythonCodeBlockParser(doctest_optionflags=OPTIONS)
    )
    document.namespace.update(namespace)
    return list(document.examples())


def caption_of(example: Example) -> str:
    """Return the file that a block says it belongs to, or ""."""
    return str(example.region.lexemes.get("options", {}).get("caption", ""))


def run(example, settings, folder):
    """Run an example as the file that its caption names, or as plain Python."""
    file = Path(caption_of(example))
    if file.name == "settings.py":
        _use_settings(example, settings, folder)
    elif file.name == "models.py":
        with isolate_apps("tests.recipients"):
            exec(compile(example.parsed, example.path, "exec"), _MODELS)  # noqa: S102
    elif len(file.parts) > 1:
        _import(example, file, folder)
    else:
        example.evaluate()


def things_that_are_there() -> dict:
    """Return the names that every page may use without saying where they are from.

    assignment is a model instance, user has handed nothing in yet, teacher has all
    permissions of the app, request is an upload by user.
    """
    user = User.objects.create_user("ada")
    teacher = User.objects.create_user("grace", is_staff=True)
    teacher.user_permissions.set(
        Permission.objects.filter(content_type__app_label="deliverystore")
    )
    request = RequestFactory().post(
        "/hand-in/",
        {
            "essay": SimpleUploadedFile("essay.txt", b"What I did in my holidays"),
            "photo": SimpleUploadedFile("IMG_0001.JPG", b"\xff\xd8\xff\xe0"),
            "files": [
                SimpleUploadedFile("notes.txt", b"notes"),
                SimpleUploadedFile("sketch.txt", b"sketch"),
            ],
        },
    )
    request.user = user
    return {
        "__name__": "__main__",
        "Assignment": Department,
        "anonymous": AnonymousUser(),
        "assignment": Department.objects.create(name="Essay 1"),
        "other_assignment": Department.objects.create(name="Essay 2"),
        "request": request,
        "teacher": teacher,
        "user": user,
    }


def write_templates(page: Path, folder: Path) -> None:
    """Write the blocks of HTML whose captions name a file."""
    for block in blocks_of(page, "html"):
        if caption := caption_of(block):
            (folder / caption).parent.mkdir(parents=True, exist_ok=True)
            (folder / caption).write_text(block.parsed)


def commands_in(page: Path) -> list[str]:
    """Return what the console blocks of a page have typed after "$"."""
    text = "\n".join(str(example.parsed) for example in blocks_of(page, "console"))
    text = text.replace("\\\n", " ")
    return re.findall(r"^\$ (.+)$", text, re.MULTILINE)


def _import(example: Example, file: Path, folder: Path) -> None:
    """Make a module of an example; its names are there for those that follow."""
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(example.parsed)
    importlib.invalidate_caches()
    module = importlib.import_module(".".join(file.with_suffix("").parts))
    example.namespace.update(vars(module))


def _use_settings(example, settings, folder):
    namespace = {
        "BASE_DIR": folder,
        "INSTALLED_APPS": list(settings.INSTALLED_APPS),
        "STORAGES": dict(settings.STORAGES),
        "TEMPLATES": deepcopy(settings.TEMPLATES),
    }
    exec(compile(example.parsed, example.path, "exec"), namespace)  # noqa: S102
    for name, value in namespace.items():
        if name.isupper():
            setattr(settings, name, value)
    assert checks.check_settings(None) == []

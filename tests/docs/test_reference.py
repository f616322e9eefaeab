"""The reference leaves nothing out, and invents nothing."""

from __future__ import annotations

import re
import tomllib

import pytest
from django.contrib.auth.models import Permission
from django.core.management import get_commands
from django.dispatch import Signal

from deliverystore import (
    backends,
    checks,
    conf,
    datacenter,
    exceptions,
    kvstore,
    models,
    publishing,
    signals,
    spool,
    testing,
    urls,
)
from deliverystore.models import Delivery, FileMeta
from tests.docs.pages import DOCS, PROJECT

REFERENCE = DOCS / "reference"
SETTINGS = {
    name: (type_, getattr(conf.Conf, name))
    for name, type_ in conf.Conf.__annotations__.items()
}


def page(name):
    return (REFERENCE / f"{name}.md").read_text()


def classes_in(module, base):
    return {
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, base)
    }


def rows_of(text):
    """Return the cells of every row of every table, by the first cell."""
    rows = re.findall(r"^\|(.+)\|$", text, re.MULTILINE)
    cells = [[cell.strip() for cell in row.split("|")] for row in rows]
    return {re.sub(r"[`\[\]]|\(.*\)", "", row[0]): row for row in cells}


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (backends, "stores"),
        (datacenter, "data-center"),
        (kvstore, "kvstore"),
        (models, "models"),
        (publishing, "publishing"),
        (spool, "spool"),
        (testing, "testing"),
    ],
    ids=lambda one: getattr(one, "__name__", one),
)
def test_every_public_name_is_on_its_page(module, name):
    text = page(name)

    missing = [public for public in module.__all__ if public not in text]

    assert missing == []


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_has_its_type_and_default_on_the_page(name):
    type_, default = SETTINGS[name]
    row = rows_of(page("settings"))[name]

    words = type_.replace(" | ", " or ").replace("str or Path or", "str, Path or")
    assert row[1].replace("`", "") == words
    if type_ == "timedelta":
        assert row[2] == f"`timedelta(days={default.days})`"
    else:
        assert row[2] == f"`{default!r}`".replace("'", '"')


def test_the_page_invents_no_setting():
    assert set(re.findall(r"\bDELIVERY_STORE_[A-Z_]+", page("settings"))) <= set(
        SETTINGS
    ) | {"DELIVERY_STORE_"}


def test_every_check_is_on_the_page_and_every_check_on_the_page_exists():
    modules = (PROJECT / "deliverystore" / "checks").glob("*.py")
    source = "".join(module.read_text() for module in modules)
    errors = re.findall(
        r"(?:wrong|_check_patterns|check_alias|check_named_folders)\(\s*(\d+)", source
    )
    warnings = re.findall(r"deliverystore\.(W\d+)", source)
    shown = re.findall(r"^## deliverystore\.(\w+)$", page("checks"), re.MULTILINE)

    assert set(shown) == {*(f"E{int(one):03}" for one in errors), *warnings}


def test_a_check_says_on_the_page_what_it_says_at_start(settings):
    settings.DELIVERY_STORE_ROOT = None
    settings.DELIVERY_STORE_INTERVAL = 0
    settings.DELIVERY_STORE_DIGEST = "md4"
    settings.DELIVERY_STORE_DURABILITY = "half"
    settings.DELIVERY_STORE_MAX_FILES = "many"
    settings.DELIVERY_STORE_ALLOWED_EXTENSIONS = ["pdf"]
    settings.DELIVERY_STORE_ALLOWED_TYPES = ["pdf"]
    settings.DELIVERY_STORE_UPLOAD_ROOT = "uploads"
    text = re.sub(r"(?<=\w)\n> (?=\w)", " ", page("checks"))

    found = {message.id: message.hint for message in checks.check_settings(None)}

    assert len(found) == 8
    for id_, hint in found.items():
        section = text.partition(f"## {id_}\n")[2].partition("\n## ")[0]
        assert f"> Hint: {hint}\n" in section, id_


def test_every_exception_is_on_the_page_with_what_it_is_also():
    rows = rows_of(page("exceptions"))
    names = classes_in(exceptions, exceptions.DeliveryStoreError)

    assert names <= set(rows)
    for name in names:
        bases = set(re.findall(r"\w+", rows[name][1]))
        assert bases <= {base.__name__ for base in getattr(exceptions, name).__mro__}


def test_every_signal_is_on_the_page():
    names = {name for name, value in vars(signals).items() if isinstance(value, Signal)}

    assert names <= set(rows_of(page("signals")))


def test_every_url_is_on_the_page_with_its_path():
    rows = rows_of(page("urls"))

    for pattern in urls.urlpatterns:
        row = rows[f"{urls.app_name}:{pattern.name}"]
        path = re.sub(r"<(int|uuid):pk>", r"<\1>", str(pattern.pattern))
        assert path.replace("<int>", "<pk>") == row[2].strip("`")


def test_every_command_is_on_the_page_and_every_command_on_the_page_exists():
    ours = {name for name, app in get_commands().items() if app == "deliverystore"}

    assert set(re.findall(r"^## `(\w+)`$", page("commands"), re.MULTILINE)) == ours


@pytest.mark.django_db
def test_every_permission_is_on_the_page():
    names = Permission.objects.filter(content_type__model="delivery").values_list(
        "codename", flat=True
    )

    assert {f"deliverystore.{name}" for name in names} <= set(rows_of(page("models")))


@pytest.mark.parametrize("model", [Delivery, FileMeta])
def test_every_field_is_on_the_page(model):
    rows = rows_of(page("models"))
    ours = {field.name for field in model._meta.concrete_fields}

    assert ours - {"recipient_type", "recipient_id"} <= set(rows)


def test_every_extra_is_on_the_page():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    rows = rows_of(page("extras"))

    for extra, packages in project["optional-dependencies"].items():
        assert rows[extra][1] == ", ".join(packages)


def test_the_picture_of_the_floors_shows_every_module():
    text = (DOCS / "explanation" / "architecture.md").read_text()
    shown = set(re.findall(r"\b(\w+(?:\.py\b|/))", text))
    left_out = {"migrations/", "templates/", "static/", "locale/"}

    names = {
        path.name if path.suffix else f"{path.name}/"
        for path in (PROJECT / "deliverystore").iterdir()
        if not path.name.startswith("_") and path.suffix != ".typed"
    }

    assert names - left_out <= shown


def test_the_index_lists_the_pages_of_the_sidebar_by_the_same_captions_and_titles():
    text = (DOCS / "index.md").read_text()
    trees = re.findall(
        r"```{toctree}\n:caption: '?(.+?)'?\n:hidden:\n\n(.+?)\n```", text, re.DOTALL
    )
    lists = re.findall(r"^(\w.+)\n: (\[(?:.+\n)+)", text, re.MULTILINE)

    sidebar = [
        (caption, [(title_of(name), f"{name}.md") for name in names.split()])
        for caption, names in trees
    ]
    shown = [
        (caption, re.findall(r"\[(.+?)\]\((.+?)\)", links)) for caption, links in lists
    ]
    assert len(sidebar) > 5
    assert shown == sidebar


def title_of(name):
    return (DOCS / f"{name}.md").read_text().partition("\n")[0].removeprefix("# ")


def test_the_glossary_is_in_the_order_of_the_alphabet():
    text = (DOCS / "glossary.md").read_text().partition("```{glossary}\n")[2]
    terms = re.findall(r"^\w.*", text, re.MULTILINE)

    assert terms == sorted(terms, key=str.casefold)

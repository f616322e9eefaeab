"""The package as a stranger gets it: a wheel, an empty environment, a new project."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent

SETTINGS = """

INSTALLED_APPS += ["deliverystore"]
DELIVERY_STORE_ROOT = BASE_DIR / "deliveries"
ALLOWED_HOSTS = ["testserver"]
"""

URLS = """

from django.urls import include

urlpatterns += [path("deliveries/", include("deliverystore.urls"))]
"""

HAND_IN_AND_LOOK = """
import os

os.environ["DJANGO_SETTINGS_MODULE"] = "school.settings"

import django

django.setup()

from django.contrib.auth.models import User
from django.test import Client

from deliverystore.models import Delivery

admin = User.objects.create_superuser("admin")
delivery = Delivery.begin(user=admin)
delivery.add_file("essay.txt", ["What I did ", "in my holidays"])
delivery.finish()

[file] = delivery.files.all()
assert file.get_all_data_as_string() == b"What I did in my holidays"

client = Client()
client.force_login(admin)
changelist = client.get("/admin/deliverystore/delivery/")
assert changelist.status_code == 200
change = client.get(f"/admin/deliverystore/delivery/{delivery.pk}/", follow=True)
assert change.status_code == 200
page = change.content.decode()
assert "essay.txt" in page
assert file.digest.removeprefix("sha256:")[:8] in page
print("handed in and seen")
"""

# A stranger has no settings of ours.
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("COVERAGE", "DELIVERYSTORE", "DJANGO", "PG", "PYTHON"))
}

pytestmark = pytest.mark.package


def run(*command, cwd):
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        check=False,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder]
    run(sys.executable, "-m", "pip", *build, PROJECT, cwd=folder)
    [wheel] = folder.glob("deliverystore-*.whl")
    return wheel


def test_the_wheel_holds_the_app_and_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())

    assert {name.split("/")[0].partition("-")[0] for name in names} == {"deliverystore"}
    assert "deliverystore/py.typed" in names
    assert "deliverystore/migrations/0001_initial.py" in names
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_a_stranger_installs_it_hands_in_a_file_and_sees_it_in_the_admin(
    wheel, tmp_path
):
    run(sys.executable, "-m", "venv", "env", cwd=tmp_path)
    python = tmp_path / "env" / "bin" / "python"
    pinned = ["--constraint", PROJECT / "constraints.txt"]
    run(python, "-m", "pip", "install", "--quiet", *pinned, wheel, cwd=tmp_path)
    run(python.with_name("django-admin"), "startproject", "school", cwd=tmp_path)
    school = tmp_path / "school"
    with (school / "school" / "settings.py").open("a") as settings:
        settings.write(SETTINGS)
    with (school / "school" / "urls.py").open("a") as urls:
        urls.write(URLS)

    run(python, "manage.py", "check", "--fail-level", "WARNING", cwd=school)
    run(python, "manage.py", "makemigrations", "--check", "--dry-run", cwd=school)
    run(python, "manage.py", "migrate", cwd=school)
    script = school / "hand_in_and_look.py"
    script.write_text(HAND_IN_AND_LOOK)

    assert "handed in and seen" in run(python, script.name, cwd=school)

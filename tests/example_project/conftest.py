"""Campus in the tests: its own settings, on the database and folder of the tests."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from deliverystore.models import Delivery
from example_project import settings as campus
from example_project.campus.demo.people import make_assignments, make_people
from tests.browser import browser, page, screen  # noqa: F401 - fixtures

SETTINGS = [
    "ROOT_URLCONF",
    "TEMPLATES",
    "LOGIN_URL",
    "LOGIN_REDIRECT_URL",
    "LOGOUT_REDIRECT_URL",
    "DELIVERY_STORE_MAX_FILES",
    "DELIVERY_STORE_MAX_FILE_BYTES",
    "DELIVERY_STORE_MAX_DELIVERY_BYTES",
    "DELIVERY_STORE_ALLOWED_EXTENSIONS",
]


SHOWN = re.compile(r'<input type="hidden" name="file" value="(\d+)">')


@pytest.fixture(autouse=True)
def campus_settings(settings, tmp_path):
    for name in SETTINGS:
        setattr(settings, name, getattr(campus, name))
    settings.DELIVERY_STORE_DATACENTER_ROOT = tmp_path / "tables"


@pytest.fixture
def people(db):
    return {
        name: person.user for name, person in make_people(new_passwords=False).items()
    }


@pytest.fixture
def jonas(people):
    return people["jonas"]


@pytest.fixture
def amina(people):
    return people["amina"]


@pytest.fixture
def teacher(people):
    assert Group.objects.get(name="Teachers") in people["teacher"].groups.all()
    return people["teacher"]


@pytest.fixture
def registrar(people):
    return people["registrar"]


@pytest.fixture
def assignments(db):
    return make_assignments()


@pytest.fixture
def poster(assignments):
    return assignments["poster"]


@pytest.fixture
def client(client, jonas):
    """A client in which Jonas, a student, has logged in."""
    client.force_login(jonas)
    return client


class Student:
    """Does by HTTP what a student does with the forms of one assignment."""

    def __init__(self, client, assignment):
        self.client = client
        self.url = assignment.get_absolute_url()
        self.deliveries = assignment.deliveries

    def page(self):
        return self.client.get(self.url).content.decode()

    def add(self, **contents):
        """Post files; underscores in the names stand for dots."""
        files = [
            SimpleUploadedFile(name.replace("_", "."), content)
            for name, content in contents.items()
        ]
        return self.client.post(self.url, {"files": files})

    @property
    def delivery(self):
        return self.deliveries.get()

    def filenames(self):
        return [file.filename for file in self.delivery.files.all()]

    def shown(self):
        """Return what the form that hands in carries: the ids of the files shown."""
        return {"file": SHOWN.findall(self.page())}

    def press(self, button, pk, shown=None, **kwargs):
        """Post the form of a button, on the page of now or as it was shown before."""
        data = self.shown() if shown is None else shown
        return self.client.post(reverse(f"campus:{button}", args=[pk]), data, **kwargs)


@pytest.fixture
def student(client, poster):
    return Student(client, poster)


@pytest.fixture
def hand_in():
    """Hand in one file through the API."""

    def hand_in(assignment, user, *, finish=True, filename="moss.txt"):
        delivery = Delivery.begin(assignment, user)
        delivery.add_file(filename, b"soft and green")
        if finish:
            delivery.finish()
        return delivery

    return hand_in

"""Who works with Campus in the demo, and on what."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import Group, Permission, User
from django.utils import timezone

from example_project.campus.models import Assignment

_TEACHERS, _REGISTRAR = "Teachers", "Registrar's office"
# Group: app: what it may do there.
GROUPS = {
    _TEACHERS: {
        "deliverystore": [
            *("view_delivery", "download_delivery", "verify_delivery"),
            *("publish_delivery", "view_publication"),
        ],
        "campus": ["view_assignment", "add_assignment", "change_assignment"],
    },
    # To import takes what the admin asks for the model, too.
    _REGISTRAR: {
        "deliverystore": [
            *("upload_datafile", "download_datafile", "delete_datafile"),
            *("run_import", "view_importrun", "run_export", "view_datalog"),
        ],
        "registrar": [
            f"{action}_{model}"
            for action in ("view", "add", "change", "delete")
            for model in ("faculty", "course", "student", "enrolment")
        ],
    },
}

# No 0 and O, no 1 and l: passwords are typed from the screen.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, kw_only=True)
class Person:
    """A user of the demo; password is None if it was shown by an earlier run."""

    user: User
    password: str | None


@dataclass(frozen=True, kw_only=True)
class _Name:
    username: str
    first: str
    last: str
    group: str = ""
    rules: bool = False


_PEOPLE = [
    _Name(username="amina", first="Amina", last="Diallo"),
    _Name(username="jonas", first="Jonas", last="Berg"),
    _Name(username="mei", first="Mei", last="Tanaka"),
    _Name(username="teacher", first="Grace", last="Novak", group=_TEACHERS),
    _Name(username="registrar", first="Rosa", last="Silva", group=_REGISTRAR),
    _Name(username="admin", first="Ada", last="Olsen", rules=True),
]


def make_people(*, new_passwords: bool) -> dict[str, Person]:
    """Return the users by their names; make those that are missing."""
    groups = {group: _make_group(group, may) for group, may in GROUPS.items()}
    return {name.username: _make(name, groups, new_passwords) for name in _PEOPLE}


def make_assignments() -> dict[str, Assignment]:
    """Return the assignments by a short name; make those that are missing."""
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    return {
        short: Assignment.objects.get_or_create(
            course=course,
            title=title,
            defaults={
                "description": description,
                "deadline": now + timedelta(hours=hours),
                "gallery": short == _SHOWN,
            },
        )[0]
        for short, (course, title, description, hours) in _ASSIGNMENTS.items()
    }


def _make_group(name: str, may: Mapping[str, Sequence[str]]) -> Group:
    group, _ = Group.objects.get_or_create(name=name)
    for app, codenames in may.items():
        group.permissions.add(
            *Permission.objects.filter(
                content_type__app_label=app, codename__in=codenames
            )
        )
    return group


def _make(name: _Name, groups: Mapping[str, Group], new_passwords: bool) -> Person:
    user, made = User.objects.get_or_create(
        username=name.username,
        defaults={
            "first_name": name.first,
            "last_name": name.last,
            "is_staff": bool(name.group) or name.rules,
            "is_superuser": name.rules,
        },
    )
    if name.group:
        user.groups.add(groups[name.group])
    if not (made or new_passwords):
        return Person(user=user, password=None)
    password = "-".join(
        "".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3)
    )
    user.set_password(password)
    user.save()
    return Person(user=user, password=password)


# What is handed in to this one is shown to everybody.
_SHOWN = "photos"
# Short name: course, title, description, hours from now to the deadline.
_ASSIGNMENTS = {
    "essay": (
        "Writing",
        "An essay about my town",
        "Two pages, in the language you like best.\n\n"
        "Say something that a visitor would not find in a guidebook.",
        -20,
    ),
    "pendulum": (
        "Physics 1",
        "The pendulum",
        "Let a pendulum swing for an hour and measure its angle.\n\n"
        "Hand in your report as PDF, a diagram, and the raw measurements, however "
        "large they are.",
        76,
    ),
    "queue": (
        "Programming",
        "A queue that loses nothing",
        "Write a queue that keeps its jobs when the power fails.\n\n"
        "Hand in the source as ZIP, and notes on how you tested it.",
        9 * 24 + 3,
    ),
    "photos": (
        "Geography",
        "A landscape in four lights",
        "One place in the morning, at noon, in the evening and at night.\n\n"
        "Photos as your camera makes them, and a few lines on where to stand.",
        5 * 24 + 7,
    ),
    "poster": (
        "Biology",
        "A poster about moss",
        "One page that makes somebody look down at the next wall.\n\nPDF or PNG.",
        14 * 24 + 5,
    ),
}

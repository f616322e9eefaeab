"""The demo from its first to its last line."""

from __future__ import annotations

from time import perf_counter

from deliverystore.models import Delivery
from example_project.campus.models import Assignment
from example_project.registrar.samples import (
    all_samples,
    exchange,
    latecomers,
    newcomers,
)

from .chapters import (
    show_check,
    show_damage,
    show_delivery,
    show_receipt,
    show_refusals,
    show_restoring,
    show_second_store,
    show_way_in,
    shown,
)
from .handing_in import HandedIn, hand_in
from .homework import all_homework
from .hot_folder import show_hot_folder
from .import_chapters import leave_open, show_imports
from .keeping import first_store
from .people import Person, make_assignments, make_people
from .photos import photos
from .publishing import show_publishing
from .reports import show_reports
from .site import Site
from .story import Story

CODE = """\
delivery = Delivery.begin(assignment, student)
delivery.add_files([("report.pdf", file), …])
delivery.finish()
"""


def tell(
    story: Story, *, big_file_bytes: int, students: int, new_passwords: bool, site: Site
) -> None:
    """Do everything that the demo shows, and say it."""
    start = perf_counter()
    story.title(
        "Campus: homework, kept by deliverystore",
        "deliverystore is a Django app for files that people hand in; Campus is a "
        "small site that uses it. Each delivery is stored whole or not at all; it gets "
        "a number, a time and a signed receipt, and can be verified ever after. "
        "Five parts follow: deliveries, publishing, key-value stores, the data center, "
        "spools.",
    )
    people = make_people(new_passwords=new_passwords)
    assignments = make_assignments()
    finished = _hand_in_all(story, people, assignments, big_file_bytes)
    show_refusals(story, finished[0], assignments["poster"], people["mei"].user)
    show_receipt(story, finished[0])
    files = [file for delivery in finished for file in delivery.files.all()]
    show_second_store(story, files)
    show_restoring(story, files, show_damage(story, files))
    show_check(story)
    show_publishing(story, _hand_in_photos(people, assignments), site)
    show_reports(story, assignments.values(), site)
    registrar = people["registrar"].user
    show_imports(story, all_samples(students=students), registrar)
    leave_open(story, newcomers(students=students), registrar, site)
    dropped, left = exchange(), latecomers(students=students)
    show_hot_folder(story, dropped, left, site)
    story.say()
    story.good(f"All this took {perf_counter() - start:.1f} seconds.")
    show_way_in(story, list(people.values()), assignments, site)


def _hand_in_photos(
    people: dict[str, Person], assignments: dict[str, Assignment]
) -> HandedIn:
    work = photos()
    return hand_in(work, people[work.student].user, assignments[work.assignment])


def _hand_in_all(
    story: Story,
    people: dict[str, Person],
    assignments: dict[str, Assignment],
    big_file_bytes: int,
) -> list[Delivery]:
    """Hand all homework in and return the finished deliveries."""
    story.chapter("Students hand in their homework")
    story.say("Each time, this is all that the site does:")
    story.code(CODE)
    story.say(
        "Why not a plain FileField? It knows one file, not a delivery; it keeps no "
        "digest by which damage would show; and whoever saves the row again replaces "
        "what was handed in."
    )
    root = shown(first_store().location)
    story.say(f"The bytes are in {root}/, under names that are made of ids.")
    finished = []
    for work in all_homework(big_file_bytes=big_file_bytes):
        student = people[work.student].user
        handed_in = hand_in(work, student, assignments[work.assignment])
        show_delivery(story, handed_in, student)
        if work.finished:
            finished.append(handed_in.delivery)
    story.say()
    story.say("Numbers count per assignment: each of these is the first to its own.")
    return finished

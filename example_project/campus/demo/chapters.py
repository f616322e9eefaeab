"""What each chapter of the demo does and says."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from io import StringIO
from pathlib import Path
from time import perf_counter

from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from deliverystore.exceptions import FileDamaged, FileNotFound
from deliverystore.models import Condition, Delivery, FileMeta
from example_project.campus.models import Assignment
from example_project.campus.units import human_size, short_digest

from .handing_in import HandedIn, break_off, refusal_after_finish, refusal_of_twin
from .keeping import copy_missing, damage, second_store
from .people import Person
from .site import Site
from .story import Story


def show_delivery(story: Story, handed_in: HandedIn, student: User) -> None:
    """Say what was stored where, and how long that took."""
    delivery, seconds = handed_in.delivery, handed_in.seconds
    story.say()
    story.say(f"{student.get_full_name()} to “{delivery.recipient}”")
    files = list(delivery.files.all())
    heading = ("file", "size", "digest", "stored as")
    story.table([heading, *map(_described, files)], right=[1], least=[17, 9])
    if delivery.state == Delivery.State.OPEN:
        story.say("→ not finished: the files are kept, but not handed in yet")
    elif seconds is None:
        at = _local(delivery.time_of_delivery)
        story.good(f"→ delivery {delivery.number}, there since {at}")
    else:
        speed = _speed(delivery.size, seconds)
        story.good(f"→ delivery {delivery.number}, finished, synced to disk: {speed}")


def show_refusals(
    story: Story, finished: Delivery, assignment: Assignment, student: User
) -> None:
    """Say what happens to half uploads and to what must not be."""
    story.chapter("Nothing is half, nothing is twice, nothing changes")
    break_off(assignment, student)
    story.say("An upload breaks off after 5 MB. Neither row nor bytes are left of it.")
    story.say("Two filenames that differ by case only:")
    story.quote(refusal_of_twin(assignment, student))
    story.say("Another file, after the delivery was finished:")
    story.quote(refusal_after_finish(finished))


def show_receipt(story: Story, delivery: Delivery) -> None:
    """Say what a student gets as proof."""
    story.chapter("The student gets a receipt")
    receipt = delivery.receipt()
    story.table(
        [
            ("recipient", receipt["recipient"]),
            ("delivery", f"{receipt['number']} by {receipt['user']}"),
            ("time", _local(delivery.time_of_delivery)),
            ("files", ", ".join(file["name"] for file in receipt["files"])),
            ("manifest", receipt["manifest"]),
            ("signature", receipt["signature"]),
        ]
    )
    story.say(
        "It is JSON, with the size and digest of each file; the site verifies it."
    )


def show_second_store(story: Story, files: list[FileMeta]) -> None:
    """Copy the files to the other store and say so."""
    story.chapter("A second store gets a copy")
    start = perf_counter()
    copied = copy_missing(files, second_store())
    where = shown(second_store().location)
    if copied:
        speed = _speed(sum(file.size for file in files), perf_counter() - start)
        story.good(f"{len(files)} files are in {where}/: {speed}")
    else:
        story.say(f"All {len(files)} files are in {where}/ already.")


def show_damage(story: Story, files: list[FileMeta]) -> list[FileMeta]:
    """Damage a file, find out which, and return it."""
    story.chapter("A disk goes bad")
    victim = files[0]
    if victim.verify() is Condition.INTACT:
        done = damage(victim)
        story.say(
            f"One bit of {shown(done.path)} is flipped behind the store's back: byte "
            f"{done.offset:,} was 0x{done.before:02x} and is 0x{done.after:02x}. Name "
            "and size are the same."
        )
    else:
        story.say("An earlier run was stopped before it had restored what it damaged.")
    lost = _verify(story, files)
    story.say("Who opens it gets an error, never wrong bytes:")
    try:
        victim.get_all_data_as_string()
    except (FileDamaged, FileNotFound) as error:
        story.quote(f"{type(error).__name__}: {error}")
    return lost


def show_restoring(story: Story, files: list[FileMeta], lost: list[FileMeta]) -> None:
    """Bring the files back from the other store and verify all again."""
    story.chapter("The file comes back")
    for file in lost:
        file.restore_from(second_store())
        story.say(f"{file.filename} was replaced by its copy, digest compared before.")
    _verify(story, files)


def show_check(story: Story) -> None:
    """Compare everything that is stored with everything that is known."""
    story.chapter("Every night, everything is compared")
    told = StringIO()
    with suppress(CommandError):  # It tells of findings, which are told already.
        call_command("check_deliveries", stdout=told)
    story.say("What cron runs, python manage.py check_deliveries, says by now:")
    story.code(told.getvalue())


def show_way_in(
    story: Story,
    people: Sequence[Person],
    assignments: dict[str, Assignment],
    site: Site,
) -> None:
    """Say how to log in, and what to click."""
    story.chapter("Look at it yourself")
    poster, queue = assignments["poster"].title, assignments["queue"].title
    tasks = {
        "amina": f"student: finish “{queue}”",
        "jonas": f"student: drop files on “{poster}”, hand them in",
        "mei": "student: a late essay, and photos in the gallery",
        "teacher": "teacher: click “1 handed in”, verify; see publications",
        "registrar": "registrar: finish that import, drop that file in",
        "admin": "superuser: all of it, also stored values and figures",
    }
    rows = [
        (one.user.username, one.password or "(as before)", tasks[one.user.username])
        for one in people
    ]
    story.table([("user", "password", "who it is, and what to look at"), *rows])
    if any(one.password is None for one in people):
        story.say()
        story.say("Passwords were shown when the users were made. This makes new ones:")
        story.code("make demo ARGS=--new-passwords")
    story.say()
    if not site.is_served:
        story.say(f"After {site.command}:")
    addresses = {"the site": "", "the gallery": "gallery/", "the admin": "admin/"}
    story.table([(name, f"{site.url}{path}") for name, path in addresses.items()])


def _verify(story: Story, files: list[FileMeta]) -> list[FileMeta]:
    """Read every file, say in which condition it is, return those that are lost."""
    start = perf_counter()
    conditions = [(file, file.verify()) for file in files]
    speed = _speed(sum(file.size for file in files), perf_counter() - start)
    lost = [file for file, found in conditions if found is not Condition.INTACT]
    story.say(f"Verification read {len(files)} files: {speed}")
    for file, found in conditions:
        if found is not Condition.INTACT:
            story.bad(f"{found.label:<8} {file.filename} of {file.delivery}")
    story.good(f"{Condition.INTACT.label:<8} {len(files) - len(lost)} of {len(files)}")
    return lost


def _described(file: FileMeta) -> tuple[str, ...]:
    where = file.deliverystore.name_of(file)
    return (file.filename, human_size(file.size), short_digest(file.digest), where)


def _speed(size: int, seconds: float) -> str:
    took = f"{human_size(size)} in {seconds:.2f} s"
    return took if size < 1024**2 else f"{took}, {size / seconds / 1024**2:,.0f} MB/s"


def _local(moment: datetime | None) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S %Z}"


def shown(path: str | Path) -> str:
    """Return a path as short as the reader can use it."""
    path, here = Path(path), Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)

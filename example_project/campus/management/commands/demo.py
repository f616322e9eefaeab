"""Show in a minute what deliverystore is for, then serve the site."""

from __future__ import annotations

import socket
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from deliverystore.exceptions import LimitExceeded
from example_project.campus.demo.hot_folder import watch_command
from example_project.campus.demo.site import DEFAULT_PORT, Site
from example_project.campus.demo.story import Story
from example_project.campus.demo.telling import tell
from example_project.campus.demo.working import WORKER, beside
from example_project.registrar.samples import FEWEST_STUDENTS


class Command(BaseCommand):
    help = (
        "Set Campus up, hand in real files, damage one, find it, restore it, import "
        "tables with bad rows, correct these, watch a folder, publish photos, keep "
        "reports, and serve the site."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--no-serve", action="store_true", help="do everything but serve the site"
        )
        parser.add_argument(
            "--port",
            type=int,
            default=DEFAULT_PORT,
            help=f"where to serve it (default: {DEFAULT_PORT})",
        )
        parser.add_argument(
            "--big-file-mb",
            type=int,
            default=100,
            metavar="N",
            help="size of the largest file that is handed in (default: 100)",
        )
        parser.add_argument(
            "--students",
            type=_number_of_students,
            default=10_000,
            metavar="N",
            help="how many are imported from CSV (default: 10000)",
        )
        parser.add_argument(
            "--new-passwords", action="store_true", help="give all users new passwords"
        )

    def handle(
        self,
        *,
        no_serve: bool,
        port: int,
        big_file_mb: int,
        students: int,
        new_passwords: bool,
        **options: Any,
    ) -> None:
        site = Site(port=port, is_served=not no_serve)
        if site.is_served:
            _check_port(port)
        call_command("migrate", verbosity=0)
        _check_tables()
        try:
            tell(
                Story(self.stdout, self.style),
                big_file_bytes=big_file_mb * 1024**2,
                students=students,
                new_passwords=new_passwords,
                site=site,
            )
        except LimitExceeded as error:
            raise CommandError(f"{error} Choose a smaller --big-file-mb.") from error
        if site.is_served:
            self.stdout.write("")
            self.stdout.flush()  # The passwords, also if the output is a pipe.
            with beside(WORKER, watch_command()):
                call_command("runserver", f"127.0.0.1:{port}", use_reloader=False)


def _number_of_students(text: str) -> int:
    if not text.isdecimal() or int(text) < FEWEST_STUDENTS:
        raise ArgumentTypeError(f"{text!r} is no number from {FEWEST_STUDENTS} on.")
    return int(text)


def _check_tables() -> None:
    """Say at once if the tables are those of an older version.

    Before a release, the first migration changes, which Django does not notice.
    """
    with connection.cursor() as cursor:
        for model in apps.get_models():
            table, fields = model._meta.db_table, model._meta.local_concrete_fields
            if not model._meta.can_migrate(connection):
                continue
            found = connection.introspection.get_table_description(cursor, table)
            if {column.name for column in found} != {field.column for field in fields}:
                folder = Path(str(connection.settings_dict["NAME"])).parent
                raise CommandError(
                    f"{folder} is of an older version of this project: remove "
                    "it, and start again."
                )


def _check_port(port: int) -> None:
    """Say at once, not after the work, that the site cannot be served there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise CommandError(
                f"Port {port} cannot be used ({error}). Choose another one: "
                "make demo ARGS='--port 8001'"
            ) from error

"""How commands end: exit codes that tell cron and scripts what became of it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, SystemCheckError

# 0 stands for: all is well.
FOUND = 1
FAILED = 2


class EndingCommand(BaseCommand):
    """A command that ends with FOUND for what it has found, and for nothing else.

    Whatever else keeps it from its end is FAILED: an error, which is printed after
    the words of could_not, a system check, a signal.
    """

    could_not: str

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run the command; raise CommandError with an exit code that says why."""
        try:
            return super().execute(*args, **options)
        except SystemCheckError as error:
            # Django prints it in its own way.
            error.returncode = FAILED
            raise
        except CommandError:
            raise
        except Exception as error:
            text = f"{self.could_not}: {error}"
            raise CommandError(text, returncode=FAILED) from error


def stopped() -> CommandError:
    """Return the error to raise when a command is stopped, by a signal for example."""
    return CommandError("Stopped before the end.", returncode=FAILED)

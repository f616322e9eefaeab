"""A check that goes on in small steps and says when each is written down.

python -m tests.processes.slow_check
"""

from __future__ import annotations

import time

import django


def main() -> None:
    """Go on with a check; print "begun", then "step" after each."""
    django.setup()
    from deliverystore.checking import Budget, begin, run, running
    from deliverystore.models import Check

    running.BATCH = 7
    advance = Check.advance

    def slow(self, *args, **counts):
        advance(self, *args, **counts)
        print("step", flush=True)  # noqa: T201
        time.sleep(0.05)

    Check.advance = slow  # type: ignore[method-assign]
    check = begin()
    print("begun", flush=True)  # noqa: T201
    run(check, Budget())


if __name__ == "__main__":
    main()

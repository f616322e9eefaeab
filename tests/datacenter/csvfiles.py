"""The text of files to import."""

from __future__ import annotations

import csv
import io


def table(*rows, header=("code", "name")):
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *rows])
    return text.getvalue()


def faculties(count, *, bad=()):
    """Return rows of faculties; the codes of the bad ones are too long."""
    return [
        (f"{'too-long-' if n in bad else ''}F{n}", f"Faculty {n}") for n in range(count)
    ]

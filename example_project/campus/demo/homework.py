"""Homework of real kinds, made on the spot."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

from deliverystore.streams import Data

try:
    from PIL import Image, ImageDraw, ImageFont
except ImportError as error:
    raise ImportError(
        "The demo draws its PDF and its PNG with Pillow. Start it by `make demo`, or "
        "install it: pip install pillow"
    ) from error


@dataclass(frozen=True, kw_only=True)
class Homework:
    """What one student hands in to one assignment; unfinished, if only begun."""

    student: str
    assignment: str
    files: dict[str, Callable[[], Data]]
    finished: bool = True


def all_homework(*, big_file_bytes: int) -> list[Homework]:
    """Return the homework of the demo; its files are made when they are called."""
    return [
        Homework(
            student="amina",
            assignment="pendulum",
            files={
                "report.pdf": report_pdf,
                "diagram.png": diagram_png,
                "measurements.csv": lambda: measurements_csv(big_file_bytes),
            },
        ),
        Homework(
            student="jonas",
            assignment="queue",
            files={
                "queue.zip": source_zip,
                "notes.txt": lambda: NOTES,
                "errors.log": lambda: b"",
            },
        ),
        Homework(
            student="mei",
            assignment="essay",
            files={"報告書.txt": lambda: JAPANESE, "Отчёт.txt": lambda: RUSSIAN},
        ),
        Homework(
            student="amina",
            assignment="queue",
            files={"first ideas.txt": lambda: IDEAS},
            finished=False,
        ),
    ]


def measurements_csv(size: int) -> Iterator[bytes]:
    """Yield size bytes of measurements, run by run: never all in memory."""
    rows = "".join(
        f"{second:.2f},{angle(second):+.4f}\n"
        for second in (step / 100 for step in range(60_000))
    ).encode()
    for run in count(1):
        block = b"# run %d\nsecond,angle\n" % run + rows
        yield block[:size]
        size -= len(block)
        if size <= 0:
            return


def angle(second: float) -> float:
    """Return the angle in degrees of a damped pendulum of one metre."""
    return 12 * math.exp(-second / 240) * math.cos(second * math.sqrt(9.81))


def diagram_png() -> bytes:
    """Return a picture of the first 40 seconds."""
    return _saved(_diagram(960, 540), "PNG", optimize=True)


def report_pdf() -> bytes:
    """Return a page with a text and the diagram."""
    page = Image.new("RGB", (1240, 1754), "white")
    draw = ImageDraw.Draw(page)
    draw.text((120, 130), "The pendulum", "black", ImageFont.load_default(64))
    draw.multiline_text(
        (120, 260), REPORT, "black", ImageFont.load_default(30), spacing=18
    )
    page.paste(_diagram(1000, 560), (120, 620))
    return _saved(page, "PDF", resolution=150, title="The pendulum")


def source_zip() -> bytes:
    """Return an archive with a small program and its test."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("queue/jobs.py", SOURCE)
        opened.writestr("queue/test_jobs.py", TEST)
    return archive.getvalue()


def _diagram(width: int, height: int) -> Image.Image:
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    middle = height / 2
    draw.line([(60, 30), (60, height - 30)], "gray", 2)
    draw.line([(60, middle), (width - 30, middle)], "gray", 2)
    draw.text((70, 24), "angle", "gray", ImageFont.load_default(20))
    draw.text((width - 100, middle + 8), "seconds", "gray", ImageFont.load_default(20))
    swing = [
        (x, middle - angle((x - 60) * 40 / width) * (height - 100) / 26)
        for x in range(60, width - 30)
    ]
    draw.line(swing, "#3157d5", 3, joint="curve")
    return picture


def _saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


REPORT = """\
A steel ball on a thread of one metre was let go at twelve degrees.
Its angle was measured a hundred times a second, in many runs.

The swings become smaller, but not slower: each takes two seconds,
which is what the length of the thread alone leads to expect.
"""
NOTES = """\
I killed the program 1,000 times while it was writing, and started it again.
No job was lost, none was done twice. errors.log is empty, as it should be.
"""
IDEAS = "A file per job? Write it aside first, rename it when it is whole.\n"
JAPANESE = "私の町は海の近くにあります。朝、港で猫が漁師を待っています。\n"
RUSSIAN = "Мой город стоит на реке. Весной лёд уходит за одну ночь.\n"
SOURCE = '''\
"""Jobs as files: written aside, then renamed."""

import os
from pathlib import Path


def put(folder: Path, name: str, job: bytes) -> None:
    aside = folder / f".{name}"
    with aside.open("wb") as file:
        file.write(job)
        file.flush()
        os.fsync(file.fileno())
    aside.rename(folder / name)
'''
TEST = """\
from jobs import put


def test_a_job_is_there_whole(tmp_path):
    put(tmp_path, "one", b"work")
    assert (tmp_path / "one").read_bytes() == b"work"
"""

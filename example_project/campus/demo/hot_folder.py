"""The chapter of the demo about a folder that imports what is dropped into it."""

from __future__ import annotations

import shutil
from io import StringIO
from pathlib import Path
from time import perf_counter

from django.core.management import call_command

from deliverystore.models import ImportRun
from deliverystore.spool import FileStore, get_spools
from example_project.registrar.samples import Sample

from .chapters import shown
from .importing import first_import, is_done
from .site import Site
from .story import Story
from .working import work_off

NAME = "registrar"


# What imports the files that are dropped in; on two lines, as a shell takes it.
WATCH = """\
watch_spool registrar --to datacenter --user registrar \\
    --processor students --mode create"""

STEPS = """\
1  {url}
   (log in as registrar)
2  cp {source} {target}
3  reload, and open the import that has come: it counts its rows while you look
"""


def watch_command() -> list[str]:
    """Return the command that imports what is dropped into the folder."""
    return WATCH.replace("\\\n", "").split()


def show_hot_folder(story: Story, first: Sample, second: Sample, site: Site) -> None:
    """Drop one file in, and leave the other to who reads this."""
    story.chapter("A folder imports what is dropped into it")
    store = get_spools()[NAME]
    store.prepare()
    story.say(
        f"What a script or somebody with SFTP puts into {shown(store.path)}/new/ is "
        "imported, each file once, however many workers there are:"
    )
    story.code(f"python manage.py {WATCH}")
    if (run := first_import(first)) is None:
        start = perf_counter()
        run = _dropped(store, first)
        after = f", {perf_counter() - start:.1f} s after it was dropped in"
    else:
        after = ", in an earlier run of the demo"
    story.good(f"→ {run.file}: {run.finished} of {run.rows} rows are in{after}")
    _leave(story, store, second, site)


def _dropped(store: FileStore, sample: Sample) -> ImportRun:
    """Drop a file in, and let both commands do their work, until it is imported."""
    source = _written(sample, store.path.parent)
    shutil.move(source, store.path / "new" / sample.filename)
    # It came by a rename, so it is whole already.
    call_command(*watch_command(), "--once", "--settle", "0", stdout=StringIO())
    work_off()
    run = first_import(sample)
    if run is None or not run.is_over:
        raise AssertionError(f"{sample.filename} was dropped in and is not imported.")
    return run


def _leave(story: Story, store: FileStore, sample: Sample, site: Site) -> None:
    """Leave a file, and say what to type."""
    if is_done(sample):
        story.say(f"You have dropped {sample.filename}: all its rows are in.")
        return
    source = shown(_written(sample, store.path.parent))
    story.say(
        f"{sample.filename} is for you. Drop it in while the site runs, and it is "
        "imported while you look on:"
    )
    if not site.is_served:
        story.say(f"(After {site.command}.)")
    url = f"{site.url}admin/deliverystore/importrun/"
    target = f"{shown(store.path)}/new/"
    story.code(STEPS.format(url=url, source=source, target=target))


def _written(sample: Sample, folder: Path) -> Path:
    """Write a file, and return its path."""
    path = folder / sample.filename
    path.write_bytes(sample.as_bytes())
    return path

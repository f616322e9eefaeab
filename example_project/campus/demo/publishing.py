"""Publishing the photos of the demo, here and now: a worker would do it, too."""

from __future__ import annotations

from time import perf_counter

from deliverystore.conf import conf
from deliverystore.exceptions import PublishingRefused, RunBusy
from deliverystore.models import FileMeta, Publication, PublishedFile
from deliverystore.publishing import public_store, publish, work
from example_project.campus.units import human_size

from .chapters import shown
from .handing_in import HandedIn
from .photos import PLACE
from .site import Site
from .story import Story


def show_publishing(story: Story, handed_in: HandedIn, site: Site) -> None:
    """Publish what a student has handed in to be shown, and say what that is."""
    story.chapter("Photos become a gallery")
    story.say(
        "What was handed in stays private. A media processor, a class of the site, "
        "makes something for visitors of it, in a temporary folder; that goes into the "
        "public store, and nothing else does."
    )
    start = perf_counter()
    delivery = handed_in.delivery
    published = [_publish(file) for file in delivery.files.all()]
    took = perf_counter() - start
    rows = [_described(file) for file in delivery.files.all()]
    heading = ("handed in", "size", "what visitors see", "size")
    story.table([heading, *rows], right=[1, 3])
    count = PublishedFile.objects.public().filter(filemeta__delivery=delivery).count()
    if any(published):
        story.good(f"→ {count} files are public: {took:.2f} s")
    else:
        story.say(f"→ {count} files are public since an earlier run.")
    _show_place(story)
    where = shown(public_store.get_local_path(["published"]))
    story.say(f"What is public is in {where}/; it could be a bucket behind a CDN.")
    story.say()
    if not site.is_served:
        story.say(f"(After {site.command}.)")
    story.table(
        [
            ("the gallery", f"{site.url}gallery/", ""),
            (
                "publications",
                f"{site.url}admin/deliverystore/publication/",
                "(as teacher)",
            ),
        ]
    )


def _publish(file: FileMeta) -> bool:
    """Publish a file, unless an earlier run did; tell whether it was done now."""
    earlier = Publication.objects.filter(filemeta=file).first()
    if earlier is not None and earlier.state == Publication.State.PROCESSED:
        return False
    try:
        work(publish(file, enqueue=False))
    except (PublishingRefused, RunBusy):
        # A worker of a site that runs already is faster.
        return False
    return True


def _described(file: FileMeta) -> tuple[str, ...]:
    made = list(file.published_files.public().order_by("-size"))
    names = " + ".join(one.keyname for one in made)
    size = human_size(sum(one.size for one in made))
    return (file.filename, human_size(file.size), names, size)


def _show_place(story: Story) -> None:
    story.say(
        f"The camera has written the place into each photo ({PLACE}), and that it was "
        "held upright. The pictures that visitors see are upright, and have no place "
        "in them."
    )
    root = shown(conf.DELIVERY_STORE_ROOT or "")
    story.say(
        f"The photos themselves are in {root}/ as before: they have no public address."
    )

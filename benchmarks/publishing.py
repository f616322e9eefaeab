"""What publishing adds to a processor's own work, and photos beside easy-thumbnails.

python -m benchmarks.publishing [--jobs 300] [--photos 1000] [--workers 1 2 4]
    [--kib 0 64 4096]

Photos of 12 megapixels become two sizes, 1280 and 320 pixels.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.project import project

SIZES = {"medium": 1280, "thumbnail": 320}
# As many different photos as this are enough for all.
DIFFERENT = 8


def main() -> None:
    """Measure and print two tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--kib", type=int, nargs="*", default=[0, 64, 4096])
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--durability", default="full", help='or "none"')
    options = parser.parse_args()
    with project(
        apps=["easy_thumbnails"],
        MEDIA_URL="/media/",
        THUMBNAIL_SUBDIR="thumbs",
        DELIVERY_STORE_DURABILITY=options.durability,
    ) as folder:
        if options.jobs:
            overhead(options.jobs, options.kib)
        if options.photos:
            photos(folder, options.photos, options.workers)


def overhead(jobs: int, sizes: list[int]) -> None:
    """Print the time of a job that makes one small file, and of its parts."""
    from deliverystore.models import Delivery
    from deliverystore.publishing import MediaProcessor, publish, register, work

    own: list[float] = []

    @register
    class Small(MediaProcessor):
        name = "small"

        def is_eligible(self, filemeta):
            return True

        def process(self, job):
            source = job.source
            start = time.perf_counter()
            path = job.workbench.joinpath("result.txt")
            path.write_bytes(b"small")
            own.append(time.perf_counter() - start)
            job.publish("result", path)
            assert source.exists()

    print("\nmilliseconds of a job beside the processor's own work, the median")
    for kib in sizes:
        delivery = Delivery.begin()
        content = random.Random(1).randbytes(max(1, kib * 1024))  # noqa: S311
        delivery.add_files((f"{n}.bin", content) for n in range(jobs))
        delivery.finish()
        asked, worked = [], []
        own.clear()
        for file in delivery.files.select_related("delivery"):
            start = time.perf_counter()
            publication = publish(file, processor="small", enqueue=False)
            asked.append(time.perf_counter() - start)
            start = time.perf_counter()
            assert work(publication).state == "processed"
            worked.append(time.perf_counter() - start - own[-1])
        floors = [floor(publication.pk) for _ in range(jobs)]
        times = {"publish()": asked, "work()": worked, "floor": floors}
        shown = ", ".join(f"{name} {1000 * median(t):.1f}" for name, t in times.items())
        print(f"  {f'{kib:,} KiB handed in':<24}{shown}", flush=True)
        delivery.delete()


def floor(pk: int) -> float:
    """Return the seconds of what no job can do without: three commits, one file."""
    from django.conf import settings
    from django.db import transaction

    from deliverystore import fsops
    from deliverystore.models import Publication

    start = time.perf_counter()
    for share in (0.1, 0.2, 0.3):
        with transaction.atomic():
            Publication.objects.filter(pk=pk).update(progress=share)
    folder = Path(settings.MEDIA_ROOT) / "floor"
    durability = fsops.Durability(settings.DELIVERY_STORE_DURABILITY)
    policy = fsops.Policy(root=folder, durability=durability)
    with fsops.new_file(folder / f"{start}.txt", policy) as file:
        file.write(b"small")
    return time.perf_counter() - start


def photos(folder: Path, count: int, workers: list[int]) -> None:
    """Compare what makes two sizes of photos, with several processes."""
    from deliverystore.models import Delivery
    from deliverystore.publishing import PictureProcessor, register

    @register
    class Photos(PictureProcessor):
        name = "photos"
        sizes = SIZES

    made = [photo(number) for number in range(DIFFERENT)]
    size = sum(map(len, made)) / len(made) / 1e6
    print(f"\nphotos a second, {count:,} of {size:.1f} MB each become two sizes")
    delivery = Delivery.begin()
    for first in range(0, count, 100):
        numbers = range(first, min(count, first + 100))
        delivery.add_files((f"{n}.jpg", made[n % DIFFERENT]) for n in numbers)
    delivery.finish()
    (folder / "media" / "in").mkdir(parents=True)
    for number in range(count):
        path = folder / "media" / "in" / f"{number}.jpg"
        path.write_bytes(made[number % DIFFERENT])
    ids = list(delivery.files.values_list("pk", flat=True))
    for name, way, things in (
        ("Pillow alone, not durable", pillow_alone, list(range(count))),
        ("deliverystore", ours, ids),
        ("easy-thumbnails, not durable", easy, list(range(count))),
    ):
        rates = []
        for number in workers:
            rates.append(count / spent(way, things, number, folder))
            shutil.rmtree(folder / "media" / "thumbs", ignore_errors=True)
            shutil.rmtree(folder / "media" / "in" / "thumbs", ignore_errors=True)
            forget()
        shown = "".join(f"{rate:>8.1f}" for rate in rates)
        print(f"  {name:<30}{shown}   with {workers} processes", flush=True)


def spent(
    way: Callable[[Path, list[int]], None], things: list[int], count: int, folder: Path
) -> float:
    """Return the seconds that so many processes take together."""
    from django.db import connections

    connections.close_all()
    context = multiprocessing.get_context("fork")
    parts = [things[number::count] for number in range(count)]
    processes = [context.Process(target=way, args=(folder, part)) for part in parts]
    start = time.perf_counter()
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    return time.perf_counter() - start


def ours(folder: Path, ids: list[int]) -> None:
    """Publish files, as a worker does."""
    from deliverystore.models import FileMeta
    from deliverystore.publishing import publish, work

    for pk in ids:
        file = FileMeta.objects.select_related("delivery").get(pk=pk)
        publication = work(publish(file, processor="photos", enqueue=False))
        assert publication.state == "processed", publication.error


def easy(folder: Path, numbers: list[int]) -> None:
    """Let easy-thumbnails make the same sizes, with its own cache rows."""
    from django.core.files.storage import default_storage
    from easy_thumbnails.files import get_thumbnailer

    for number in numbers:
        maker = get_thumbnailer(default_storage, relative_name=f"in/{number}.jpg")
        for size in SIZES.values():
            maker.get_thumbnail({"size": (size, size), "quality": 82})


def pillow_alone(folder: Path, numbers: list[int]) -> None:
    """Make the same sizes, and write them without any care."""
    from deliverystore.publishing import pillow

    out = folder / "media" / "thumbs"
    out.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        picture = pillow.load(
            folder / "media" / "in" / f"{number}.jpg",
            formats=["JPEG"],
            longest=1280,
            max_pixels=10**9,
        )
        for keyname, size in SIZES.items():
            pillow.shrink(picture, size)
            pillow.save(picture, out / f"{number}-{keyname}", quality=82)


def forget() -> None:
    """Let everything be made anew the next time."""
    from easy_thumbnails.models import Source

    from deliverystore.models import Publication

    Source.objects.all().delete()
    Publication.objects.all().delete()


def photo(number: int) -> bytes:
    """Return a photo of 12 megapixels, with as much detail as one has."""
    from PIL import Image, ImageFilter

    noise = Image.effect_noise((1000, 750), 60 + number)
    colours = [noise.rotate(90 * turn).resize((4000, 3000)) for turn in range(3)]
    picture = Image.merge("RGB", colours).filter(ImageFilter.GaussianBlur(2))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=90)
    return file.getvalue()


if __name__ == "__main__":
    main()

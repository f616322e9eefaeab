"""Pictures in the sizes that pages need, without what a camera wrote beside them."""

from __future__ import annotations

from types import ModuleType
from typing import ClassVar

from deliverystore.exceptions import MissingExtra
from deliverystore.models import FileMeta
from deliverystore.publishing.jobs import Job
from deliverystore.publishing.processors import MediaProcessor


class PictureProcessor(MediaProcessor):
    """Publishes photos and drawings in several sizes; needs the extra "images".

    Each is turned the right way up, as the camera has noted, and gets the colours of
    the web, sRGB. Everything else that was noted is left out: the place, the time, the
    camera's serial number. Transparent pictures become PNG, all others JPEG; of one
    that moves, it is the first picture. sizes has the longer side in pixels, by the
    name of the key. A picture of more than max_pixels is
    refused before it is unpacked: a small file can be a very large picture. quality
    is that of a JPEG, from 1 to 95.
    """

    name = "picture"
    description = "pictures in several sizes"
    sizes: ClassVar[dict[str, int]] = {"medium": 1280, "thumbnail": 320}
    max_pixels = 64_000_000
    quality = 82
    # By content type, the formats as Pillow names them; no other one is tried.
    formats: ClassVar[dict[str, str]] = {
        "image/jpeg": "JPEG",
        "image/png": "PNG",
        "image/webp": "WEBP",
        "image/gif": "GIF",
    }

    def is_eligible(self, filemeta: FileMeta) -> bool:
        return filemeta.content_type in self.formats

    def process(self, job: Job) -> None:
        pillow = _pillow()
        # From large to small: each is made of the one before.
        sizes = sorted(self.sizes.items(), key=lambda one: -one[1])
        picture = pillow.load(
            job.source,
            formats=self.formats.values(),
            longest=sizes[0][1],
            max_pixels=self.max_pixels,
        )
        for number, (keyname, size) in enumerate(sizes, start=1):
            pillow.shrink(picture, size)
            path = job.workbench.joinpath(f"result-{number}")
            job.publish(keyname, pillow.save(picture, path, quality=self.quality))
            job.progress(number / len(sizes))


def _pillow() -> ModuleType:
    try:
        from deliverystore.publishing import pillow
    except ImportError as error:
        raise MissingExtra("Publishing pictures", "images") from error
    return pillow

"""What the gallery shows of homework: photos in two sizes, and how texts begin."""

from __future__ import annotations

from deliverystore.exceptions import ProcessingFailed
from deliverystore.models import FileMeta
from deliverystore.publishing import Job, MediaProcessor, PictureProcessor, register

from .sheets import sheet

_LINES, _WIDTH = 20, 200


@register
class PhotoProcessor(PictureProcessor):
    """Photos and drawings, for the gallery and for a closer look."""

    name = "photo"
    description = "photos for the gallery"
    sizes = {"medium": 1280, "thumbnail": 400}


@register
class TextProcessor(MediaProcessor):
    """The beginning of a text: as a drawing for the gallery, and as a text."""

    name = "text"
    description = "how a text begins"

    def is_eligible(self, filemeta: FileMeta) -> bool:
        return filemeta.filename.lower().endswith((".txt", ".md"))

    def process(self, job: Job) -> None:
        try:
            with job.source.open(encoding="utf-8") as text:
                # However long its lines are: it may have but one.
                beginning = text.read(_LINES * _WIDTH)
        except UnicodeDecodeError as error:
            raise ProcessingFailed(
                "The text is not in UTF-8: save it as UTF-8, and hand it in again.",
                byte=error.start,
            ) from error
        lines = beginning.splitlines(keepends=True)[:_LINES]
        preview = job.workbench.joinpath("preview.txt")
        preview.write_text("".join(lines), encoding="utf-8")
        job.publish("preview", preview)
        thumbnail = job.workbench.joinpath("thumbnail.svg")
        thumbnail.write_bytes(sheet(beginning))
        job.publish("thumbnail", thumbnail)

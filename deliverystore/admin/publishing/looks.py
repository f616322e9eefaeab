"""How publications look: states, facts, pictures, what is public."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from deliverystore.admin.datacenter.looks import begun
from deliverystore.admin.display import time_text
from deliverystore.exceptions import DeliveryStoreError
from deliverystore.models import Publication, PublishedFile
from deliverystore.publishing.registry import get_processors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.utils.safestring import SafeString

    from deliverystore.models import FileMeta

Facts = dict[str, object]
_State = Publication.State
_LOOKS = {
    _State.UNPROCESSED: "open",
    _State.PROCESSING: "open",
    _State.PROCESSED: "good",
    _State.FAILED: "bad",
}
# A picture of more bytes is not shown beside others.
_MAX_SHOWN = 300_000


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A published file as a page shows it; url is "" if it has no address."""

    keyname: str
    size: str
    digest: str
    url: str
    is_picture: bool


def badge(publication: Publication) -> SafeString:
    """Return the state as a word with a mark and a colour."""
    return format_html(
        '<span class="deliverystore-badge deliverystore-{}">{}</span>',
        _LOOKS[_State(publication.state)],
        publication.get_state_display(),
    )


def share(publication: Publication) -> int:
    """Return how many of a hundred parts are done."""
    return int(100 * publication.progress)


def progress(publication: Publication) -> Facts:
    """Return what is shown of a publication that is under way."""
    done = _("%(share)s %%") % {"share": share(publication)}
    return {
        "state": publication.state,
        "isOver": publication.is_over,
        "share": share(publication),
        "bar": [],
        "texts": {
            "state": publication.get_state_display(),
            "done": done,
            "bar": done,
        },
    }


def public(file: FileMeta) -> list[PublishedFile]:
    """Return what visitors see of a file; what was prefetched is not asked again."""
    state = PublishedFile.State.PUBLIC
    return [one for one in file.published_files.all() if one.state == state]


def public_files(files: Iterable[PublishedFile]) -> list[Shown]:
    """Return what visitors see, to be shown."""
    return [
        Shown(
            keyname=one.keyname,
            size=filesizeformat(one.size),
            digest=one.digest,
            url=_url(one),
            is_picture=_is_picture(one),
        )
        for one in files
    ]


def thumbnail(files: Iterable[PublishedFile]) -> SafeString | str:
    """Return the smallest picture of some published files, "" if there is none."""
    pictures = [one for one in files if _is_picture(one) and one.size <= _MAX_SHOWN]
    for one in sorted(pictures, key=lambda one: one.size):
        if url := _url(one):
            picture = '<img class="deliverystore-thumbnail" src="{}" alt="" {}>'
            return format_html(picture, url, _LAZY)
    return ""


def delivery(file: FileMeta, site: str, *, is_linked: bool) -> str:
    """Return the delivery of a file and, if that is wanted, a link to the file."""
    if not is_linked:
        return str(file.delivery)
    url = reverse(f"{site}:deliverystore_delivery_change", args=[file.delivery_id])
    return format_html('<a href="{}#file-{}">{}</a>', url, file.pk, file.delivery)


def facts(publication: Publication, site: str, *, is_linked: bool) -> list[tuple]:
    """Return what is known of a publication, each with its label."""
    file = publication.filemeta
    processor = get_processors().get(publication.processor)
    pairs = [
        (_("file"), file.filename),
        (_("delivery"), delivery(file, site, is_linked=is_linked)),
        (_("processor"), publication.processor),
        (_("what it makes"), processor and processor.description),
        (_("begun"), begun(publication)),
        (_("work started"), publication.started and time_text(publication.started)),
        (_("work ended"), publication.ended and time_text(publication.ended)),
    ]
    return [(label, str(value)) for label, value in pairs if value]


_LAZY = format_html('loading="{}"', "lazy")


def _is_picture(file: PublishedFile) -> bool:
    kind, _encoding = mimetypes.guess_type(file.filepath[-1])
    return bool(kind) and str(kind).startswith("image/")


def _url(file: PublishedFile) -> str:
    try:
        return file.url
    except (ValueError, OSError, NotImplementedError, DeliveryStoreError):
        return ""

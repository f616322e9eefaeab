"""What has become of publications, in sentences."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from django.contrib import messages
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from deliverystore.admin.display import waiting_words
from deliverystore.models import Publication
from deliverystore.publishing import tasks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest

    from deliverystore.models import FileMeta

_State = Publication.State
_LEVELS = {_State.PROCESSED: messages.SUCCESS, _State.FAILED: messages.ERROR}
_COMMAND = "manage.py reprocess --left"


def in_words(publication: Publication, *, has_files: bool) -> list[str]:
    """Say in sentences what is the matter with a publication."""
    match publication.state:
        case _State.UNPROCESSED:
            return waiting_words(tasks.run_publication, "reprocess --left")
        case _State.PROCESSING:
            return [
                _("It is under way. You can leave this page: it goes on without you.")
            ]
        case _State.PROCESSED if has_files:
            return [_("Visitors see what was made of the file.")]
        case _State.PROCESSED:
            return [_("Its processor is done, and has made nothing that visitors see.")]
    return [
        _("It failed this time: visitors see what was made of the file before.")
        if has_files
        else _("Nothing could be made of the file: visitors see nothing of it."),
        _("When the cause is mended, publish it again."),
    ]


def tell(request: HttpRequest, publications: Sequence[Publication]) -> None:
    """Say what became of publications that were handed to workers just now.

    Some workers are done at once.
    """
    ids = [one.pk for one in publications]
    states = Publication.objects.filter(pk__in=ids).values_list("state", flat=True)
    name = publications[0].filemeta.filename if len(ids) == 1 else ""
    for state, count in sorted(Counter(map(_State, states)).items()):
        text = _of_one(state, name) if name else _of_several(state, count)
        level = _LEVELS.get(state)
        if level is None:
            level = messages.INFO if _has_workers() else messages.WARNING
        messages.add_message(request, level, text)


def tell_of_end(request: HttpRequest, ended: Sequence[tuple[FileMeta, bool]]) -> None:
    """Say that files are public no more; each comes with whether it was."""
    if not ended:
        return
    file, was_public = ended[0]
    text = ngettext(
        "Visitors see nothing of “%(file)s” any more."
        if was_public
        else "Visitors see nothing of “%(file)s”, and it is not tried again.",
        "Visitors see nothing of %(count)d files any more.",
        len(ended),
    )
    messages.success(request, text % {"file": file.filename, "count": len(ended)})


def _of_one(state: Publication.State, name: str) -> str:
    text = {
        _State.PROCESSED: _("“%(file)s” was published."),
        _State.FAILED: _("“%(file)s” could not be published."),
    }.get(state)
    if text is None:
        text = (
            _("“%(file)s” is being published.")
            if _has_workers()
            else _("“%(file)s” waits: “%(command)s” publishes it.")
        )
    return text % {"file": name, "command": _COMMAND}


def _of_several(state: Publication.State, count: int) -> str:
    if state == _State.PROCESSED:
        text = ngettext(
            "%(count)d file was published.", "%(count)d files were published.", count
        )
    elif state == _State.FAILED:
        text = ngettext(
            "%(count)d file could not be published.",
            "%(count)d files could not be published.",
            count,
        )
    elif _has_workers():
        text = ngettext(
            "%(count)d file is being published.",
            "%(count)d files are being published.",
            count,
        )
    else:
        text = ngettext(
            "%(count)d file waits: “%(command)s” publishes it.",
            "%(count)d files wait: “%(command)s” publishes them.",
            count,
        )
    return text % {"count": count, "command": _COMMAND}


def _has_workers() -> bool:
    """Tell whether there is a framework for tasks, by which workers get them."""
    return tasks.run_publication is not None

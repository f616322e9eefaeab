"""What happened in an import, and what can be done next, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from deliverystore.admin.datacenter.looks import number, rows
from deliverystore.admin.datacenter.shortened import shown
from deliverystore.admin.display import time_text, waiting_words
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.datacenter.runs import tasks
from deliverystore.models import ImportRun

if TYPE_CHECKING:
    from collections.abc import Callable

_State = ImportRun.State
_ERROR = 1000


def in_words(
    run: ImportRun,
    *,
    is_left_alone: bool,
    may_change: bool,
    may_mend: bool,
    has_pending: bool,
) -> list[str]:
    """Return some sentences: what has become of a run, and what to do about it.

    is_left_alone says that nobody seems to be at it, may_change that the reader may do
    something about it, may_mend that they can do so in a file that they download,
    has_pending that the pending file is where it was.
    """
    if run.cancelling and is_left_alone:
        return _stuck(run)
    told = _TELLING[_State(run.state)](run)
    if run.state in ImportRun.LEFT_OVER and run.failed and may_change:
        told.append(_what_to_do(run, may_mend=may_mend, has_pending=has_pending))
    if is_left_alone and run.state == _State.RUNNING:
        told += [_silent(run)]
    if run.cancelling and not run.is_over:
        told += [_("It is to stop at the end of the rows that are being done.")]
    if not may_change and run.state in (*ImportRun.LEFT_OVER, _State.BROKEN):
        told += [_("What is left is for those who may import with this processor.")]
    return told


def did(run: ImportRun) -> str:
    """Return what the rows that went in have done: "3 created, 2 changed"."""
    parts = [
        (run.created, _("%(count)s created")),
        (run.updated, _("%(count)s changed")),
        (run.removed, _("%(count)s removed")),
        (run.unchanged, _("%(count)s as they were")),
    ]
    return ", ".join(text % {"count": number(count)} for count, text in parts if count)


def _waiting(run: ImportRun) -> list[str]:
    return waiting_words(tasks.run_import, "import_csv --resume")


def _running(run: ImportRun) -> list[str]:
    if run.is_in_one_go:
        return [
            _("It is under way. You can leave this page: it goes on without you."),
            _(
                "All its rows are one transaction, of which nothing is seen before its "
                "end: so there are no counts yet."
            ),
        ]
    return [_("It is under way. You can leave this page: it goes on without you.")]


def _stuck(run: ImportRun) -> list[str]:
    told = _broken(run)[:1] if run.state == _State.BROKEN else []
    text = _(
        "It is to stop, but nobody seems to be at it: stop it now, or go on with it "
        "nevertheless. What is in stays."
    )
    return [*told, text]


def _silent(run: ImportRun) -> str:
    if run.is_in_one_go:
        return _(
            "Nor does its worker say before the end that it is there. If you know that "
            "it was stopped, resume the import; one that is still there is not "
            "disturbed."
        )
    return _("Its worker has not been heard of for a while: resume it.")


def _broken(run: ImportRun) -> list[str]:
    return [
        _("It broke off: %(error)s") % {"error": shown(run.error or "?", _ERROR)},
        _("What went in stays. Resume it: it goes on behind the last row it has done."),
    ]


def _finished(run: ImportRun) -> list[str]:
    if not run.rows:
        return [_("The file has no rows: there was nothing to do.")]
    if not run.finished:
        return [
            _("All %(rows)s are blank: nothing changed.") % {"rows": rows(run.rows)}
        ]
    told = _("Every row is in: %(did)s. Nothing is left to do.") % {"did": did(run)}
    return [told]


def _pending(run: ImportRun) -> list[str]:
    return [_in_and_left(run)]


def _stopped(run: ImportRun) -> list[str]:
    reason = run.get_skipping_display()
    first = _("It stopped: %(reason)s.") % {"reason": reason}
    if run.on_error == ImportRun.OnError.ALL_OR_NOTHING:
        first = _("No row went in, because not all could: %(reason)s.")
        first %= {"reason": reason}
        return [first]
    return [first, _in_and_left(run)]


def _cancelled(run: ImportRun) -> list[str]:
    if not run.rows:
        text = _("It was cancelled before a row was read; the file waits as it was.")
        return [text]
    return [_("It was cancelled."), _in_and_left(run)]


def _retried(run: ImportRun) -> list[str]:
    failed = _("What failed (%(rows)s) was tried again, in a later import.")
    return [_in(run), failed % {"rows": rows(run.failed)}]


def _discarded(run: ImportRun) -> list[str]:
    facts = {
        "rows": rows(run.failed),
        "user": run.discarded_by or _("somebody without an account"),
        "time": time_text(run.discarded_at) if run.discarded_at else "?",
        "reason": shown(run.discarded_because or "?", _ERROR),
    }
    text = _("Given up by %(user)s on %(time)s (%(rows)s): %(reason)s") % facts
    return [_in(run), text]


def _tried(run: ImportRun) -> list[str]:
    told = [_("This was a dry run: nothing was changed.")]
    if run.skipping:
        text = _("It would stop: %(reason)s.")
        told.append(text % {"reason": run.get_skipping_display()})
    if run.finished:
        facts = {"rows": rows(run.finished), "did": did(run)}
        told.append(_("%(rows)s would go in: %(did)s.") % facts)
    if run.failed:
        told.append(_("%(rows)s would fail.") % {"rows": rows(run.failed)})
    elif run.rows:
        told.append(_("No row would fail."))
    return told


def _failed(run: ImportRun) -> list[str]:
    return [
        _("It could not run: %(error)s") % {"error": shown(run.error or "?", _ERROR)},
        _("No row was read, and the file waits as it was. Mend it, then begin again."),
    ]


def _in(run: ImportRun) -> str:
    facts = {"rows": rows(run.finished), "did": did(run)}
    text = _("%(rows)s went in: %(did)s.") if run.finished else _("No row went in.")
    return text % facts


def _in_and_left(run: ImportRun) -> str:
    return f"{_in(run)} " + _("%(rows)s failed and can be tried again.") % {
        "rows": rows(run.failed)
    }


def _what_to_do(run: ImportRun, *, may_mend: bool, has_pending: bool) -> str:
    told = _(
        "Say below what is meant by a wrong value, or edit single rows; then try the "
        "failed rows again."
    )
    if Mode(run.mode) is Mode.REMOVE:
        told = _("Edit single rows; then try the failed rows again.")
    if not has_pending:
        other = _(
            "Its pending file is not there any more; another try writes it again."
        )
    elif may_mend:
        other = _("Or mend the pending file on your computer, and upload it.")
    else:
        other = _(
            "To mend them in a file, ask somebody who may download and upload files."
        )
    return f"{told} {other}"


_TELLING: dict[_State, Callable[[ImportRun], list[str]]] = {
    _State.WAITING: _waiting,
    _State.RUNNING: _running,
    _State.BROKEN: _broken,
    _State.FINISHED: _finished,
    _State.PENDING: _pending,
    _State.STOPPED: _stopped,
    _State.CANCELLED: _cancelled,
    _State.RETRIED: _retried,
    _State.DISCARDED: _discarded,
    _State.TRIED: _tried,
    _State.FAILED: _failed,
}

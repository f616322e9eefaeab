"""What to do about each kind of finding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from deliverystore.models import Finding

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from deliverystore.models.check import FindingQuerySet

_AGAIN = "manage.py check_deliveries --repair --last"
_RESTORE = format_lazy("{} {} --restore-from ALIAS", _("restore it:"), _AGAIN)
_ADVICE = {
    Finding.Kind.MISSING: format_lazy(_("the store has no bytes; {}"), _RESTORE),
    Finding.Kind.WRONG_SIZE: format_lazy(
        _("more or fewer bytes than handed in; {}"), _RESTORE
    ),
    Finding.Kind.WRONG_DIGEST: format_lazy(
        _("other bytes than handed in; {}"), _RESTORE
    ),
    Finding.Kind.UNREADABLE: format_lazy(
        _("look at permissions and the disk; else {}"), _RESTORE
    ),
    Finding.Kind.CHANGED: _(
        "rows of a finished delivery were changed past the app; compare them with a "
        "backup of the database"
    ),
    Finding.Kind.STRAY: format_lazy(
        "{} {} --quarantine-to ALIAS", _("bytes without a row; set them aside:"), _AGAIN
    ),
    Finding.Kind.TEMPORARY: format_lazy(
        "{} manage.py sweep_deliveries", _("what broken writes have left; remove it:")
    ),
}


def advice(findings: FindingQuerySet) -> list[tuple[Finding.Kind, _StrPromise]]:
    """Return what to do about those that are not repaired, once for each kind."""
    left = findings.unrepaired().order_by().values_list("kind", flat=True)
    kinds = set(left.distinct())
    return [(kind, text) for kind, text in _ADVICE.items() if kind in kinds]

"""Checks of all that is stored: how far each is, and what it has found."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from deliverystore.exceptions import CheckBusy

_BATCH = 500
# A month of nights, to look back upon.
_KEPT = 30
# Up to so many deliveries are looked up at once.
_FEW = 10_000


class CheckQuerySet(models.QuerySet["Check"]):
    """Checks, by whether they are over."""

    def unfinished(self) -> CheckQuerySet:
        """Return those that can be gone on with."""
        return self.filter(finished=None).exclude(ending=Check.Ending.GIVEN_UP)

    def standing(self) -> CheckQuerySet:
        """Return those whose findings no later check has looked for again.

        A complete check takes the place of all that began before it, of the same part
        or if it was one of everything; but one of sizes only that of its like.
        """
        later = self.model.objects.filter(
            Q(parts=1) | Q(part=OuterRef("part"), parts=OuterRef("parts")),
            Q(quick=False) | Q(quick=OuterRef("quick")),
            ending=Check.Ending.COMPLETE,
            pk__gt=OuterRef("pk"),
        )
        return self.filter(~Exists(later))

    def prune(self) -> None:
        """Delete all but the newest thirty of those that are over and do not stand."""
        over = self.exclude(pk__in=self.standing()).exclude(pk__in=self.unfinished())
        newest = over.order_by("-pk").values_list("pk", flat=True)
        if oldest := list(newest[_KEPT : _KEPT + 1]):
            over.filter(pk__lte=oldest[0]).delete()

    def unrepaired(self) -> CheckQuerySet:
        """Return those that have found something that is still as it was."""
        return self.filter(found__gt=F("repaired"))

    def newest(self) -> Check | None:
        """Return the check that ended last or, while there is none, one that began."""
        over = self.filter(finished__isnull=False).order_by("-finished").first()
        return over or self.order_by("-pk").first()


class Check(models.Model):
    """One look at part n of m of all that is stored, in one go or in several.

    The counts speak of what was looked at: finished deliveries, files, the bytes
    that were read, and names in the store (None if the store cannot list them).
    """

    class Phase(models.TextChoices):
        """What is looked at, one after the other."""

        DELIVERIES = "deliveries", _("deliveries")
        FILES = "files", _("files")
        STORE = "store", _("names in the store")
        TEMPORARY = "temporary", _("temporary files")

    class Ending(models.TextChoices):
        """How far the check has come."""

        RUNNING = "running", _("running, or killed")
        LIMIT = "limit", _("stopped at its limit")
        INTERRUPTED = "interrupted", _("interrupted")
        FAILED = "failed", _("failed")
        GIVEN_UP = "given up", _("given up")
        COMPLETE = "complete", _("complete")

    started = models.DateTimeField(_("started"), default=timezone.now)
    updated = models.DateTimeField(_("last step"), default=timezone.now)
    finished = models.DateTimeField(_("finished"), null=True, db_index=True)
    part = models.PositiveIntegerField(_("part"), default=1)
    parts = models.PositiveIntegerField(_("of"), default=1)
    quick = models.BooleanField(_("sizes only"), default=False)
    phase = models.CharField(
        _("looking at"), max_length=16, choices=Phase, default=Phase.DELIVERIES
    )
    # As JSON: a name on a disk need not be valid Unicode.
    position = models.TextField(_("position"), default="null")
    # As place_of() says it: what was looked at there tells nothing of another store.
    store = models.TextField(_("store"), blank=True)
    fallback = models.TextField(_("fallback"), blank=True)
    ending = models.CharField(
        _("state"), max_length=16, choices=Ending, default=Ending.RUNNING
    )
    deliveries = models.BigIntegerField(_("deliveries"), default=0)
    files = models.BigIntegerField(_("files"), default=0)
    bytes = models.BigIntegerField(_("bytes read"), default=0)
    names = models.BigIntegerField(_("names in the store"), null=True, default=0)
    found = models.BigIntegerField(_("findings"), default=0)
    repaired = models.BigIntegerField(_("repaired"), default=0)

    objects = CheckQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        verbose_name = _("check")
        verbose_name_plural = _("checks")

    def __str__(self) -> str:
        return gettext("check %(id)s") % {"id": self.pk}

    @property
    def subset(self) -> str:
        """The part that is looked at, as "n/m"."""
        return f"{self.part}/{self.parts}"

    def advance(
        self,
        phase: Phase,
        position: str,
        findings: Iterable[Finding] = (),
        **counts: int,
    ) -> None:
        """Write down, in one transaction, where to go on and what was found.

        Raise CheckBusy if another process has gone on from here meanwhile.
        """
        here = Check.objects.filter(
            pk=self.pk, phase=self.phase, position=self.position, finished=None
        ).exclude(ending=self.Ending.GIVEN_UP)
        with transaction.atomic():
            counts["found"] = self._write(findings)
            there: dict[str, object] = {"phase": phase, "position": position}
            added = {name: F(name) + count for name, count in counts.items()}
            if not here.update(**there, **added, updated=timezone.now()):
                raise CheckBusy(f"Another process goes on with check {self.pk}.")
        self.refresh_from_db()

    def end(self, ending: Ending) -> None:
        """Write down how it ended, this time."""
        fields: dict[str, object] = {"ending": ending, "updated": timezone.now()}
        if ending == self.Ending.COMPLETE:
            fields["finished"] = fields["updated"]
        given_up = self.Ending.GIVEN_UP
        Check.objects.filter(pk=self.pk).exclude(ending=given_up).update(**fields)
        self.refresh_from_db()

    def _write(self, findings: Iterable[Finding]) -> int:
        count, rest = 0, iter(findings)
        while batch := list(islice(rest, _BATCH)):
            count += len(Finding.objects.bulk_create(batch))
        return count


class FindingQuerySet(models.QuerySet["Finding"]):
    """Findings, and the deliveries that they concern."""

    def unrepaired(self) -> FindingQuerySet:
        """Return those that are as they were found."""
        return self.filter(repaired=Finding.Repaired.NO)

    def standing(self) -> FindingQuerySet:
        """Return those that are as they were found, as far as the last checks know."""
        checks = Check.objects.standing().unrepaired()
        return self.unrepaired().filter(found_in__in=checks)

    def concerned(self) -> Q:
        """Return the condition for deliveries that these findings concern."""
        ids = self.exclude(delivery_id=None).values("delivery_id").distinct()
        few = [row["delivery_id"] for row in ids[: _FEW + 1]]
        if len(few) <= _FEW:
            return Q(pk__in=few)
        mine = self.filter(delivery_id=OuterRef("pk"))
        return Q(Exists(mine))


class Finding(models.Model):
    """One thing that is not as it must be. Ids are None where nothing has one."""

    class Kind(models.TextChoices):
        """What can be wrong; the list is complete."""

        MISSING = "missing", _("missing")
        WRONG_SIZE = "wrong size", _("wrong size")
        WRONG_DIGEST = "wrong digest", _("wrong digest")
        UNREADABLE = "unreadable", _("unreadable")
        CHANGED = "changed", _("changed")
        STRAY = "stray", _("stray")
        TEMPORARY = "temporary", _("temporary")

    class Repaired(models.TextChoices):
        """What was done about it."""

        NO = "", _("no")
        INTACT = "intact", _("intact by now")
        RESTORED = "restored", _("restored")
        QUARANTINED = "quarantined", _("quarantined")

    found_in = models.ForeignKey(
        Check,
        on_delete=models.CASCADE,
        related_name="findings",
        db_index=False,
        verbose_name=_("check"),
    )
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    # No foreign keys: a finding outlives what it speaks of.
    delivery_id = models.BigIntegerField(_("delivery"), null=True)
    filemeta_id = models.BigIntegerField(_("file"), null=True)
    name = models.TextField(_("name in the store"), blank=True)
    detail = models.TextField(_("detail"), blank=True)
    found_at = models.DateTimeField(_("found at"), default=timezone.now)
    repaired = models.CharField(
        _("repaired"), max_length=16, choices=Repaired, default=Repaired.NO, blank=True
    )

    objects = FindingQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        indexes = [
            models.Index(fields=["found_in", "id"], name="deliverystore_found"),
            models.Index(
                fields=["found_in", "delivery_id"], name="deliverystore_concerned"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.name or self.delivery_id}"

    def note(self, repaired: Repaired) -> None:
        """Write down what was done about it."""
        with transaction.atomic():
            mine = Finding.objects.unrepaired().filter(pk=self.pk)
            if mine.update(repaired=repaired):
                checks = Check.objects.filter(pk=self.found_in_id)
                checks.update(repaired=F("repaired") + 1)
        self.repaired = repaired

"""The form that begins an import: processor, mode, columns, and what errors mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from deliverystore.admin.datacenter import columns as fields
from deliverystore.admin.datacenter.family import MAX_SHOWN
from deliverystore.admin.datacenter.layouts import LayoutForm, layout_of
from deliverystore.admin.datacenter.masking import hidden_by, masked
from deliverystore.admin.datacenter.processors import MODES, needs
from deliverystore.admin.datacenter.shortened import shown
from deliverystore.datacenter import registry, runs
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.datacenter.runs.choosing import likely_choice
from deliverystore.datacenter.runs.of_files import held_run
from deliverystore.datacenter.words import listed
from deliverystore.exceptions import NotPermitted
from deliverystore.models import ImportRun

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deliverystore.admin.datacenter.columns import Choice, Column
    from deliverystore.datacenter.previewing import Preview
    from deliverystore.datacenter.processors import BatchProcessor
    from deliverystore.exceptions import ColumnsRefused
    from deliverystore.models.access import User

OnError = ImportRun.OnError


class ImportForm:
    """What is offered to a user for a file, what they have said, and what is wrong.

    Of a pending file, what its parent was told is preselected; of another one, what
    tried, the run that was last tried out with it, was told. held is the run of the
    file that is not over.
    """

    def __init__(
        self,
        data: Mapping[str, str],
        preview: Preview,
        user: User,
        *,
        is_posted: bool,
        tried: ImportRun | None,
    ) -> None:
        self._data, self._preview, self._user = data, preview, user
        self._is_posted = is_posted
        self._report = preview.report
        self.errors: list[str] = []
        self.file = preview.file.relative_path
        self.layout = LayoutForm(layout_of(data), preview)
        self.held = held_run(self.file)
        self.parent = preview.left_by
        self._example = self.parent or tried
        self.modes = runs.processors_for(user)
        self.name, self.mode = self._chosen()
        self.processor: BatchProcessor | None = None
        self.choices: list[Choice] = []
        self.columns: list[Column] = []
        self.shown: list[Column] = []
        header = self._report.header
        self._hidden = hidden_by(self.parent, header) if self.parent else set()
        if self.mode is not None:
            self.processor = registry.get_processor(self.name)
            self._make_columns(self.processor, self.mode)
        # Without what is not to be seen.
        self.report = masked(self._report, self._hidden)
        fields.show_examples(self.shown, self.report)

    # -- What is offered -------------------------------------------------------------

    @property
    def groups(self) -> list[tuple[str, list[tuple[str, str, bool, str]]]]:
        """The processors, each with its modes: value, label, whether chosen, needs."""
        return [
            (
                name,
                [
                    (
                        f"{name}:{mode}",
                        str(MODES[mode]),
                        (name, mode) == (self.name, self.mode),
                        needs(registry.get_processor(name), mode),
                    )
                    for mode in modes
                ],
            )
            for name, modes in self.modes.items()
        ]

    @property
    def use(self) -> str:
        """The processor and the mode that are chosen."""
        return f"{self.name}:{self.mode}" if self.mode else ""

    @property
    def mode_label(self) -> str:
        """What the rows do, in words."""
        return str(MODES[self.mode]) if self.mode else ""

    @property
    def needs(self) -> str:
        """What the columns have to be."""
        if self.processor is None or self.mode is None:
            return ""
        return needs(self.processor, self.mode)

    @property
    def header_digest(self) -> str:
        """What tells that the columns are still the same."""
        return fields.digest_of(self._report.header)

    @property
    def hidden_columns(self) -> int:
        """How many columns have no select on the page."""
        return len(self.columns) - len(self.shown)

    @property
    def undecided(self) -> int:
        """How many columns have neither a field nor are they left out."""
        return sum(not column.value for column in self.columns)

    @property
    def left_out(self) -> str:
        """What columns are left out, in words; "" if none is."""
        names = [one.label for one in self.columns if one.value == fields.IGNORE]
        if not names:
            return ""
        one = (
            ngettext(
                "%(count)d column is left out: %(names)s.",
                "%(count)d columns are left out: %(names)s.",
                len(names),
            )
            if self._is_posted
            else ngettext(
                "%(count)d column is left out, as the last time: %(names)s.",
                "%(count)d columns are left out, as the last time: %(names)s.",
                len(names),
            )
        )
        return one % {"count": len(names), "names": listed(names)}

    @property
    def on_errors(self) -> list[tuple[str, str, bool]]:
        """What a row that fails can mean for the others."""
        chosen = self._said("on_error") or OnError.PENDING
        return [(one.value, str(one.label), one == chosen) for one in OnError]

    @property
    def max_failed(self) -> str:
        """How many rows may fail."""
        return self._said("max_failed")

    @property
    def max_removed(self) -> str:
        """How many objects may be removed."""
        return self._said("max_removed")

    @property
    def can_be_undone(self) -> bool:
        """Whether there is a dry run."""
        return self.processor is not None and self.processor.can_be_undone

    @property
    def has_column_errors(self) -> bool:
        """Whether something is wrong with a column."""
        return any(column.errors for column in self.columns)

    # -- What was said ---------------------------------------------------------------

    def can_start(self) -> bool:
        """Tell whether an import can be asked for; what stands against it is told."""
        if self.held is not None:
            self.refuse(_("An import of this file is not over."))
        elif self.mode is None:
            self.refuse(_("Choose what the rows are to become."))
        elif not self._preview.is_table:
            self.refuse(_("The file cannot be imported as it is."))
        elif self._data.get("header") != self.header_digest:
            self.refuse(_("The columns are others than before: look at them again."))
        elif self.undecided:
            self._refuse_undecided()
        return not self.errors

    def arguments(self) -> dict[str, Any]:
        """Return what start_run takes."""
        return {
            "file": self.file,
            "processor": self.name,
            "mode": str(self.mode),
            "mapping": fields.said(self.columns),
            "on_error": self._data.get("on_error", OnError.PENDING),
            "max_failed": self._data.get("max_failed", "").strip(),
            "max_removed": self._data.get("max_removed", "").strip(),
            "dry_run": "dry_run" in self._data,
            # As it was shown, which need not be all that was asked for.
            "layout": self._report.layout,
        }

    def refuse(self, reason: str) -> None:
        """Say above the form what is wrong."""
        self.errors.append(reason)

    def refuse_columns(self, error: ColumnsRefused) -> None:
        """Say at each column what is wrong with it, and the rest above the form."""
        offered = {column.header: column for column in self.shown}
        for problem in error.problems:
            message = shown(problem.message, MAX_SHOWN)
            if problem.column in offered:
                offered[problem.column].errors.append(message)
            else:
                self.refuse(message)

    # -- Private ---------------------------------------------------------------------

    def _chosen(self) -> tuple[str, Mode | None]:
        asked = self._data.get("use", "")
        name, _colon, mode = asked.rpartition(":")
        if mode in self.modes.get(name, []):
            return name, Mode(mode)
        if self._is_posted:
            if asked:
                raise NotPermitted(f"{self._user} may not import with {asked!r}.")
            return "", None
        example = self._example
        if example and example.mode in self.modes.get(example.processor, []):
            return example.processor, Mode(example.mode)
        return likely_choice(self._report.header, self.modes) or ("", None)

    def _make_columns(self, processor: BatchProcessor, mode: Mode) -> None:
        self.choices = fields.choices_of(processor, mode)
        known = {choice.value for choice in self.choices} | {fields.IGNORE}
        header = self._report.header
        example = self._example
        is_like = example is not None and example.processor == self.name
        given = example.mapping if example is not None and is_like else {}
        suggestion = runs.suggested_mapping(
            header,
            self.name,
            mode,
            mapping={one: given[one] for one in header if one in given},
            user=self._user,
        )
        self.columns = fields.columns_of(self._report, suggestion.mapping)
        most = fields.most_columns(self.choices)
        self.shown = fields.shown_of(self.columns, most)
        if self._is_posted:
            fields.read(self.columns, self._data)
        for column in self.columns:
            # What names no field that can be chosen is no choice.
            if column.value not in known:
                column.value = ""
        self._hidden |= fields.hidden_in(self.columns, processor)

    def _refuse_undecided(self) -> None:
        for column in self.shown:
            if not column.value:
                column.errors.append(_("Choose a field, or leave this column out."))
        text = ngettext(
            "%(count)d column has no field: choose one, or leave the column out.",
            "%(count)d columns have no field: choose one for each, or leave it out.",
            self.undecided,
        )
        self.refuse(text % {"count": self.undecided})

    def _said(self, name: str) -> str:
        if self._is_posted:
            return self._data.get(name, "")
        return str(getattr(self._example, name, ""))

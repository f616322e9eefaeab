"""What in a file is its author's, and not a column that we have added to it."""

from __future__ import annotations

from collections.abc import Sequence

from deliverystore.datacenter.rows.arranging import RESERVED


class Own:
    """The columns of a file that are its own, and their cells."""

    def __init__(self, header: Sequence[str]) -> None:
        self._header = header
        self.columns = [name for name in header if name not in RESERVED]
        self.is_all = len(self.columns) == len(header)

    def cells(self, cells: Sequence[str]) -> list[str]:
        """Return the cells of these columns, and those that no column names."""
        header = self._header
        if self.is_all:
            return list(cells)
        if header[-1] in RESERVED:
            # In a row that is too long, too, the last cell is ours.
            return list(cells[: max(len(header), len(cells)) - 1])
        names = [*header, *[""] * (len(cells) - len(header))]
        return [
            cell
            for name, cell in zip(names, cells, strict=False)
            if name not in RESERVED
        ]

    def whole(self, cells: Sequence[str]) -> list[str]:
        """Return cells of the own columns with an empty one for each of the others."""
        left = iter(cells)
        return ["" if name in RESERVED else next(left) for name in self._header]

"""Files of the data center as a spreadsheet may open them: nothing is a formula."""

from __future__ import annotations

import csv
import io
from codecs import BOM_UTF8
from collections.abc import Generator
from typing import BinaryIO

from deliverystore.datacenter.reader import open_table
from deliverystore.datacenter.rows.arranging import RESERVED
from deliverystore.datacenter.rows.escapes import neutralised
from deliverystore.datacenter.tables import Table


def chunks(file: BinaryIO, name: str) -> Generator[bytes]:
    """Yield a file as CSV in UTF-8 with a byte order mark, and close it at the end.

    An apostrophe keeps cells from being formulas; an import does not take it for data.
    Raise TableUnreadable if it is no table.
    """
    try:
        table = open_table(file, name=name)
    except BaseException:
        file.close()
        raise
    return _lines(file, table)


def _lines(file: BinaryIO, table: Table) -> Generator[bytes]:
    delimiter = table.layout.delimiter or ","
    with file:
        header = [one if one in RESERVED else neutralised(one) for one in table.header]
        yield BOM_UTF8 + _written([header], delimiter)
        for batch in table.batches():
            rows = [list(map(neutralised, row)) for row in batch.rows]
            yield _written(rows, delimiter)


def _written(rows: list[list[str]], delimiter: str) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(errors="backslashreplace")

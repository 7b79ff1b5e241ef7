"""A table as CSV that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
import unicodedata
from typing import Final

from queries.answer.types import Row, Table
from queries.layout.printable import strip_unprintable
from queries.layout.printed_table import list_printed_columns
from queries.layout.prose import WITHHELD_SIGN

_FORMULA_STARTS: Final = "=+-@\t\r\n"


def escape_formula(text: str) -> str:
    """The text of a CSV cell, changed if a spreadsheet would take it for a formula."""
    start = unicodedata.normalize("NFKC", text[:1])
    return f"'{text}" if start and start in _FORMULA_STARTS else text


def format_table_csv(table: Table) -> str:
    """A table as CSV: a line for each row, the total last. A withheld count is "[c]"; a share is a
    whole number of per cent."""
    table = strip_unprintable(table)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    coded, columns = has_codes(table), list_printed_columns(table)
    writer.writerow(map(escape_formula, list_column_heads(table, coded=coded)))
    for row in (*table.rows, table.total):
        values = (column.get_value(row, table) for column in columns)
        cells = (WITHHELD_SIGN if value is None else value for value in values)
        writer.writerow([*map(escape_formula, list_row_names(row, coded=coded)), *cells])
    return text.getvalue()


def has_codes(table: Table) -> bool:
    """Whether any row has offence codes, which then get a column of their own."""
    return any(row.codes for row in table.rows)


def list_column_heads(table: Table, *, coded: bool) -> list[str]:
    """The heads of all columns: the labels, the codes if ``coded``, then the figures."""
    codes = ["Codes"] if coded else []
    return [table.heading, *codes, *(column.label for column in list_printed_columns(table))]


def list_row_names(row: Row, *, coded: bool) -> list[str]:
    """The cells of a row before its figures: the label, and the codes if ``coded``."""
    return [row.label, *([", ".join(row.codes)] if coded else [])]

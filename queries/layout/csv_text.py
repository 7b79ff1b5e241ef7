"""A table as CSV that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Sequence
from typing import Final

from queries.answer.types import Row, Table
from queries.layout.printable import strip_unprintable
from queries.layout.printed_table import list_printed_columns, omit_impossible
from queries.layout.prose import WITHHELD_SIGN, WITHHELD_TEXT
from queries.review.result import ReviewResult
from queries.review.review_rows import ReviewRow, list_review_rows

_FORMULA_STARTS: Final = "=+-@\t\r\n"


def escape_formula(text: str) -> str:
    """The text of a CSV cell, changed if a spreadsheet would take it for a formula."""
    start = unicodedata.normalize("NFKC", text[:1])
    return f"'{text}" if start and start in _FORMULA_STARTS else text


def format_table_csv(table: Table) -> str:
    """A table as CSV: a line for each row, the total last. A withheld count is "[c]"; a share is a
    whole number of per cent."""
    table = omit_impossible(strip_unprintable(table))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = list_printed_columns(table)
    writer.writerow(map(escape_formula, list_column_heads(table)))
    for row in (*table.rows, table.total):
        values = (column.get_value(row, table) for column in columns)
        cells = (WITHHELD_SIGN if value is None else value for value in values)
        writer.writerow([*map(escape_formula, list_row_names(row, table)), *cells])
    return text.getvalue()


def format_texts_csv(table: Table) -> str:
    """The texts of a list as CSV: a line for each, with the fields of its row."""
    table = strip_unprintable(table)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(map(escape_formula, (*table.fields, "Text")))
    for row in table.rows:
        for text in row.texts:
            printed = WITHHELD_TEXT if text is None else text
            writer.writerow(map(escape_formula, (*row.values, printed)))
    return stream.getvalue()


def format_reviews_csv(reviews: Sequence[ReviewResult]) -> str:
    """Results of reviews as CSV: a line for each number, stratum, and sample beside a number. A
    number that is withheld is "[c]"; one that there is not is empty."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    rows = list_review_rows(reviews)
    writer.writerow(rows[0] if rows else ())
    for row in rows:
        writer.writerow(_format_review_cell(row, name, value) for name, value in row.items())
    return stream.getvalue()


def _format_review_cell(row: ReviewRow, name: str, value: object) -> str:
    if value is not None:
        text = str(value)
        return text if isinstance(value, (int, float)) else escape_formula(text)
    has_value = name in ("population", "relevant", "not_relevant", "high") or (
        name == "low" and row["records"] == "mentions"
    )
    return WITHHELD_SIGN if has_value and row["withheld"] else ""


def list_label_heads(table: Table) -> list[str]:
    """The heads of the columns before the figures: of the labels and, if any row has some, of the
    offence codes; of a list its fields and, if it gives them, the references."""
    if table.fields:
        return [*table.fields, *(["References"] if _has_references(table) else [])]
    has_codes = any(row.codes for row in table.rows)
    return [table.heading, *(["Codes"] if has_codes else [])]


def list_column_heads(table: Table) -> list[str]:
    """The heads of all columns, those of the figures last."""
    return [*list_label_heads(table), *(column.label for column in list_printed_columns(table))]


def list_row_names(row: Row, table: Table) -> list[str]:
    """The cells of a row before its figures, one for each of ``list_label_heads``."""
    width = len(list_label_heads(table))
    if row.values:
        references = [", ".join(row.references)] if _has_references(table) else []
        return [*row.values, *references]
    return [row.label, ", ".join(row.codes), *[""] * width][:width]


def _has_references(table: Table) -> bool:
    return any(row.references for row in table.rows)

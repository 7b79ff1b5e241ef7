"""Offence codes as the request names them: a range by its ends, and not as all its codes.

Pure. The annex of a letter still has every code.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from indexer.records.offences import load_offence_table
from indexer.records.offences.ranges import list_codes
from queries.answer.types import Answer, QuestionAnswer, Row, Table

#: Codes as an answer holds them, and as the request names them.
CodeNames = dict[tuple[str, ...], tuple[str, ...]]

_RANGE: Final = "{first} to {last}"


def name_asked_codes(answer: Answer) -> CodeNames:
    """The codes of each row of offences that the request names by a range."""
    request = answer.request
    scopes = [request, *(question.get("within") or {} for question in request.get("questions", ()))]
    names: CodeNames = {}
    for scope in scopes:
        for row in scope.get("offences") or ():
            names |= _name_row(row)
    return names


def _name_row(row: dict[str, Any]) -> CodeNames:
    table = load_offence_table()
    parts = list(dict.fromkeys(list_codes(table, written) for written in row["codes"]))
    codes = tuple(dict.fromkeys(code for part in parts for code in part))
    names = tuple(
        _RANGE.format(first=part[0], last=part[-1]) if len(part) > 1 else part[0] for part in parts
    )
    return {codes: names} if len(names) < len(codes) else {}


def print_asked_codes(answer: Answer) -> Answer:
    """The answer with the codes of its tables as the request names them; its scope has all."""
    names = name_asked_codes(answer)
    if not names:
        return answer
    questions = tuple(_rename_question(question, names) for question in answer.questions)
    return msgspec.structs.replace(answer, questions=questions)


def _rename_question(question: QuestionAnswer, names: CodeNames) -> QuestionAnswer:
    within = question.within
    for codes, written in names.items():
        within = within.replace(f"({', '.join(codes)})", f"({', '.join(written)})")
    return msgspec.structs.replace(
        question, within=within, table=_rename_table(question.table, names)
    )


def _rename_table(table: Table, names: CodeNames) -> Table:
    texts = {", ".join(codes): ", ".join(written) for codes, written in names.items()}
    columns = tuple(
        msgspec.structs.replace(
            column, description=texts.get(column.description, column.description)
        )
        for column in table.columns
    )
    rows = tuple(_rename_row(row, names) for row in table.rows)
    return msgspec.structs.replace(table, columns=columns, rows=rows)


def _rename_row(row: Row, names: CodeNames) -> Row:
    written = names.get(row.codes)
    return row if written is None else msgspec.structs.replace(row, codes=written)

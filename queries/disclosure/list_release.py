"""Lists of records in a published answer: a combination of few records is not listed at all.

Pure. A row of a list says of its records how every field goes together, so that even a row without
its number says that there is such a record. Numbers are protected first, with every row, and
recorded so in the ledger; then the rows that may not be seen are left out.
"""

from __future__ import annotations

import msgspec

from queries.answer.types import (
    NOT_COVERED,
    NOT_LISTED,
    WITHHELD,
    Answer,
    QuestionAnswer,
    Relation,
    Row,
)
from queries.disclosure.policy import Policy


def shorten_lists(published: Answer, policy: Policy) -> Answer:
    """A published answer whose lists have only the rows of enough records.

    The rest of a list is one number, which its reader could work out. Lists stay whole if the
    policy neither withholds nor rounds.
    """
    if not policy.is_active:
        return published
    questions = tuple(
        _shorten_list(question, policy) if question.table.fields else question
        for question in published.questions
    )
    return msgspec.structs.replace(published, questions=questions)


def _shorten_list(question: QuestionAnswer, policy: Policy) -> QuestionAnswer:
    table = question.table
    rows = tuple(row for row in table.rows if _may_be_listed(row, policy))
    if len(rows) == len(table.rows):
        return question
    relations = tuple(
        Relation("at_most", table.total.key, (row.key,), only=relation.only)
        for relation in table.relations
        for row in rows
    )
    total = table.total.counts[0]
    facts = dict(question.facts)
    if isinstance(total, int) and not policy.rounding:
        facts[NOT_LISTED] = total - sum(
            count for row in rows if isinstance(count := row.counts[0], int)
        )
    else:
        facts[NOT_LISTED] = WITHHELD
    return msgspec.structs.replace(
        question,
        table=msgspec.structs.replace(table, rows=rows, relations=relations),
        facts=facts,
    )


def _may_be_listed(row: Row, policy: Policy) -> bool:
    count = row.counts[0]
    return count == NOT_COVERED or (isinstance(count, int) and count >= policy.minimum_group)

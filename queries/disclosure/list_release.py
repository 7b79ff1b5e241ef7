"""Lists of records in a published answer: a combination of few records is not listed at all.

Pure. A row of a list says of its records how every field goes together, so that even a row without
its number says that there is such a record. Numbers are protected first, with every row, and
recorded so in the ledger; then the rows that may not be seen are left out.
"""

from __future__ import annotations

import msgspec

from queries.answer.types import (
    NOT_LISTED,
    WITHHELD,
    Answer,
    Count,
    QuestionAnswer,
    Relation,
    Row,
    TextApprovals,
    count_or_zero,
)
from queries.disclosure.policy import Policy


def shorten_lists(own: Answer, published: Answer, policy: Policy) -> Answer:
    """A published answer whose lists have only the rows of enough records, by the numbers of the
    answer that it was made from.

    The rest of a list is one number, which its reader could work out. Lists stay whole if the
    policy neither withholds nor rounds.
    """
    if not policy.is_active:
        return published
    questions = tuple(
        _shorten_list(whole, question, policy) if question.table.fields else question
        for whole, question in zip(own.questions, published.questions, strict=True)
    )
    return msgspec.structs.replace(published, questions=questions)


def _shorten_list(
    whole: QuestionAnswer, question: QuestionAnswer, policy: Policy
) -> QuestionAnswer:
    table = question.table
    counts = {row.key: row.counts[0] for row in whole.table.rows}
    rows = tuple(row for row in table.rows if _may_be_listed(row, counts[row.key], policy))
    if policy.rounding:  # who counts the references of a row knows its number
        rows = tuple(msgspec.structs.replace(row, references=()) for row in rows)
    if rows == table.rows:
        return question
    relations = tuple(
        Relation("at_most", table.total.key, (row.key,), only=relation.only)
        for relation in table.relations
        for row in rows
    )
    total = table.total.counts[0]
    facts = dict(question.facts)
    if len(rows) == len(table.rows):
        return msgspec.structs.replace(question, table=msgspec.structs.replace(table, rows=rows))
    if isinstance(total, int) and not policy.rounding:
        facts[NOT_LISTED] = total - sum(
            count for row in rows if isinstance(count := row.counts[0], int)
        )
    else:
        facts[NOT_LISTED] = WITHHELD
    return msgspec.structs.replace(
        question,
        approvals=_count_texts(question.approvals, rows),
        table=msgspec.structs.replace(table, rows=rows, relations=relations),
        facts=facts,
    )


def _count_texts(approvals: TextApprovals | None, rows: tuple[Row, ...]) -> TextApprovals | None:
    """How the texts of some rows were approved: the numbers of all would say how many are left
    out."""
    if approvals is None:
        return None
    texts = [text for row in rows for text in row.texts]
    return msgspec.structs.replace(
        approvals, approved=len(texts) - texts.count(None), refused=texts.count(None)
    )


def summarise_lists(own: Answer, published: Answer) -> tuple[str, ...]:
    """What the officer reads of each list that leaves out lines; ``published`` has none of these.

    ``own`` is the answer with every line.
    """
    return tuple(
        _summarise_list(whole, question)
        for whole, question in zip(own.questions, published.questions, strict=True)
        if question.table.fields and len(question.table.rows) < len(whole.table.rows)
    )


def _summarise_list(whole: QuestionAnswer, question: QuestionAnswer) -> str:
    counts = {row.key: count_or_zero(row.counts[0]) for row in whole.table.rows}
    records = sum(counts[row.key] for row in question.table.rows)
    unit = whole.table.columns[0].unit
    summary = (
        f"{question.id}: {len(question.table.rows):,} of {len(counts):,} lines are listed, of "
        f"{records:,} of {sum(counts.values()):,} {unit}"
    )
    if question.table.rows:
        return summary
    return f"{summary}. To give more, list fewer fields, or count by each in a question of its own"


def warn_of_references(own: Answer, policy: Policy) -> tuple[str, ...]:
    """What the officer reads of a release whose lists lose their references."""
    if policy.rounding < 2:
        return ()
    return tuple(
        f"{question.id}: references are left out, because numbers are rounded, and whoever counts "
        "the references of a line knows its number"
        for question in own.questions
        if any(row.references for row in question.table.rows)
    )


def warn_of_texts(published: Answer) -> tuple[str, ...]:
    """What the officer reads of a release with texts, which disclosure control cannot look into."""
    return tuple(
        f"{question.id}: {question.approvals.approved:,} texts are given, and nothing in a text is "
        "protected by the rule: whoever reads them can count what they say, even where a table "
        "withholds the number"
        for question in published.questions
        if question.approvals and question.approvals.approved
    )


def _may_be_listed(row: Row, number: Count, policy: Policy) -> bool:
    """Whether a published row may be seen, of which ``number`` is the number before it was
    withheld or rounded."""
    if row.counts[0] is None:
        return False
    return not isinstance(number, int) or number >= policy.minimum_group

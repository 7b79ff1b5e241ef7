"""What documents print of the texts of a list: line by line, and why some are withheld. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from queries.answer.types import Answer, QuestionAnswer, has_texts
from queries.evidence.masking import MASK
from queries.layout.prose import WITHHELD_TEXT, capitalise_sentence, format_count


def list_text_prose(question: QuestionAnswer) -> Iterator[str]:
    """Paragraphs for below a list: how its texts were approved, and the texts of each line."""
    approvals = question.approvals
    if approvals is None:
        return
    number = approvals.approved + approvals.refused
    if not number:
        yield "No texts are given."
        return
    sentence = capitalise_sentence(format_count(approvals.approved, "text"))
    withheld = format_count(approvals.refused, "text")
    yield (
        "What the records of each line say follows, in no particular order. A person read each "
        f"text first. {sentence} {'is' if approvals.approved == 1 else 'are'} given, and "
        f"{withheld} {'is' if approvals.refused == 1 else 'are'} withheld."
        + (
            f" Texts are given only of lines of {approvals.min_records:,} or more."
            if any(not row.texts for row in question.table.rows)
            else ""
        )
    )
    for row in question.table.rows:
        if row.texts:
            yield f"{row.label}:"
            for text in row.texts:
                yield f"\u2013 {WITHHELD_TEXT if text is None else text}"


def explain_texts(answer: Answer) -> str:
    """What is hidden in texts, and why some are not given; empty if there are none."""
    if not has_texts(answer):
        return ""
    refused = any(
        question.approvals and question.approvals.refused for question in answer.questions
    )
    hidden = (
        f"In texts of records, {MASK} hides a word that could identify a person; it also hides "
        "other words that are written like a name."
    )
    if not refused:
        return hidden
    return (
        f"{hidden} {WITHHELD_TEXT} stands for a text that could identify a person even so, which "
        "we do not give."
    )

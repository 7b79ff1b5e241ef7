"""What is published is what was previewed: whatever else would go out is refused, and said."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from indexer.config.model import ForceSettings
from queries.answer.types import Answer, Disclosure, RuleOverride, TextApprovals
from queries.answering.reviewed_numbers import attach_reviews
from queries.answering.suggestions import ReleasePreview, count_printed_numbers
from queries.disclosure.policy import Policy
from queries.disclosure.release import protect_answer
from queries.documents.content.context import DocumentSettings
from queries.documents.document_set import digest_documents, name_letter_text, render_documents
from queries.workbench.pages.answers.previewing import (
    PreviewChangedError,
    PreviewedRelease,
    ReleaseChoice,
    require_same_documents,
)
from tests.support.reviews import count_answer, review_simply

FORCE = ForceSettings(
    name="Example Constabulary",
    address=("1 Example Street",),
    contact="foi@example.org",
    signatory="A. Officer",
)

SETTINGS = DocumentSettings(FORCE, date(2026, 1, 2))


def protect(answer: Answer) -> Answer:
    return protect_answer(answer, Policy(threshold=5)).answer


def preview(answer: Answer, settings: DocumentSettings = SETTINGS) -> PreviewedRelease:
    contents = render_documents(answer, settings)
    return PreviewedRelease(
        ReleaseChoice("a.yaml"),
        "version",
        "",
        ReleasePreview((), count_printed_numbers(answer), answer),
        settings,
        letter=contents[name_letter_text(answer)].decode(),
        documents=digest_documents(contents),
    )


def find_changes(before: Answer, after: Answer) -> tuple[str, ...]:
    with pytest.raises(PreviewChangedError) as refusal:
        require_same_documents(preview(before), after)
    assert refusal.value.changes
    return refusal.value.changes


def count_later(answer: Answer, **others: Any) -> Answer:
    """The same answer, counted on another day."""
    others |= {"run_at": datetime.fromisoformat("2026-03-09T00:00:01+00:00"), "took_ms": 9_000}
    return replace(answer, provenance=replace(answer.provenance, **others))


def test_the_same_is_published_on_another_day() -> None:
    """A count has other times, and one that is published an evidence file."""
    review = review_simply()
    answer = protect(attach_reviews(count_answer(), [review]))
    require_same_documents(preview(answer), count_later(answer, basis="ef" * 32))


def test_a_refresh_is_said_even_if_no_number_changed() -> None:
    answer = protect(count_answer())
    (change,) = find_changes(answer, count_later(answer, generation="crimes-20260301-000000"))
    assert "crimes-20260101-000000" in change
    assert "crimes-20260301-000000" in change


def test_each_number_that_changed_is_said_and_each_that_is_withheld_now() -> None:
    before = protect(count_answer(800, 344))
    assert "800 before, 801 now" in " ".join(find_changes(before, protect(count_answer(801, 344))))
    withheld = " ".join(find_changes(before, protect(count_answer(800, 3))))
    assert "344 before, not given now" in withheld
    given = " ".join(find_changes(protect(count_answer(800, 3)), before))
    assert "not given before, 344 now" in given


@pytest.mark.parametrize(
    ("before", "after"),
    [([], [review_simply()]), ([review_simply()], [review_simply(181)])],
    ids=["a review", "a decision"],
)
def test_a_review_that_is_added_or_went_on_is_said(before: list[Any], after: list[Any]) -> None:
    changes = find_changes(
        protect(attach_reviews(count_answer(), before)),
        protect(attach_reviews(count_answer(), after)),
    )
    assert f"The result of the review {after[0].name} is not the same" in changes[0]


def test_another_text_of_a_list_is_said() -> None:
    bare_answer = protect(count_answer())

    def add_texts(*texts: str | None) -> Answer:
        question = bare_answer.questions[0]
        first_row, *rows = question.table.rows
        table = replace(question.table, rows=(replace(first_row, texts=texts), *rows))
        approvals = TextApprovals(2, 0, 5, "2026-01-01T09:00:00Z", "2026-01-01T10:00:00Z")
        question = replace(question, table=table, approvals=approvals)
        return replace(bare_answer, questions=(question,))

    before = add_texts("A message was sent.", "A message came.")
    changes = find_changes(before, add_texts("A message was sent.", None))
    assert changes[0] == "Other texts of Q1 are given: somebody decided on one since."


def test_another_rule_and_one_that_is_set_aside_are_said() -> None:
    answer = protect(count_answer())
    assert isinstance(answer.disclosure, Disclosure)
    overrides = (RuleOverride("a rule", "a reason"),)
    changed = replace(answer, disclosure=replace(answer.disclosure, overrides=overrides))
    assert any("The rule by which numbers" in change for change in find_changes(answer, changed))


def test_another_request_is_said() -> None:
    """As where a list of terms of the force changed, which the file of the request only names."""
    answer = protect(count_answer())
    changed = replace(answer, request=answer.request | {"mentions": ["Signal"]})
    assert find_changes(answer, changed)[0].startswith("The request asks for something else")


def test_another_template_is_said_by_what_the_letter_says_now(tmp_path: Path) -> None:
    template = tmp_path / "letter.txt.j2"
    template.write_text("Our ref {{ answer.reference }}\n")
    previewed = preview(protect(count_answer()), replace(SETTINGS, templates=tmp_path))
    answer = previewed.outcome.answer
    require_same_documents(previewed, answer)
    template.write_text("Our reference {{ answer.reference }}\n")
    with pytest.raises(PreviewChangedError) as refusal:
        require_same_documents(previewed, answer)
    assert refusal.value.changes == (
        "The letter no longer says: Our ref FOI/1",
        "The letter now says: Our reference FOI/1",
        "Other documents would be written: FOI-1.letter.txt.",
    )


def test_a_document_that_the_page_does_not_show_counts_too(tmp_path: Path) -> None:
    template = tmp_path / "letter.html.j2"
    template.write_text("<!DOCTYPE html><title>{{ answer.reference }}</title>\n")
    previewed = preview(protect(count_answer()), replace(SETTINGS, templates=tmp_path))
    template.write_text("<!DOCTYPE html><title>Ref {{ answer.reference }}</title>\n")
    with pytest.raises(PreviewChangedError, match=r"FOI-1\.letter\.html"):
        require_same_documents(previewed, previewed.outcome.answer)


def test_of_many_changes_the_first_are_said_and_how_many_more() -> None:
    before = protect(count_answer())
    question = before.questions[0]
    rows = tuple(
        replace(question.table.rows[0], key=str(place), label=f"Offence {place}", counts=(9,))
        for place in range(30)
    )
    after = replace(
        before, questions=(replace(question, table=replace(question.table, rows=rows)),)
    )
    changes = find_changes(before, after)
    assert 10 <= len(changes) <= 12
    assert changes[-1].startswith("And ")

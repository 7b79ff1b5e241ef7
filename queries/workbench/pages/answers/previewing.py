"""The preview of a release: what would go out, and whether it still is what somebody looked at.

A preview has every document as it would be published, by its hash. Before a release is recorded,
its documents are made once more with the day and the times of the preview. If a byte differs,
nothing is published. So it does not matter what changed in between, or who changed it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import ndiff
from functools import partial
from typing import Final

import msgspec
from msgspec import Struct

from indexer.errors import DisclosureError, RequestError
from queries.answer.types import Answer, QuestionAnswer, format_json
from queries.answering.publishing import build_publisher
from queries.answering.suggestions import ReleasePreview, preview_release
from queries.documents.comparison import compare_answers
from queries.documents.content.context import DocumentSettings, make_document_settings
from queries.documents.content.review_text import warn_of_unread
from queries.documents.document_set import digest_documents, name_letter_text, render_documents
from queries.documents.empty_counts import warn_of_empty
from queries.layout.prose import join_list
from queries.request.reader import Request
from queries.workbench.files.answer_sets import find_answer_set
from queries.workbench.pages.answers.counting import AnswerWork, write_answer
from queries.workbench.tasks import TaskResult
from queries.workbench.visit import Visit

_MAX_LINES: Final = 10

_PUBLISHED: Final = (
    "It was published since you looked at it. Look at what was published, and publish again only "
    "if that must be replaced."
)


class ReleaseChoice(Struct, frozen=True):
    """What somebody would publish: the request file ``name``, with the results of ``reviews``.

    ``reason`` is why a rule is set aside, if one is.
    """

    name: str
    reviews: tuple[str, ...] = ()
    reason: str = ""


class PreviewedRelease(Struct, frozen=True):
    """What publishing would do, as somebody looked at it.

    ``version`` is the one of the request file, and ``published_at`` when the published documents
    were made, empty if there were none. ``documents`` are the hashes of those that would go out, by
    their paths: none while texts are still to be read. The ``letter`` is one of them.
    """

    choice: ReleaseChoice
    version: str
    published_at: str
    outcome: ReleasePreview
    settings: DocumentSettings
    notes: tuple[str, ...] = ()
    letter: str = ""
    documents: Mapping[str, str] = {}


class PreviewChangedError(DisclosureError):
    """What would go out is not what was previewed; ``changes`` say what is different."""

    def __init__(self, changes: Sequence[str]) -> None:
        super().__init__("\n".join(("what would go out is not what was previewed.", *changes)))
        self.changes = tuple(changes)


def make_preview(visit: Visit, choice: ReleaseChoice) -> PreviewedRelease:
    """What publishing now would do. Raises as ``preview_release`` and ``render_documents``."""
    session = visit.session
    published = find_answer_set(visit.workbench.requests, choice.name, "published")
    file = visit.workbench.requests.read(choice.name)
    request = visit.parse_request(file.text, file.name)
    if published:
        _require_same_reference(published.manifest.reference, request.reference)
    settings = make_document_settings(session.settings)
    publisher = build_publisher(session, choice.reason)
    outcome = preview_release(session, request, publisher, choice.reviews)
    contents: dict[str, bytes] = {}
    if not outcome.open_texts:
        contents = render_documents(outcome.answer, settings)
    return PreviewedRelease(
        choice,
        file.version,
        published.manifest.run_at if published else "",
        outcome,
        settings,
        (*warn_of_unread(outcome.answer), *warn_of_empty(outcome.answer)),
        contents[name_letter_text(outcome.answer)].decode() if contents else "",
        digest_documents(contents),
    )


def _require_same_reference(published: str, current: str) -> None:
    """Raise RequestError if what was published here is of a request with another reference."""
    if published != current:
        raise RequestError(
            f'what was published here is the answer to "{published}", and this request now has the '
            f'reference "{current}". Give it the reference "{published}" again, and make a new '
            f'request for "{current}".'
        )


def publish_previewed(visit: Visit, preview: PreviewedRelease) -> TaskResult:
    """Publish what was previewed, with the day and the times of now.

    Raises PreviewChangedError if anything else would go out, and as ``write_answer``.
    """
    work = AnswerWork(
        preview.choice.name,
        partial(_read_previewed, visit, preview),
        preview.choice.reviews,
        preview.choice.reason,
        partial(_require_previewed, visit, preview),
    )
    return write_answer(visit, "published", work)


def require_same_documents(preview: PreviewedRelease, answer: Answer) -> None:
    """Raise PreviewChangedError unless an answer, as it would be released, gives the documents that
    were previewed, but for the day of the letter and the times of counting."""
    old = preview.outcome.answer.provenance
    provenance = msgspec.structs.replace(
        answer.provenance, run_at=old.run_at, took_ms=old.took_ms, basis=old.basis
    )
    same_day_answer = msgspec.structs.replace(answer, provenance=provenance)
    contents = render_documents(same_day_answer, preview.settings)
    if digest_documents(contents) != preview.documents:
        raise PreviewChangedError(tuple(_describe_changes(preview, same_day_answer, contents)))


def _read_previewed(visit: Visit, preview: PreviewedRelease) -> Request:
    """The request that was previewed. Raises PreviewChangedError if it is another."""
    if _find_run(visit, preview.choice.name) != preview.published_at:
        raise PreviewChangedError((_PUBLISHED,))
    return visit.parse_request(_read_same_text(visit, preview), preview.choice.name)


def _require_previewed(visit: Visit, preview: PreviewedRelease, answer: Answer) -> None:
    """Raise PreviewChangedError unless what goes out was previewed.

    It is called when the documents of now are ready and the ledger is checked, so nothing that they
    are made from can change after it.
    """
    _read_same_text(visit, preview)
    require_same_documents(preview, answer)


def _read_same_text(visit: Visit, preview: PreviewedRelease) -> str:
    """The text of the request file. Raises PreviewChangedError if it is not the previewed one."""
    file = visit.workbench.requests.read(preview.choice.name)
    if file.version != preview.version:
        raise PreviewChangedError(("The request was changed since you looked at it.",))
    return file.text


def _find_run(visit: Visit, file_name: str) -> str:
    """When the published documents of a request were made, empty if there are none."""
    answer_set = find_answer_set(visit.workbench.requests, file_name, "published")
    return answer_set.manifest.run_at if answer_set else ""


def _describe_changes(
    preview: PreviewedRelease, answer: Answer, contents: Mapping[str, bytes]
) -> Iterator[str]:
    """What is different in documents that are not those that were previewed."""
    explained = [*_describe_answer_changes(preview.outcome.answer, answer)]
    if explained:
        yield from explained
        return
    letter = contents.get(name_letter_text(answer), b"").decode()
    yield from _cut(_compare_letters(preview.letter, letter))
    digests = digest_documents(contents)
    names = {**preview.documents, **digests}
    changed = [name for name in names if preview.documents.get(name) != digests.get(name)]
    yield f"Other documents would be written: {join_list(changed)}."


def _describe_answer_changes(before: Answer, after: Answer) -> Iterator[str]:
    if before.provenance.generation != after.provenance.generation:
        yield (
            "The records were refreshed: you looked at numbers of "
            f"{before.provenance.generation}, and now they are of {after.provenance.generation}."
        )
    changes = compare_answers(msgspec.json.decode(format_json(before)), after)
    if changes is None:
        yield "The request asks for something else, because a list of terms or a setting changed."
        return
    yield from _compare_reviews(before, after)
    for question, other in zip(before.questions, after.questions, strict=True):
        if _list_texts(question) != _list_texts(other):
            yield f"Other texts of {question.id} are given: somebody decided on one since."
    yield from _cut([f"{change}." for change in changes])
    if before.disclosure != after.disclosure and not changes:
        yield "The rule by which numbers are withheld is not the same, or another is set aside."


def _compare_reviews(before: Answer, after: Answer) -> Iterator[str]:
    earlier = {review.name: review for review in before.reviews}
    for review in after.reviews:
        if earlier.get(review.name) != review:
            yield (
                f"The result of the review {review.name} is not the same: somebody decided on a "
                "record since, or more of it is withheld."
            )


def _list_texts(question: QuestionAnswer) -> tuple[object, ...]:
    return (question.approvals, *(row.texts for row in question.table.rows))


def _compare_letters(before: str, after: str) -> list[str]:
    words = {"- ": "The letter no longer says: ", "+ ": "The letter now says: "}
    return [
        f"{words[line[:2]]}{line[2:].strip()}"
        for line in ndiff(before.splitlines(), after.splitlines())
        if line[:2] in words and line[2:].strip()
    ]


def _cut(lines: Sequence[str]) -> Iterator[str]:
    """The first lines, and how many more there are."""
    yield from lines[:_MAX_LINES]
    if len(lines) > _MAX_LINES:
        yield f"And {len(lines) - _MAX_LINES:,} more."

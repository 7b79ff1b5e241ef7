"""What would give more: less detail of which less has to be withheld, and how much that gives.

Each suggestion is a changed request that was really answered, and whose answer was protected as a
release would be. Nothing is written, and no number of it is given away but how many there are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Final, NamedTuple

from indexer.errors import FoidexError, ReviewError
from indexer.session import Session
from queries.answer.types import Answer, Count, QuestionAnswer
from queries.answering.build import compute_answer
from queries.answering.service import AnswerOptions, answer_logged_request
from queries.disclosure.ledger import PreparedRelease
from queries.disclosure.publisher import Publisher
from queries.request.coarser import Change, list_coarser_requests
from queries.request.reader import Request
from queries.review.result import has_withheld_part

#: Suggestions are looked for if at least this share of the numbers of a table is withheld.
MUCH_WITHHELD: Final = 0.2

#: What the officer should know before a release.
WITHHELD_FOR_GOOD: Final = (
    "what a release withholds stays withheld, in later answers too. To give more, change the "
    "request before it is published"
)

_MAX_SUGGESTIONS: Final = 3

_MAX_CHANGES: Final = 12

_MAX_SECONDS: Final = 20.0


class NumberTally(NamedTuple):
    """How many numbers an answer gives, of how many."""

    printed: int
    every: int

    @property
    def withheld(self) -> int:
        """How many are withheld."""
        return self.every - self.printed


class Suggestion(NamedTuple):
    """A change of the request, and how many numbers it would give."""

    words: str
    tally: NumberTally

    def describe(self, current: NumberTally) -> str:
        """The suggestion beside what is given without it."""
        return (
            f"would give more: {self.words}: {self.tally.printed:,} of {self.tally.every:,} "
            f"numbers given, instead of {current.printed:,} of {current.every:,}"
        )


class ReleasePreview(NamedTuple):
    """What a release would withhold, in lines for the officer, and what would give more.

    ``answer`` is the answer as it would be released, and
    ``tally`` is how many numbers it would give; ``changes`` are the numbers that changed since the
    last release. ``open_texts`` says which texts are not in it, as nobody has decided on them yet.
    """

    withheld: tuple[str, ...]
    tally: NumberTally
    answer: Answer
    suggestions: tuple[Suggestion, ...] = ()
    changes: tuple[str, ...] = ()
    open_texts: str = ""

    @property
    def lines(self) -> list[str]:
        """What ``lint --publish`` prints."""
        return [*self.withheld, *(change.describe(self.tally) for change in self.suggestions)]


def suggest_changes(
    request: Request,
    published: Answer,
    ask: Callable[[Request], Answer],
    protect: Callable[[Answer], Answer],
    seconds: float = _MAX_SECONDS,
) -> list[Suggestion]:
    """The changes that give most, the best first; none where little is withheld.

    ``ask`` answers a changed request and ``protect`` gives its answer as it might be published;
    neither writes anything. A change that cannot be answered or published is left out, and so is
    what cannot be tried within ``seconds``.
    """
    current = count_printed_numbers(published)
    end = time.monotonic() + seconds
    suggestions = []
    for change in islice(_list_changes(request, published), _MAX_CHANGES):
        if time.monotonic() > end:
            break
        try:
            tally = count_printed_numbers(protect(ask(change.request)))
        except FoidexError:
            continue
        if tally.printed >= max(1, current.printed) and tally.withheld < current.withheld:
            suggestions.append(Suggestion(change.words, tally))
    suggestions.sort(key=lambda entry: (-entry.tally.printed, entry.tally.withheld))
    return suggestions[:_MAX_SUGGESTIONS]


def suggest_more(session: Session, request: Request, release: PreparedRelease) -> list[str]:
    """What would give more after a release, in words."""
    current = count_printed_numbers(release.protected or release.answer)
    suggestions = _find_suggestions(session, request, release, after=True)
    return [suggestion.describe(current) for suggestion in suggestions]


def find_release_cautions(
    session: Session, request: Request, release: PreparedRelease
) -> tuple[str, ...]:
    """What an officer should know before a release that would withhold most of a table for good,
    although another request would give more; nothing otherwise."""
    published = release.protected or release.answer
    if not release.locks or not any(
        _is_mostly_withheld(_count([*_list_counts(question)])) for question in published.questions
    ):
        return ()
    current = count_printed_numbers(published)
    suggestions = [
        suggestion.describe(current)
        for suggestion in _find_suggestions(session, request, release, after=False)
        if suggestion.tally.printed > current.printed
    ]
    return (*suggestions, WITHHELD_FOR_GOOD) if suggestions else ()


def _is_mostly_withheld(tally: NumberTally) -> bool:
    return tally.withheld > tally.printed


def _find_suggestions(
    session: Session, request: Request, release: PreparedRelease, *, after: bool
) -> list[Suggestion]:
    """What would give more than a release does; ``after`` it, or instead of it.

    Every change counts the same records, so if these are few, none gives more.
    """
    if release.is_few:
        return []
    with session.client() as client:
        return suggest_changes(
            request,
            release.protected or release.answer,
            partial(compute_answer, client, session.settings.index.alias),
            lambda answer: release.preview(answer, after),
        )


def preview_release(
    session: Session, request: Request, publisher: Publisher, reviews: tuple[str, ...] = ()
) -> ReleasePreview:
    """What publishing a request now would withhold, with the results of the named reviews in it.

    The request is answered and logged, and nothing is recorded in the ledger. Texts of lists are in
    it only once each of them is decided. Raises as ``answer_logged_request``,
    ``attach_approved_texts`` and ``Publisher.prepare_release``.
    """
    policy = publisher.policy(request.disclosure)
    options = AnswerOptions(basis=False, reviews=reviews, texts=False)
    with session.run("lint") as run:
        answer = answer_logged_request(session, run, request, options)
        answer, open_texts = _attach_decided_texts(session, answer, request)
        with publisher.prepare_release(answer, policy) as release:
            return ReleasePreview(
                (*release.summary, *_describe_withheld_reviews(release)),
                count_printed_numbers(release.protected or release.answer),
                release.answer,
                tuple(_find_suggestions(session, request, release, after=False)),
                release.changes,
                open_texts,
            )


def _attach_decided_texts(session: Session, answer: Answer, request: Request) -> tuple[Answer, str]:
    """The answer with the texts of its lists, or without them and which are still to be read."""
    from queries.answering.texts.approved_texts import attach_approved_texts

    try:
        with session.client() as client:
            return attach_approved_texts(session, client, answer, request), ""
    except ReviewError as error:
        return answer, str(error)


def _describe_withheld_reviews(release: PreparedRelease) -> Iterator[str]:
    for review in release.answer.reviews:
        if has_withheld_part(review):
            yield (
                f"not all of the review {review.name} is given: too few of the records that were "
                "read are relevant, or not relevant. The letter refuses that part, because so "
                "small a number could be about a person. To give it, have more records read. "
                "Without the review, the letter says that the records were not read"
            )


def count_printed_numbers(answer: Answer) -> NumberTally:
    """How many numbers the tables of an answer give, of how many."""
    return _count([count for question in answer.questions for count in _list_counts(question)])


def _list_changes(request: Request, published: Answer) -> Iterator[Change]:
    questions = {
        question.id
        for question in published.questions
        if _is_much(_count([*_list_counts(question)]))
    }
    if not questions:
        return
    offence_rows = {
        number
        for number, row in enumerate(published.scope.offences)
        if any(count is None for count in row.counts)
    }
    yield from list_coarser_requests(request, questions, offence_rows)


def _is_much(tally: NumberTally) -> bool:
    return tally.withheld > 0 and tally.withheld >= MUCH_WITHHELD * tally.every


def _list_counts(question: QuestionAnswer) -> Iterator[Count]:
    for row in question.table.rows_and_total:
        yield from row.counts


def _count(counts: list[Count]) -> NumberTally:
    return NumberTally(sum(count is not None for count in counts), len(counts))

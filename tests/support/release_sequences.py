"""Random sequences of up to four releases, with refreshes between them, really published."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from indexer.errors import DisclosureError, RequestError
from queries.answer.types import Answer
from queries.disclosure.ledger import publish_release
from queries.disclosure.policy import Policy
from tests.support.fake_search import answer
from tests.support.kinds import asking
from tests.support.published_reader import (
    ImpossibleNumbersError,
    PublishedReader,
    Range,
    Reading,
    Rule,
    is_within,
    list_perhaps_zero,
)
from tests.support.record_types import Shares, count_kinds, list_numbers, multiply
from tests.support.sequence_themes import (
    EVERY_THEME,
    OF_ANY,
    PERIODS,
    THEMES,
    Theme,
    list_additions,
)


class Attempt(NamedTuple):
    """A sequence: what was published, of how many releases, and why the others were refused.

    ``times`` are how many records of each kind there were in each generation.
    """

    theme: str
    readings: list[Reading]
    requests: list[str]
    refusals: list[str]
    times: list[list[int]]

    def count_truth(self, shares: Shares, generation: int) -> int:
        """What a number that counts these records really is in a generation."""
        times = self.times[generation - 1]
        return sum(a * b for a, b in zip(shares[: len(times)], times, strict=True))


@cache
def _count_request(theme: str, questions: tuple[str, ...], scope: str) -> dict[str, Shares]:
    return count_kinds(asking(questions, scope), EVERY_THEME[theme].kinds)


def publish_sequence(
    seed: int,
    folder: Path,
    rule: Rule,
    *,
    refreshed: bool,
    themes: Mapping[str, Theme] = THEMES,
) -> Attempt:
    """Publish up to four releases with a ledger, over records that refreshes change if wanted."""
    dice = random.Random(seed)
    name = dice.choice([*themes])
    theme = themes[name]
    ledger = folder / f"{seed}.jsonl"
    ledger.unlink(missing_ok=True)
    times = [0] * len(theme.drawn)
    for kind in dice.sample(range(len(times)), min(len(times), dice.choice([3, 6, 12, 25]))):
        times[kind] = dice.choice([1, 1, 2, 3, 4, 6, 9, 20, 50])
    attempt = Attempt(name, [], [], [], [times])
    for _ in range(dice.randint(1, 4)):
        if refreshed and dice.random() < 0.5:
            attempt.times.append(_refresh(attempt.times[-1], dice))
        questions = tuple(dice.sample((*OF_ANY, *theme.questions), dice.choice([1, 1, 2])))
        scope = "\n".join(filter(None, [dice.choice(PERIODS), theme.always]))
        if theme.conditions and dice.random() < 0.4:
            scope += f"\n{dice.choice(theme.conditions)}"
        _publish(attempt, questions, scope, ledger, rule)
    return attempt


def _refresh(times: list[int], dice: random.Random) -> list[int]:
    """The records after one, or a few, came, went or changed."""
    after = list(times)
    for _ in range(dice.choice([1, 1, 1, 2, 4])):
        move = dice.choice(["came", "came", "went", "changed"])
        if move != "came" and any(after):
            after[dice.choice([kind for kind, number in enumerate(after) if number])] -= 1
        if move != "went":
            after[dice.randrange(len(after))] += 1
    return after


def _publish(
    attempt: Attempt, questions: tuple[str, ...], scope: str, ledger: Path, rule: Rule
) -> None:
    try:
        request = asking(questions, scope)
    except RequestError:  # a narrower question about more than its request
        return
    generation = len(attempt.times)
    theme = EVERY_THEME[attempt.theme]
    whole = answer(request, multiply(theme.drawn, attempt.times[-1]))
    whole = msgspec.structs.replace(
        whole,
        reference=f"FOI/{len(attempt.requests) + len(attempt.refusals)}",
        provenance=msgspec.structs.replace(whole.provenance, generation=f"crimes-{generation}"),
    )
    text = f"crimes-{generation}: {scope}; {' '.join(questions)}"
    try:
        published = publish_release(whole, Policy(*rule), ledger).answer
    except DisclosureError as error:
        attempt.refusals.append(f"{text}\n{error}")
        return
    shares = _count_request(attempt.theme, questions, scope)
    # What is counted of people, of whom none has a reference here, is not a number of records.
    numbers = {name: number for name, number in list_numbers(published).items() if name in shares}
    numbers |= dict.fromkeys(_list_unlisted(published, shares), 0)
    attempt.requests.append(text)
    perhaps_zero = list_perhaps_zero(shares, numbers) | _list_withheld_before(attempt, shares)
    perhaps_zero -= _list_occurring(published)
    attempt.readings.append(Reading(shares, numbers, rule, generation, perhaps_zero))


def _list_unlisted(published: Answer, shares: dict[str, Shares]) -> list[str]:
    """The numbers of rows that a table lists only if they occur, and does not list: they are 0.

    Of a list, they are unknown: it leaves out the rows of a few records as well.
    """
    listed = list_numbers(published)
    return [
        name
        for question in published.questions
        if question.open_axes and question.table.rows and not question.table.fields
        for name in shares
        if name.startswith(f"{question.id}, ") and name not in listed
    ]


def _list_occurring(published: Answer) -> frozenset[str]:
    """The numbers of records of rows and columns that a table lists only if they occur."""
    return frozenset(
        f"{question.id}, {row.label}, {column.label}"
        for question in published.questions
        for row, columns in (
            *(
                (row, question.table.columns[:1])
                for row in question.table.rows
                if "rows" in question.open_axes
            ),
            *(
                [(question.table.total, question.table.columns[1:])]
                if "columns" in question.open_axes
                else ()
            ),
        )
        for column in columns
        if column.unit in ("offences", "records")
    )


def _list_withheld_before(attempt: Attempt, shares: dict[str, Shares]) -> frozenset[str]:
    """The numbers that an earlier release withheld: they stay withheld, even if they are 0."""
    withheld = {shares for _, shares, _ in _list_withheld(attempt.readings)}
    return frozenset(name for name, counted in shares.items() if counted in withheld)


def is_part(part: Shares, whole: Shares) -> bool:
    """Whether a number counts some of what another counts, and not all of it."""
    return part != whole and is_within(part, whole)


class Finding(NamedTuple):
    """A number that a reader knows too much about, and what it really is."""

    name: str
    truth: int
    range: Range
    is_recovered: bool


def attack_sequence(attempt: Attempt, rule: Rule) -> list[Finding]:
    """What a reader knows too much about: one of all releases, and those of the releases up to each
    refresh.

    A range that does not contain the true number is a reader's error, and no finding. Neither is
    one that the releases before the first that withholds the number gave already, unless they say
    that it is small.
    """
    readings = attempt.readings
    ends = [
        end
        for end, reading in enumerate(readings, 1)
        if end == len(readings) or readings[end].generation != reading.generation
    ]
    return [finding for end in ends for finding in _attack_releases(attempt, readings[:end], rule)]


def _attack_releases(attempt: Attempt, readings: list[Reading], rule: Rule) -> list[Finding]:
    try:
        reader = PublishedReader(readings, list_additions(attempt.theme))
    except ImpossibleNumbersError:
        return [Finding("no records give what is published", 0, Range(0, 0), is_recovered=True)]
    findings = []
    for name, shares, generation in {
        (shares, generation): (name, shares, generation)
        for name, shares, generation in _list_withheld(readings)
    }.values():
        truth = attempt.count_truth(shares, generation)
        found = reader.find_range(shares)
        small = range(1, max(rule.threshold, rule.rounding))
        width = rule.threshold or (rule.rounding - 1) // 2
        is_recovered = found.low == found.high and truth in small
        if (
            found.low <= truth <= found.high
            and found.width < width
            and not _was_known_before(attempt, readings, shares, found, small)
        ):
            findings.append(Finding(name, truth, found, is_recovered))
    return findings


def _was_known_before(
    attempt: Attempt, readings: list[Reading], shares: Shares, found: Range, small: range
) -> bool:
    """Whether the releases before the first that withholds a number gave its range already, without
    saying that it is small."""
    first = next(
        position
        for position, reading in enumerate(readings)
        if any(
            counted == shares and reading.numbers.get(name, 0) is None
            for name, counted in reading.shares.items()
        )
    )
    if not first:
        return False
    before = PublishedReader(readings[:first], list_additions(attempt.theme)).find_range(shares)
    is_as_close = found.low <= before.low and before.high <= found.high
    return is_as_close and not (before.low in small and before.high in small)


def list_small_differences(attempt: Attempt, rule: Rule) -> list[str]:
    """The pairs of releases of one generation of which one is about a few records more."""
    differences = []
    for (whole_text, whole), (part_text, part) in itertools.permutations(
        zip(attempt.requests, attempt.readings, strict=True), 2
    ):
        difference = (whole.numbers["scope"] or 0) - (part.numbers["scope"] or 0)
        if (
            whole.generation == part.generation
            and part.numbers["scope"]
            and 0 < difference < rule.threshold
            and is_part(part.shares["scope"], whole.shares["scope"])
        ):
            differences.append(f"{difference}: {whole_text} less {part_text}")
    return differences


def list_errors(attempt: Attempt) -> list[str]:
    """The withheld numbers whose true value a reader holds to be impossible."""
    reader = (
        PublishedReader(attempt.readings, list_additions(attempt.theme))
        if attempt.readings
        else None
    )
    return [
        name
        for name, shares, generation in _list_withheld(attempt.readings)
        if reader
        and not (
            (found := reader.find_range(shares)).low
            <= attempt.count_truth(shares, generation)
            <= found.high
        )
    ]


def _list_withheld(readings: list[Reading]) -> Iterator[tuple[str, Shares, int]]:
    """Every withheld number of every release."""
    for release, reading in enumerate(readings, 1):
        for name, number in reading.numbers.items():
            if number is None and any(reading.shares[name]):
                yield f"release {release}, {name}", reading.shares[name], reading.generation


def explain_findings(attempt: Attempt, findings: Sequence[Finding]) -> str:
    """A sequence and what was found, for a message."""
    return "\n".join([attempt.theme, *attempt.requests, *map(str, findings)])

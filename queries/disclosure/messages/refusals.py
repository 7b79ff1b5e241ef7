"""What a refusal says: the numbers that would give something away, their releases, and ways out.

Pure, and only text: ``differencing`` finds what to refuse. A message names both numbers, the
releases that give them, and what somebody who has both would learn.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from textwrap import shorten
from typing import Final, NamedTuple

from queries.disclosure.attack.attacker import Bounds
from queries.disclosure.attack.constraints import Population
from queries.layout.prose import join_list

#: The release that is being checked, in a message.
THIS_RELEASE: Final = "this release"

_MAX_LINES: Final = 5

_MAX_LINE_LENGTH: Final = 600


class ReleasedNumber(NamedTuple):
    """A number as a release gives it: what it counts, what its reader knows, and the release."""

    population: Population
    bounds: Bounds
    release: str

    @property
    def text(self) -> str:
        """What its reader sees."""
        return "withholds it" if self.bounds.high is None else f"gives {format_bounds(self.bounds)}"


def describe_difference(outer: ReleasedNumber, inner: ReleasedNumber, gap: Bounds) -> str:
    """A number less another one within it, which leaves ``gap``."""
    shared = Population(
        outer.population.unit, outer.population.conditions & inner.population.conditions
    )
    sentences = (
        f"{number.release} {number.text} for {number.population.words_among(shared, other)}"
        for number, other in ((outer, inner.population), (inner, outer.population))
    )
    return (
        f"{shared.words}: {'; '.join(sentences)}. Together they show that "
        f"{_say_how_many(gap)} in the first number and not in the second."
    )


def describe_piece(piece: Population, bounds: Bounds, earlier: Collection[str]) -> str:
    """A number that no release prints, but that several together give away."""
    return (
        f"{piece.words}: no release prints this number, but {_name_releases(earlier)} together "
        f"show that it is {format_bounds(bounds)}."
    )


def describe_exposure(
    population: Population, withheld_in: str, bounds: Bounds, earlier: Collection[str]
) -> str:
    """A withheld number that several releases together give away."""
    return (
        f"{population.words}: {withheld_in} withholds this number, but "
        f"{_name_releases(earlier)} together show that it is {format_bounds(bounds)}."
    )


def describe_reprint(population: Population, number: int, withheld_in: str) -> str:
    """A number that an earlier release withheld and this one prints."""
    return (
        f"{population.words}: {withheld_in} withholds this number, and {THIS_RELEASE} gives "
        f"{number:,}, which shows what was withheld."
    )


def describe_shrunk_number(population: Population, number: int, printed_in: str) -> str:
    """A number that an earlier release printed, and that is small now."""
    return (
        f"{population.words}: {printed_in} gives {number:,}. {THIS_RELEASE.capitalize()} would "
        "withhold it, because it is small now, but a reader could tell about how many there are."
    )


def explain_refusal(messages: Sequence[str]) -> str:
    """The messages of a refusal, each once, the first few if there are many, and what to do."""
    distinct = [*dict.fromkeys(messages)]  # two kinds of records may be the same in words
    lines = [shorten(line, _MAX_LINE_LENGTH, placeholder=" ...") for line in distinct[:_MAX_LINES]]
    if remainder := len(distinct) - len(lines):
        lines.append(f"and {remainder:,} more.")
    return (
        "somebody who has this release and earlier ones could work out small numbers, so nothing "
        f"is published.\n{_format_list(lines)}\nYou can:\n"
        + _format_list(
            (
                "ask for the same periods, offences and words as the earlier release, so that "
                "both give the same numbers;",
                "leave out the question or the rows that these numbers come from;",
                "publish all the same, if the small numbers may be known: --override REASON. The "
                "published answer states the reason.",
            )
        )
    )


def explain_no_choice(given: Mapping[str, Sequence[str]], questions: Sequence[str]) -> str:
    """Why nothing that could be withheld protects an answer: the releases that give its numbers,
    each with the places of those, and the ``questions`` that cannot be protected even alone."""
    lines = [
        f"{release} gives {len(places):,} of its numbers, such as {places[0]}"
        for release, places in list(given.items())[:_MAX_LINES]
    ]
    part = join_list([*questions]) if questions else "its questions together"
    listed = f":\n{_format_list(lines)}\nYou can:\n" if lines else ". You can:\n"
    return (
        f"no choice of numbers to withhold protects {part}, because totals are already public"
        + listed
        + _format_list(
            (
                f"leave out {part if questions else 'one of them'};",
                "ask for it with less detail: wider age bands, longer periods, offence groups, or "
                "rows and columns apart, a question for each;",
                "publish all the same, if the small numbers may be known: --override REASON. The "
                "published answer states the reason.",
            )
        )
    )


def format_bounds(bounds: Bounds) -> str:
    """What is known of a number: "2", "from 1 to 4" or "3 or more"."""
    if bounds.low == bounds.high:
        return f"{bounds.low:,}"
    return f"from {bounds.low:,} to {bounds.high:,}" if bounds.high else f"{bounds.low:,} or more"


def _say_how_many(gap: Bounds) -> str:
    return f"{format_bounds(gap)} {'is' if gap.low == gap.high == 1 else 'are'}"


def _name_releases(earlier: Collection[str]) -> str:
    return join_list([THIS_RELEASE, *sorted(set(earlier))])


def _format_list(lines: Iterable[str]) -> str:
    return "\n".join(f"  - {line}" for line in lines)

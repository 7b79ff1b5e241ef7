"""The parts of a request that only its letter uses."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from fractions import Fraction
from typing import Annotated, Literal

from msgspec import Meta, Struct

from indexer.suggestions import suggest_name
from queries.questions.base import QuestionId
from queries.spec.act import Act, ActSection
from queries.spec.problem import Problem

#: Words of the officer, which must not be empty.
Statement = Annotated[str, Meta(pattern=r"\S")]

LetterOutcome = Literal["answered", "part", "refused"]

#: The last day of anything in a letter. Its time limits are counted in days from there.
_LAST_DAY = date(2999, 12, 31)

#: The section whose numbers come from the records.
COST_SECTION = "cost_limit"


class SectionSpec(Struct, frozen=True, forbid_unknown_fields=True, rename={"location": "where"}):
    """A section of the Act that the letter relies on.

    ``section`` is its number or its name in ``mappings/acts.toml``. ``parts`` are the ids of the
    parts of the request that it is about; without any, all parts that have no figures. ``reason``,
    ``public_interest``, ``location`` (where it is published) and ``advice`` are the officer's
    words; ``minutes`` is how long a record takes to read, and ``records_of`` the part with figures
    whose records would have to be read, if these are not all in scope.
    """

    section: Annotated[str, Meta(min_length=1, max_length=60)]
    parts: tuple[str, ...] = ()
    reason: str = ""
    public_interest: str = ""
    location: str = ""
    advice: str = ""
    minutes: Annotated[float, Meta(ge=0.01, le=1_000)] = 3.0  # as it is read back from an answer
    records_of: str = ""


class ExtensionSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """More time to weigh the public interest: the sections that may apply, why, and until when.

    Without ``until`` the time is as long as the act's data say.
    """

    sections: Annotated[tuple[str, ...], Meta(min_length=1)]
    reason: str = ""
    until: date | None = None


class ReviewSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """The answer to an internal review: when it was asked for, what came of it, and why."""

    received: date
    outcome: Literal["upheld", "part", "changed"]
    reasons: Statement


class LetterSpec(Struct, frozen=True, forbid_unknown_fields=True, rename={"request_text": "asked"}):
    """What the letter says about the request itself; every field is optional.

    ``to`` is a name, with an address on further lines, or a greeting; ``greeting`` is how the
    letter greets that person. ``outcome`` is worked out from the parts if it is not stated.
    ``clarification`` is what the force asks the requester; the time for the answer starts with
    ``clarified_on``.
    """

    to: str = ""
    received: date | None = None
    request_text: str = ""
    clarified: str = ""
    outcome: LetterOutcome | None = None
    sections: tuple[SectionSpec, ...] = ()
    clarified_on: date | None = None
    clarification: str = ""
    extension: ExtensionSpec | None = None
    review: ReviewSpec | None = None
    greeting: str = ""

    @property
    def clarification_date(self) -> date | None:
        """When the request was clarified: ``clarified_on``, or ``clarified`` if it is only a
        date."""
        if self.clarified_on:
            return self.clarified_on
        try:
            return date.fromisoformat(self.clarified.strip())
        except ValueError:
            return None

    def find_section(self, act: Act, name: str) -> SectionSpec | None:
        """The section of a name, if the letter relies on it."""
        return next(
            (spec for spec in self.sections if act.find_section(spec.section) == name), None
        )

    def reading_minutes(self, act: Act) -> Fraction | None:
        """How long a record takes to read, if the letter relies on the cost limit."""
        spec = self.find_section(act, COST_SECTION)
        return Fraction(str(spec.minutes)) if spec else None

    def names_unknown_section(self, act: Act) -> bool:
        """Whether a section has no standard text."""
        return any(act.find_section(spec.section) is None for spec in self.sections)

    def refuses(self, act: Act) -> bool:
        """Whether any section is a reason not to give information."""
        return any(
            act.sections[name].refuses
            for spec in self.sections
            if (name := act.find_section(spec.section))
        )


class UncoveredSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the request that has no numbers, and why, in the officer's words.

    The words may be left out if a section of the letter names the part.
    """

    id: QuestionId
    not_covered: Statement = ""
    text: str = ""


class PartIds(Struct, frozen=True):
    """The ids of the parts of a request: those with figures, and those without."""

    counted: Collection[str]
    uncovered: Collection[str]


class NamedParts(Struct, frozen=True):
    """The parts that the sections of a letter are about: those of some ``ids``, and, with
    ``every_uncovered``, all that have no figures."""

    ids: frozenset[str]
    every_uncovered: bool


def list_section_parts(value: object, act: Act) -> NamedParts:
    """The parts that the sections of a letter name, in a letter that is not checked yet.

    A section that refuses something and names no part is about all parts without figures.
    """
    entries = value.get("sections") if isinstance(value, dict) else None
    sections = [
        entry for entry in (entries if isinstance(entries, list) else ()) if isinstance(entry, dict)
    ]
    names = [
        act.find_section(str(section.get("section", "")))
        for section in sections
        if not section.get("parts")
    ]
    parts = [
        part
        for section in sections
        if isinstance(section.get("parts"), list)
        for part in section["parts"]
    ]
    return NamedParts(
        frozenset(map(str, parts)), any(name and act.sections[name].refuses for name in names)
    )


def find_letter_problems(letter: LetterSpec, ids: PartIds, act: Act) -> Iterator[Problem]:
    """What is wrong with a letter beyond its types."""
    names: list[str] = []
    for number, spec in enumerate(letter.sections):
        path = f".sections[{number}]"
        name = act.find_section(spec.section)
        if name is None:
            yield Problem(f"{path}.section", _explain_unknown_section(spec.section, act))
            continue
        if name in names and spec.parts == ():
            yield Problem(
                f"{path}.section",
                f'section "{spec.section}" stands twice. Say with parts: what each is about.',
            )
        names.append(name)
        yield from _find_missing_fields(spec, act, act.sections[name], path)
        yield from _find_counted_problems(spec, name, ids, path)
        for index, part in enumerate(spec.parts):
            if part not in (*ids.counted, *ids.uncovered):
                all_ids = [*ids.counted, *ids.uncovered]
                yield Problem(
                    f"{path}.parts[{index}]",
                    f'there is no part "{part}".{suggest_name(part, all_ids)} '
                    + (
                        f"The parts are {', '.join(all_ids)}."
                        if all_ids
                        else "List it in questions."
                    ),
                )
    if len([name for name in names if name == COST_SECTION]) > 1:
        yield Problem(".sections", "the cost limit stands twice. Give one, for all its parts.")
    yield from _find_day_problems(letter)
    yield from _find_outcome_problems(letter, ids, act)
    yield from _find_extension_problems(letter, act)


def _find_counted_problems(
    spec: SectionSpec, name: str, ids: PartIds, path: str
) -> Iterator[Problem]:
    """A part whose records would be read that has no figures, or of another section."""
    if not spec.records_of:
        return
    if name != COST_SECTION:
        yield Problem(
            f"{path}.records_of", "records_of: is for the cost limit alone. Remove it here."
        )
    elif spec.records_of not in ids.counted:
        yield Problem(
            f"{path}.records_of",
            f'there is no part "{spec.records_of}" with figures.'
            f"{suggest_name(spec.records_of, [*ids.counted])} Name the part that counts the "
            "records that would have to be read.",
        )


def _find_day_problems(letter: LetterSpec) -> Iterator[Problem]:
    days = {
        ".received": letter.received,
        ".clarified_on" if letter.clarified_on else ".clarified": letter.clarification_date,
        ".extension.until": letter.extension and letter.extension.until,
        ".review.received": letter.review and letter.review.received,
    }
    for path, day in days.items():
        if day and day > _LAST_DAY:
            yield Problem(path, f"the day {day} is after {_LAST_DAY}. Correct the year.")


def _explain_unknown_section(written: str, act: Act) -> str:
    sections = ", ".join(f"{section.number} ({name})" for name, section in act.sections.items())
    return (
        f'there is no standard text for section "{written}" of the {act.title}.'
        f"{suggest_name(written, act.sections)} There is one for {sections}. For another section, "
        "write your own words under not_covered: of the part."
    )


def _find_missing_fields(
    spec: SectionSpec, act: Act, section: ActSection, path: str
) -> Iterator[Problem]:
    number = act.cite_section(spec.section)
    words = {
        "reason": spec.reason,
        "where": spec.location,
        "public_interest": spec.public_interest,
    }
    explanations = {
        "reason": "why it applies here",
        "where": "where the information is, such as an address on the web",
        "public_interest": "the public interest for and against giving the information, and how "
        "you weighed them",
    }
    for field in section.needs:
        if not words[field].strip():
            yield Problem(
                path,
                f'section {number} ({section.title}) needs "{field}": {explanations[field]}. Only '
                "the force can say it; foidex never writes it for you.",
            )


def _find_extension_problems(letter: LetterSpec, act: Act) -> Iterator[Problem]:
    """Sections for which no public interest is weighed, and an end before the request."""
    extension = letter.extension
    if extension is None:
        return
    qualified = {
        name: section
        for name, section in act.sections.items()
        if "public_interest" in section.needs
    }
    for index, written in enumerate(extension.sections):
        if act.find_section(written) not in qualified:
            sections = ", ".join(
                f"{section.number} ({name})" for name, section in qualified.items()
            )
            yield Problem(
                f".extension.sections[{index}]",
                f'no public interest is weighed under section "{written}" of the {act.title}, as '
                f"far as foidex knows. It is under {sections}.",
            )
    if extension.until and letter.received and extension.until <= letter.received:
        yield Problem(
            ".extension.until",
            f"the day of the answer ({extension.until}) is not after the request "
            f"({letter.received}). Correct one.",
        )


def _find_outcome_problems(letter: LetterSpec, ids: PartIds, act: Act) -> Iterator[Problem]:
    refuses = letter.refuses(act)
    match letter.outcome:
        case "answered" if refuses:
            yield Problem(
                ".outcome",
                "the outcome is answered, and a section refuses something. Write part or refused.",
            )
        case "part" if not ids.counted:
            yield Problem(
                ".outcome", "the outcome is part, and no part has figures. Write refused."
            )
        case "part" | "refused" if not (refuses or ids.uncovered):
            yield Problem(
                ".outcome",
                f"the outcome is {letter.outcome}, and nothing says what is not answered and why. "
                "List sections:, or a part with not_covered:.",
            )
        case "refused" if ids.counted:
            yield Problem(".outcome", "the outcome is refused, and parts have figures. Write part.")

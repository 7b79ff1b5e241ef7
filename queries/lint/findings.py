"""The findings of a wording check: their types, and their text for a person. Pure.

Every count is of records with the status "recorded". No finding changes an answer.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct, UnsetType, field

from indexer.records.coverage import Coverage
from indexer.records.damage.kinds import CUT_ADVICE, advise_repair
from queries.answer.types import NearMissCount, SpellingCount, count_or_zero
from queries.layout.part_order import merge_parts
from queries.layout.text_table import align_rows, wrap_paragraph
from queries.lint.cautions import list_cautions
from queries.lint.class_readings import CodeReading
from queries.lint.offence_changes import ChangeNote, find_crossed_changes
from queries.lint.scope_damage import ScopeDamage
from queries.lint.unused_values import describe_unused_values
from queries.request.reader import Request
from queries.spec.term_spec import CooccurrenceSpec, TermSpec, to_mention

LINT_FORMAT: Final = "foidex-lint/1"


class NearMiss(Struct, frozen=True):
    """Wording near a term that the request does not use: the records that contain it, in any of its
    hyphen and spacing variants, and how many of them counting it would add."""

    wording: str
    kind: str
    records: int
    added: int


class SampleContext(Struct, frozen=True):
    """A mention in one record, with the text around it."""

    crime_ref: str
    before: str
    match: str
    after: str


class WordingSuggestion(Struct, frozen=True):
    """A change of a term: ``kind`` is "with" for a required term, or "alias" for another name.
    ``records`` are those in scope that the term would then have."""

    kind: str
    value: str
    records: int


class SampleCoverage(
    Struct,
    frozen=True,
    rename={
        "uncounted_read": "without_read",
        "uncounted_total": "without_of",
        "counted_read": "beside_read",
        "counted_total": "beside_of",
        "broken_total": "broken_of",
    },
):
    """Where near misses were searched for: how many records were read, of how many candidates.

    ``uncounted`` are records without the term or a similar one of the request, where a near miss
    would add records; ``counted`` are records with one, where it would not. ``broken`` are records,
    with the term or without, where its words are apart as by full stops, grouped digits or a page.
    """

    uncounted_read: int
    uncounted_total: int
    counted_read: int
    counted_total: int
    broken_read: int = 0
    broken_total: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether every record was read."""
        return (self.uncounted_read, self.counted_read, self.broken_read) == (
            self.uncounted_total,
            self.counted_total,
            self.broken_total,
        )


class TermCheck(Struct, frozen=True, rename={"coverage": "looked", "unintended": "unmeant"}):
    """One term of the request. ``places`` are "mentions", or the questions that use it.

    A mention is counted in the period and offences, a question's term in the whole scope.
    ``in_index`` is its number of records in the whole index; it is counted only where the term has
    no record in scope. ``unintended`` are spellings that were counted, though the request does not
    write the term that way. ``wording`` is the term as the request writes it. With ``required``,
    the findings are about that one of the terms that it requires (``with:``), among the records
    that have the rest of it; ``records`` are still those of the whole.
    """

    term: str
    places: tuple[str, ...]
    records: int
    in_index: int | None
    near_misses: tuple[NearMiss, ...]
    more_near_misses: int
    coverage: SampleCoverage
    unintended: tuple[SpellingCount, ...]
    everyday: bool
    contexts: tuple[SampleContext, ...]
    suggestions: tuple[WordingSuggestion, ...]
    wording: TermSpec
    required: str | None = None

    @property
    def heading(self) -> str:
        """The term in quotes, with what else is required of its records."""
        if self.required is not None:
            return f'"{self.required}", required with "{self.wording.term}"'
        return to_mention(self.wording).quoted


class WordingAnnex(Struct, frozen=True):
    """What the annex of an answer may say about wording that was not counted."""

    near_misses_not_counted: tuple[NearMissCount, ...]


class WordingCheck(Struct, frozen=True):
    """The wording of a request against one generation. ``records`` are those of its period and
    offences, ``in_scope`` those that also mention what it asks for. ``coverage_notes`` say what of
    the days asked about the records do not cover, and which months are empty. ``damage`` counts
    those of ``records`` whose text is damaged; None if an earlier version built the generation.
    ``readings`` are those of offence codes that differ by records of the period,
    ``unused_values`` the values of categories that no record has, in words, and
    ``absent_contents`` says of which contents no record has any."""

    generation: str
    built_at: datetime
    records: int
    in_scope: int
    offences_without_records: tuple[str, ...]
    terms: tuple[TermCheck, ...]
    annex: WordingAnnex
    coverage: Coverage | None = None
    coverage_notes: tuple[str, ...] = ()
    damage: ScopeDamage | None = None
    readings: tuple[CodeReading, ...] = ()
    unused_values: tuple[str, ...] = ()
    absent_contents: tuple[str, ...] = ()


class LintReport(Struct, frozen=True):
    """A valid request, the changes of offence codes that its period crosses, what its author may
    not expect, and, where there is an index to check it against, its wording check."""

    file: str
    reference: str
    request: dict[str, Any]
    wording: WordingCheck | None
    publishing: tuple[str, ...] | UnsetType = UNSET
    offence_changes: tuple[ChangeNote, ...] = ()
    cautions: tuple[str, ...] = ()
    format: str = field(default=LINT_FORMAT)


def make_lint_report(
    request: Request,
    file: str,
    wording: WordingCheck | None,
    publishing: Sequence[str] | None = None,
) -> LintReport:
    """The report on a request file; ``wording`` is None where the wording was not checked, and
    ``publishing`` where no release was tried."""
    return LintReport(
        file,
        request.reference,
        msgspec.to_builtins(request),
        wording,
        UNSET if publishing is None else tuple(publishing),
        find_crossed_changes(request),
        list_cautions(request),
    )


def collect_annex(terms: tuple[TermCheck, ...]) -> WordingAnnex:
    """The near misses of all terms, in the order of the terms."""
    return WordingAnnex(
        tuple(
            NearMissCount(finding.term, finding.places, miss.wording, miss.records, miss.added)
            for finding in terms
            for miss in finding.near_misses
        )
    )


def lint_schema() -> dict[str, Any]:
    """The JSON Schema of a wording check."""
    return msgspec.json.schema(LintReport)


def format_request_outline(request: Request, file: str) -> str:
    """The period, offences, mentions and questions of a request, as they were read."""
    scope = request.scope
    rows = [
        ("Period", scope.periods_in_words),
        *(("Offence", f"{', '.join(row.codes)}  {row.label}") for row in scope.offences),
        *(("Mention", ", ".join(request.wordings(mention))) for mention in scope.mentions),
        *merge_parts(
            [(question.id, str(question.__struct_config__.tag)) for question in request.questions],
            [(part.id, "no figures") for part in request.uncovered],
            [part.position for part in request.uncovered],
        ),
    ]
    width = max(10, *(len(name) for name, _ in rows))
    lines = [f"{file}: {request.reference} is valid.", *align_rows(rows, (f"<{width}", "<"))]
    untitled = [question.id for question in request.questions if not question.text.strip()]
    if untitled:
        verb = "has" if len(untitled) == 1 else "have"
        lines += [
            "",
            wrap_paragraph(
                f"{', '.join(untitled)} {verb} no text, so the letter names what the table shows. "
                "Add text: with the question in the requester's words."
            ),
        ]
    for caution in list_cautions(request):
        lines += ["", wrap_paragraph(caution)]
    return "\n".join([*lines, *_format_confirmations(request)]) + "\n"


def _format_confirmations(request: Request) -> Iterator[str]:
    """What is to be confirmed before the request is answered, with the letter's own sentences."""
    if not request.confirmations:
        return
    yield ""
    yield wrap_paragraph(
        "To confirm before it is answered (decide each, correct the request where it is wrong, and "
        "remove the entry from confirm:):"
    )
    for number, spec in enumerate(request.confirmations, start=1):
        yield wrap_paragraph(f"{number}. {spec.place}: {spec.question}")
        if spec.sentence:
            yield wrap_paragraph(f'The letter: "{spec.sentence}"', indent=3)
        for choice in spec.choices:
            mark = " (as the request has it)" if choice == spec.default else ""
            yield wrap_paragraph(f"- {choice}{mark}", indent=3)


def format_offence_changes(request: Request) -> str:
    """The changes of offence codes that the period crosses, as lines; empty if there are none."""
    notes = find_crossed_changes(request)
    if not notes:
        return ""
    head = "The period crosses changes of offence codes (as far as known):"
    texts = (f"{note.place}: {note.words}" if note.place else note.words for note in notes)
    return "\n".join([head, *(wrap_paragraph(text, 2) for text in texts)]) + "\n"


def write_yaml_term(spec: TermSpec) -> str:
    """A term as a line of a request file."""
    parts = [f"term: {quote_yaml_term(spec.term)}"]
    if spec.variants != "all":
        parts.append(f"variants: {spec.variants}")
    if spec.aliases:
        parts.append(f"aliases: [{', '.join(map(quote_yaml_term, spec.aliases))}]")
    if spec.cooccurrences:
        parts.append(f"with: [{', '.join(map(_write_required_term, spec.cooccurrences))}]")
    if spec.openings:
        spellings = (
            f"{quote_yaml_term(written)}: [{', '.join(map(quote_yaml_term, openings))}]"
            for written, openings in spec.openings.items()
        )
        parts.append(f"openings: {{{', '.join(spellings)}}}")
    return f"{{{', '.join(parts)}}}"


def _write_required_term(entry: str | CooccurrenceSpec) -> str:
    if isinstance(entry, str):
        return quote_yaml_term(entry)
    return f"{{term: {quote_yaml_term(entry.term)}, within: {entry.max_distance}}}"


def format_wording_check(
    check: WordingCheck, write_term: Callable[[TermSpec], str] = write_yaml_term
) -> str:
    """The findings for a person, by term; ``write_term`` writes what is suggested."""
    lines = [
        *map(wrap_paragraph, check.coverage_notes),
        *([""] if check.coverage_notes else []),
        f"In {check.generation}: {_format_record_count(check.records)} for this period and these "
        f"offences, {check.in_scope:,} in scope.",
    ]
    if damage_note := _describe_scope_damage(check.damage):
        lines += ["", wrap_paragraph(damage_note), ""]
    if check.offences_without_records:
        codes = ", ".join(check.offences_without_records)
        lines.append(f"No record of the period has one of these offences: {codes}.")
    lines += [wrap_paragraph(reading.sentence) for reading in check.readings]
    if unused := describe_unused_values(check.unused_values):
        lines.append(wrap_paragraph(unused))
    lines += map(wrap_paragraph, check.absent_contents)
    quiet: dict[str, list[str]] = defaultdict(list)
    for finding in check.terms:
        rows = list(_list_term_findings(finding))
        rows += [_format_suggestion(finding, one, write_term) for one in finding.suggestions]
        if rows:
            places = ", ".join(finding.places)
            lines += ["", f"{finding.heading} ({places}): {_format_term_count(finding)}"]
            lines += [f"  {line}" for line in align_rows(rows, ("<9", "<"))]
        elif finding.required is None:
            number = finding.records if finding.in_index is None else finding.in_index
            quiet[_describe_state(finding)].append(
                f"{finding.term} {number:,}" if number else finding.term
            )
    lines += [
        line
        for state, names in quiet.items()
        for line in ("", f"{state}: {', '.join(dict.fromkeys(names))}.")
    ]
    if spaced_forms := _count_spaced_forms(check.terms):
        listing = ", ".join(f"{form} {records:,}" for form, records in spaced_forms.items())
        lines += ["", wrap_paragraph(_SPACED_FORMS.format(forms=listing))]
    return "\n".join(lines) + "\n"


#: What is said once of all forms that differ from their term only by spaces.
_SPACED_FORMS: Final = (
    "Counted as well, written with a space: {forms}. If one of these is not meant, variants: none "
    "leaves it out."
)

#: A word this short is likely to stand before another one by chance: "we chat".
_SHORT_WORD: Final = 2


def _is_doubtful(form: SpellingCount) -> bool:
    """Whether a form with a space may as well be words that happen to follow each other."""
    return any(len(word) <= _SHORT_WORD for word in form.form.split())


def _count_spaced_forms(terms: Sequence[TermCheck]) -> dict[str, int]:
    """The forms that are not doubtful, each with the most records that it has in any place."""
    counts: dict[str, int] = {}
    for finding in terms:
        for form in finding.unintended:
            if not _is_doubtful(form):
                counts[form.form] = max(count_or_zero(form.records), counts.get(form.form, 0))
    return counts


def _describe_scope_damage(damage: ScopeDamage | None) -> str:
    """How many records of the period and offences are damaged; empty if none are."""
    if damage is None:
        return (
            "The index was built by an earlier foidex, which did not look for damaged text. Run a "
            "full refresh: foidex refresh --full"
        )
    advice = [advise_repair(damage.kinds, damage.repair)] if damage.records else []
    advice += [CUT_ADVICE] if damage.cut else []
    return " ".join(filter(None, (damage.note, *advice)))


def _describe_state(finding: TermCheck) -> str:
    """The heading for terms that have no finding."""
    if finding.in_index is None:
        return "As written, with no near miss"
    if finding.in_index:
        return "None in scope, but some in the whole index"
    return "None in the whole index (check the spelling)"


def _list_term_findings(finding: TermCheck) -> Iterator[tuple[str, str]]:
    """Each finding about a term: a keyword, and the text."""
    reason = "not in the request" if finding.required is None else "not what is required"
    for miss in finding.near_misses:
        yield (
            "near miss",
            f"{miss.wording} {miss.records:,} ({miss.kind}): {reason}, not counted; "
            f"would add {miss.added:,}",
        )
    if finding.more_near_misses:
        yield "near miss", f"and {finding.more_near_misses:,} rarer wordings"
    coverage = finding.coverage
    if coverage.uncounted_read < coverage.uncounted_total:
        yield (
            "near miss",
            f"searched for in {coverage.uncounted_read:,} of {coverage.uncounted_total:,} records "
            "that may contain one and do not mention the term: there may be others",
        )
    if finding.near_misses and coverage.counted_read < coverage.counted_total:
        yield (
            "near miss",
            f"searched for in {coverage.counted_read:,} of the {coverage.counted_total:,} records "
            "that count already",
        )
    if coverage.broken_read < coverage.broken_total:
        yield (
            "near miss",
            "with full stops, with grouped digits or broken by a page: searched for in "
            f"{coverage.broken_read:,} of {coverage.broken_total:,} records that may contain one, "
            "whether or not they mention the term: there may be others",
        )
    if doubtful := [form for form in finding.unintended if _is_doubtful(form)]:
        forms = ", ".join(f"{form.form} {form.records:,}" for form in doubtful)
        yield (
            "form",
            f"{forms}: counted, and perhaps not intended; variants: none leaves it out, "
            "with: [...] requires another term",
        )
    if finding.everyday and finding.records:
        yield "everyday", "is also an everyday word, or has other meanings"
    for context in finding.contexts:
        yield "", f"{context.crime_ref}: {context.before}[{context.match}]{context.after}"


def _format_suggestion(
    finding: TermCheck,
    suggestion: WordingSuggestion,
    write_term: Callable[[TermSpec], str],
) -> tuple[str, str]:
    spec, addition = finding.wording, (suggestion.value,)
    if suggestion.kind == "with":
        line = write_term(
            msgspec.structs.replace(spec, cooccurrences=spec.cooccurrences + addition)
        )
        return "with", f"{line} would leave {suggestion.records:,} of {finding.records:,}"
    line = write_term(msgspec.structs.replace(spec, aliases=spec.aliases + addition))
    return "alias", f"{line} would make it {suggestion.records:,}"


def quote_yaml_term(written: str) -> str:
    """A term as it is written in a request file: quoted where YAML needs it."""
    if re.fullmatch(r"\w[\w -]*", written):
        return written
    return "'{}'".format(written.replace("'", "''"))


def _format_term_count(finding: TermCheck) -> str:
    if finding.in_index is None:
        return _format_record_count(finding.records)
    return f"none in scope, {_format_record_count(finding.in_index)} in the whole index"


def _format_record_count(number: int) -> str:
    return "1 record" if number == 1 else f"{number:,} records"

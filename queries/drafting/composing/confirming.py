"""Confirmations: what is not certain, with the sentence it came from and the choices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final

from msgspec.structs import replace

from queries.drafting.composing.reading import ContextReading, PartReading
from queries.drafting.composing.scope import RequestScope, is_drafted
from queries.drafting.draft import Choice, Confirmation, DraftOffence, DraftPart
from queries.drafting.phrases.bands import Band, find_overlap
from queries.drafting.phrases.named_offences import NamedOffence
from queries.drafting.phrases.periods import PeriodPhrase
from queries.drafting.phrases.plain_text import split_sentences
from queries.drafting.request_mapping import write_term

AS_DRAFTED: Final = "Keep it as drafted"

NOT_UNDERSTOOD: Final = (
    "foidex did not understand this part, and answers no figures for it. What does it ask for?"
)

_NOT_COVERED: Final = "Answer no figures for this part"

_KIND_WORDS: Final = {
    "flag": "is a marker that forces set on records of many offences, and no code",
    "none": "has no offence code of its own",
    "fraud": "is mostly recorded by Action Fraud, and not by forces",
    "outcome": "is an outcome, and no offence",
    "mixed": "may be recorded under several codes",
    "class": "may be the whole class or only some of its codes",
    "subcode": "may be meant more widely than its code",
    "title": "is the title of more than one code",
}


def confirm_part(
    part: DraftPart, question: str, *, sentence: str = "", why: str = ""
) -> Confirmation:
    """A part that may be drafted wrongly: keep its question, answer no figures, or leave it to be
    changed in the file."""
    if part.fields:
        choices = [
            Choice(AS_DRAFTED),
            Choice(_NOT_COVERED, make_uncovered_changes(part, why)),
            Choice("Change its question", stays_open=True),
        ]
    else:
        choices = [Choice(_NOT_COVERED), Choice("Write its question", stays_open=True)]
    return Confirmation(
        part=part.number, sentence=sentence or part.text, question=question, choices=tuple(choices)
    )


def confirm_gap(part: DraftPart, question: str) -> Confirmation:
    """A part without figures that may have some."""
    return Confirmation(
        part=part.number,
        sentence=part.text,
        question=question,
        choices=(Choice(_NOT_COVERED), Choice("Write its question", stays_open=True)),
    )


def make_uncovered_changes(part: DraftPart, why: str = "") -> dict[str, Any]:
    """The changes that turn the question of a part into a part without figures."""
    changes: dict[str, Any] = {f"questions/{part.number}/{key}": None for key in part.fields}
    changes[f"questions/{part.number}/not_covered"] = why or "The records do not show this."
    return changes


def confirm_named(
    offence: NamedOffence, sentence: str, offences: Sequence[DraftOffence]
) -> Confirmation:
    """An offence in words: its likely codes, or none of them."""
    others = [row for row in offences if row.label != offence.words]

    def write_rows(codes: Sequence[str]) -> dict[str, Any]:
        is_listed = any(set(row.codes) == set(codes) for row in others)
        added = [DraftOffence(tuple(codes), offence.words)] if codes and not is_listed else []
        rows = [*others, *added]
        written = [
            {"codes": list(row.codes)} | ({"label": row.label} if row.label else {}) for row in rows
        ]
        return {"offences": written or None}

    choices = []
    if offence.codes:
        choices.append(Choice(f"Count {_list_words(offence.codes)}", write_rows(offence.codes)))
    if offence.others:
        choices.append(Choice(f"Count {_list_words(offence.others)}", write_rows(offence.others)))
    choices.append(Choice("Name no offence codes for it", write_rows(())))
    if not is_drafted(offence):
        choices.reverse()
    reason = _KIND_WORDS.get(offence.kind, "can mean several codes")
    return Confirmation(
        sentence=sentence,
        question=f'"{offence.words}" {reason}. Which codes are meant?',
        choices=tuple(choices),
    )


def confirm_named_part(
    offence: NamedOffence, sentence: str, drafted: DraftPart, plain: DraftPart
) -> Confirmation:
    """An offence in words that one part alone is about: as ``drafted``, with its codes or without
    figures, or else the other. ``plain`` is the part without either."""
    reason = _KIND_WORDS.get(offence.kind, "can mean several codes")
    if drafted.fields:
        choices = [
            Choice(f"Count {_list_words(offence.codes)}"),
            Choice(_NOT_COVERED, make_uncovered_changes(drafted)),
        ]
    else:
        choices = [Choice(_NOT_COVERED)]
        if offence.codes:
            rows = [{"codes": list(offence.codes), "label": offence.words}]
            fields = {**plain.fields, "within": {"offences": rows}, "not_covered": None}
            changes = {f"questions/{drafted.number}/{key}": value for key, value in fields.items()}
            choices.append(Choice(f"Count {_list_words(offence.codes)}", changes))
    return Confirmation(
        part=drafted.number,
        sentence=sentence,
        question=f'"{offence.words}" {reason}. Which codes are meant?',
        choices=tuple(choices),
    )


def confirm_several(
    offences: Sequence[NamedOffence], part: DraftPart, drafted: DraftPart
) -> Iterator[Confirmation]:
    """Several offences in words that one part alone is about: which of them are counted, and that
    they are counted together."""
    narrowing = drafted.fields.get("within", {})
    labels = {row["label"] for row in narrowing.get("offences", [])}
    groups = narrowing.get("where", {}).get("offence_group", [])
    for offence in offences:
        is_counted = offence.words in labels or offence.group in groups
        reason = (
            "is an offence group"
            if offence.group
            else _KIND_WORDS.get(offence.kind, "can mean several codes")
        )
        meant = offence.group or _list_words(offence.codes)
        as_drafted = f"Count {meant}" if is_counted else "Do not count it"
        question = f'"{offence.words}" {reason}. What is meant?'
        yield Confirmation(
            part=part.number,
            sentence=find_sentence(part.text, offence.words),
            question=question if is_counted else f"{question} This part does not count it.",
            choices=(Choice(as_drafted), Choice("Change the codes", stays_open=True)),
        )
    if drafted.fields:
        yield Confirmation(
            part=part.number,
            sentence=part.text,
            question="This part names several offences. They are counted together. Is that meant?",
            choices=(
                Choice(AS_DRAFTED),
                Choice("Write a question for each", stays_open=True),
            ),
        )


def confirm_group(offence: NamedOffence, sentence: str) -> Confirmation:
    """A whole offence group."""
    return Confirmation(
        sentence=sentence,
        question=f'"{offence.words}" is read as the offence group {offence.group}. Is all of it meant?',
        choices=(Choice(AS_DRAFTED), Choice("Do not narrow by the group", {"where": None})),
    )


def confirm_periods(periods: Sequence[PeriodPhrase], sentence: str) -> Iterator[Confirmation]:
    """Periods that are in doubt, once for each doubt."""
    doubts = dict.fromkeys(phrase.doubt for phrase in periods if phrase.doubt)
    for doubt in doubts:
        phrases = [phrase for phrase in periods if phrase.doubt == doubt]
        changed = [
            {"from": first.isoformat(), "to": last.isoformat()}
            for phrase in periods
            for first, last in (phrase.alternatives or ((phrase.first, phrase.last),))[:1]
        ]
        choices = [Choice(f"{AS_DRAFTED}: {_list_days(phrases)}")]
        if any(phrase.alternatives for phrase in phrases):
            others = " and ".join(
                _write_days(first, last)
                for phrase in phrases
                for first, last in phrase.alternatives[:1]
            )
            key, value = ("period", changed[0]) if len(changed) == 1 else ("periods", changed)
            choices.append(Choice(f"Take {others}", {key: value}))
        choices.append(Choice("Take other days", stays_open=True))
        yield Confirmation(
            sentence=sentence, question=f"{doubt} Which days are meant?", choices=tuple(choices)
        )


def confirm_terms(
    reading: PartReading | ContextReading, part: DraftPart | None = None
) -> Iterator[Confirmation]:
    """What of the terms of a text is open, excluded, wild or unsure; ``part`` is what a part became."""
    terms = reading.terms
    sentence = reading.part.quotation if isinstance(reading, PartReading) else reading.text

    def ask(question: str, alternative: str) -> Confirmation:
        return Confirmation(
            part=part.number if part else "",
            sentence=sentence,
            question=question,
            choices=(Choice(AS_DRAFTED), Choice(alternative, stays_open=True)),
        )

    if terms.open_end:
        yield ask(
            f'"{terms.open_end}" leaves the list of terms open. Only the terms that are named are drafted. Are '
            "there others?",
            "Add terms to the file",
        )
    for words in terms.wild:
        yield ask(
            f'"{words}" has a wildcard, which foidex does not have: it counts "{words.replace("*", "")}" in its '
            "spellings. Which words are meant?",
            "Write the words",
        )
    for words in terms.excluded:
        yield ask(
            f'The letter leaves out "{words}". A request cannot leave out records with a term. Is a note enough?',
            "Change the terms",
        )
    for item in terms.unread_items:
        yield ask(
            f'"{item}" stands where a term does, and cannot be searched for as it is. What is meant?',
            "Add a term to the file",
        )
    if terms.unsure:
        yield ask(
            f"{_quote_words(terms.unsure)} {'is' if len(terms.unsure) == 1 else 'are'} read as search terms, "
            "without quotation marks in the letter. Is that right?",
            "Change the terms",
        )
    for question in _list_joining_doubts(reading, part):
        yield ask(question, "Change the terms")


def _list_joining_doubts(
    reading: PartReading | ContextReading, part: DraftPart | None
) -> Iterator[str]:
    """What is not certain of how the terms of a text belong together."""
    terms = reading.terms
    if terms.is_mixed:
        yield (
            'The letter joins terms with "or" and with "and". Each term is drafted by itself. Which have to stand in '
            "one record?"
        )
    elif terms.are_and_joined and not (part and "keywords" in str(part.fields)):
        yield (
            'The letter joins terms with "and", and records with any of them count. Must all stand in one record, or '
            "is a number for each meant?"
        )
    if terms.are_same:
        yield (
            "The letter calls some terms the same. Terms of the request count together; keywords count apart unless "
            "one is another name of the other."
        )


def confirm_bands(reading: PartReading, part: DraftPart) -> Iterator[Confirmation]:
    """Age bands that overlap, or of which an end is not certain."""
    bands = list(reading.bands)
    if overlap := find_overlap(bands):
        first, second = overlap
        words = f'"{first.words}" and "{second.words}"'
        choices = [Choice(AS_DRAFTED)]
        if first.high is not None and first.high == second.low:
            shared = first.high
            shorter = [replace(band, high=shared - 1) if band is first else band for band in bands]
            later = [replace(band, low=shared + 1) if band is second else band for band in bands]
            choices += [
                Choice(f"Count {shared} in the second alone", _change_bands(part, shorter)),
                Choice(f"Count {shared} in the first alone", _change_bands(part, later)),
            ]
        yield Confirmation(
            part=part.number,
            sentence=reading.part.quotation,
            question=f"The age bands overlap: {words} have ages in common. A victim is counted in each band "
            "that fits. Is that meant?",
            choices=tuple(choices),
        )
    for band in bands:
        if band.is_doubtful and band.low:
            wider = [
                replace(alternative, low=band.low - 1) if alternative is band else alternative
                for alternative in bands
            ]
            yield Confirmation(
                part=part.number,
                sentence=reading.part.quotation,
                question=f'"{band.words}" is read as {band.low} and over. Is {band.low - 1} part of it?',
                choices=(
                    Choice(AS_DRAFTED),
                    Choice(f"Count from {band.low - 1}", _change_bands(part, wider)),
                ),
            )


def _change_bands(part: DraftPart, bands: Sequence[Band]) -> dict[str, Any]:
    """The change that gives a part other age bands."""
    written = [band.fields for band in bands]
    if part.fields.get("kind") == "cross":
        return {f"questions/{part.number}/columns": {"bands": written}}
    return {f"questions/{part.number}/bands": written}


def confirm_sentence(sentence: str, *, part: str = "") -> Confirmation:
    """A sentence that asks for something and was taken by no rule."""
    return Confirmation(
        part=part,
        sentence=sentence,
        question="This sentence asks for something that no part of the draft has. What does it change?",
        choices=(
            Choice("It changes nothing"),
            Choice("Change the draft", stays_open=True),
        ),
    )


def find_sentence(text: str, words: str) -> str:
    """The sentence of a text that has some words; all of it if none has."""
    folded = words.casefold()
    return next((part for part in split_sentences(text) if folded in part.casefold()), text)


def confirm_scope_home(
    scope: RequestScope, readings: Sequence[PartReading]
) -> Iterator[Confirmation]:
    """Terms and offences of the first part that may hold for that part alone."""
    texts = {reading.part.number: reading.part.quotation for reading in readings}
    if scope.term_home is not None and not scope.is_term_home_sure:
        own_terms = {"mentions": [write_term(term) for term in scope.mentions]}
        changes = {"mentions": None, f"questions/{scope.term_home}/within": own_terms}
        yield Confirmation(
            part=scope.term_home,
            sentence=texts[scope.term_home],
            question="Do the terms of this part hold for the parts after it too?",
            choices=(Choice("Yes, for all parts"), Choice("No, for this part alone", changes)),
        )
    if scope.offence_home is not None:
        yield Confirmation(
            part=scope.offence_home,
            sentence=texts[scope.offence_home],
            question="Do the offences of this part hold for the parts after it too?",
            choices=(Choice("Yes, for all parts"), Choice("Change the draft", stays_open=True)),
        )


def _list_words(codes: Sequence[str]) -> str:
    return ", ".join(codes)


def _quote_words(words: Sequence[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)


def _list_days(phrases: Sequence[PeriodPhrase]) -> str:
    return "; ".join(_write_days(phrase.first, phrase.last) for phrase in phrases)


def _write_days(first: date, last: date) -> str:
    return f"{first.day} {first:%B %Y} to {last.day} {last:%B %Y}"

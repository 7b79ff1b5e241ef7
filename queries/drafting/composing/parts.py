"""Drafts the parts of a letter one after the other, and collects what is not certain about them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from msgspec.structs import replace

from indexer.records.offences import load_offence_table
from queries.drafting.composing.confirming import (
    NOT_UNDERSTOOD,
    confirm_bands,
    confirm_gap,
    confirm_named_part,
    confirm_part,
    confirm_several,
    confirm_terms,
    find_sentence,
)
from queries.drafting.composing.leftover import (
    counts_other_things,
    find_conditions,
    find_leftover,
)
from queries.drafting.composing.questions import build_question, find_named_terms
from queries.drafting.composing.reading import PartReading
from queries.drafting.composing.scope import (
    COUNTS_RECORDS,
    RequestScope,
    list_all_rows,
    list_part_numbers,
    refers_to_other_part,
)
from queries.drafting.composing.term_sets import drop_same_terms, have_same_terms
from queries.drafting.draft import Confirmation, DraftOffence, DraftPart, DraftTerm
from queries.drafting.phrases.breakdowns import EACH_TERM
from queries.drafting.phrases.named_offences import NamedOffence
from queries.drafting.phrases.periods import PeriodPhrase
from queries.drafting.phrases.terms import find_terms
from queries.drafting.request_mapping import write_term
from queries.drafting.structure.roles import is_asking
from queries.spec.scope_spec import OffenceSpec, ScopeSpec

_NOT_READ = "This part was not understood."

_OTHER_OFFENCES: Final = (
    "This part names offences that are none of the whole request's, so within it nothing would count, and it has no "
    "figures yet. Which offences does the request ask about?"
)

_DECLARED = ("people", "places")


#: "By month": how the numbers of the part before it are to be broken down.
_BREAKDOWN_ALONE: Final = re.compile(
    r"\W*(?:and |also |then )?(?:by|split by|broken down by|a breakdown by|per|for each)\b(?!.*\b(?:how many|numbers? of)\b)",
    re.IGNORECASE,
)

#: What a question has that counts people, or chooses records by them.
_PEOPLE_FIELDS: Final = ("victim", "suspect", "sex", "bands", "youngest")

_SEX_WORD: Final = re.compile(
    r"\b(?:females?|males?|women|woman|men|man|girls?|boys?)\b", re.IGNORECASE
)


class PartDrafter:
    """Drafts parts in their order: a part may speak of the terms of those before it.

    ``confirmations`` are those of the parts so far; ``offences`` and ``groups`` are the scope's,
    with the offences that the letter names in words. ``replaced`` are periods that a later mail
    has changed.
    """

    def __init__(
        self,
        scope: RequestScope,
        withdrawn: Collection[str] = (),
        replaced: Collection[PeriodPhrase] = (),
    ) -> None:
        self.confirmations: list[Confirmation] = []
        self.offences: tuple[DraftOffence, ...] = tuple(list_all_rows(scope))
        self.groups = tuple(offence.group for offence, _ in scope.named if offence.kind == "group")
        self._scope = replace(scope, offences=self.offences)
        self._withdrawn = withdrawn
        self._replaced = {(phrase.first, phrase.last) for phrase in replaced}
        self._known_terms: list[DraftTerm] = list(scope.mentions)
        self._named = {offence.words.casefold() for offence, _ in scope.named}
        self._drafted: list[DraftPart] = []
        self._breakdowns: set[str] = set()

    def draft_part(self, reading: PartReading) -> Iterator[DraftPart]:
        """What a part becomes."""
        part = DraftPart(number=reading.part.number, text=reading.part.quotation)
        if reading.is_taken_back or reading.part.number in self._withdrawn:
            yield replace(part, withdrawn=True)
            return
        drafted = (
            self._draft_gap(reading, part)
            if reading.is_gap
            else self._draft_question(reading, part)
        )
        self._drafted.append(drafted)
        yield drafted

    def _draft_gap(self, reading: PartReading, part: DraftPart) -> DraftPart:
        """A part without figures, with each thing in it that no question answers."""
        gap = reading.gaps[0]
        why = " ".join(dict.fromkeys(gap_entry.why for gap_entry in reading.gaps))
        drafted = replace(part, gap=gap.kind, why=why)
        question = ""
        if gap.kind in _DECLARED:
            question = f'"{gap.words}" can be counted only if your force declares it as a category. Does it?'
        elif COUNTS_RECORDS.search(reading.part.text):
            question = f'"{gap.words}" is not counted, and yet this part counts records. Does it ask for more?'
        if question:
            self.confirmations.append(confirm_gap(drafted, question))
        return drafted

    def _draft_question(self, reading: PartReading, part: DraftPart) -> DraftPart:
        question = build_question(reading, self._scope, self._known_terms)
        fields: dict[str, Any] = question.fields
        drafted = replace(part, fields=fields)
        if (
            reading.gaps
            and all(gap.kind == "percentages" for gap in reading.gaps)
            and "by" in fields
        ):
            drafted = replace(drafted, fields={**fields, "share": True})
        elif reading.gaps:
            why = " ".join(dict.fromkeys(gap.why for gap in reading.gaps))
            drafted = replace(drafted, gap=reading.gaps[0].kind, why=why)
        drafted = self._draft_named(reading, drafted)
        if drafted.fields and not self._is_understood(reading, fields):
            drafted = replace(drafted, fields={}, gap="other", why=_NOT_READ)
            asked = [
                f"{doubt} This part has no figures yet. What is meant?" for doubt in question.doubts
            ]
            self.confirmations += [
                confirm_part(drafted, text) for text in asked or [NOT_UNDERSTOOD]
            ]
        elif drafted.fields and self._counts_nothing(drafted):
            drafted = replace(drafted, fields={}, gap="other", why=_NOT_READ)
            self.confirmations.append(confirm_part(drafted, _OTHER_OFFENCES))
        elif drafted.fields:
            drafted = self._narrow_to_named_terms(reading, drafted)
            drafted = self._relate_to_other_parts(reading, drafted)
            self._doubt_question(reading, drafted, question.doubts)
        self._learn_terms(reading)
        return drafted

    def _counts_nothing(self, part: DraftPart) -> bool:
        """Whether the offences of a part are none of the request's, within which it would count."""
        narrowing = part.fields.get("within", {})
        table = load_offence_table()
        codes = _make_scope_spec(self.offences, self.groups).keep_possible_codes(
            table, table.titles
        )
        if not codes:
            return False
        rows: list[tuple[DraftOffence, ...]] = [
            (DraftOffence(tuple(row["codes"])),) for row in narrowing.get("offences", [])
        ]
        groups = tuple(narrowing.get("where", {}).get("offence_group", ()))
        return not all(
            _make_scope_spec(row, groups).keep_possible_codes(table, codes) for row in rows or [()]
        )

    def _narrow_to_named_terms(self, reading: PartReading, part: DraftPart) -> DraftPart:
        """A part without terms of its own, held to those of the request or of the part before that
        it names: "for Deliveroo, the number by sex". That is asked."""
        if reading.terms.terms or "keywords" in str(part.fields):
            return part
        terms = find_named_terms(reading.part.text, [*self._scope.mentions, *self._known_terms])
        if not terms and reading.part.stem:  # the line that leads to this part and some others
            terms = list(find_terms(reading.part.stem.split("\n")[-1]).terms)
        narrowing = part.fields.get("within", {})
        if not terms or "mentions" in narrowing or have_same_terms(terms, self._scope.mentions):
            return part
        mentions = [write_term(term) for term in drop_same_terms(terms)]
        narrowed = replace(
            part, fields={**part.fields, "within": {**narrowing, "mentions": mentions}}
        )
        names = ", ".join(f'"{term.term}"' for term in terms)
        question = f"This part is read as about records with {names} alone. Is that meant?"
        self.confirmations.append(confirm_part(narrowed, question))
        return narrowed

    def _relate_to_other_parts(self, reading: PartReading, part: DraftPart) -> DraftPart:
        """A part held to the records of the part that it speaks of: "how many of these", "of Q2".
        What is not certain of that is asked."""
        spoken_of = self._find_spoken_of(reading)
        related, question = part, ""
        if len(spoken_of) > 1:
            listing = " and ".join(earlier_part.number for earlier_part in spoken_of)
            question = f"This part speaks of parts {listing}, whose records no question counts together. Which does it count?"
        elif spoken_of and not spoken_of[0].fields:
            question = f"Part {spoken_of[0].number} has no figures, and this part may speak of what it asks for. Are all records meant?"
        elif spoken_of:
            related = self._narrow_to_records_of(spoken_of[0], part)
            if spoken_of[0].fields["kind"] not in ("offences", "keywords"):
                question = f"This part speaks of what part {spoken_of[0].number} counts, and is held to the offences, words and days of that part alone, not to the people or the rows that it has. Is that meant?"
            elif related != part:
                question = f"This part is read as speaking of the records of part {spoken_of[0].number} alone. Is that meant?"
        elif self._scope.are_offences_apart and not _has_own_offences(reading, part):
            question = "Other parts name offences, and this one does not, so it counts records of every offence. Is that meant?"
        elif not (self._scope.mentions or self.offences or self.groups or _is_limited(part)):
            question = "Nothing in the letter limits this part to some offences or words, so it counts all records. Is that meant?"
        if question:
            self.confirmations.append(confirm_part(related, question))
        return related

    def _find_spoken_of(self, reading: PartReading) -> list[DraftPart]:
        """The earlier parts of which a part speaks, by their numbers or as "these"."""
        numbers = list_part_numbers(reading)
        numbered_parts = [part for part in self._drafted if part.number.casefold() in numbers]
        if numbered_parts:
            return numbered_parts
        if _BREAKDOWN_ALONE.match(reading.part.text):
            subjects = [part for part in self._drafted if part.number not in self._breakdowns]
            self._breakdowns.add(reading.part.number)
            return subjects[-1:]
        return self._drafted[-1:] if refers_to_other_part(reading) else []

    def _narrow_to_records_of(self, earlier_part: DraftPart, part: DraftPart) -> DraftPart:
        """A part held to the records that another counts, as far as the request is not already."""
        narrowing = dict(earlier_part.fields.get("within", {}))
        if (
            earlier_part.fields.get("kind") == "keywords"
            and earlier_part.number != self._scope.term_home
        ):
            narrowing.setdefault("mentions", earlier_part.fields["keywords"])
        own_narrowing = part.fields.get("within", {})
        if {"offences", "where"} & own_narrowing.keys():
            narrowing = {
                key: entry for key, entry in narrowing.items() if key not in ("offences", "where")
            }
        if part.fields.get("keywords") == narrowing.get("mentions"):
            narrowing.pop("mentions", None)
        if not narrowing.keys() - own_narrowing.keys():
            return part
        return replace(part, fields={**part.fields, "within": {**narrowing, **own_narrowing}})

    def _is_understood(self, reading: PartReading, fields: dict[str, Any]) -> bool:
        """Whether anything in a part or above it made its question, or it at least asks."""
        is_led = not reading.terms.terms and not EACH_TERM.search(reading.part.text)
        if fields.get("kind") != "offences" and not (fields.get("kind") == "keywords" and is_led):
            return True
        if counts_other_things(reading):
            return False
        if reading.rows or reading.terms.terms or reading.named:
            return True
        return is_asking(reading.part.whole_text) and not find_conditions(
            reading, self._scope_words
        )

    def _doubt_question(
        self, reading: PartReading, part: DraftPart, doubts: tuple[str, ...]
    ) -> None:
        for doubt in (*doubts, *_doubt_sex(reading, part)):
            self.confirmations.append(confirm_part(part, f"{doubt} What is meant?"))
        self.confirmations += confirm_terms(reading, part)
        self.confirmations += confirm_bands(reading, part)
        outside = [
            phrase
            for phrase in reading.periods
            if not any(
                period.first <= phrase.first and phrase.last <= period.last
                for period in self._scope.periods
            )
        ]
        if {(phrase.first, phrase.last) for phrase in outside} - self._replaced:
            self.confirmations.append(
                confirm_part(
                    part,
                    "This part names days that are not within the period of the request. Which hold?",
                )
            )
        counts_people = any(name in str(part.fields) for name in _PEOPLE_FIELDS)
        if leftover := find_leftover(reading, self._scope_words, counts_people=counts_people):
            words = ", ".join(f'"{word}"' for word in leftover)
            pronoun = "it" if len(leftover) == 1 else "them"
            self.confirmations.append(
                confirm_part(
                    part,
                    f"foidex did not understand {words} in this part. Is the question right without {pronoun}?",
                )
            )

    @property
    def _scope_words(self) -> str:
        """The words of the request's offences and terms, which a part may repeat."""
        labels = [row.label for row in self.offences]
        named = [offence.words for offence, _ in self._scope.named]
        return " ".join([*labels, *named, *(term.term for term in self._known_terms)])

    def _draft_named(self, reading: PartReading, part: DraftPart) -> DraftPart:
        """A part about offences in words that the request is not about as a whole."""
        own_offences: list[NamedOffence] = []
        for offence in reading.named:
            if offence.words.casefold() in self._named or "offence_group" in reading.breakdowns:
                continue
            if offence.kind != "group" and self._is_covered(offence) and not _has_no_code(offence):
                continue
            own_offences.append(offence)
        if len(own_offences) > 1:
            drafted = _narrow_to_offences(part, own_offences)
            self.confirmations += confirm_several(own_offences, part, drafted)
            return drafted
        for offence in own_offences:
            if offence.kind == "group":
                return self._narrow_to_group(part, offence)
            sentence = find_sentence(part.text, offence.words)
            drafted = _narrow_to_offence(part, offence, is_counted=not _has_no_code(offence))
            self.confirmations.append(confirm_named_part(offence, sentence, drafted, part))
            return drafted
        return part

    def _narrow_to_group(self, part: DraftPart, offence: NamedOffence) -> DraftPart:
        """A part about one offence group, unless the whole request is."""
        if offence.group in self.groups:
            return part
        narrowing = {**part.fields.get("within", {}), "where": {"offence_group": [offence.group]}}
        narrowed = replace(part, fields={**part.fields, "within": narrowing})
        sentence = find_sentence(part.text, offence.words)
        question = (
            f'"{offence.words}" is read as the offence group {offence.group}. Is all of it meant?'
        )
        self.confirmations.append(confirm_part(narrowed, question, sentence=sentence))
        return narrowed

    def _is_covered(self, offence: NamedOffence) -> bool:
        """Whether the request is about an offence in words already."""
        codes = {code for row in self.offences for code in row.codes}
        return bool(offence.codes) and (
            set(offence.codes) <= codes or bool(set(offence.others) & codes)
        )

    def _learn_terms(self, reading: PartReading) -> None:
        """Keep the terms of a part for those that speak of "those words"."""
        terms = drop_same_terms(reading.terms.terms)
        if not terms:
            return
        names = {term.term.casefold() for term in self._known_terms}
        is_more = reading.part.stem or not self._scope.mentions
        if is_more and reading.part.number[-1:].isalpha():
            self._known_terms += [term for term in terms if term.term.casefold() not in names]
        else:
            self._known_terms = terms


def _doubt_sex(reading: PartReading, part: DraftPart) -> Iterator[str]:
    """That a part speaks of women, for instance, and counts people of every sex."""
    text = reading.part.text
    for offence in reading.named:
        text = text.replace(offence.words, " ")
    if (match := _SEX_WORD.search(text)) and not reading.rows and "sex" not in str(part.fields):
        yield f'The letter says "{match[0]}", and this question counts people of every sex.'


def _make_scope_spec(rows: Sequence[DraftOffence], groups: Sequence[str]) -> ScopeSpec:
    return ScopeSpec(
        offences=tuple(OffenceSpec(row.codes) for row in rows),
        where={"offence_group": tuple(groups)} if groups else {},
    )


def _is_limited(part: DraftPart) -> bool:
    """Whether a part counts some offences or words alone."""
    narrowing = part.fields.get("within", {})
    written = str({key: entry for key, entry in part.fields.items() if key != "within"})
    is_narrowed = not {"offences", "where", "mentions"}.isdisjoint(narrowing)
    return is_narrowed or "keywords" in written or "codes" in written


def _has_own_offences(reading: PartReading, part: DraftPart) -> bool:
    """Whether a part counts offences that it names itself."""
    return bool(reading.rows) or not {"offences", "where"}.isdisjoint(part.fields.get("within", {}))


def _has_no_code(offence: NamedOffence) -> bool:
    """Whether no code stands for an offence in words."""
    return not offence.codes or offence.kind in ("flag", "none", "fraud")


def _narrow_to_offences(part: DraftPart, offences: Sequence[NamedOffence]) -> DraftPart:
    """A part held to the codes of several offences in words together, as far as they have some, or
    else to the groups among them; without figures if there is neither."""
    coded = [
        offence for offence in offences if offence.kind != "group" and not _has_no_code(offence)
    ]
    groups = [offence.group for offence in offences if offence.kind == "group"]
    narrowing = dict(part.fields.get("within", {}))
    if coded:
        rows = {offence.codes: offence.words for offence in reversed(coded)}
        narrowing["offences"] = [
            {"codes": list(codes), "label": words} for codes, words in reversed(rows.items())
        ]
    elif groups:
        narrowing["where"] = {"offence_group": list(dict.fromkeys(groups))}
    else:
        words = ", ".join(f'"{offence.words}"' for offence in offences)
        return replace(part, fields={}, gap="other", why=f"No offence code stands for {words}.")
    return replace(part, fields={**part.fields, "within": narrowing})


def _narrow_to_offence(part: DraftPart, offence: NamedOffence, *, is_counted: bool) -> DraftPart:
    """A part held to the codes of an offence in words, or without figures if no code stands for
    it."""
    if not is_counted:
        why = f'No offence code stands for "{offence.words}".'
        return replace(part, fields={}, gap="other", why=why)
    rows = [{"codes": list(offence.codes), "label": offence.words}]
    narrowing = {**part.fields.get("within", {}), "offences": rows}
    return replace(part, fields={**part.fields, "within": narrowing})

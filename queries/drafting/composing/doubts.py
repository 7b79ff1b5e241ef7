"""What is not certain about the whole request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from indexer.records.offences import load_offence_table
from queries.drafting.composing.confirming import (
    AS_DRAFTED,
    confirm_group,
    confirm_named,
    confirm_periods,
    confirm_scope_home,
    confirm_sentence,
    confirm_terms,
    find_sentence,
)
from queries.drafting.composing.leftover import find_unread_words
from queries.drafting.composing.offence_rows import find_unknown_codes
from queries.drafting.composing.reading import ContextReading, PartReading
from queries.drafting.composing.scope import RequestScope, list_all_rows
from queries.drafting.draft import Choice, Confirmation, DraftHead
from queries.drafting.phrases.breakdowns import NO_WISH
from queries.drafting.phrases.date_tokens import find_date_tokens
from queries.drafting.phrases.periods import find_open_start, find_unread_days
from queries.drafting.phrases.plain_text import split_sentences
from queries.drafting.phrases.term_lists import find_quoted
from queries.drafting.request_mapping import NO_REFERENCE
from queries.drafting.structure.roles import is_asking, is_directly_asking, is_standing_text

_CHILD_WORDS: Final = re.compile(
    r"\b(?:child|children|minors?|youth|young people|under (?:the age of )?\d{1,2})\b",
    re.IGNORECASE,
)

_WISH: Final = re.compile(
    r"\bplease (?:also |do not |don't )?(?:say|state|tell|provide|give|send|supply|describe|explain|confirm|list|include|indicate|exclude|count|treat|use|break|split|show)\b"
    r"|\b(?:can|could|may|might) (?:i|we) (?:also |please )?have\b|\b(?:i|we) (?:would|'d|also) (?:also )?(?:like|want|need)\b",
    re.IGNORECASE,
)

#: What asks for the texts of records, however they are made safe.
_WANTS_TEXTS: Final = re.compile(
    r"\b(?:include|add|give|send|supply|provide|attach|share|release|see|have|get)\b[^.?]{0,40}\b(?:narratives?|free[- ]texts?|summar(?:y|ies)|MOs?)\b",
    re.IGNORECASE,
)

#: What a request is about, and may be limited by.
_CRIMES: Final = re.compile(r"\b(?:crimes?|offences?|incidents?|records|cases)\b", re.IGNORECASE)

#: What tells why somebody asks, and asks nothing.
_BACKGROUND: Final = re.compile(
    r"\b(?:thank\w*|hope|trust|understand|aware|believe|concerned|apolog\w*|sorry|appreciate|resident|student|researcher|journalist|research\w*|charity|publi\w+|commissioner|act 2000|"
    r"cost|told|you have|newspaper|campaign\w*|reported that|would help|useful)\b",
    re.IGNORECASE,
)

_LIMIT: Final = re.compile(
    r"\b(?:where|whose|involv\w+|against|committed|only|excluding|except|near|inside|outside|that took place|which took place)\b",
    re.IGNORECASE,
)

#: What a sentence behind the parts may ask for in words of courtesy.
_FURTHER_WISH: Final = re.compile(
    r"\b(?:break ?down|split|compar\w+|grateful for|helpful to have|useful to have)\b|\bbroken down\b|\bby (?:sex|gender|age|ethnicity|district|ward|month|year|outcome|offence)\b",
    re.IGNORECASE,
)

#: What a sentence behind the parts may tell, and ask nothing.
_TALK: Final = re.compile(
    r"^(?!.*\b(?:whether|how|what|which)\b).*?\b(?:thank\w*|hope|under the (?:cost )?limit|e-?mails?|trust|understand|aware|believe|know that|concerned|apolog\w*|sorry|appreciate|writ(?:e|ing)|my (?:name|address|e-?mail|postcode)|"
    r"resident|student|researcher|published|charity|publish\w*|public interest|act 2000|commissioner|was|were|has|had)\b",
    re.IGNORECASE,
)

#: What may say who the victims of the request are.
_SAYS_WHO: Final = re.compile(
    r"\b(?:where|whose|with|against|when|in which|involving)\b[^.?;:]{0,30}\b(?:victims?|complainants?|child|children|minors?|wom[ae]n|girls?|m[ae]n|boys?|females?|males?|under[- ]?\d{1,2}s?)\b",
    re.IGNORECASE,
)

#: What the records of a request are not to have.
_WITHOUT: Final = re.compile(
    r"\b(?:without|except(?: for)?|excluding|apart from|other than)\b(?: \w+){1,3}", re.IGNORECASE
)

_TIME_WORDS: Final = re.compile(
    r"\b(?:last|past|previous|recent|since|between|during|from|in|for)\b[^.?\n]{0,40}\b(?:years?|months?|(?:19|20)\d\d)\b",
    re.IGNORECASE,
)

_LEAD: Final = re.compile(r"[:-]\s*$|\bfollowing\b|\bbelow\b")


def list_scope_doubts(
    head: DraftHead,
    scope: RequestScope,
    context: Sequence[ContextReading],
    readings: Sequence[PartReading],
) -> list[Confirmation]:
    """The confirmations of the scope, in the order of a request file."""
    texts = [reading.text for reading in context] + [reading.part.quotation for reading in readings]
    return [
        *_doubt_reference(head),
        *_doubt_periods(scope, texts, readings),
        *_doubt_period_home(scope, context, readings),
        *(entry for reading in context for entry in confirm_terms(reading)),
        *confirm_scope_home(scope, readings),
        *_doubt_victim(context),
        *_doubt_limits(context, scope),
        *_doubt_named(scope),
        *_doubt_unknown_codes(context, readings),
        *_doubt_subject(head, scope),
        *_doubt_sentences(context),
        *_doubt_leads(readings),
    ]


def _doubt_reference(head: DraftHead) -> Iterator[Confirmation]:
    if head.reference is None:
        yield Confirmation(
            sentence=head.subject or "",
            question="The letter has no reference of your force for this request. What is it?",
            choices=(
                Choice("Use DRAFT until there is one", {"reference": NO_REFERENCE}),
                Choice("Write the reference", stays_open=True),
            ),
        )


def _doubt_period_home(
    scope: RequestScope, context: Sequence[ContextReading], readings: Sequence[PartReading]
) -> Iterator[Confirmation]:
    """Days that only a later part names: the whole request is held to them."""
    counted = [reading for reading in readings if not reading.is_gap and not reading.is_taken_back]
    home = next((reading for reading in counted if reading.periods), None)
    is_all = any(passage.periods for passage in context) or not scope.periods
    if home is None or home is counted[0] or is_all:
        return
    yield Confirmation(
        sentence=home.part.quotation,
        question=f"Part {home.part.number} names days, and the parts before it do not. They are taken for all parts. "
        "Is that meant?",
        choices=(Choice(AS_DRAFTED), Choice("Write the period", stays_open=True)),
    )


def _doubt_periods(
    scope: RequestScope, texts: Sequence[str], readings: Sequence[PartReading]
) -> Iterator[Confirmation]:
    if not scope.periods:
        starts = ((text, start) for text in texts if (start := find_open_start(text)))
        for text, start in starts:
            yield Confirmation(
                sentence=text,
                question=f"The letter asks for everything since {start.day} {start:%B %Y}, and has no date itself. Up to which day?",
                choices=(
                    Choice("Count the records of every day"),
                    Choice("Write the period", stays_open=True),
                ),
            )
            return
        with_dates = (text for text in texts if _TIME_WORDS.search(text))
        yield Confirmation(
            sentence=next(with_dates, readings[0].part.quotation if readings else ""),
            question="No period was found in the letter. Which days is it about?",
            choices=(
                Choice("Count the records of every day"),
                Choice("Write the period", stays_open=True),
            ),
        )
        return
    doubtful = [phrase for phrase in scope.periods if phrase.doubt]
    if doubtful:
        with_dates = (
            text for text in texts if find_date_tokens(text) or re.search(r"\byears?\b", text)
        )
        yield from confirm_periods(scope.periods, next(with_dates, ""))


def _doubt_named(scope: RequestScope) -> Iterator[Confirmation]:
    for offence, text in scope.named:
        sentence = find_sentence(text, offence.words)
        if offence.kind == "group":
            yield confirm_group(offence, sentence)
        elif not offence.is_certain:
            yield confirm_named(offence, sentence, list_all_rows(scope))
    groups = [(offence, text) for offence, text in scope.named if offence.kind == "group"]
    if groups and list_all_rows(scope):
        offence, text = groups[0]
        yield Confirmation(
            sentence=find_sentence(text, offence.words),
            question="The letter names an offence group and other offences, and only records that are of both are "
            "counted. Is that meant?",
            choices=(
                Choice(AS_DRAFTED),
                Choice("Change the offences", stays_open=True),
            ),
        )


def _doubt_victim(context: Sequence[ContextReading]) -> Iterator[Confirmation]:
    for reading in context:
        if not reading.victim and (match := _SAYS_WHO.search(reading.text)):
            yield Confirmation(
                sentence=reading.text,
                question=f'foidex did not read "{match[0]}" as a condition on victims. Are all records meant?',
                choices=(
                    Choice("Count all records"),
                    Choice("Write the condition", stays_open=True),
                ),
            )
        if reading.victim:
            yield Confirmation(
                sentence=reading.text,
                question="Only records with such a victim are counted, in every part. Is that meant?",
                choices=(
                    Choice("Yes, in every part"),
                    Choice("No, count all records", {"where": None}),
                ),
            )


def _doubt_limits(context: Sequence[ContextReading], scope: RequestScope) -> Iterator[Confirmation]:
    """Words of a sentence that limits every part, and that no rule read."""
    table = load_offence_table()
    labels = " ".join(
        words
        for row in scope.offences
        for words in (row.label, *(table.title(code) for code in row.codes))
    )
    for reading in context:
        is_scope = reading.periods or reading.rows or reading.named or reading.terms.terms
        unread = _list_unread_quotes(reading) + find_unread_days(reading.text, reading.periods)
        speaks_of_crimes = _CRIMES.search(reading.text) and not _BACKGROUND.search(reading.text)
        if (is_scope and _LIMIT.search(reading.text)) or speaks_of_crimes:
            unread[:0] = find_unread_words(reading.text, reading.terms, reading.named, labels)
            if not reading.terms.excluded:
                unread += [match[0] for match in _WITHOUT.finditer(reading.text)]
        if unread:
            words = ", ".join(f'"{word}"' for word in dict.fromkeys(unread))
            yield Confirmation(
                sentence=reading.text,
                question=f"foidex did not understand {words} in this sentence. Does it limit what is counted?",
                choices=(
                    Choice("It limits nothing"),
                    Choice("Change the draft", stays_open=True),
                ),
            )


def _list_unread_quotes(reading: ContextReading) -> list[str]:
    """What stands in quotation marks and is no term that was read."""
    names = [name for term in reading.terms.terms for name in (term.term, *term.aliases)]
    names += [name for term in reading.terms.terms for name, _ in term.required]
    read = " ".join((*names, *reading.terms.excluded)).casefold()
    return [
        chunk.words
        for chunk in find_quoted(reading.text)
        if chunk.words.strip(" *").casefold() not in read
    ]


def _doubt_unknown_codes(
    context: Sequence[ContextReading], readings: Sequence[PartReading]
) -> Iterator[Confirmation]:
    texts: list[tuple[str, str, tuple[str, ...]]] = [("", reading.text, ()) for reading in context]
    texts += [(reading.part.number, reading.part.text, reading.part.items) for reading in readings]
    for part, text, items in texts:
        for words in find_unknown_codes(text, items):
            yield Confirmation(
                part=part,
                sentence="\n".join((text, *items)),
                question=f'"{words}" is written as an offence code, and is in no table. Which code is meant?',
                choices=(
                    Choice("Leave it out"),
                    Choice("Write the code", stays_open=True),
                ),
            )


def _doubt_subject(head: DraftHead, scope: RequestScope) -> Iterator[Confirmation]:
    """A subject that speaks of children, and codes whose titles do not."""
    if not head.subject or not (words := _CHILD_WORDS.search(head.subject)):
        return
    table = load_offence_table()
    wider = [
        code
        for row in scope.offences
        for code in row.codes
        if not _CHILD_WORDS.search(f"{table.title(code)} {row.label}")
    ]
    if wider:
        yield Confirmation(
            sentence=head.subject,
            question=f'The subject speaks of "{words[0]}", and {", ".join(wider)} is not limited to that by the title of the code. '
            "Is all of it meant?",
            choices=(Choice("Count all of it"), Choice("Narrow it", stays_open=True)),
        )


def _doubt_sentences(context: Sequence[ContextReading]) -> Iterator[Confirmation]:
    """Sentences outside the parts that ask for something, and of which no rule took anything. Each
    is quoted with the one before it, which often says what it is about."""
    previous = ""
    for reading in context:
        is_taken = bool(reading.periods or reading.terms.terms or reading.rows)
        if reading.is_behind and _names_other_days(reading, context):
            is_taken = False
        for sentence in split_sentences(reading.text):
            is_wish = _WISH.search(sentence) or (
                is_asking(sentence) and is_directly_asking(sentence)
            )
            is_plain = (
                is_standing_text(sentence) or NO_WISH.search(sentence) or _LEAD.search(sentence)
            )
            is_further = reading.is_behind and (
                _FURTHER_WISH.search(sentence) or not (is_plain or _TALK.search(sentence))
            )
            is_asked = (is_wish and not is_plain) or is_further
            if (is_asked or _WANTS_TEXTS.search(sentence)) and not is_taken:
                yield confirm_sentence(f"{previous} {sentence}".strip())
            previous = sentence


def _doubt_leads(readings: Sequence[PartReading]) -> Iterator[Confirmation]:
    """Points of a list that lead to others, which no number shows."""
    for index, reading in enumerate(readings[:-1]):
        text = reading.part.text
        if text.rstrip().endswith(":") and reading.part.stem and not is_asking(text):
            texts = [text, *(later.part.text for later in readings[index + 1 :])]
            yield Confirmation(
                sentence="\n".join(texts),
                question=f"Part {reading.part.number} leads to parts below it, and the letter does not show to which. Do its words hold for some of them?",
                choices=(Choice(AS_DRAFTED), Choice("Change the draft", stays_open=True)),
            )


def _names_other_days(reading: ContextReading, context: Sequence[ContextReading]) -> bool:
    """Whether a passage names days that other passages, which name some, do not."""
    days = {
        (phrase.first, phrase.last)
        for other in context
        if other is not reading
        for phrase in other.periods
    }
    own_days = {(phrase.first, phrase.last) for phrase in reading.periods}
    return bool(days) and not own_days <= days

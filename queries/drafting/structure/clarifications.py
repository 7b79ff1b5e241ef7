"""What later mails of a requester change: they replace the request, some parts, or a detail."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from queries.drafting.draft import DraftTerm
from queries.drafting.phrases.codes import find_codes
from queries.drafting.phrases.date_tokens import find_date_tokens
from queries.drafting.phrases.periods import PeriodPhrase, find_periods
from queries.drafting.phrases.plain_text import split_sentences
from queries.drafting.phrases.term_lists import find_quoted, read_term_list
from queries.drafting.phrases.terms import find_terms
from queries.drafting.structure.numbering import LetterPassage
from queries.drafting.structure.outline import Outline
from queries.drafting.structure.parts import (
    PART_NUMBER,
    LetterPart,
    fold_number,
    list_written_numbers,
)
from queries.drafting.structure.roles import is_asking, is_directly_asking, is_standing_text

_REPLACES_ALL: Final = re.compile(
    r"\b(?:replac\w+|supersed\w+)\s+(?:what i sent|my (?:earlier|previous|first|original|last)|the (?:earlier|previous|first|original)|all|it)\b"
    r"|\b(?:instead of|in place of)\s+my (?:earlier|previous|first|original|last)\b|\bnew request\b|\brefined request\b"
    r"|\b(?:disregard|ignore|withdraw|forget) (?:my|the) (?:earlier|previous|first|original|last)\b",
    re.IGNORECASE,
)

_REWRITES: Final = re.compile(
    r"\b(?:now|should|to) read\b|\breword|\brephras|\bamend|\brevis|\brewrit|\bchange (?:\w+ ){0,3}to\b|\binstead\b|\bnew version\b",
    re.IGNORECASE,
)

_PARTS: Final = re.compile(
    rf"\b(?:parts?|questions?|points?|items?|numbers?|q)\s*(?P<numbers>{PART_NUMBER}(?:\s*(?:,|and|&|or)\s*{PART_NUMBER})*)(?!\w)",
    re.IGNORECASE,
)

_OTHER_PARTS: Final = _PARTS.pattern.replace("numbers", "others")

#: "Drop questions 3 and 4", "question 3 is withdrawn": the numbers stand directly beside the verb.
_TAKES_BACK: Final = (
    re.compile(rf"\bleave\s+{_PARTS.pattern}\s+out\b", re.IGNORECASE),
    re.compile(
        r"\b(?:drop|skip|scrap|leave out|no need (?:for|to answer)|no longer (?:need|require|want)|do not need|don't need|withdraw|remove|omit|forget|ignore|disregard|delete|without)"
        r"\s+(?:(?:about|the|my|any|an|answers?|figures?|to|for|in|all|of|both|entirely|completely)\s+){0,4}"
        rf"{_PARTS.pattern}(?:\s*(?:,|and|&)+\s*(?:{_OTHER_PARTS})(?!\s+(?:stays?|stands?|remains?|should|can|is|are|to|only|just|for)\b))*",
        re.IGNORECASE,
    ),
    re.compile(
        rf"{_PARTS.pattern}(?:\s*(?:,|and|&)+\s*(?:{_OTHER_PARTS}))*"
        r"\s+(?:(?:can|may|should|is|are|has|have|to|now|both|all|therefore|also)\s+){0,3}(?:be(?:en)?\s+)?"
        r"(?:dropped|left out|withdrawn|removed|omitted|forgotten|ignored|disregarded|deleted|no longer (?:needed|required|wanted))\b",
        re.IGNORECASE,
    ),
)

_TAKES_OFF: Final = re.compile(
    r"(?P<verb>\b(?:drop|leave out|take out|remove|omit|delete|exclude)\s+(?:the (?:key ?words?|terms?|words?)\s+)?)[^.;]*?"
    r"\b(?:from (?:the|my|your) (?:list|key ?words?|terms?|search)|as (?:a )?(?:key ?words?|terms?))",
    re.IGNORECASE,
)

#: What follows a withdrawal, and holds some of the part back.
_EXCEPTS: Final = re.compile(
    r"\b(?:except|apart from|unless|if|but|other than|only|for|from)\b", re.IGNORECASE
)

_KEEPS: Final = re.compile(
    r"\b(?:stay|stays|stand|stands|remain|remains|unchanged|as (?:it|they) (?:was|were))\b",
    re.IGNORECASE,
)

_NEW_END: Final = re.compile(
    r"\b(?:end|ends|ending|finish|stop|up to|until)\b[^.]{0,30}?\b(?:on|at|in|to|until|up to)?\s*(?P<day>\d{1,2}\w{0,2} [A-Z]\w+ \d{4}|\d{1,2}/\d{1,2}/\d{4}|[A-Z]\w+ \d{4})",
    re.IGNORECASE,
)

_NEW_START: Final = re.compile(
    r"\b(?:start|starts|begin|begins|beginning)\b[^.]{0,30}?\b(?:on|at|in|from)\s+(?P<day>\d{1,2}\w{0,2} [A-Z]\w+ \d{4}|\d{1,2}/\d{1,2}/\d{4}|[A-Z]\w+ \d{4})",
    re.IGNORECASE,
)

#: What exchanges something, or says what is not to be.
_EXCHANGES: Final = re.compile(
    r"\bmean[ts]?\b|\bmeant\b|\binstead\b|\brather\b|\bnot\b|n't\b|\bnever\b|\bshould\b|\bought\b|\bread\b|\bmistake\w*|\btypo\b|\bwrong\w*"
    r"|\breplac\w+|\bswap\w*|\bskip\w*|\bleave\b|\bomit\w*|\bdrop\w*|\bexcept\b|\bwithout\b|\bno (?:longer|need)\b|\bother than\b|\bapart from\b|\bforg[eo]t\w*",
    re.IGNORECASE,
)

#: What is said to be all that is wanted.
_ALONE: Final = re.compile(
    r"\b(?:only|just|limit\w*|restrict\w*|narrow\w*|reduc\w+|confin\w+|focus\w*|chang\w+|use|now|stick)\b",
    re.IGNORECASE,
)

_WANTS_ONLY: Final = re.compile(
    r"(?<!not )\b(?:use|search for|have|need|want|count) only\b", re.IGNORECASE
)

_YEAR: Final = re.compile(r"\b(?:19|20)\d\d\b")

_ADDS: Final = re.compile(r"\b(?:also|add|as well|in addition|too)\b", re.IGNORECASE)

#: Words with which a sentence changes a request, also one that is polite beside it.
_CHANGES: Final = re.compile(
    r"\b(?:limit|restrict|narrow|reduc|confin|drop|remov|delet|exclud|omit|withdraw|add|includ|chang|replac|amend|swap|skip|scrap|ditch|shorten|widen|extend|split|combin)(?:e|ed|es|s|ing|ting|ping|ped)?\b"
    r"|(?<!\bis )(?<!\bare )(?<!\bwas )\b(?:just|only)\b|\b(?:instead|rather than|leave out|take out|no longer|do not need|don't need|except|apart from|stick to|make (?:it|that)|as well)\b|(?:^|[;,]\s*)(?:i|we) meant?\b",
    re.IGNORECASE,
)

#: Sentences that only tell what was.
_TELLS: Final = re.compile(
    r"\b(?:told|said|asked|sent|wrote|explained|reworded|received|suggested|spoke|was|were|had|as (?:i|you) (?:say|wrote)|last time|thank(?:s|ed)?)\b",
    re.IGNORECASE,
)

_COURTESY: Final = re.compile(
    r"\b(?:hope|trust|apolog\w*|sorry|appreciate\w*|understand|noted|regards|hello|patience|urgent\w*|kind of you)\b",
    re.IGNORECASE,
)

_PLEASE: Final = re.compile(r"\bplease\b", re.IGNORECASE)

#: What may stand around a withdrawal, and says nothing more.
_PLAIN_REST: Final = re.compile(
    r"\W+|\b(?:please|you|may|might|can|could|would|i|we|am|are|is|be|to|for|and|also|so|then|ok|okay|yes|happy|content|willing|"
    r"if|it|helps?|that|this|as|well|just|altogether|completely|entirely|now|too|therefore|will|shall|let's|let|us|like|want|wish|all|of|my|the|request)\b",
    re.IGNORECASE,
)

_MIN_REST_WORDS: Final = 2

#: Sentences that speak of a change, and that make none: what follows makes it.
_SPEAKS_OF_CHANGE: Final = re.compile(
    r"\b(?:as follows|below)\b|:\s*$|\bif (?:i|you|we|this|that|it)\b|\?\s*$"
    rf"|\b(?:narrow|chang|limit|reduc|restrict|amend)(?:e|ing)?\s+(?:it|this|that|(?:my|the) request|questions? {PART_NUMBER})[\s.!]*$",
    re.IGNORECASE,
)

#: Where one wish of a sentence ends and the next begins.
_NEXT_WISH: Final = re.compile(
    r"[,;]?\s+(?:and|but)\s+(?=(?:for|in|on) (?:parts?|questions?|points?|items?|numbers?|q)\b)"
    r"|[,;]\s*(?:(?:and|but|also)\s+)*(?=(?:please|drop|leave out|take out|withdraw|remove|delete|omit|limit|restrict|narrow|reduce|change|add)\b)"
    r"|\s+(?:and|but)\s+(?:also\s+)?(?=(?:please|drop|leave out|take out|withdraw|limit|restrict|narrow|reduce|change|add)\b)",
    re.IGNORECASE,
)

_INSTEAD: Final = re.compile(r"\W*(?:instead|rather than|in place) ", re.IGNORECASE)


class Clarification(Struct, frozen=True):
    """What later mails change beyond the parts that they rewrite.

    ``periods`` and ``terms`` take the place of those of the request; ``extra_terms``
    are added, and ``dropped_terms`` taken out. ``unread`` are sentences that ask for something and were taken by no rule.
    """

    periods: tuple[PeriodPhrase, ...] = ()
    first_day: date | None = None
    last_day: date | None = None
    terms: tuple[DraftTerm, ...] = ()
    extra_terms: tuple[DraftTerm, ...] = ()
    dropped_terms: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()


def merge_outlines(
    outlines: Sequence[Outline], request_day: date | None
) -> tuple[Outline, Clarification]:
    """The outlines of a chain, the oldest first, as one, and what else the later ones change."""
    if not outlines:
        return Outline(), Clarification()
    current, change = outlines[0], Clarification()
    for later in outlines[1:]:
        sentences = [
            sentence
            for passage in later.context
            for sentence in _split_wishes(passage.text, (*passage.items, *passage.bullets))
        ]
        replaces = any(_REPLACES_ALL.search(sentence) for sentence in sentences)
        if later.parts and (replaces or not current.parts):
            current, change = later, Clarification()
            continue
        is_rewritten = any(_REWRITES.search(sentence) for sentence in sentences)
        if later.is_numbered and (
            is_rewritten or all(is_asking(part.text) for part in later.parts)
        ):
            current = _replace_parts(current, later.parts)
        elif later.is_numbered:
            # Answers to questions of the office, by the office's numbers.
            change = replace(change, unread=(*change.unread, *_quote_parts(later.parts)))
        elif later.parts:
            sentences += _list_unnumbered(later.parts)
        for sentence in sentences:
            change = _read_change(change, sentence, current, request_day)
    return current, change


def _list_unnumbered(parts: Sequence[LetterPart]) -> list[str]:
    """The wishes of parts without numbers; a list is one with the words that lead to it."""
    led: dict[str, list[str]] = {}
    for part in parts:
        if part.stem:
            led.setdefault(part.stem, []).append(part.text)
    stems = [wish for stem, items in led.items() for wish in _split_wishes(stem, items)]
    return stems + [
        wish for part in parts if not part.stem for wish in _split_wishes(part.text, part.items)
    ]


def _split_wishes(text: str, items: Sequence[str] = ()) -> list[str]:
    """The sentences of a text, one for each thing that they wish; the list below it belongs to the
    last one."""
    wishes = [
        wish.strip()
        for sentence in split_sentences(text)
        for wish in ([sentence] if _INSTEAD.match(sentence) else _NEXT_WISH.split(sentence))
        if wish.strip()
    ]
    if items:
        wishes[-1:] = [" ".join((*wishes[-1:], ", ".join(items)))]
    return wishes


def _quote_parts(parts: Sequence[LetterPart]) -> list[str]:
    return [f"{part.number}. {part.quotation}" for part in parts]


def _replace_parts(outline: Outline, new_parts: Sequence[LetterPart]) -> Outline:
    """The outline with the parts of a number, and those below them, rewritten."""
    tops = {_find_top(part.number) for part in new_parts}
    parts: list[LetterPart] = []
    placed: set[str] = set()
    for part in outline.parts:
        top = _find_top(part.number)
        if top not in tops:
            parts.append(part)
        elif top not in placed:
            placed.add(top)
            parts += [new for new in new_parts if _find_top(new.number) == top]
    parts += [new for new in new_parts if _find_top(new.number) not in placed]
    return replace(outline, parts=tuple(parts))


def _find_top(number: str) -> str:
    """The number of the part that a part is below: "4" of 4a."""
    match = re.match(r"\d+", number)
    return match[0] if match else number


def _read_change(
    change: Clarification, sentence: str, outline: Outline, request_day: date | None
) -> Clarification:
    """A clarification with what a sentence adds to it, or with the sentence if no rule takes it."""
    asked = replace(change, unread=(*change.unread, sentence))
    rest = sentence
    if numbers := _list_withdrawn(sentence, outline):
        rest = _cut_withdrawal(sentence)
        change = replace(change, withdrawn=(*change.withdrawn, *numbers))
        asked = replace(change, unread=asked.unread)
        if _EXCEPTS.search(rest.rpartition(";")[2]):
            return asked
    is_kept = bool(_KEEPS.search(rest)) and not _CHANGES.search(rest)
    detailed = _read_details(change, rest, request_day)
    # A detail of one part, or of what was said before, must not change the whole request.
    is_told = _TELLS.search(rest) and not (_CHANGES.search(rest) or _PLEASE.search(rest))
    if detailed and not _PARTS.search(rest) and not is_told and _is_sure(rest, outline):
        return detailed
    names_details = (
        detailed or find_quoted(rest) or _YEAR.search(rest) or find_codes(rest, in_list=True)
    )
    if names_details and _EXCHANGES.search(rest) and not _is_restated(rest, outline):
        return asked
    is_wish = bool(_PLAIN_REST.sub("", rest)) if numbers else _is_wish(rest)
    if is_kept or _is_restated(rest, outline) or not (is_wish or detailed):
        return change
    return asked


def _is_wish(sentence: str) -> bool:
    """Whether a sentence of a later mail may change the request: every sentence that is no
    courtesy, and does not only tell of something; a courtesy if it has words of a change."""
    if is_standing_text(sentence) or _COURTESY.search(sentence):
        is_change = _CHANGES.search(sentence) or _PARTS.search(sentence)
        return bool(is_change) and not _SPEAKS_OF_CHANGE.search(sentence)
    asks = is_directly_asking(sentence) or _PLEASE.search(sentence)
    if asks or _CHANGES.search(sentence):
        return True
    is_sentence = len(sentence.split()) > _MIN_REST_WORDS
    return is_sentence and not _TELLS.search(sentence) and not _SPEAKS_OF_CHANGE.search(sentence)


def _read_details(
    change: Clarification, sentence: str, request_day: date | None
) -> Clarification | None:
    """Another period or other terms; None if a sentence has neither."""
    periods = find_periods(sentence, request_day)
    dropped = _list_dropped_terms(sentence)
    terms = tuple(term for term in find_terms(sentence).terms if term.term not in dropped)
    changed = change
    if dropped:
        changed = replace(changed, dropped_terms=(*changed.dropped_terms, *dropped))
    if periods:
        changed = replace(changed, periods=tuple(periods))
    elif last := _find_day(_NEW_END, sentence, is_last=True):
        changed = replace(changed, last_day=last)
    if not periods and (first := _find_day(_NEW_START, sentence, is_last=False)):
        changed = replace(changed, first_day=first)
    if terms and _ADDS.search(sentence):
        changed = replace(changed, extra_terms=(*changed.extra_terms, *terms))
    elif terms:
        changed = replace(changed, terms=terms)
    return None if changed is change else replace(changed, sources=(*changed.sources, sentence))


def _is_sure(sentence: str, outline: Outline) -> bool:
    """Whether a sentence says for certain what becomes of the days and the terms that it names: it
    adds new ones, or it is about nothing but these. One that exchanges some is asked about."""
    if _TAKES_OFF.search(sentence):
        return True
    texts = [passage.text for passage in outline.context]
    texts += [line for part in outline.parts for line in (part.quotation, *part.items)]
    old_text = " ".join(texts).casefold()
    is_exchange = bool(_EXCHANGES.search(sentence))
    terms = [term.term.casefold() in old_text for term in find_terms(sentence).terms]
    years = [year in old_text for year in _YEAR.findall(sentence)]
    if _ADDS.search(sentence):
        return not (years or is_exchange)
    if len({*terms}) > 1 or len({*years}) > 1:
        return False
    if is_exchange:
        return bool(_WANTS_ONLY.search(sentence))
    return not terms or bool(_ALONE.search(sentence))


def _list_dropped_terms(sentence: str) -> list[str]:
    """The terms that a sentence takes off the list."""
    match = _TAKES_OFF.search(sentence)
    return [chunk.words for chunk in read_term_list(sentence, match.end("verb"))] if match else []


def _find_day(pattern: re.Pattern[str], sentence: str, *, is_last: bool) -> date | None:
    match = pattern.search(sentence)
    tokens = find_date_tokens(match["day"]) if match else []
    return (tokens[0].last if is_last else tokens[0].first) if tokens else None


def _list_withdrawn(sentence: str, outline: Outline) -> list[str]:
    """The numbers of the parts that a sentence takes back, and of those below them."""
    named = set(_iterate_numbers(sentence))
    return [
        part.number
        for part in outline.parts
        if fold_number(part.number) in named or _find_top(part.number) in named
    ]


def _iterate_numbers(sentence: str) -> Iterator[str]:
    """The numbers that stand directly beside a word that takes parts back."""
    for pattern in _TAKES_BACK:
        for match in pattern.finditer(sentence):
            for parts in _PARTS.finditer(match[0]):
                yield from list_written_numbers(parts["numbers"])


def _cut_withdrawal(sentence: str) -> str:
    """A sentence with a semicolon for the words that take parts back."""
    for pattern in _TAKES_BACK:
        sentence = pattern.sub(" ; ", sentence)
    return sentence


def _is_restated(sentence: str, outline: Outline) -> bool:
    """Whether the codes that a sentence speaks of stand in a part that was rewritten."""
    codes = {code for phrase in find_codes(sentence) for code in phrase.codes}
    texts = (
        code
        for part in outline.parts
        for item in (part.text, *part.items)
        for phrase in find_codes(item, in_list=True)
        for code in phrase.codes
    )
    return bool(codes) and codes <= set(texts)


def list_context_sentences(context: Sequence[LetterPassage]) -> list[str]:
    """The sentences that hold for all parts, for what no rule takes from them."""
    return [sentence for passage in context for sentence in split_sentences(passage.text)]

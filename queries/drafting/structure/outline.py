"""The outline of a mail: what it says for the whole request, and its parts with their numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from queries.drafting.phrases.breakdowns import NO_WISH, SEPARATELY, find_breakdowns
from queries.drafting.phrases.plain_text import split_sentences
from queries.drafting.structure.head import find_heading
from queries.drafting.structure.mails import RequestMail
from queries.drafting.structure.numbering import (
    LetterPassage,
    Node,
    find_question_nodes,
    flatten_nodes,
    read_nodes,
)
from queries.drafting.structure.parts import LetterPart
from queries.drafting.structure.roles import (
    COUNT_OFF_WORDS,
    WRITTEN_DATE,
    is_asking,
    is_counted_off,
    is_directly_asking,
    is_disclaimer,
    is_postscript,
    is_standing_text,
)

_OPEN_PASSAGE: Final = re.compile(r"[:-]\s*$")


#: What leads to all questions below it.
_LEADS_TO_ALL: Final = re.compile(
    r"\b(?:the following|questions|as follows|below)\b[^.]*:\s*$", re.IGNORECASE
)

_NAMED_WISH: Final = re.compile(
    r"\W*(?:(?:an?|the)\s+)?(?:\w+\s+)?(?:numbers?|totals?|breakdown|figures)\b(?!\s+(?:is|are|was|were|will|would|should|can|could|may)\b)",
    re.IGNORECASE,
)

#: A sentence that begins as the name of something does, and leads to nothing.
_BARE_WISH: Final = re.compile(
    r"(?:(?:and|also|then|plus),?\s+)*(?:the|their|its|an?|any|each)\s[^:?]*[^:?-]", re.IGNORECASE
)

_VERB: Final = re.compile(
    r"\b(?:is|are|was|were|be|been|being|has|have|had|do|does|did|will|would|should|shall|can|could|may|might|must|mean[st]?|"
    r"refers?|appl(?:y|ies)|includes?|cover|covers|need|needs|counts?|holds?|i|we|you|not|that|which)\b",
    re.IGNORECASE,
)

_COUNTED: Final = re.compile(r"\bhow (?:many|much|old)\b|\bnumbers? of\b|\btotal\b", re.IGNORECASE)


#: What is said of the parts above, and is no part of its own.
_ABOUT_PARTS: Final = re.compile(
    r"\b(?:the above|each (?:question|part|of the (?:questions|parts))|all (?:of )?(?:the |my |our )?(?:questions|parts|points|requests|these|this)|(?:questions?|parts?|points?) (?:\d+|one|above))\b",
    re.IGNORECASE,
)

_WISH: Final = re.compile(
    r"\bplease (?:also )?(?:state|tell|provide|give|send|supply|describe|explain)\b", re.IGNORECASE
)

_NEW_WISH: Final = re.compile(
    r"[,;]?\s+and\s+(?=(?:also|finally|(?:i|we)(?: would|'d)? (?:also )?(?:like|want|need)|please|(?:could|can) you)\b)"
    rf"|[,;]\s+(?:and\s+)?(?={COUNT_OFF_WORDS}\s*,)",
    re.IGNORECASE,
)


class Outline(Struct, frozen=True):
    """A mail as it is built. ``context`` are the sentences that hold for all parts, each perhaps
    with the list below it; ``parts`` are in their order.
    """

    context: tuple[LetterPassage, ...] = ()
    parts: tuple[LetterPart, ...] = ()
    is_numbered: bool = False


def build_outline(mail: RequestMail) -> Outline:
    """The outline of a mail."""
    body = [line for line in mail.body if not is_disclaimer(line)]
    if body and body[0].text and body[0].text == find_heading(mail):
        body = body[1:]
    body += [line for line in mail.signature if is_postscript(line)]
    entries = read_nodes(body)
    question_nodes = find_question_nodes(entries)
    if question_nodes:
        return _build_numbered(entries, question_nodes)
    return _build_unnumbered([entry for entry in entries if isinstance(entry, LetterPassage)])


def _build_numbered(entries: Sequence[Node | LetterPassage], questions: Sequence[Node]) -> Outline:
    """The outline of a mail with numbers: a question before the first of them is part 0."""
    context: list[LetterPassage] = []
    before: list[LetterPart] = []
    behind: list[LetterPassage] = []
    is_before = True
    for entry in entries:
        if isinstance(entry, LetterPassage):
            passages = _split_passage(entry)
            if is_before:
                zero_passages = [passage for passage in passages if _is_zero_part(passage)]
                before += [
                    LetterPart("0", passage.text, items=passage.items) for passage in zero_passages
                ]
                passages = [passage for passage in passages if passage not in zero_passages]
            else:
                behind += [passage for passage in passages if _is_further_part(passage)]
                passages = [
                    replace(passage, is_behind=True)
                    for passage in passages
                    if not _is_further_part(passage)
                ]
            context += passages
            continue
        inner = entry.contains(questions)
        is_before = is_before and not inner
        if inner and entry not in questions:
            context += (
                [LetterPassage(entry.text, tuple(entry.items), is_stem=True)] if entry.text else []
            )
        elif not inner:
            context += entry.list_passages()
    parts = [*_join_zero(before), *flatten_nodes(questions)]
    parts += _number_behind(behind, parts)
    return Outline(tuple(context), tuple(parts), is_numbered=True)


def _is_further_part(passage: LetterPassage) -> bool:
    """Whether a sentence behind the numbers asks for a count of its own."""
    if is_counted_off(passage.text):
        return _is_question(passage)
    return _is_zero_part(passage) and not _ABOUT_PARTS.search(passage.text)


def _number_behind(
    passages: Sequence[LetterPassage], parts: Sequence[LetterPart]
) -> list[LetterPart]:
    """Questions behind the numbered parts as parts with the numbers that follow."""
    tops = [int(match[0]) for part in parts if (match := re.match(r"\d+", part.number))]
    last = max(tops, default=len(parts))
    return _number_parts(
        [LetterPart("", passage.text, items=passage.items) for passage in passages], last
    )


def _join_zero(parts: Sequence[LetterPart]) -> list[LetterPart]:
    """The questions before part 1 as one part."""
    if len(parts) < 2:
        return list(parts)
    text = "\n".join(part.text for part in parts)
    return [LetterPart("0", text, items=tuple(item for part in parts for item in part.items))]


def _is_question(passage: LetterPassage) -> bool:
    """Whether a sentence asks by itself: not if it only leads to what follows."""
    wishes = _WISH.search(passage.text) or (
        is_directly_asking(passage.text) and find_breakdowns(passage.text)
    )
    is_lead = bool(_OPEN_PASSAGE.search(passage.text)) and not passage.items
    return bool(
        (is_asking(passage.text) or wishes) and not is_lead and not _is_standing(passage.text)
    )


def _is_counted_part(passage: LetterPassage) -> bool:
    """Whether a sentence is a part because it begins with its number in words."""
    is_lead = _OPEN_PASSAGE.search(passage.text) and not passage.items
    return is_counted_off(passage.text) and not is_lead and not _is_standing(passage.text)


def _is_zero_part(passage: LetterPassage) -> bool:
    """Whether a sentence before part 1 is a question that is counted, and not talk about one."""
    return _is_question(passage) and bool(_COUNTED.search(passage.text))


def _is_standing(sentence: str) -> bool:
    """Whether a sentence has no wish of its own: standing words, or what is not wanted."""
    if NO_WISH.search(sentence):
        return True
    return is_standing_text(sentence) and not _COUNTED.search(sentence)


def _split_passage(passage: LetterPassage) -> list[LetterPassage]:
    """The sentences of a passage; its list belongs to the last one."""
    sentences = [
        clause
        for sentence in split_sentences(passage.text)
        for clause in _split_wishes(sentence)
        if not WRITTEN_DATE.fullmatch(sentence.strip(" ."))
    ]
    if not sentences:
        return [passage] if passage.items else []
    pieces = [LetterPassage(sentence) for sentence in _join_leads(sentences)]
    pieces[-1] = replace(pieces[-1], items=passage.items, bullets=passage.bullets)
    return pieces


def _split_wishes(sentence: str) -> list[str]:
    """A sentence at each "and I would like to know", with which another question begins."""
    return [clause.strip() for clause in _NEW_WISH.split(sentence) if clause.strip()]


def _join_leads(sentences: Sequence[str]) -> list[str]:
    """The sentences, each that ends with a colon or a dash together with the next."""
    joined: list[str] = []
    for sentence in sentences:
        if joined and _OPEN_PASSAGE.search(joined[-1]):
            joined[-1] = f"{joined[-1]}\n{sentence}"
        else:
            joined.append(sentence)
    return joined


def _build_unnumbered(passages: Sequence[LetterPassage]) -> Outline:
    """The outline of a mail without numbers: its parts count in the order in which they are asked.

    A sentence behind a question that says more about it belongs to it.
    """
    context: list[LetterPassage] = []
    parts: list[LetterPart] = []
    for passage in _join_open(passages):
        for index, piece in enumerate(_split_passage(passage)):
            if piece.bullets:
                lead = [LetterPart("", piece.text)] if _is_lead_question(piece.text) else []
                parts += _number_parts(lead, len(parts))
                parts += _number_parts(
                    [LetterPart("", bullet, stem=piece.text) for bullet in piece.bullets],
                    len(parts),
                )
            elif (
                _is_question(piece)
                or _is_counted_part(piece)
                or (index == 0 and _names_wish(piece.text))
                or (index == 0 and parts and _is_bare_wish(piece))
            ):
                parts += _number_parts([LetterPart("", piece.text, items=piece.items)], len(parts))
            elif parts and _says_more(piece) and not _ABOUT_PARTS.search(piece.text):
                last = parts[-1]
                parts[-1] = replace(
                    last, text=f"{last.text}\n{piece.text}".strip(), items=last.items + piece.items
                )
            else:
                context.append(replace(piece, is_behind=bool(parts)))
    return Outline(tuple(context), tuple(parts))


def _is_bare_wish(passage: LetterPassage) -> bool:
    """Whether the first sentence of a paragraph names something, and says nothing of it: "The sex of
    the victims, in numbers." Behind a question it asks for that, too."""
    is_bare = _BARE_WISH.fullmatch(passage.text) and not _VERB.search(passage.text)
    return bool(is_bare) and not _is_standing(passage.text)


def _is_lead_question(text: str) -> bool:
    """Whether the sentence above a list of questions is one too."""
    return _is_question(LetterPassage(text))


def _says_more(passage: LetterPassage) -> bool:
    """Whether a sentence without a question goes on with the one before it."""
    if passage.items or find_breakdowns(passage.text) or SEPARATELY.search(passage.text):
        return True
    return not _is_standing(passage.text)


def _join_open(passages: Iterable[LetterPassage]) -> list[LetterPassage]:
    """The passages, each that ends with a colon or a dash together with the next."""
    joined: list[LetterPassage] = []
    for passage in passages:
        previous = joined[-1] if joined else None
        is_open = previous and not (
            previous.items or previous.bullets or _leads_to_all(previous.text)
        )
        if previous and is_open and _OPEN_PASSAGE.search(previous.text):
            joined[-1] = replace(passage, text=f"{previous.text}\n{passage.text}".strip("\n"))
        else:
            joined.append(passage)
    return joined


def _names_wish(text: str) -> bool:
    """Whether a paragraph is a question without a verb: "A breakdown by outcome."."""
    return bool(_NAMED_WISH.match(text)) and not _OPEN_PASSAGE.search(text)


def _leads_to_all(text: str) -> bool:
    """Whether a text leads to all questions below it, and asks for nothing itself."""
    return bool(_LEADS_TO_ALL.search(text)) and not _COUNTED.search(text)


def _number_parts(parts: Sequence[LetterPart], count: int) -> list[LetterPart]:
    return [replace(part, number=str(count + number)) for number, part in enumerate(parts, start=1)]

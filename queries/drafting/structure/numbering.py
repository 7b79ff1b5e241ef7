"""The numbers of a mail as a tree: which part is below which, and which list is only values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from queries.drafting.phrases.bands import find_bands
from queries.drafting.phrases.breakdowns import YOUNGEST, find_breakdowns
from queries.drafting.phrases.codes import find_codes
from queries.drafting.phrases.term_lists import read_term_item
from queries.drafting.phrases.terms import speaks_of_terms
from queries.drafting.structure.labels import Label, follows, starts_series
from queries.drafting.structure.lines import LetterLine
from queries.drafting.structure.parts import LetterPart
from queries.drafting.structure.roles import is_asking

_LEADS: Final = re.compile(r"[:-]\s*$")

_NAMES_LIST: Final = re.compile(r"\b(?:following|below|these|listed)\b", re.IGNORECASE)

_CODE_LEAD: Final = re.compile(
    r"\bcodes?\b|\bclassif\w+|\bclass(?:es)?\b|\boffences?\b|\bcategor", re.IGNORECASE
)

_BAND_LEAD: Final = re.compile(r"\bages?\b|\baged\b|\bbands?\b|\bbrackets?\b", re.IGNORECASE)

_LONGEST_VALUE_WORDS: Final = 14


class LetterPassage(Struct, frozen=True):
    """Words that stand in no numbered part. ``items`` is a list of values below them, ``bullets``
    a list of questions; ``is_stem`` if they lead to numbered parts, and ``is_behind`` if they stand
    behind a part.
    """

    text: str
    items: tuple[str, ...] = ()
    bullets: tuple[str, ...] = ()
    is_stem: bool = False
    is_behind: bool = False


class Node(Struct, eq=False):
    """A numbered part in the making: its words, the list and the parts below it."""

    label: Label
    text: str
    items: list[str] = msgspec.field(default_factory=list)
    children: list[Node] = msgspec.field(default_factory=list)

    def contains(self, nodes: Sequence[Node]) -> bool:
        """Whether it or a part below it is one of some nodes."""
        return any(self is node for node in nodes) or any(
            child.contains(nodes) for child in self.children
        )

    def walk(self) -> Iterator[Node]:
        """The node and all below it, in order."""
        yield self
        for child in self.children:
            yield from child.walk()

    def list_passages(self) -> list[LetterPassage]:
        """Its words as context, with the values below it."""
        return [
            LetterPassage(node.text, tuple(node.items))
            for node in self.walk()
            if node.text or node.items
        ]


class _Numbering:
    """What has been read of a mail so far: entries, and where the next line belongs."""

    def __init__(self) -> None:
        self.entries: list[Node | LetterPassage] = []
        self.path: list[Node] = []
        self.is_broken = False  # a paragraph stands behind the last part


def read_nodes(lines: Iterable[LetterLine]) -> list[Node | LetterPassage]:
    """The passages and the top parts of a mail, in their order, each part with those below it.

    A numbered list of values (codes, terms, ages) becomes the list of what leads to it.
    """
    reading = _Numbering()
    for line in lines:
        if line.label is not None:
            _add_numbered(reading, line.label, line)
        elif line.is_bullet:
            _add_bullet(reading, line)
        elif line.text:
            _add_paragraph(reading, line.text)
    return _settle_values(reading.entries)


def find_question_nodes(entries: Sequence[Node | LetterPassage]) -> list[Node]:
    """The nodes that are the parts of the letter: those called question, if any, or else all top
    ones."""
    nodes = [entry for entry in entries if isinstance(entry, Node)]
    named = [node for top in nodes for node in top.walk() if node.label.style == "named"]
    return named or nodes


def flatten_nodes(nodes: Sequence[Node]) -> list[LetterPart]:
    """The parts in order, with whole numbers ("4a"). What only leads to others is their stem."""
    return [part for node in nodes for part in _flatten_node(node, "", "")]


def _flatten_node(node: Node, above: str, stem: str) -> Iterator[LetterPart]:
    number = _join_number(above, node.label.text)
    bullets = [] if node.children else _split_questions(node)
    if not node.children and not bullets:
        yield LetterPart(number, node.text, stem, tuple(node.items))
        return
    is_question = is_asking(node.text) and not _LEADS.search(node.text) and node.text[-1:] in ".?"
    if is_question:
        yield LetterPart(number, node.text, stem, tuple(node.items if node.children else ()))
    inner_stem = "\n".join(filter(None, (stem, node.text, *(node.items if node.children else ()))))
    for child in node.children:
        yield from _flatten_node(child, number, inner_stem)
    for index, bullet in enumerate(bullets):
        yield LetterPart(_join_number(number, chr(ord("a") + index % 26)), bullet, inner_stem)


def _split_questions(node: Node) -> list[str]:
    """The bullets below a part, if they are questions and not values."""
    values = [is_value(item, node.text) for item in node.items]
    return list(node.items) if node.items and not any(values) else []


def _join_number(above: str, text: str) -> str:
    if above and text[:1].isdigit() and above[-1:].isdigit():
        return text if text.startswith(f"{above}.") else f"{above}.{text}"
    return f"{above}{text}"


def _add_numbered(reading: _Numbering, label: Label, line: LetterLine) -> None:
    node = Node(label, line.text)
    for depth in range(len(reading.path) - 1, -1, -1):
        if follows(reading.path[depth].label, label):
            siblings = reading.path[depth - 1].children if depth else None
            if siblings is None:
                reading.entries.append(node)
            else:
                siblings.append(node)
            reading.path = [*reading.path[:depth], node]
            reading.is_broken = False
            return
    is_child = reading.path and starts_series(label) and not reading.is_broken
    is_same_style = any(above.label.style == label.style for above in reading.path)
    if is_child and (not is_same_style or line.level > 0):
        reading.path[-1].children.append(node)
        reading.path.append(node)
    else:
        reading.entries.append(node)
        reading.path = [node]
    reading.is_broken = False


def _add_bullet(reading: _Numbering, line: LetterLine) -> None:
    text = " ".join(line.text.replace("\t", " ").split())
    if reading.path and not reading.is_broken:
        reading.path[-1].items.append(text)
        return
    last = reading.entries[-1] if reading.entries else None
    if isinstance(last, LetterPassage):
        reading.entries[-1] = msgspec.structs.replace(last, bullets=(*last.bullets, text))
    else:
        reading.entries.append(LetterPassage("", bullets=(text,)))


def _add_paragraph(reading: _Numbering, text: str) -> None:
    node = reading.path[-1] if reading.path else None
    goes_on = node and (
        text[:1].islower()
        or not (node.text or node.children or node.items)
        or (_LEADS.search(node.text) and not node.items and not node.children)
    )
    if node and goes_on and not reading.is_broken:
        node.text = f"{node.text}\n{text}".strip()
        return
    reading.entries.append(LetterPassage(text))
    reading.is_broken = bool(reading.path)


def _settle_values(entries: list[Node | LetterPassage]) -> list[Node | LetterPassage]:
    """The entries, with lists of values below the words that lead to them."""
    settled: list[Node | LetterPassage] = []
    for number, entry in enumerate(entries):
        if isinstance(entry, LetterPassage):
            settled.append(_settle_bullets(entry))
            continue
        _settle_children(entry)
        lead = next(
            (previous for previous in reversed(settled) if isinstance(previous, LetterPassage)),
            None,
        )
        series = _list_series(entries, number)
        is_after_lead = bool(settled) and lead is settled[-1]
        if lead and is_after_lead and not entry.children and _are_values(series, lead.text):
            settled[-1] = msgspec.structs.replace(lead, items=(*lead.items, entry.text))
        else:
            settled.append(entry)
    return settled


def _list_series(entries: Sequence[Node | LetterPassage], number: int) -> list[Node]:
    """The top nodes around an entry that no passage divides from it."""
    series: list[Node] = []
    for entry in entries[number:]:
        if not isinstance(entry, Node) or (series and not follows(series[-1].label, entry.label)):
            break
        series.append(entry)
    return series


def _settle_children(node: Node) -> None:
    if node.children and _are_values(node.children, node.text):
        node.items += [child.text for child in node.children]
        node.children = []
    for child in node.children:
        _settle_children(child)


def _settle_bullets(passage: LetterPassage) -> LetterPassage:
    values = [is_value(bullet, passage.text) for bullet in passage.bullets]
    if values and sum(values) * 2 > len(values):
        return LetterPassage(passage.text, (*passage.items, *passage.bullets))
    return passage


def _are_values(nodes: Sequence[Node], lead: str) -> bool:
    """Whether a numbered list is only values: no node has parts of its own, and most are short."""
    if any(node.children for node in nodes):
        return False
    values = [is_value(node.text, lead) for node in nodes]
    return sum(values) * 2 > len(values)


def is_value(text: str, lead: str) -> bool:
    """Whether an item below a lead is a value (a code, a term or a band), and no question."""
    if is_asking(text) or (
        len(text.split()) > _LONGEST_VALUE_WORDS and not find_codes(text, in_list=True)
    ):
        return False
    codes = find_codes(text, in_list=True)
    if codes and codes[0].begin <= 1 and (_CODE_LEAD.search(lead) or not lead):
        return True
    if find_bands(f"aged {text}") and _BAND_LEAD.search(lead):
        return True
    if YOUNGEST.search(text) or find_breakdowns(text):
        return False
    leads = _LEADS.search(lead) or _NAMES_LIST.search(lead)
    return bool(leads and speaks_of_terms(lead) and read_term_item(text))

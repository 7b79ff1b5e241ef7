"""Near misses that the matching rule cuts apart: where a hard character stands inside a term.

Pure. Three kinds are known, each a sequence of words with what may stand between them:

- an abbreviation with full stops ("U.S.A." or "U. S. A." for "USA");
- a number with its digits grouped ("1,000" for "1000");
- a term broken by a page: a hyphen at a line's end, and a blank line or a form feed after it.

The server can find only records where the words are near one another; whether one contains such a
wording is read in its text.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from enum import Enum
from itertools import pairwise
from typing import Final, NamedTuple

from elasticsearch.dsl.query import Bool, Intervals, Query

from indexer.records.characters import DASHES
from indexer.records.narrative import SegmentedNarrative, fold_text
from queries.matching.highlight import IndexedWord, TermForm, iter_segment_words

MAX_ABBREVIATION_LENGTH: Final = 6

MIN_GROUPED_DIGITS: Final = 4


_BREAK: Final = r"(?:\n[^\S\n]*\n|\r\r|\f|\u2029)"


class _Joint(Enum):
    """What may stand between two words: a pattern of the whole of it."""

    SOFT = re.compile(rf"(?![\s{DASHES}]*?{_BREAK})[\s{DASHES}]*")
    PAGE = re.compile(rf"[^\S\n]*[{DASHES}](?=\s*?{_BREAK})\s+")
    STOP = re.compile(r"\.[^\S\n]?")
    GROUP = re.compile("[,.']")


class BrokenForm(NamedTuple):
    """Words that make a term if what may stand between them, joint by joint, is left out."""

    words: TermForm
    joints: tuple[frozenset[_Joint], ...]

    @property
    def hard_count(self) -> int:
        """The most hard joints between the words."""
        hard = [joint for joint in self.joints if joint != {_Joint.SOFT}]
        return 1 if any(_Joint.PAGE in joint for joint in hard) else len(hard)


class BrokenWording(NamedTuple):
    """The words of a broken form, how a text writes them in one line, and where: from ``start`` up
    to, not including, ``end``."""

    words: TermForm
    written: str
    start: int
    end: int


_SOFT: Final = frozenset({_Joint.SOFT})
_PAGE: Final = frozenset({_Joint.SOFT, _Joint.PAGE})
_STOP: Final = frozenset({_Joint.STOP})
_AFTER_STOP: Final = frozenset({_Joint.STOP, _Joint.SOFT})
_GROUP: Final = frozenset({_Joint.GROUP})


def list_dotted_forms(own_words: TermForm) -> list[BrokenForm]:
    """The words of a term with one of them as an abbreviation with full stops."""
    return [
        _replace_word(own_words, index, tuple(word), _STOP, _AFTER_STOP)
        for index, word in enumerate(own_words)
        if word.isalpha() and 2 <= len(word) <= MAX_ABBREVIATION_LENGTH
    ]


def list_grouped_forms(own_words: TermForm) -> list[BrokenForm]:
    """The words of a term with the digits of one of them in groups of three."""
    forms = []
    for index, word in enumerate(own_words):
        if word.isdecimal() and len(word) >= MIN_GROUPED_DIGITS:
            first = len(word) % 3 or 3
            groups = (word[:first], *(word[at : at + 3] for at in range(first, len(word), 3)))
            forms.append(_replace_word(own_words, index, groups, _GROUP, _SOFT))
    return forms


def list_page_forms(forms: Collection[TermForm]) -> list[BrokenForm]:
    """The forms of several words, any two of which a page may break."""
    return [BrokenForm(form, (_PAGE,) * (len(form) - 1)) for form in forms if len(form) > 1]


def _replace_word(
    own_words: TermForm,
    index: int,
    pieces: TermForm,
    inner: frozenset[_Joint],
    after: frozenset[_Joint],
) -> BrokenForm:
    words = (*own_words[:index], *pieces, *own_words[index + 1 :])
    joints = [_SOFT] * (len(words) - 1)
    joints[index : index + len(pieces) - 1] = [inner] * (len(pieces) - 1)
    if index + 1 < len(own_words):
        joints[index + len(pieces) - 1] = after
    return BrokenForm(words, tuple(joints))


def build_broken_query(forms: Sequence[BrokenForm]) -> Query | None:
    """The records where the words of a form stand near one another, in order."""
    if not forms:
        return None
    queries = [
        Intervals(
            narrative={
                "all_of": {
                    "intervals": [{"match": {"query": word}} for word in form.words],
                    "ordered": True,
                    "max_gaps": form.hard_count,
                }
            }
        )
        for form in forms
    ]
    return Bool(should=queries, minimum_should_match=1)


class BrokenWordingFinder:
    """Finds the broken forms of a term in texts."""

    def __init__(self, forms: Sequence[BrokenForm]) -> None:
        self._forms_by_word: dict[str, list[BrokenForm]] = defaultdict(list)
        for form in forms:
            self._forms_by_word[form.words[0]].append(form)

    def find_wordings(self, narrative: SegmentedNarrative) -> Iterator[BrokenWording]:
        """Each broken form, as often as it occurs."""
        text = "".join(narrative.segments)
        words = [word for segment in iter_segment_words(narrative) for word in segment]
        for first, word in enumerate(words):
            for form in self._forms_by_word.get(word.text, ()):
                run = words[first : first + len(form.words)]
                if tuple(one.text for one in run) == form.words and _is_broken(text, run, form):
                    start, end = run[0].start, _find_end(text, run, form)
                    written = fold_text(" ".join(text[start:end].split()))
                    yield BrokenWording(form.words, written, start, end)


def _is_broken(text: str, run: list[IndexedWord], form: BrokenForm) -> bool:
    """Whether what stands between the words is allowed there, and some of it is hard."""
    gaps = [text[one.end : other.start] for one, other in pairwise(run)]
    return all(
        any(joint.value.fullmatch(gap) for joint in joints)
        for gap, joints in zip(gaps, form.joints, strict=True)
    ) and not all(_Joint.SOFT.value.fullmatch(gap) for gap in gaps)


def _find_end(text: str, run: list[IndexedWord], form: BrokenForm) -> int:
    """Where the wording ends, with the full stop that ends an abbreviation."""
    end = run[-1].end
    return end + (form.joints[-1] == _STOP and text[end : end + 1] == ".")

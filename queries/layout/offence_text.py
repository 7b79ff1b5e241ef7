"""What is known of offence codes, in lines for a person. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import shorten
from typing import Final

from indexer.records.offences.facts import NameKind
from indexer.records.offences.lookup import FoundName, FoundOffence, OffenceLookup
from indexer.terminal import show_name
from queries.layout.text_table import PAGE_WIDTH, wrap_paragraph

_CODE_WIDTH: Final = 8

#: What each kind of name is, after the name. Codes follow, if there are any.
_ANSWERS: Final[dict[NameKind, str]] = {
    "class": "is counted by whole classes.",
    "subcode": "is part of a class, and has codes of its own.",
    "mixed": "is in several codes.",
    "outcome": "is an outcome of a record, and not an offence.",
    "flag": (
        "is a flag that forces set on records of many offences. It is not an offence, and no code "
        "counts it. If your records have the flag as a field, ask for it with where:. If not, ask "
        "for words in the text."
    ),
    "fraud": "is recorded by Action Fraud. Forces have no count of it.",
    "none": "has no code of its own. Ask for words in the text.",
}

_KINDS_WITHOUT_CODE: Final = ("flag", "none", "outcome")


def format_offence_lookup(lookup: OffenceLookup, own_table: str | None = None) -> str:
    """What is known of the words asked about, as lines. ``own_table`` is the file with all codes,
    if the force has a scheme of its own."""
    lines = [wrap_paragraph(_describe_name(name)) for name in lookup.names]
    if lookup.offences and not lookup.is_exact:
        lines.append(f'No title has the words "{show_name(lookup.words)}". Similar ones:')
    if lookup.offences:
        lines += [""] if lines else []
        lines += [line for offence in lookup.offences for line in _format_offence(offence)]
    if lookup.more:
        lines.append(f"and {lookup.more:,} more; --limit shows more of them")
    if not lines:
        lines.append(
            f'Nothing is known of "{show_name(lookup.words)}". Try one word of the title of the '
            f"offence, or its code.{f' The codes are those of {own_table}.' if own_table else ''}"
        )
    return "\n".join(lines) + "\n"


def _describe_name(name: FoundName) -> str:
    sentences = [f'"{name.name}" {_ANSWERS[name.kind]}']
    if name.codes:
        is_apart = name.kind in _KINDS_WITHOUT_CODE
        lead = "Such records are mostly in" if is_apart else "Count"
        since = f", since {name.since.day} {name.since:%B %Y}" if name.since else ""
        sentences.append(f"{lead} {', '.join(name.codes)}{since}.")
    sentences.append(f"As far as known ({name.certainty}).")
    return " ".join(sentences)


def _format_offence(offence: FoundOffence) -> Iterator[str]:
    """The title in a line, and what else is known in the next."""
    title = shorten(offence.title, PAGE_WIDTH - _CODE_WIDTH - 2, placeholder=" ...")
    yield f"{offence.code:<{_CODE_WIDTH}}  {title}"
    facts = list(_list_facts(offence))
    if facts:
        yield f"{'':<{_CODE_WIDTH}}  {'; '.join(facts)}"


def _list_facts(offence: FoundOffence) -> Iterator[str]:
    if offence.group:
        yield offence.group
    if len(offence.classes) > 1:
        yield f"class {', '.join(offence.classes[:-1])} or {offence.classes[-1]}"
    elif offence.classes:
        yield f"class {offence.classes[0]}"
    if offence.validity:
        yield offence.validity
    if not offence.recorded:
        yield "in no list of recorded crime"

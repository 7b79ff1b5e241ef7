"""What a letter must not leave out: the words without which it would mislead. Pure.

A force's own template may be older than a part of a letter. A letter that refuses something and
does not say why must not be sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from indexer.errors import ConfigurationError
from queries.documents.content.number_check import ExtractedText


def flatten_text(content: ExtractedText) -> str:
    """All that a document says, without spaces."""
    rows = [" ".join((label, *cells)) for label, cells in content.rows]
    return remove_spaces(" ".join([*content.prose, *rows]))


def remove_spaces(text: str) -> str:
    """The text without spaces, and without places where a long word may break: in plain text, an
    address that is longer than a line is broken by the end of the line."""
    return "".join(text.replace("\u200b", "").split())


def list_missing(text: str, contents: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The names of what a document, as ``flatten_text`` gives it, does not hold."""
    return tuple(
        name
        for name, parts in contents.items()
        if any(remove_spaces(part) not in text for part in parts if part)
    )


def list_required_contents(names: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """What a letter must hold beside its figures, by what a person calls it."""
    questions = names["questions"]
    return {
        "the words of the letter": tuple(block.text for block in names["body"]),
        "the refusal notice": tuple(block.text for block in names["notice"]),
        "the sections of the Act": tuple(
            text
            for section in names["sections"]
            for text in (section.heading, *(block.text for block in section.blocks))
        ),
        "the officer's notes": tuple(line for question in questions for line in question.note),
        "why parts have no figures": tuple(
            line for question in questions if not question.counted for line in question.prose
        ),
    }


def require_contents(content: ExtractedText, names: Mapping[str, Any], document: str) -> None:
    """Raise ConfigurationError if a letter leaves out words without which it would mislead."""
    missing = list_missing(flatten_text(content), list_required_contents(names))
    if missing:
        raise ConfigurationError(
            f"{document} leaves out {'; '.join(missing)}, so the letter was not written. Your "
            "template is older than this part of a letter: take it from ours (foidex templates "
            "init), or delete yours. foidex templates check says what else is missing."
        )

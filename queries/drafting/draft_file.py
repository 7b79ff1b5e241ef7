"""The draft of a letter: understood, without the requester's name, and written to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from indexer.config.model import Settings
from indexer.errors import OutputError, RequestError
from indexer.files import Permissions, open_folder
from queries.drafting.draft import Draft
from queries.drafting.drafting import draft_request
from queries.drafting.letter_text import LetterText
from queries.drafting.request_mapping import build_request_mapping
from queries.drafting.request_text import list_requester_names, remove_requester
from queries.request.reader import parse_request


class DraftedLetter(NamedTuple):
    """A letter as it was understood, and as the mapping of a request file."""

    draft: Draft
    mapping: dict[str, Any]


def draft_letter(letter: LetterText) -> DraftedLetter:
    """Understand a letter. Only ``letter.to`` of the mapping names the requester."""
    draft = draft_request(letter)
    names = [
        name
        for message in letter.messages
        if message.sender == draft.head.sender
        for name in (message.sender, message.address)
        if name
    ]
    mapping = build_request_mapping(draft)
    return DraftedLetter(draft, remove_requester(mapping, list_requester_names(draft, names)))


def is_valid_request(text: str, settings: Settings) -> bool:
    """Whether the text of a request file can be read."""
    try:
        parse_request(text, categories=settings.categories, act=settings.force.act)
    except RequestError:
        return False
    return True


def write_draft(path: Path, text: str, permissions: Permissions) -> None:
    """Write a request file whole or not at all. Raises OutputError."""
    try:
        with open_folder(path.parent, writes=True) as folder:
            folder.write_file(path.name, text.encode(), permissions)
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({error.strerror}). Choose another place with --out."
        ) from None

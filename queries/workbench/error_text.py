"""What a page says of an error: what is wrong, and advice that fits a browser.

Messages are written for the command line, whose advice names options, files and commands. What only
whoever looks after foidex can mend is said as such.
"""

from __future__ import annotations

import re
from typing import Final

from indexer.errors import (
    BrokenChainError,
    ConfigurationError,
    EmbeddedError,
    FoidexError,
    NoIndexError,
    OutputError,
    ServerError,
)

_ASK: Final = "Tell whoever looks after foidex:"

#: Errors of what is around foidex, which nobody mends in a form, and the sentence before each.
_AROUND: Final[tuple[tuple[type[FoidexError], str], ...]] = (
    (NoIndexError, f"There are no records to count yet. {_ASK}"),
    (ServerError, f"The records cannot be reached now. Try again in a minute. {_ASK}"),
    (EmbeddedError, f"The records cannot be reached now. {_ASK}"),
    (ConfigurationError, f"The settings do not allow it. {_ASK}"),
    (BrokenChainError, f"The audit log is not whole, so nothing is done. {_ASK}"),
    (OutputError, f"It could not be saved. Nothing was changed. {_ASK}"),
)

#: Where a page has what an option of the command line gives.
_FIELDS: Final = {
    "Answer the request again with --review to state them.": "To state them, tick the review on "
    "the page of the numbers and count again.",
    " (foidex forget)": "",
    "--override REASON": 'the field "Reason for setting a rule aside"',
    "--override": 'the field "Reason for setting a rule aside"',
    "--sample out": 'the field "How many records are read" empty',
    "--sample": 'the field "How many records are read"',
    "--criterion": 'the field "When is a record relevant?"',
    "from the file. foidex lint shows them; foidex draft --ask asks them one by one.": "under "
    "confirm.",
    "Give this one another name with --name.": "Go on with it: it is in the list of reviews.",
    "foidex review status names them.": "The page of the review counts them.",
    "foidex review next": 'the button "Read the next record" of the review',
    "foidex review start": 'the button "Read and decide" of its records',
}

_OPTIONS: Final = re.compile(
    "|".join(re.escape(option) for option in sorted(_FIELDS, key=len, reverse=True))
)

#: Where the advice names what is written into it.
_COMMANDS: Final = (
    (
        re.compile(r"foidex review approve REQUEST .*, with the name of the request file\."),
        'the link "Approve the texts" on the page of the request.',
    ),
)

#: A path of a folder before the name of a file, which says nothing to a reader of the page.
_FOLDERS: Final = re.compile(r"(?<![\w:/.])/(?:[^\s:/\"]+/)+(?=[^\s:/\"])")


def describe_error(error: FoidexError) -> str:
    """What went wrong, for a page."""
    return describe_message(str(error), type(error))


def describe_message(message: str, kind: type[FoidexError]) -> str:
    """What the message of an error of a kind says on a page."""
    around = next((words for other, words in _AROUND if issubclass(kind, other)), "")
    text = _FOLDERS.sub("", message)
    if around:
        return f"{around}\n{text}"
    for pattern, words in _COMMANDS:
        text = pattern.sub(words, text)
    return _OPTIONS.sub(lambda option: _FIELDS[option.group()], text)

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
    UnfinishedOutputError,
    UnreadableError,
)

_ASK: Final = "Tell whoever looks after foidex:"

#: Errors of what is around foidex, which nobody mends in a form, and the sentence before each.
_AROUND: Final[tuple[tuple[type[FoidexError], str], ...]] = (
    (NoIndexError, f"There are no records to count yet. {_ASK}"),
    (ServerError, f"The records cannot be reached now. Try again in a minute. {_ASK}"),
    (EmbeddedError, f"The records cannot be reached now. {_ASK}"),
    (ConfigurationError, f"The settings do not allow it. {_ASK}"),
    (BrokenChainError, f"The audit log is not whole, so nothing is done. {_ASK}"),
    (UnfinishedOutputError, f"It is done, but its documents are not in their place yet. {_ASK}"),
    (UnreadableError, f"It cannot be read. {_ASK}"),
    # What was done before it failed, the message itself says: a release may be recorded.
    (OutputError, f"It could not be saved. {_ASK}"),
)

#: Where a page has what an option or another command gives; longer words are looked for first.
_FIELDS: Final = {
    # publishing
    "--override REASON": 'the field "Reason for setting a rule aside"',
    "--override": 'the field "Reason for setting a rule aside"',
    "Nothing is published. Run the command again.": "Nothing is published. Look at what would go "
    "out again.",
    "Publish with the foidex command or in a process of its own.": f"{_ASK} the workbench is to be "
    "started again.",
    # documents, which go where the workbench keeps them
    "Choose another folder, so that nobody confuses the two, or replace it with --force.": "Move "
    "it away, then do it again.",
    "Choose another folder with --out, or replace them with --force.": "Move them away, then do it "
    "again.",
    "Move it away, choose another folder with --out, or replace it with --force.": "Move it away, "
    "then do it again.",
    "Move it away, or choose another folder with --out.": "Move it away, then do it again.",
    "Move it away, or name another folder with --out.": "Move it away, then do it again.",
    "Make room, or choose another folder with --out.": "Make room, then do it again.",
    ", or leave the basis out with --no-basis.": ".",
    # reviews
    "--sample out": 'the field "How many records are read" empty',
    "--sample": 'the field "How many records are read"',
    "Check --number: name the row as the answer does.": "Choose a number of the answer.",
    "Say it under review: in the request, or with --criterion.": 'Fill in "When is a record '
    'relevant?".',
    "--criterion": 'the field "When is a record relevant?"',
    "Give a larger sample, or leave --by out.": "Read more records.",
    "Leave out --by.": "Begin it from the page of the records behind the number.",
    "Give this one another name with --name.": "Go on with it: it is in the list of reviews.",
    "foidex review status names them.": "The page of the review counts them.",
    "Make them: foidex review next. If nobody else can: foidex review end-second-readings.": "The "
    "page of the review has both: make them, or end them if nobody else can.",
    "foidex review next": 'the button "Read the next record" of the review',
    "foidex review start": 'the button "Read and decide" of its records',
    "Name the review of the records that it counts too, with another --review.": "Tick the review "
    "of the records that it counts, too.",
    "give their review with foidex answer --review NAME.": "tick their review on the page of the "
    "numbers, and count again.",
    "To give one: --review NAME": "To give one, tick it on the page of the numbers and count again",
    "foidex review approvals says": 'the page "Approve the texts" of the request says',
    "look at it again with --again.": "look at it again.",
    ", or leave --question out.": ".",
    # drafts and requests
    "then remove the entry from the file. foidex lint shows them; foidex draft --ask asks them one "
    "by one.": 'then tick it under "To confirm" in the form of the request.',
    "under confirm (": "to confirm (",
    "Give a file; to answer a folder of requests, use answer --all.": "Ask whoever looks after "
    "foidex to move it away.",
    # replays
    "Answer the request again with --review to state them.": "To state them, tick the review on "
    "the page of the numbers and count again.",
    "Replay the answer that was made without --publish.": "Replay one of your own.",
    " (foidex forget)": "",
    "Name an answer's JSON file.": "Count the request again.",
    "Name a file that foidex answer --format json printed.": "Count the request again.",
    "Name a file that foidex answer --format json printed": "Count the request again",
    # the force
    "Paste this below its line [force], with the section that applies:": f"{_ASK} "
    "this is to be set, with the section that applies:",
    "Then run the command again.": "Then do it again.",
    # the wording check
    "To declare them, set covers in [records] of foidex.toml, and refresh.": "Whoever looks after "
    "foidex can declare them (covers in [records] of foidex.toml).",
    "with: [...] requires another term": '"(with app)" requires another word',
    "variants: none leaves it out": 'write "(only as written)" after the word to leave it out',
    # the index
    "Refresh first: foidex refresh --full": "Ask whoever looks after foidex for a full refresh",
    "Run a full refresh: foidex refresh --full": "Ask whoever looks after foidex for a full "
    "refresh",
    "Read them: foidex review approve REQUEST": 'Read them: the link "Approve the texts" on the '
    "page of the request",
}

_OPTIONS: Final = re.compile(
    "|".join(re.escape(option) for option in sorted(_FIELDS, key=len, reverse=True))
)

#: What follows some of them, and says nothing to who reads a page.
_REST: Final = re.compile(
    r"(?<=on the page of the request)(?: --question (?:'[^']*'|\S+))+"
    r", with the name of the request file"
)

#: A path of a folder before the name of a file, which says nothing to a reader of the page. Of the
#: documents of a request, the folder says which they are.
_FOLDERS: Final = re.compile(
    r"(?<![\w:/.])/(?:[^\s:/\"]+/)*?(?=answers/[^\s:/\"]+/(?:answer|published|counted)\b)"
    r"|(?<![\w:/.])/(?:[^\s:/\"]+/)+(?=[^\s:/\"])"
)


#: A message that begins with a word, and not with a name. On the command line it follows one.
_SENTENCE: Final = re.compile(r"(?!foidex\b)[a-z]+ ")


def is_fault_of_machine(error: FoidexError) -> bool:
    """Whether only whoever looks after foidex can mend it, so that no other form would help."""
    return isinstance(error, tuple(kind for kind, _ in _AROUND))


def describe_error(error: FoidexError) -> str:
    """What went wrong, for a page."""
    return describe_message(str(error), type(error))


def describe_message(message: str, kind: type[FoidexError]) -> str:
    """What the message of an error of a kind says on a page."""
    around = next((words for error_kind, words in _AROUND if issubclass(kind, error_kind)), "")
    text = _FOLDERS.sub("", message)
    if _SENTENCE.match(text):
        text = text[0].upper() + text[1:]
    if around:
        return f"{around}\n{adapt_advice(text)}"
    return adapt_advice(text)


def adapt_advice(text: str) -> str:
    """A text of foidex with advice that fits a browser, where it names commands or options."""
    return _REST.sub("", _OPTIONS.sub(lambda option: _FIELDS[option.group()], text))

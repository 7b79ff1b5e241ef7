"""What a page says of an error: nothing that only fits a command line, and no folder."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from indexer.errors import (
    ConfigurationError,
    DisclosureError,
    FoidexError,
    NoIndexError,
    OutputError,
    RequestError,
    ReviewError,
    ServerError,
    UnfinishedOutputError,
    UnreadableError,
)
from queries.disclosure.messages.refusals import explain_refusal
from queries.request.reader import parse_request
from queries.review.types import Stratum
from queries.reviewing.start import extend_strata
from queries.workbench.error_text import describe_error


def catch(act: Callable[[], object]) -> FoidexError:
    with pytest.raises(FoidexError) as caught:
        act()
    return caught.value


UNCONFIRMED = """\
reference: A
title: T
questions: [{id: Q1, kind: offences}]
confirm: [{sentence: S, question: Q}]
"""


@pytest.mark.parametrize(
    "error",
    [
        ReviewError(explain_refusal(["a small number could be worked out"])),
        catch(lambda: extend_strata([Stratum("", 9, 9)], 3)),
        catch(parse_request(UNCONFIRMED).require_confirmed),
    ],
)
def test_advice_names_no_option_and_no_command(error: FoidexError) -> None:
    text = describe_error(error)
    assert not re.search(r"(?<!\w)--\w|\bfoidex \w", text), text
    assert text != str(error)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("there is no decision of yours before this one.", "There is no decision"),
        ("foidex.toml: is not there.", "foidex.toml: is"),
        ("apps: there is a request of this name.", "apps: there is"),
    ],
)
def test_a_message_begins_as_a_sentence_unless_it_names_something(message: str, words: str) -> None:
    assert describe_error(ReviewError(message)).startswith(words)


@pytest.mark.parametrize("kind", [ConfigurationError, NoIndexError, OutputError, ServerError])
def test_what_nobody_mends_in_a_form_is_for_whoever_looks_after_foidex(
    kind: type[FoidexError],
) -> None:
    text = describe_error(kind("/srv/foidex/foidex.toml: is not there. Run foidex up."))
    assert "Tell whoever looks after foidex" in text
    assert "/srv" not in text
    assert "foidex.toml: is not there" in text


@pytest.mark.parametrize("folder", ["published", "counted", "answer/tables"])
def test_of_the_documents_of_a_request_the_folder_is_named(folder: str) -> None:
    """Whoever looks after foidex must know which of many folders it is."""
    text = describe_error(UnreadableError(f"/srv/foi/requests/answers/a.yaml/{folder}: is full."))
    assert text.endswith(f"\nanswers/a.yaml/{folder}: is full.")


def test_what_is_wrong_with_a_request_is_said_as_it_is() -> None:
    message = 'a.yaml:3: "titel" is not a key. See https://example.org/a/b'
    assert describe_error(RequestError(message)) == message


def test_what_a_force_must_set_is_not_asked_of_the_officer() -> None:
    said = (
        "a number is withheld, and [force] names no exemption. Paste this below its line "
        "[force], with the section that applies:\n\nexemption = ...\n\nThen run the command again."
    )
    shown = describe_error(DisclosureError(said))
    assert "Tell whoever looks after foidex: this is to be set" in shown
    assert "command" not in shown


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (OutputError, "It could not be saved."),
        (UnreadableError, "It cannot be read."),
        (UnfinishedOutputError, "It is done, but its documents are not in their place yet."),
    ],
)
def test_a_page_claims_nothing_of_what_was_done_before_an_error(
    kind: type[FoidexError], words: str
) -> None:
    """A release may be recorded, although its documents could not be put in their place."""
    text = describe_error(kind("published: cannot be written (Permission denied)."))
    assert text.startswith(words)
    assert "Nothing was changed" not in text

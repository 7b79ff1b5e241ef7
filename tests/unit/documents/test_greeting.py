"""A letter greets the person whom it is to as they call themselves, and ends to match."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import msgspec
import pytest

from queries.documents.content.context import DocumentSettings
from queries.documents.content.letter.greeting import build_recipient
from queries.documents.content.letter.notices import build_notice_context
from queries.documents.formats.letter import render_letter_html, render_letter_text
from queries.documents.formats.pdf import render_letter_typst
from queries.documents.specimen import build_specimen_request
from queries.request.letter_spec import LetterSpec
from tests.support.answers import FORCE, sample_answer
from tests.support.rendered import rendered

DAY = date(2018, 8, 15)


@pytest.mark.parametrize(
    ("to", "greeting"),
    [
        ("Mr D. Hale", "Dear Mr Hale"),
        ("Ms A B O'Neil", "Dear Ms O'Neil"),
        ("Dr J.-P. Example-Smith, Example Gazette", "Dear Dr Example-Smith"),
        ("Mx Hale", "Dear Mx Hale"),
        # Which word is the surname is not certain, so the name stays as it is written.
        ("Ms Maria Garcia Marquez", "Dear Ms Maria Garcia Marquez"),
        ("Mr van Dyke", "Dear Mr van Dyke"),
        ("Alex Hale", "Dear Alex Hale"),
        ("Sir A. Hale", "Dear Sir A. Hale"),
        ("Dear A. Requester", "Dear A. Requester"),
        ("Dear Ms Hale,", "Dear Ms Hale"),
        ("Alex Hale\n1 Example Street", "Dear Alex Hale"),
    ],
)
def test_a_named_person_is_greeted_by_the_name_as_it_is_written(to: str, greeting: str) -> None:
    recipient = build_recipient(LetterSpec(to=to))
    assert (recipient.greeting, recipient.closing) == (greeting, "Yours sincerely")


@pytest.mark.parametrize(
    ("to", "greeting"),
    [
        ("", "Dear requester"),
        ("alex@example.org", "Dear requester"),
        ("Dear Sir or Madam", "Dear Sir or Madam"),
    ],
)
def test_a_letter_to_nobody_by_name_ends_faithfully(to: str, greeting: str) -> None:
    recipient = build_recipient(LetterSpec(to=to))
    assert (recipient.greeting, recipient.closing) == (greeting, "Yours faithfully")


def test_the_officer_may_write_the_greeting() -> None:
    recipient = build_recipient(LetterSpec(to="Example Gazette", greeting="Dear Editor,"))
    assert recipient.lines == ("Example Gazette",)
    assert (recipient.greeting, recipient.closing) == ("Dear Editor", "Yours sincerely")


@pytest.mark.parametrize("renderer", [render_letter_text, render_letter_html, render_letter_typst])
def test_every_letter_greets_and_ends(renderer: Callable[..., str]) -> None:
    base = sample_answer(12)
    letter = {**base.request["letter"], "to": "Mr D. Hale\n7 Requester Road"}
    answer = msgspec.structs.replace(base, request={"letter": letter})
    text = rendered(renderer, answer, FORCE, DAY)
    words = ("Mr D. Hale", "7 Requester Road", "Dear Mr Hale", "We received", "Yours sincerely")
    places = [text.index(part) for part in words]
    assert places == sorted(places)
    assert text.count("Dear ") == 1


def test_a_letter_before_the_answer_greets_too() -> None:
    request = build_specimen_request(FORCE)
    request = msgspec.structs.replace(
        request, letter=msgspec.structs.replace(request.letter, to="Mr D. Hale")
    )
    context = build_notice_context(request, "acknowledgement", DocumentSettings(FORCE, DAY))
    text = render_letter_text(context)
    assert "Mr D. Hale\n\nDear Mr Hale,\n" in text
    assert "Yours sincerely,\n" in text

"""Acknowledgement, clarification, extension and review: dates worked out, words of the officer."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec
import pytest

from indexer.errors import OutputError, RequestError
from indexer.files import DOCUMENT_PERMISSIONS
from queries.documents.content.context import DocumentSettings
from queries.documents.content.letter.notices import (
    NOTICE_KINDS,
    NoticeKind,
    build_notice_context,
)
from queries.documents.formats.letter import render_letter_text
from queries.documents.notice_files import write_notice_files
from queries.request.reader import parse_request
from queries.spec.act import ActName
from tests.support.answers import FORCE
from tests.support.documents import extract_text

DAY = date(2026, 3, 23)

LETTER = """
reference: FOI/1
title: Live streams
questions: [{id: 1, kind: offences}]
letter:
  to: Dear requester
  received: 2026-03-20
  asked: How many?
  clarification: Which years do you mean?
  extension: {sections: ["31(1)(a)", 30], reason: Two forces are concerned.}
  review: {received: 2026-05-01, outcome: part, reasons: We had left out one district.}
""".replace("How many?", '"How many?"').replace("Which years do you mean?", '"Which years?"')


def read_notice(kind: NoticeKind, text: str = LETTER, act: ActName = "uk") -> str:
    settings = DocumentSettings(msgspec.structs.replace(FORCE, act=act), DAY)
    if act == "scotland":
        text = text.replace('["31(1)(a)", 30]', "[34, 35]")
    context = build_notice_context(parse_request(text, act=act), kind, settings)
    return " ".join(render_letter_text(context).split())


def test_an_acknowledgement_says_when_the_answer_is_due() -> None:
    letter = read_notice("acknowledgement")
    assert "We received your request on 20 March 2026." in letter
    assert "We will send you an answer by 21 April 2026." in letter
    assert "Commissioner" not in letter
    assert "The figures" not in letter
    assert "by 20 April 2026" in read_notice("acknowledgement", act="scotland")


@pytest.mark.parametrize("key", ["clarified_on", "clarified"])
def test_the_time_starts_again_when_the_request_is_clarified(key: str) -> None:
    letter = read_notice("acknowledgement", f"{LETTER}  {key}: 2026-04-10\n")
    assert "You told us more on 10 April 2026." in letter
    assert "by 11 May 2026. This is 20 working days after you told us more." in letter


def test_a_clarification_asks_and_stops_the_clock() -> None:
    letter = read_notice("clarification")
    assert "Please tell us: Which years?" in letter
    assert "under section 1(3) of the Freedom of Information Act 2000" in letter
    assert "Until we hear from you, the time for our answer does not run." in letter


def test_an_extension_names_the_sections_the_day_and_the_rights() -> None:
    letter = read_notice("extension")
    assert "Our answer is due on 21 April 2026." in letter
    assert "exempt under sections 31(1)(a) and 30(1) of the" in letter
    assert "Two forces are concerned." in letter
    assert "We expect to answer you by 20 May 2026." in letter
    assert "internal review" in letter
    until = LETTER.replace("reason: Two", "until: 2026-05-01, reason: Two")
    assert "by 1 May 2026." in read_notice("extension", until)


def test_a_review_says_what_came_of_it_and_leaves_the_complaint() -> None:
    letter = read_notice("review")
    assert "On 1 May 2026 you asked us to look again" in letter
    assert "Part of our first answer was wrong. We had left out one district." in letter
    assert "ico.org.uk/concerns" in letter
    assert "internal review" not in letter
    scottish = read_notice("review", act="scotland")
    assert "Scottish Information Commissioner within six months" in scottish


@pytest.mark.parametrize("kind", NOTICE_KINDS)
def test_what_a_letter_must_say_is_asked_for(kind: NoticeKind) -> None:
    bare = LETTER.partition("letter:")[0]
    with pytest.raises(RequestError, match=rf"FOI/1: a letter of the kind {kind} needs .*Add"):
        read_notice(kind, bare)


def test_the_scottish_act_gives_no_more_time() -> None:
    with pytest.raises(RequestError, match="gives no more time"):
        read_notice("extension", act="scotland")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"31(1)(a)", 30', "40", "no public interest is weighed under section"),
        ('"31(1)(a)", 30', "99", "no public interest is weighed under section"),
        ('["31(1)(a)", 30]', "[]", '"sections"'),
        ("reason: Two", "until: 2026-03-20, reason: Two", "is not after the request"),
        ("outcome: part", "outcome: lost", '"outcome"'),
        ("reasons: We had left out one district.", 'reasons: " "', '"reasons"'),
    ],
)
def test_what_is_wrong_is_said_with_its_line(old: str, new: str, message: str) -> None:
    assert old in LETTER
    with pytest.raises(RequestError) as refused:
        parse_request(LETTER.replace(old, new), "r.yaml")
    assert message in str(refused.value)
    assert str(refused.value).startswith("r.yaml:")


@pytest.mark.parametrize("kind", NOTICE_KINDS)
def test_every_format_has_the_words(kind: NoticeKind, tmp_path: Path) -> None:
    context = build_notice_context(parse_request(LETTER), kind, DocumentSettings(FORCE, DAY))
    files = write_notice_files(context, kind, tmp_path, DOCUMENT_PERMISSIONS, force=False)
    assert {file.suffix for file in files} == {".txt", ".html", ".docx", ".pdf"}
    words = {
        "acknowledgement": "Thank you for your request.",
        "clarification": "the time for our answer does not run",
        "extension": "We need more time for it.",
        "review": "you asked us to look again",
    }
    for file in files:
        text = " ".join(extract_text(file.name, file.read_bytes()).split())
        assert words[kind] in text, file
        assert "None" not in text or file.suffix == ".docx", file
    with pytest.raises(OutputError, match="already has"):
        write_notice_files(context, kind, tmp_path, DOCUMENT_PERMISSIONS, force=False)
    write_notice_files(context, kind, tmp_path, DOCUMENT_PERMISSIONS, force=True)

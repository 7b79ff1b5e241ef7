"""Every standard text of a letter is plain: short sentences, and words that most people know.

Flesch reading ease of 60 and more is "plain English"; a grade is years of school.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import msgspec
import pytest

from queries.documents.content.context import DocumentSettings, build_document_context
from queries.documents.content.letter.notices import NOTICE_KINDS, build_notice_context
from queries.documents.specimen import build_specimen_answer, build_specimen_request
from tests.support.answers import FORCE

# It needs pkg_resources, which is not part of a new environment since Python 3.12.
textstat = pytest.importorskip("textstat", reason="textstat needs pkg_resources of setuptools")

LEAST_EASE = 60

HIGHEST_GRADE = 9

LONGEST_SENTENCE = 20  # words, on average


def list_standard_texts() -> Iterator[tuple[str, str]]:
    """Each text by its act and name, without the officer's words."""
    for act in ("uk", "scotland"):
        settings = DocumentSettings(msgspec.structs.replace(FORCE, act=act), date(2026, 1, 6))
        answer = build_specimen_answer(settings.force, refused=True)
        names = build_document_context(answer, settings).names
        texts = {section.name: section.blocks for section in names["sections"]}
        texts["notice"] = names["notice"]
        number = "40(2)" if act == "uk" else "38(1)(b)"
        force = msgspec.structs.replace(settings.force, exemption=f"We rely on section {number}.")
        given = build_specimen_answer(force)
        settled = DocumentSettings(force, date(2026, 1, 6))
        texts["withheld"] = build_document_context(given, settled).names["sections"][-1].blocks
        for kind in NOTICE_KINDS:
            if (act, kind) != ("scotland", "extension"):
                request = build_specimen_request(settings.force)
                texts[kind] = build_notice_context(request, kind, settings).names["body"]
        for name, blocks in texts.items():
            yield (
                f"{act}: {name}",
                " ".join(block.text for block in blocks if not block.text.startswith("A specimen")),
            )
        yield f"{act}: review rights", " ".join(names["force"].review)


@pytest.mark.parametrize(("name", "text"), [*list_standard_texts()], ids=lambda value: value[:30])
def test_a_standard_text_is_plain_english(name: str, text: str) -> None:
    words = textstat.lexicon_count(text) / textstat.sentence_count(text)
    measures = (textstat.flesch_reading_ease(text), textstat.flesch_kincaid_grade(text), words)
    assert measures[0] >= LEAST_EASE, (name, measures)
    assert measures[1] <= HIGHEST_GRADE, (name, measures)
    assert words <= LONGEST_SENTENCE, (name, measures)


def test_a_legal_sentence_would_not_pass() -> None:
    """The measure can fail."""
    sentence = (
        "Notwithstanding the aforementioned considerations, the authority has determined that the "
        "prejudicial consequences necessarily attendant upon disclosure substantially outweigh any "
        "countervailing considerations of transparency and accountability."
    )
    assert textstat.flesch_reading_ease(sentence) < LEAST_EASE
    assert textstat.flesch_kincaid_grade(sentence) > HIGHEST_GRADE

"""The sentences of a published letter, as a member of the public reads them."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import UNSET

from queries.disclosure.policy import Policy
from queries.disclosure.release import protect_answer
from queries.documents.formats.letter import render_letter_text
from tests.support.answers import sample_answer
from tests.support.rendered import rendered
from tests.support.tables import (
    DESK,
    FIVE,
    Record,
    a_record,
    answer,
    keywords,
    linked,
    offences,
    victims,
)

CODES = ["21", "22B"]

SINGLE = [a_record("22B", "Instagram", "Snapchat", ages=(15,))]


def write_letter(records: list[Record], words: list[str], policy: Policy = FIVE) -> str:
    link_count = sum(bool(record[1]) for record in records)
    asked = answer(
        records,
        offences(records, CODES),
        keywords(records, words, CODES),
        linked(link_count, len(records)),
        victims(records),
        codes=CODES,
    )
    published = protect_answer(asked, policy).answer
    return " ".join(rendered(render_letter_text, published, DESK.force, DESK.day, None).split())


def test_a_single_record_is_withheld_in_plain_sentences() -> None:
    letter = write_letter(SINGLE, ["Facebook", "Instagram", "Snapchat"])
    for sentence in (
        "[c] means that we are not giving this number.",
        "The number of offences is withheld.",
        "The numbers for these words are withheld.",
        "The number of offences linked to an offence of 86/2 (Indecent photographs) is withheld.",
        "The age of the youngest victim is withheld, to protect the people concerned.",
        "The number of victims is withheld.",
    ):
        assert sentence in letter
    assert "withheld number of" not in letter


@pytest.mark.parametrize(
    ("age", "sex", "words"),
    [
        ("[c]", "[c]", "The age and sex of the youngest victim are withheld, to protect"),
        (9, "[c]", "was aged 9. The sex of the youngest victim is withheld, to protect"),
        ("[c]", UNSET, "The age of the youngest victim is withheld, to protect"),
    ],
)
def test_what_is_withheld_of_the_youngest_is_one_sentence(
    age: object, sex: object, words: str
) -> None:
    base = sample_answer(9)
    (question,) = (question for question in base.questions if question.kind == "victims")
    facts = {"youngest": age} | ({} if sex is UNSET else {"youngest_sex": sex})
    changed = msgspec.structs.replace(question, facts=facts)
    answer = msgspec.structs.replace(base, questions=(changed,))
    letter = " ".join(rendered(render_letter_text, answer, DESK.force, DESK.day, None).split())
    assert words in letter
    assert letter.count("is withheld") + letter.count("are withheld") == 1


def test_a_single_record_is_given_in_plain_sentences() -> None:
    letter = write_letter(SINGLE, ["Facebook", "Instagram", "Snapchat"], Policy(youngest="give"))
    for sentence in (
        "We counted one offence.",
        "We found Instagram in one offence and Snapchat in one offence. The other word is not mentioned.",
        "That offence is linked to an offence of 86/2 (Indecent photographs).",
        "The youngest victim recorded was aged 15.",
        "One victim is recorded.",
    ):
        assert sentence in letter
    assert "withheld" not in letter


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["Instagram"], "The number of offences that mention this word is withheld."),
        (["Instagram", "Skype"], "Skype in 40 offences. The number for Instagram is withheld."),
        ([f"term {n}" for n in range(8)], "The numbers for these words are withheld."),
    ],
)
def test_withheld_words_are_named_apart_from_those_with_a_number(
    words: list[str], sentence: str
) -> None:
    rare = words[:1] if "Instagram" in words else words
    records = [a_record("22B", *rare) for _ in range(3)]
    records += [a_record("22B", "Skype") for _ in range(40)] + [a_record("22B")] * 20
    assert sentence in write_letter(records, words)

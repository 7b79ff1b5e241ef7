"""A letter as a draft: its parts, what holds for all of them, and what later mails change."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

import pytest

from indexer.errors import LetterError
from queries.drafting.drafting import draft_request
from queries.drafting.request_mapping import apply_choice, build_request_mapping
from tests.support.letter_texts import SENT, make_letter


def draft_parts(*mails: str, sent: tuple[date, ...] = (SENT,)) -> dict[str, dict[str, Any]]:
    """The questions of a draft by their numbers, without their texts."""
    mapping = build_request_mapping(draft_request(make_letter(*mails, sent=sent)))
    return {
        question["id"]: {key: value for key, value in question.items() if key not in ("id", "text")}
        for question in mapping["questions"]
    }


def list_questions(*mails: str) -> list[str]:
    return [entry.question for entry in draft_request(make_letter(*mails)).confirmations]


NUMBERED = """
Dear Sir or Madam
In 2022 I would like the following about offences under code 22B.
1. The number of offences, by month.
2. The number of victims: (a) by sex; (b) aged 11 and under, 12 to 15; (c) and the age of the youngest.
3. How many mention "Snapchat" or "Skype", each counted separately.
4. How many people were arrested?
Please reply by e-mail.
Yours faithfully
Ada Example
This message is confidential. 1. Do not print it.
"""


def test_numbered_parts_are_questions_or_say_why_they_are_none() -> None:
    assert draft_parts(NUMBERED) == {
        "1": {"kind": "by", "by": "month"},
        "2a": {"kind": "by", "by": "sex"},
        "2b": {"kind": "victims", "bands": [{"to": 11}, {"from": 12, "to": 15}]},
        "2c": {"kind": "victims", "youngest": True},
        "3": {"kind": "keywords", "keywords": ["Snapchat", "Skype"]},
        "4": {"not_covered": "Arrests are not in the crime records."},
    }


def test_what_holds_for_all_parts_is_the_scope() -> None:
    draft = draft_request(make_letter(NUMBERED))
    assert [(period.start, period.label) for period in draft.periods] == [
        (date(2022, 1, 1), "2022")
    ]
    assert [row.codes for row in draft.offences] == [("22B",)]
    assert draft.mentions == ()
    assert (draft.head.sender, draft.head.received) == ("Ada Example", SENT)


def test_parts_without_numbers_count_in_the_order_in_which_they_are_asked() -> None:
    parts = draft_parts(
        """
        hi
        how many crimes in 2022 mention these -
        tinder, bumble and/or hinge
        only count hinge if the word app is in there as well
        and what types of offence they were for tinder only
        also how many ended in a conviction
        thx
        """
    )
    assert list(parts) == ["1", "2", "3"]
    assert parts["2"] == {"kind": "by", "by": "offence", "within": {"mentions": ["tinder"]}}
    assert "not_covered" in parts["3"]


def test_a_question_before_part_1_is_part_0() -> None:
    parts = draft_parts(
        'How many crimes in 2022 mention "drone"?\nOf these:\n(i) how many by month?\n(ii) the outcome of each.'
    )
    assert list(parts) == ["0", "i", "ii"]


@pytest.mark.parametrize(
    ("label", "number"),
    [("Q3.", "3"), ("Question 3:", "3"), ("QUESTION THREE", "3"), ("Part C.", "c"), ("(c)", "c"), ("iii)", "iii"), ("3)", "3")],
)  # fmt: skip
def test_a_number_is_read_in_any_of_its_forms(label: str, number: str) -> None:
    assert list(draft_parts(f'In 2022:\n{label} How many crimes mention "drone", by month?')) == [
        number
    ]


REQUEST = """
Dear all
For 2021/22, please tell me about crimes that mention "drone", "UAV" or "quadcopter":
1. how many there were in each month
2. the offence groups
3. what happened in each case
"""

SENT_TWICE = (date(2024, 7, 20), SENT)


def test_a_later_mail_takes_parts_and_terms_out_and_changes_the_period() -> None:
    later = "Dear all\nPlease leave out part 3, please remove UAV from the list of key words, and please only look at 2022/23."
    draft = draft_request(make_letter(later, REQUEST, sent=SENT_TWICE))
    assert [part.number for part in draft.parts if part.withdrawn] == ["3"]
    assert [term.term for term in draft.mentions] == ["drone", "quadcopter"]
    assert [period.label for period in draft.periods] == ["2022/23"]
    assert (draft.head.received, draft.head.clarified) == (SENT, date(2024, 7, 20))


def test_a_later_mail_rewrites_the_parts_that_it_numbers() -> None:
    later = "Hello\nQuestion 2 should now read:\n2. the outcome of each"
    parts = draft_parts(later, REQUEST, sent=SENT_TWICE)
    assert parts["1"] == {"kind": "by", "by": "month"}
    assert parts["2"] == {"kind": "by", "by": "outcome"}
    assert list(parts) == ["1", "2", "3"]


def test_a_later_mail_may_replace_everything() -> None:
    later = 'Hi\nPlease treat this as replacing my earlier request:\n(1) In 2023, how many crimes mention "kite"?'
    draft = draft_request(make_letter(later, REQUEST, sent=SENT_TWICE))
    assert [part.number for part in draft.parts] == ["1"]
    assert [term.term for term in draft.mentions] == ["kite"]


def test_a_sentence_of_a_later_mail_that_no_rule_takes_is_asked_about() -> None:
    later = "Hi\nPlease exclude anything that was reported by a neighbour."
    draft = draft_request(make_letter(later, REQUEST, sent=SENT_TWICE))
    assert any("reported by a neighbour" in entry.sentence for entry in draft.confirmations)


def test_a_limit_that_no_rule_reads_is_asked_about() -> None:
    questions = list_questions(
        'In 2022:\n1. How many crimes mention "drone" at night near hospitals?'
    )
    assert any('"night"' in question and '"hospitals"' in question for question in questions)


@pytest.mark.parametrize(
    "law",
    [
        "the Freedom of Information Act 2000",
        "the Freedom of Information (Scotland) Act 2002",
        "FOISA",
    ],
)
def test_the_law_under_which_somebody_asks_limits_nothing(law: str) -> None:
    letter = (
        f"Under {law} I would like to ask about recorded crime between 1 April 2018 and 31 March "
        '2023 where the record mentions "Snapchat".\n\n1. How many offences were recorded?'
    )
    assert not [question for question in list_questions(letter) if "understand" in question]
    near = letter.replace("recorded crime", "recorded crime near schools")
    assert any('"schools"' in question for question in list_questions(near))


def test_a_part_that_asks_nothing_is_asked_about_and_not_dropped() -> None:
    draft = draft_request(
        make_letter("In 2022:\n1. How many by month?\n2. Zebras and lighthouses.")
    )
    assert [part.number for part in draft.parts] == ["1", "2"]
    assert any(entry.part == "2" for entry in draft.confirmations)


def test_open_lists_overlapping_bands_and_names_are_asked_about() -> None:
    questions = " ".join(
        list_questions(
            'In 2022:\n1. How many grooming offences mention the words "live stream" etc.?\n'
            "2. The ages of the victims: under 16, 16-26, 26 and above."
        )
    )
    assert '"grooming"' in questions
    assert '"etc."' in questions
    assert "overlap" in questions


def test_overlapping_bands_may_be_parted_either_way() -> None:
    letter = make_letter("In 2022:\n1. The ages of the victims: under 16, 16-26, 26 and above.")
    mapping = build_request_mapping(draft_request(letter))
    [entry] = [
        entry for entry in draft_request(letter).confirmations if "overlap" in entry.question
    ]
    bands = [apply_choice(mapping, choice)["questions"][0]["bands"][1:] for choice in entry.choices]
    assert bands == [
        [{"from": 16, "to": 26}, {"from": 26}],
        [{"from": 16, "to": 25}, {"from": 26}],
        [{"from": 16, "to": 26}, {"from": 27}],
    ]


@pytest.mark.parametrize(
    "piece", ["22B, ", "aged 12 to 15 ", '"a" ', "how many offences of ", "in 2022, ", "("]
)
def test_a_long_letter_takes_no_longer_for_each_of_its_words(piece: str) -> None:
    def measure(count: int) -> float:
        letter = make_letter(f"In 2022:\n1. How many codes {piece * count}")
        start = time.process_time()
        draft_request(letter)
        return time.process_time() - start

    measure(10)
    assert measure(1_200) < 40 * max(measure(120), 0.02)


def test_a_text_that_is_too_long_to_be_a_letter_is_refused() -> None:
    with pytest.raises(LetterError, match="too long for a letter"):
        draft_request(make_letter("How many? " * 30_000))


def test_a_letter_without_a_period_says_so() -> None:
    assert any(
        "No period" in question for question in list_questions('1. How many mention "drone"?')
    )


def test_a_part_that_counts_records_is_not_left_without_figures_in_silence() -> None:
    draft = draft_request(
        make_letter(
            "In 2022:\n1. How many offences were committed against staff?\n2. How many staff have you?"
        )
    )
    assert [entry.part for entry in draft.confirmations if entry.part] == ["1"]


def test_a_part_may_be_held_to_some_of_the_years() -> None:
    parts = draft_parts(
        "For 2020/21, 2021/22 and 2022/23:\n1. How many by month?\n2. For 2021/22 and 2022/23, how many by sex?"
    )
    assert "within" not in parts["1"]
    assert [period["from"] for period in parts["2"]["within"]["periods"]] == [
        "2021-04-01",
        "2022-04-01",
    ]


def test_days_of_a_part_that_are_not_those_of_the_request_are_asked_about() -> None:
    questions = list_questions("For 2021/22:\n1. How many by month?\n2. How many by sex in 2023?")
    assert any("not within the period" in question for question in questions)


def test_one_offence_in_two_wordings_is_one_row() -> None:
    letter = make_letter(
        "In 2022:\n1. How many rapes, and how many rape offences, under class 8Q, and how many stalking offences?"
    )
    draft = draft_request(letter)
    codes = [code for row in draft.offences for code in row.codes]
    assert len(codes) == len(set(codes))
    mapping = build_request_mapping(draft)
    for entry in draft.confirmations:
        for choice in entry.choices:
            rows = apply_choice(mapping, choice).get("offences", [])
            written = [tuple(row["codes"]) for row in rows]
            assert len(written) == len(set(written))


def test_what_a_victim_must_be_holds_for_the_whole_request() -> None:
    letter = make_letter(
        "We ask about violence against the person offences of 2022 where the victim was aged under 18.\n"
        "1. How many by month?"
    )
    mapping = build_request_mapping(draft_request(letter))
    assert mapping["where"] == {
        "offence_group": ["Violence against the person"],
        "victim": {"age": {"to": 17}},
    }
    assert any("such a victim" in entry["question"] for entry in mapping["confirm"])


def test_what_is_neither_a_record_nor_a_person_is_not_counted_as_records() -> None:
    parts = draft_parts(
        'In 2022:\n1. How many crimes mention "dog"?\n2. How many dogs were destroyed?'
    )
    assert parts["2"] == {"not_covered": "This part was not understood."}


def test_answers_to_the_questions_of_the_office_replace_no_part() -> None:
    later = "Hi\nIn answer to your questions:\n1. Calendar years please.\n2. Yes, both words."
    draft = draft_request(make_letter(later, REQUEST, sent=SENT_TWICE))
    assert [part.number for part in draft.parts] == ["1", "2", "3"]
    assert draft.parts[0].fields == {"kind": "by", "by": "month"}
    assert [entry.sentence for entry in draft.confirmations][-2:] == [
        "1. Calendar years please.",
        "2. Yes, both words.",
    ]


def test_an_offence_that_one_part_names_is_counted_there_or_not_at_all() -> None:
    letter = make_letter(
        'In 2022:\n1. How many mention "knife"?\n2. How many knife crimes were there?\n3. How many rapes?'
    )
    mapping = build_request_mapping(draft_request(letter))
    second, third = mapping["questions"][1:]
    assert "kind" not in second
    assert third["within"]["offences"][0]["label"] == "rapes"
    [entry] = [entry for entry in draft_request(letter).confirmations if entry.part == "2"]
    changed = apply_choice(mapping, entry.choices[1])["questions"][1]
    assert changed["within"] == {"offences": [{"codes": ["10D"], "label": "knife crimes"}]}
    assert "not_covered" not in changed


def test_an_earlier_reference_is_not_that_of_the_request() -> None:
    earlier = make_letter(
        "Hi\nI refer to your reply to my earlier request FOI 12/20.\n1. How many in 2022?"
    )
    own = make_letter("Hi\n1. How many in 2022?", subject="RE: FOI 318/21 clarification")
    assert draft_request(earlier).head.reference is None
    assert draft_request(own).head.reference == "FOI 318/21"


def test_an_office_that_answers_is_not_the_requester() -> None:
    letter = make_letter(
        "Dear Ada\nYou may wish to narrow it to 2010. 1. How many?", REQUEST, sent=SENT_TWICE
    )
    office = letter.messages[0]
    messages = (type(office)(sender="FOI Northshire", sent=office.sent), letter.messages[1])
    draft = draft_request(type(letter)(file_name="a.txt", messages=messages, blocks=letter.blocks))
    assert [part.number for part in draft.parts] == ["1", "2", "3"]
    assert draft.head.clarified is None


def test_what_is_not_understood_is_asked_in_plain_words_and_may_be_left_to_the_file() -> None:
    draft = draft_request(
        make_letter('In 2022:\n1. How many crimes mention "drone" in hospitals?\n2. Zebras.')
    )
    first, second = [entry for entry in draft.confirmations if entry.part]
    assert first.question == (
        'foidex did not understand "hospitals" in this part. Is the question right without it?'
    )
    assert [choice.stays_open for choice in first.choices] == [False, False, True]
    assert second.question.startswith("foidex did not understand this part")
    assert [choice.stays_open for choice in second.choices] == [False, True]
    assert not any("rule" in entry.question for entry in draft.confirmations)

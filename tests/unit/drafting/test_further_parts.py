"""What a letter asks for behind its numbered parts, and in words that number a part."""

from __future__ import annotations

import pytest

from queries.drafting.draft import Confirmation, Draft
from queries.drafting.drafting import draft_request
from queries.drafting.letter_text import LetterText
from tests.support.letter_texts import make_letter

NUMBERED = """
For the year ending 30 June 2024:
1. How many offences mention "cuckoo" or "cuckooed"?
2. How many of them by month?
"""


def draft_letter(text: str) -> Draft:
    return draft_request(make_letter(text))


def list_entries(draft: Draft, part: str) -> list[Confirmation]:
    return [entry for entry in draft.confirmations if entry.part == part]


def test_a_question_behind_the_numbers_is_a_part_and_not_the_scope() -> None:
    draft = draft_letter(
        f"{NUMBERED}\nFurther, for the calendar years 2022 and 2023 only, the number of offences that "
        'mention "needle" and "bar".'
    )
    assert [part.number for part in draft.parts] == ["1", "2", "3"]
    assert [term.term for term in draft.mentions] == ["cuckoo", "cuckooed"]
    assert len(draft.periods) == 1
    assert draft.parts[2].fields["keywords"] == ["needle", "bar"]
    assert any("days that are not within" in entry.question for entry in list_entries(draft, "3"))
    assert any("for the parts after it" in entry.question for entry in list_entries(draft, "1"))


@pytest.mark.parametrize(
    "sentence",
    [
        "Can I have the figures per week please, and with a comparison with the year before.",
        "I would like these weekly.",
        "Could we have that by shift as well.",
        "And the ages of the victims.",
        "Also, whether a knife was used.",
        "These should be split by sex.",
        "All of this for adults only.",
        "Also the cost.",
        "The same for burglary, please.",
        "A breakdown by ethnicity would be helpful.",
        "Please also do this for 2019.",
    ],
)
def test_a_wish_behind_the_numbers_is_asked_about(sentence: str) -> None:
    draft = draft_letter(f"{NUMBERED}\n{sentence}")
    assert [part.number for part in draft.parts] == ["1", "2"]
    assert any(entry.sentence.endswith(sentence) for entry in list_entries(draft, ""))


def test_a_wish_behind_a_question_without_numbers_is_asked_about() -> None:
    draft = draft_letter(
        'How many crimes in 2022 mention "drone"?\nCan I have the figures per week please.'
    )
    assert any("week" in entry.question for entry in list_entries(draft, "1"))


def test_what_is_said_of_the_parts_is_no_part() -> None:
    draft = draft_letter(f"{NUMBERED}\nFor each of the questions, please give the total number.")
    assert [part.number for part in draft.parts] == ["1", "2"]


def test_terms_that_and_and_or_join_are_asked_about() -> None:
    [plain, mixed] = [
        draft_letter(f"In 2022:\n1. How many mention {terms}?")
        for terms in ('"a1", "b1" or "c1"', '"a1" or "b1" and "c1" or "d1"')
    ]
    assert any("joins terms" in entry.question for entry in list_entries(mixed, "1"))
    assert not any("joins terms" in entry.question for entry in list_entries(plain, "1"))


@pytest.mark.parametrize(
    "sentence",
    [
        "Please send the figures in Excel.",
        "I hope that you can help.",
        "This should be well under the cost limit.",
        "I was told that you have these records.",
    ],
)
def test_courtesy_behind_the_numbers_is_not_asked_about(sentence: str) -> None:
    plain, further = draft_letter(NUMBERED), draft_letter(f"{NUMBERED}\n{sentence}")
    assert further.confirmations == plain.confirmations
    assert further.parts == plain.parts


def draft_parts(*questions: str) -> Draft:
    numbered = "\n".join(f"{number}. {text}" for number, text in enumerate(questions, start=1))
    return draft_letter(f"For the year ending 30 June 2024:\n{numbered}")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("How many offences of code 28E were recorded?", "How many of code 34B were recorded?"),
        ("How many rapes were recorded?", "How many shoplifting offences were recorded?"),
        ("How many robberies were recorded?", "How many burglaries were recorded?"),
    ],
)
def test_parts_with_offences_of_their_own_are_not_held_to_those_of_the_first(
    first: str, second: str
) -> None:
    """Within the offences of part 1, none of part 2 would count."""
    draft = draft_parts(first, second, 'How many of these mention "cuckoo"?', "What of outcomes?")
    assert (draft.offences, draft.groups) == ((), ())
    own_offences, later_offences, spoken_of = [part.fields["within"] for part in draft.parts[:3]]
    assert own_offences != later_offences == spoken_of
    [entry] = list_entries(draft, "3")
    assert "the records of part 2 alone" in entry.question


def test_a_part_about_some_of_the_offences_of_the_first_stays_within_them() -> None:
    draft = draft_parts("How many offences of code 28 were there?", "How many of code 28E?")
    assert [row.codes for row in draft.offences] == [("28",)]
    draft = draft_parts("How many rapes were recorded?", "How many of these were of code 19C?")
    assert [row.label for row in draft.offences] == ["rapes"]


def test_a_part_without_offences_beside_parts_with_some_is_asked_about() -> None:
    draft = draft_parts("How many rapes were there?", "How many burglaries?", "Figures by month?")
    [entry] = list_entries(draft, "3")
    assert "it counts records of every offence" in entry.question


def test_a_part_that_speaks_of_one_without_figures_is_asked_about() -> None:
    draft = draft_parts("Please send your policy on apps.", "How many of these offences by month?")
    assert any("Part 1 has no figures" in entry.question for entry in list_entries(draft, "2"))


@pytest.mark.parametrize(
    ("question", "number"),
    [
        ("Of those in Q1, the number by sex", 1),
        ("Question 1 by sex", 1),
        ("The sex of the victims in (1).", 1),
        ("As 2 by sex", 2),
        ("Of these, the number by sex", 2),
    ],
)
def test_a_part_is_held_to_the_records_of_the_part_that_it_names(
    question: str, number: int
) -> None:
    draft = draft_parts(
        "How many rapes were recorded?", 'How many burglaries mention "Tinder"?', question
    )
    narrowing = draft.parts[2].fields["within"]
    assert [row["label"] for row in narrowing["offences"]] == [
        "rapes" if number == 1 else "burglaries"
    ]
    assert narrowing.get("mentions", []) == ([] if number == 1 else ["Tinder"])
    assert any(
        f"the records of part {number} alone" in entry.question
        for entry in list_entries(draft, "3")
    )


@pytest.mark.parametrize(
    "question", ["Of parts 1 and 2, how many by sex?", "As (1) and (2) by sex"]
)
def test_a_part_that_speaks_of_several_is_asked_about(question: str) -> None:
    draft = draft_parts("How many rapes were recorded?", "How many burglaries?", question)
    assert any("speaks of parts 1 and 2" in entry.question for entry in list_entries(draft, "3"))


@pytest.mark.parametrize(
    "words",
    [
        'had "e-bike" in the narrative',
        'where "e-bike" is in the record',
        'involving an "e-bike"',
        'via "e-bike"',
    ],
)
def test_what_is_quoted_beside_the_words_for_a_text_is_a_term(words: str) -> None:
    draft = draft_parts("How many thefts were recorded?", f"How many of these {words}?")
    assert draft.parts[1].fields["keywords"] == ["e-bike"]


def test_a_part_of_which_only_the_asking_is_understood_has_no_figures() -> None:
    """All thefts would be counted, and called dangerous dogs."""
    draft = draft_parts("How many thefts were there?", "The number of incidents of dangerous dogs.")
    assert draft.parts[1].fields == {}
    [entry] = list_entries(draft, "2")
    assert "did not understand this part" in entry.question


@pytest.mark.parametrize(
    "question", ["How many crimes were recorded?", "The ages of the youngest victim"]
)
def test_a_letter_that_limits_nothing_is_asked_about(question: str) -> None:
    """What would limit it may stand where no rule reads it."""
    assert any(
        "limits this part" in entry.question for entry in draft_letter(question).confirmations
    )
    limited = draft_letter(f'{question} Count only those that mention "Tinder".')
    assert not any("limits this part" in entry.question for entry in limited.confirmations)


def test_a_part_that_names_one_of_the_terms_is_held_to_it() -> None:
    draft = draft_parts(
        'How many crimes mention "Tinder" or "Grindr"?', "For Tinder, the number of these by sex."
    )
    assert [term.term for term in draft.mentions] == ["Tinder", "Grindr"]
    assert draft.parts[1].fields["within"]["mentions"] == ["Tinder"]
    assert any('"Tinder" alone' in entry.question for entry in list_entries(draft, "2"))


@pytest.mark.parametrize(
    ("people", "kind"), [("different victims", "victims"), ("suspects", "suspects")]
)
def test_a_number_of_people_is_no_number_of_records(people: str, kind: str) -> None:
    draft = draft_parts(
        'How many crimes mention "Tinder" in the narrative?',
        f"Number of {people} in those offences",
    )
    assert draft.parts[1].fields == {"kind": kind}
    assert list_entries(draft, "1") == []
    assert any("counts twice" in entry.question for entry in list_entries(draft, "2"))


LIST_WANTED = """
Please send me all crimes of 2023 with the word "drone". I need the date, the offence and the outcome for each.
If possible include the narrative with names redacted.
"""


def test_a_list_of_records_and_their_texts_are_asked_about() -> None:
    draft = draft_letter(LIST_WANTED)
    assert [term.term for term in draft.mentions] == ["drone"]
    questions = [(entry.question, entry.sentence) for entry in draft.confirmations]
    assert any("may ask for a list of the records" in question for question, _ in questions)
    assert any("include the narrative" in sentence for _, sentence in questions)


@pytest.mark.parametrize("done", ["redacted", "are removed", "withheld", "being anonymised"])
def test_names_that_are_to_be_hidden_are_no_terms(done: str) -> None:
    draft = draft_letter(f'How many crimes of 2023 mention "drone"? Send the texts, names {done}.')
    assert [term.term for term in draft.mentions] == ["drone"]


def test_what_stands_behind_names_in_small_letters_is_not_sure() -> None:
    draft = draft_letter(
        "How many crimes of 2023 mention any of the names tinder, grindr or bumble?"
    )
    assert any("without quotation marks" in entry.question for entry in draft.confirmations)


def test_days_that_only_a_later_part_names_are_asked_about() -> None:
    draft = draft_letter('1. How many crimes mention "Uber"?\n2. How many of these in 2022?')
    assert any("Part 2 names days" in entry.question for entry in list_entries(draft, ""))


def test_a_breakdown_too_many_and_days_of_a_sentence_are_asked_about() -> None:
    draft = draft_letter(
        'How many times do "Uber" and "Bolt" appear in 2022 and, separately, 2023? For 2023 only, '
        "break it down by month and sex of the victim, for each word."
    )
    questions = [entry.question for entry in draft.confirmations]
    assert any("more than two breakdowns" in question for question in questions)
    assert any("for some days only" in question for question in questions)


@pytest.mark.parametrize(
    "question",
    [
        "How many of these were of women?",
        "How many victims were boys under 16?",
        "How many of these had a male suspect aged over 18?",
        "How many of these did not result in a charge?",
        "How many of these had more than one victim?",
        "How many of these had no suspect?",
        "How many of these took more than 30 days to close?",
        "How many of these were linked to another offence?",
        "How many of these were repeat victims?",
        "How many of these mention neither Grindr nor Bumble?",
        "How many of these mention Tinder twice or more?",
        "How many of these mention Tinder and Bumble in the same sentence?",
        "How many were recorded in the first six months?",
        "How many of these happened before June?",
        "How many involved an under-18 as victim or suspect?",
        "How many of these had a victim aged under 16?",
        "How many of the rapes are still under investigation?",
        "How many of the rapes are still open?",
        "How many rapes had more than one victim?",
        "How many rapes had no suspect?",
        "How many rapes were linked to another offence?",
        "How many rapes mention neither?",
        "How many rapes mention both?",
        "How many rapes mention either?",
        'How many crimes mention "gas" but were not recorded as drug offences?',
        "In which month were there most rapes?",
        "The number of rapes on 31 October.",
        "How many rapes had a suspect who was 10, 11 or 12 years old?",
        "How many of these were 10 or under?",
        'How many rapes mention "football", "rugby" and not "cricket"?',
        "How many rapes were against boys under 13?",
        "How many rapes mention only Instagram?",
        "How many rapes had one victim and one suspect?",
    ],
)
def test_a_condition_that_no_rule_reads_is_asked_about(question: str) -> None:
    """Its words are common ones, and without them all that the part before counts was counted."""
    draft = draft_parts('How many rapes mention "Tinder"?', question)
    assert list_entries(draft, "2")


@pytest.mark.parametrize(
    "question",
    [
        "How many of these were there in total?",
        "The number of these crimes that you recorded.",
        "How many rapes?",
    ],
)
def test_a_part_that_only_asks_for_a_number_has_it(question: str) -> None:
    draft = draft_parts('How many rapes mention "Tinder"?', question)
    assert draft.parts[1].fields == {"kind": "offences"}
    assert list_entries(draft, "2") == []


@pytest.mark.parametrize(
    ("question", "terms", "asked"),
    [
        ('where both "knife" and "school" appear', ["knife", "school"], "all stand in one record"),
        ('that mention "knife" and "school"', ["knife", "school"], "all stand in one record"),
        ('where "knife" appears but "kitchen" does not', ["knife"], 'leaves out "kitchen"'),
        ("that mention the apps Tinder/Bumble/Hinge", ["Tinder", "Bumble", "Hinge"], ""),
        (
            "that mention TikTok, Snapchat & Instagram",
            ["TikTok", "Snapchat", "Instagram"],
            "a number for each",
        ),
        ('with the words "cost of living"', ["cost of living"], ""),
        ('that mention "knife", and the number of arrests', ["knife"], "more than one number"),
        (
            'that mention "knife", and how many of those were of a child',
            ["knife"],
            "more than one number",
        ),
    ],
)
def test_how_terms_are_joined_is_read_or_asked_about(
    question: str, terms: list[str], asked: str
) -> None:
    draft = draft_letter(f"How many crimes were there in 2023 {question}?")
    assert [term.term for term in draft.mentions] == terms
    questions = [entry.question for entry in list_entries(draft, "1")]
    assert any(asked in entry for entry in questions) if asked else not questions


@pytest.mark.parametrize(
    ("words", "fields"),
    [
        ("sex and offence", {"kind": "cross", "rows": "offence", "columns": "sex"}),
        ("offence and month", {"kind": "cross", "rows": "month", "columns": "offence"}),
        ("status and month", {"kind": "cross", "rows": "month", "columns": "status"}),
        (
            "offence group and quarter",
            {"kind": "cross", "rows": "quarter", "columns": "offence_group"},
        ),
    ],
)
def test_each_of_a_list_behind_by_is_a_breakdown(words: str, fields: dict[str, str]) -> None:
    draft = draft_letter(f'How many crimes of 2023 mention "Vinted", by {words}?')
    assert draft.parts[0].fields == fields


@pytest.mark.parametrize(
    "question",
    [
        'How many "blackmail" offences of 2023 mention "webcam"?',
        'How many crimes of 2023 mention "webcam" and had the outcome "no suspect identified"?',
    ],
)
def test_a_quoted_offence_or_outcome_is_no_term(question: str) -> None:
    draft = draft_letter(question)
    assert [term.term for term in draft.mentions] == ["webcam"]
    assert list_entries(draft, "1")


@pytest.mark.parametrize(
    "question",
    ['How many crimes mention any of these: "Tinder", "Bumble"?', "How many crimes by month?"],
)
def test_whether_the_offences_of_the_first_part_hold_for_all_is_asked(question: str) -> None:
    draft = draft_parts("How many rapes were recorded?", question)
    assert any(
        "Do the offences of this part hold" in entry.question for entry in list_entries(draft, "1")
    )
    dependent = draft_parts("How many rapes were recorded?", "How many of these by month?")
    assert not list_entries(dependent, "1")


def test_people_of_some_ages_are_asked_about_where_a_part_speaks_of_them() -> None:
    draft = draft_parts(
        'How many crimes mention "nitrous oxide"?',
        "How many of these had a suspect under 18?",
        "How many of those suspects were male?",
    )
    assert any("not to the people" in entry.question for entry in list_entries(draft, "3"))


@pytest.mark.parametrize(
    "before", ["How many had a victim aged under 16?", "The outcomes of these?"]
)
def test_what_a_part_before_counts_of_people_or_rows_is_asked_about(before: str) -> None:
    """Its people and its rows are no records, to which a part could be held."""
    draft = draft_parts("How many rapes were there?", before, 'How many of those mention "Tinder"?')
    assert any("not to the people" in entry.question for entry in list_entries(draft, "3"))


def test_since_a_day_in_the_first_part_is_no_period_of_a_later_one() -> None:
    parts = '1. How many crimes mention "Uber" since 1 January 2020?\n2. And in 2019 alone?'
    letter = make_letter(parts)
    undated = tuple(type(one)(sender=one.sender, subject=one.subject) for one in letter.messages)
    draft = draft_request(LetterText(file_name="a.txt", messages=undated, blocks=letter.blocks))
    assert draft.periods == ()
    assert any("Up to which day?" in entry.question for entry in draft.confirmations)


def test_a_part_about_none_of_the_offences_of_the_whole_request_has_no_figures() -> None:
    draft = draft_letter(
        "Please answer for offences of code 28E in 2023:\n1. How many were there?\n"
        "2. How many offences of code 34B were there?"
    )
    assert [row.codes for row in draft.offences] == [("28E",)]
    assert [bool(part.fields) for part in draft.parts] == [True, False]
    assert any(
        "none of the whole request's" in entry.question for entry in list_entries(draft, "2")
    )


def test_a_breakdown_by_itself_is_of_the_part_before_it() -> None:
    draft = draft_parts(
        'How many crimes mention "Snapchat"?', "By month", 'How many mention "TikTok"?',
        "By sex of victim", "By outcome",
    )  # fmt: skip
    assert [part.fields.get("within") for part in draft.parts] == [
        None, None, None, {"mentions": ["TikTok"]}, {"mentions": ["TikTok"]},
    ]  # fmt: skip
    for part in ("4", "5"):
        assert any("of part 3 alone" in entry.question for entry in list_entries(draft, part))


def test_conditions_in_a_list_below_a_term_are_no_terms() -> None:
    draft = draft_letter(
        'In how many crimes of 2022 was "machete" mentioned and:\n- the victim was injured\n- no one was hurt'
    )
    assert [term.term for term in draft.mentions] == ["machete"]


def test_a_part_is_held_to_the_one_whose_number_it_gives() -> None:
    draft = draft_parts(
        "How many rapes were there?", "How many burglaries?", "How many of those in 1 by month?"
    )
    assert draft.parts[2].fields["within"] == draft.parts[0].fields["within"]


@pytest.mark.parametrize(
    ("ages", "bands"),
    [
        ("between 10 and 14 inclusive or over 80", [{"from": 10, "to": 14}, {"from": 81}]),
        ("between the ages of 10 and 14 (inclusive)", [{"from": 10, "to": 14}]),
        ("18-25 year olds", [{"from": 18, "to": 25}]),
        ("under 16s", [{"to": 15}]),
    ],
)
def test_ages_in_other_words_are_bands(ages: str, bands: list[dict[str, int]]) -> None:
    draft = draft_parts('How many crimes mention "Tinder"?', f"How many victims were {ages}?")
    assert draft.parts[1].fields["bands"] == bands


def test_terms_together_are_counted_in_one_record() -> None:
    draft = draft_parts(
        "How many rapes were there?", 'How many mention "Kik" and "Snapchat" together?'
    )
    assert draft.parts[1].fields == {"kind": "overlap", "keywords": ["Kik", "Snapchat"]}

"""From lines to blocks: numbers, bullets, broken lines, and the mails of a chain."""

from __future__ import annotations

import pytest

from queries.drafting.letter_text import BlockKind, LetterBlock
from queries.drafting.lines.item_numbers import ItemSeries, find_marker, read_roman, write_roman
from queries.drafting.lines.join_lines import join_lines
from queries.drafting.lines.line import split_plain_lines
from queries.drafting.lines.mail_chain import MailChain, split_chain
from queries.drafting.lines.sender_name import parse_sender
from queries.drafting.lines.written_date import parse_written_datetime


def join(text: str) -> list[LetterBlock]:
    return join_lines(split_plain_lines(text))


def outline(text: str) -> list[tuple[str | None, int, str]]:
    """Number, level and text of each block."""
    return [(block.number, block.level, block.text) for block in join(text)]


def chain(text: str) -> MailChain:
    return split_chain(split_plain_lines(text))


@pytest.mark.parametrize(
    ("line", "number", "text"),
    [
        ("1. How many", "1.", "How many"),
        ("1) How many", "1)", "How many"),
        ("(a) how many", "(a)", "how many"),
        ("Q1. How many", "Q1.", "How many"),
        ("Q1 How many", "Q1", "How many"),
        ("Question 1: How many", "Question 1:", "How many"),
        ("Question 1", "Question 1", ""),
        ("1.0 We are instructed", "1.0", "We are instructed"),
        ("iv) the outcome", "iv)", "the outcome"),
        ("1.How many", "1.", "How many"),
        ("1.\tHow many", "1.", "How many"),
        ("- Snapchat", None, "Snapchat"),
        ("\u2022 Snapchat", None, "Snapchat"),
        ("\uf0b7 Snapchat", None, "Snapchat"),
        ("-Snapchat", None, "Snapchat"),
    ],
)
def test_a_marker_is_the_number_as_printed(line: str, number: str | None, text: str) -> None:
    marker = find_marker(line)
    assert marker is not None
    assert (marker.number, line[marker.length :]) == (number, text)


@pytest.mark.parametrize(
    "line",
    [
        "21 (sexual activity involving a child under 13)",
        "13 October 2022",
        "1 April 2020 to 31 March 2021",
        "2018/19 only",
        "How many. 1. of them",
        "-- ",
        "-5 degrees",
        "A request",
        "I am a reporter",
        "Part of this",
        "2.5million people",
    ],
)
def test_what_only_looks_like_a_marker_is_text(line: str) -> None:
    assert find_marker(line) is None


def test_a_number_counts_only_in_its_series() -> None:
    assert outline("1 How many\n2 Harbour Parade\n40 Long Road") == [
        ("1", 0, "How many"),
        ("2", 0, "Harbour Parade"),
        (None, 0, "40 Long Road"),
    ]
    assert outline("22 Harbour Parade") == [(None, 0, "22 Harbour Parade")]
    assert outline("J. Smith") == [(None, 0, "J. Smith")]


@pytest.mark.parametrize("line", ["A. Smith", "I. Smith", "1 Mint Street", "A: the answer"])
def test_a_lone_initial_or_address_is_no_item(line: str) -> None:
    assert outline(f"Regards\n\n{line}") == [(None, 0, "Regards"), (None, 0, line)]


def test_initials_that_are_a_list_are_items() -> None:
    assert outline("A. How many\nB. By month") == [("A.", 0, "How many"), ("B.", 0, "By month")]


def test_levels_follow_the_styles_of_the_numbers() -> None:
    text = """
1. Offences
(a) by month
(i) recorded
(ii) crimed
(b) by outcome
2. Victims
   - under 12
   - 12 to 15
3. Costs
"""
    assert outline(text) == [
        ("1.", 0, "Offences"),
        ("(a)", 1, "by month"),
        ("(i)", 2, "recorded"),
        ("(ii)", 2, "crimed"),
        ("(b)", 1, "by outcome"),
        ("2.", 0, "Victims"),
        (None, 1, "under 12"),
        (None, 1, "12 to 15"),
        ("3.", 0, "Costs"),
    ]


def test_h_then_i_is_a_letter_and_a_first_i_is_roman() -> None:
    letters = "\n".join(f"({letter}) item" for letter in "abcdefghij")
    assert [block.level for block in join(letters)] == [0] * 10
    series = ItemSeries()
    for written in ("1. x", "(i) x", "(ii) x", "(iii) x", "(iv) x", "(v) x"):
        marker = find_marker(written)
        assert marker
        assert series.place(marker) == (0 if written[0] == "1" else 1)


def test_two_markers_on_a_line_are_two_items() -> None:
    assert outline("Q2.  (a) the first; and\n     (b) the second.") == [
        ("Q2.", 0, ""),
        ("(a)", 1, "the first; and"),
        ("(b)", 1, "the second."),
    ]


@pytest.mark.parametrize("value", [1, 4, 9, 14, 19, 38])
def test_roman_numbers_go_both_ways(value: int) -> None:
    assert read_roman(write_roman(value)) == value


def test_iiii_is_not_roman() -> None:
    assert read_roman("iiii") is None


def test_lines_broken_at_a_width_are_joined() -> None:
    text = (
        "I would be grateful for the number of crimes which mention any of these\n"
        "words in their free text, for each of the three financial years that end\n"
        "in March 2023.\n"
        "\n"
        "1) The number of recorded offences which mention the words, for each of\n"
        "the three years.\n"
        "2) The outcomes.\n"
    )
    assert [block.text for block in join(text)] == [
        "I would be grateful for the number of crimes which mention any of these words in their "
        "free text, for each of the three financial years that end in March 2023.",
        "The number of recorded offences which mention the words, for each of the three years.",
        "The outcomes.",
    ]


def test_a_line_that_ends_in_the_middle_of_a_thought_goes_on_whatever_its_width() -> None:
    text = 'How many reports refer to a\n\u201cdoorbell camera\u201d or a\n"video doorbell"?\nThanks\nTom'
    assert [block.text for block in join_lines(split_plain_lines(text))] == [
        'How many reports refer to a \u201cdoorbell camera\u201d or a "video doorbell"?',
        "Thanks",
        "Tom",
    ]


def test_a_line_broken_before_a_quotation_goes_on() -> None:
    text = (
        "How many of the reports that you have recorded since then name\n"
        '"TikTok", and of these reports how many were made by a member of the public\n'
        "(or by somebody on their behalf) in the area of the district?\n"
    )
    assert len(join_lines(split_plain_lines(text))) == 1


def test_lines_of_an_address_and_of_a_list_stay_apart() -> None:
    text = "Ida Pell\n14 Quarry Rise\nStonemouth\n\nSnapchat\nTwitch\nXbox live"
    assert [block.text for block in join(text)] == text.replace("\n\n", "\n").split("\n")


def test_a_word_broken_at_its_hyphen_keeps_it() -> None:
    text = (
        "Please count the crimes whose record holds the words 'live stream', 'live-\n"
        "stream' or 'livestream', in the year that ended on 31 March 2018, and say\n"
        "which."
    )
    assert "'live-stream' or" in join(text)[0].text


def test_the_text_of_an_item_may_be_indented_below_it() -> None:
    assert outline("1. How many\n   crimes\n2. How many\n   victims") == [
        ("1.", 0, "How many crimes"),
        ("2.", 0, "How many victims"),
    ]


def test_cells_apart_by_tabs_are_a_row() -> None:
    blocks = join("Code\tTitle\n88A\tGrooming")
    assert [(block.kind, block.text) for block in blocks] == [
        (BlockKind.ROW, "Code\tTitle"),
        (BlockKind.ROW, "88A\tGrooming"),
    ]


@pytest.mark.parametrize("line", ["> What I ask <", "== What I ask ==", "**What I ask**"])
def test_a_line_between_marks_is_a_heading_and_no_quotation(line: str) -> None:
    found = chain(f"Hello\n\n{line}\nHow many?\n")
    assert [(block.kind, block.text, block.message) for block in found.blocks] == [
        (BlockKind.PARAGRAPH, "Hello", 0),
        (BlockKind.HEADING, "What I ask", 0),
        (BlockKind.PARAGRAPH, "How many?", 0),
    ]


def test_marks_that_print_nothing_are_left_out() -> None:
    assert join("Snap\u00adchat\u200b and\u00a0Kik")[0].text == "Snapchat and Kik"


def test_a_mail_above_another_is_the_newest_one() -> None:
    text = """From: Isla Reed <isla@post.example.org>
Date: 3 December 2019 11:15
Subject: RE: request

Only 2018-19, please.

-----Original Message-----
From: FOI Northshire
Sent: 29 November 2019 16:40
To: Isla Reed
Subject: request

Please narrow it.

From: Isla Reed
Sent: 27 September 2019 09:03
Subject: FOI request

Everything, please.
"""
    found = chain(text)
    assert [(mail.sender, str(mail.sent), mail.quoted) for mail in found.messages] == [
        ("Isla Reed", "2019-12-03", False),
        ("FOI Northshire", "2019-11-29", True),
        ("Isla Reed", "2019-09-27", True),
    ]
    assert [(block.message, block.text) for block in found.blocks] == [
        (0, "Only 2018-19, please."),
        (1, "Please narrow it."),
        (2, "Everything, please."),
    ]


def test_a_mail_below_an_older_one_is_newer_and_no_quotation() -> None:
    text = """From: Isla Reed
Sent: 18 July 2018 10:41
Subject: request

First.

From: Isla Reed
Sent: 25 July 2018 16:07
Subject: correction

Second.
"""
    found = chain(text)
    assert [(str(mail.sent), mail.quoted) for mail in found.messages] == [
        ("2018-07-25", False),
        ("2018-07-18", False),
    ]
    assert [(block.message, block.text) for block in found.blocks] == [
        (1, "First."),
        (0, "Second."),
    ]


def test_marks_of_quotation_tell_mails_apart() -> None:
    text = """Please see below.

On Fri, 29 Nov 2019 at 16:40, Ann Duty <foi@northshire.example.org>
wrote:

> Which year?
>> All crimes with Snapchat
> Regards

That was all.
"""
    found = chain(text)
    assert [(mail.sender, mail.quoted) for mail in found.messages] == [
        (None, False),
        ("Ann Duty", True),
        (None, True),
    ]
    assert [(block.message, block.text) for block in found.blocks] == [
        (0, "Please see below."),
        (0, "That was all."),
        (1, "Which year?"),
        (1, "Regards"),
        (2, "All crimes with Snapchat"),
    ]


def test_heads_of_other_programs() -> None:
    text = """---------- Forwarded message ---------
From: Ida Pell <ida@post.example.org>
Date: Tue, 6 Jun 2023 at 08:02
Subject: FOI
To: <foi@northshire.example.org>

How many?

> On 5 Jun 2023, at 16:40, Ann Duty <ann@northshire.example.org> wrote:
>
> Which year?
"""
    found = chain(text)
    assert [(mail.sender, str(mail.sent)) for mail in found.messages] == [
        ("Ida Pell", "2023-06-06"),
        ("Ann Duty", "2023-06-05"),
    ]
    assert [(block.message, block.text) for block in found.blocks] == [
        (0, "How many?"),
        (1, "Which year?"),
    ]


def test_a_sentence_about_writing_is_no_attribution() -> None:
    found = chain("On the force's own site someone wrote:\nNothing is held.")
    assert len(found.messages) == 1
    assert len(found.blocks) == 2


def test_a_reference_line_is_no_head_of_a_mail() -> None:
    found = chain("Our ref: HMS/0713/21\nYour ref: none\nTo: The Chief Constable\nDear Sirs")
    assert len(found.messages) == 1
    assert [block.text for block in found.blocks][2] == "To: The Chief Constable"


@pytest.mark.parametrize(
    ("written", "name", "address"),
    [
        ('"Prydderch, Ffion" <f@uni.example.org>', "Ffion Prydderch", "f@uni.example.org"),
        ("Prydderch, Ffion (Student)", "Ffion Prydderch", None),
        ("Ffion Prydderch [mailto:f@uni.example.org]", "Ffion Prydderch", "f@uni.example.org"),
        ("f@uni.example.org", "f@uni.example.org", "f@uni.example.org"),
        ("<f@uni.example.org>", "f@uni.example.org", "f@uni.example.org"),
        ("Reed Stokes, LLP <m@stokes.example.org>", "Reed Stokes, LLP", "m@stokes.example.org"),
        ("", None, None),
    ],
)
def test_a_sender_is_a_name_in_plain_order(
    written: str, name: str | None, address: str | None
) -> None:
    assert parse_sender(written) == (name, address)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("Wednesday, 18 July 2018 10:41", "2018-07-18 10:41"),
        ("15/01/2024 23:48", "2024-01-15 23:48"),
        ("Tue, 6 Jun 2023 08:02:11 +0100", "2023-06-06 08:02"),
        ("3rd of December 2019", "2019-12-03 00:00"),
        ("Nov 29, 2019, at 4:40 PM", "2019-11-29 16:40"),
        ("2019-11-29T16:40", "2019-11-29 16:40"),
        ("31/02/2019", None),
        ("yesterday", None),
    ],
)
def test_dates_of_heads(written: str, moment: str | None) -> None:
    found = parse_written_datetime(written)
    assert (found and found.isoformat(" ", "minutes")) == moment

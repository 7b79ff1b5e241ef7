"""Any letter is read back from each kind of file: its blocks in order, with their numbers."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from queries.drafting.letter_text import BlockKind, LetterBlock
from queries.drafting.lines.item_numbers import write_roman
from queries.drafting.readers.faults import UnreadableLetterError
from queries.drafting.readers.formats import read_letter_bytes
from tests.support.examples import examples
from tests.support.letter_files import (
    make_mail,
    write_html,
    write_outlook,
    write_pdf,
    write_plain_text,
    write_word,
)

WORDS = st.sampled_from(
    [
        "number", "crimes", "Snapchat", "recorded", "live-stream", "Musical.ly", "between", "year",
        "2017/18", "88/1,", "offences;", "victims", "“Xbox", "live”", "and/or", "sex", "Renée",
        "(note)", "e-mail", "outcome", "months.", "aged", "16", "of", "the", "i.e.", "café", "?",
    ]
)  # fmt: skip

#: A block begins with a word, and not with what may be a number.
TEXTS = st.builds(
    lambda first, rest: " ".join([first, *rest]),
    st.sampled_from(["Please", "How", "Snapchat", "we", "Étude"]),
    st.lists(WORDS, max_size=30),
)


@st.composite
def letters(draw: st.DrawFn) -> list[LetterBlock]:
    """Paragraphs, and items on up to three levels, numbered as Word numbers them."""
    blocks: list[LetterBlock] = []
    counters: list[int] = []
    for _ in range(draw(st.integers(1, 14))):
        text = draw(TEXTS)
        deepest = min(len(counters), 2)
        level = draw(st.none() | st.integers(0, deepest))
        if level is None:
            blocks.append(LetterBlock(text=text))
            continue
        counters = [*counters[: level + 1], *[0] * (level + 1 - len(counters))]
        counters[level] += 1
        value = counters[level]
        number = (f"{value}.", f"({chr(96 + value)})", f"({write_roman(value)})")[level]
        blocks.append(LetterBlock(text=text, kind=BlockKind.ITEM, number=number, level=level))
    return blocks


@settings(max_examples=examples(8), suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(blocks=letters())
def test_a_letter_is_read_back_from_every_kind_of_file(blocks: list[LetterBlock]) -> None:
    text = write_plain_text(blocks)
    mail = make_mail(text)
    files = {
        ".txt": [text.encode(), write_plain_text(blocks, None).encode("utf-16")],
        ".eml": [mail.as_bytes(), make_mail("-", write_html(blocks)).as_bytes()],
        ".msg": [write_outlook(mail)],
        ".docx": [write_word(blocks)],
    }
    for ending, contents in files.items():
        for data in contents:
            assert list(read_letter_bytes(ending, data).blocks) == blocks, ending


@settings(max_examples=examples(6), suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(blocks=letters())
def test_a_pdf_loses_no_word_and_no_number(blocks: list[LetterBlock]) -> None:
    """A page does not show where a paragraph ends, if its last line is full."""
    found = read_letter_bytes(".pdf", write_pdf(blocks)).blocks
    assert join_words(found).split() == join_words(blocks).split()
    numbers = [(block.number, block.level) for block in blocks if block.number]
    assert [(block.number, block.level) for block in found if block.number] == numbers


def join_words(blocks: Iterable[LetterBlock]) -> str:
    """All that is printed, without hyphens, at which a line may end."""
    return " ".join(f"{block.number or ''} {block.text}" for block in blocks).replace("-", "")


@settings(max_examples=examples(60), deadline=None)
@given(
    ending=st.sampled_from([".txt", ".eml"]),
    data=st.binary(max_size=400)
    | st.text(st.sampled_from("\n\n\r> -1.ab()iQFrom:Sent\t<p>=_"), max_size=200).map(
        lambda text: text.encode()
    ),
)
def test_any_text_or_mail_is_a_letter_or_a_known_fault(ending: str, data: bytes) -> None:
    try:
        reading = read_letter_bytes(ending, data)
    except UnreadableLetterError:
        return
    assert reading.blocks
    assert {block.message for block in reading.blocks} <= set(range(len(reading.messages)))
    assert all(block.text or block.number for block in reading.blocks)

"""A drafted request as YAML: read back as it was, with comments, and naming the requester once."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from queries.drafting.request_text import remove_requester, write_request_text
from queries.spec.yaml_text import parse_yaml
from tests.support.examples import examples

TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n:#-'\"{}[]?,&*!|>%@`~"),
    min_size=1,
    max_size=60,
).map(lambda text: text.strip() or "x")

FIELDS = st.dictionaries(
    st.sampled_from(["text", "not_covered", "kind", "keywords", "bands", "youngest"]),
    TEXTS | st.lists(TEXTS, min_size=1, max_size=30) | st.booleans() | st.integers(0, 120),
    max_size=4,
)

MAPPINGS = st.fixed_dictionaries(
    {
        "reference": TEXTS,
        "mentions": st.lists(TEXTS, min_size=1, max_size=5),
        "questions": st.lists(
            st.builds(lambda number, fields: {"id": number, **fields}, TEXTS, FIELDS), max_size=4
        ),
        "letter": st.fixed_dictionaries({"to": TEXTS}),
        "confirm": st.lists(
            st.fixed_dictionaries({"question": TEXTS, "choices": st.lists(TEXTS, min_size=1)}),
            max_size=3,
        ),
    }
)


def as_text(value: Any) -> Any:
    """A value as a request file is read: every leaf is text."""
    if isinstance(value, dict):
        return {key: as_text(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [as_text(entry) for entry in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


@settings(max_examples=examples(100), deadline=None)
@given(mapping=MAPPINGS)
def test_whatever_a_letter_says_is_read_back_as_it_was(mapping: dict[str, Any]) -> None:
    assert parse_yaml(write_request_text(mapping, "0" * 64), "draft").value == as_text(mapping)


def test_a_draft_is_laid_out_for_a_reader() -> None:
    mapping = {
        "reference": "FOI/1",
        "period": {"from": "2017-04-01", "to": "2018-03-31"},
        "questions": [
            {"id": "4a", "kind": "victims", "bands": [{"to": 11}], "text": "How many:\nunder 12"},
            {"id": "5", "text": "Costs", "not_covered": "Money is not in the records."},
        ],
        "letter": {"to": "Ida Pell", "received": "2018-07-18"},
        "confirm": [{"part": "4a", "question": "Which year?", "choices": ["2017", "2018"]}],
    }
    text = write_request_text(mapping, "ab" * 32)
    assert text.startswith(f"# Drafted from a letter (SHA-256 {'ab' * 32}).\n")
    assert text[text.index("reference") :] == (
        "reference: FOI/1\n"
        "period: {from: 2017-04-01, to: 2018-03-31}\n"
        "questions:\n"
        "# Part 4a of the letter\n"
        "- id: 4a\n"
        "  kind: victims\n"
        "  bands:\n"
        "  - {to: 11}\n"
        "  text: |-\n"
        "    How many:\n"
        "    under 12\n"
        "# Part 5 of the letter\n"
        "- id: 5\n"
        "  text: Costs\n"
        "  not_covered: Money is not in the records.\n"
        "letter:\n"
        "  to: Ida Pell\n"
        "  received: 2018-07-18\n"
        "confirm:\n"
        "# Part 4a of the letter\n"
        "- part: 4a\n"
        "  question: Which year?\n"
        "  choices:\n"
        "  - 2017\n"
        "  - 2018\n"
    )


def test_a_comment_stays_on_its_line() -> None:
    mapping = {"questions": [{"id": "1\n# injected: yes\nreference: x", "text": "x"}]}
    lines = write_request_text(mapping, "").splitlines()
    assert "# Part 1 # injected: yes reference: x of the letter" in lines


def test_only_the_letter_names_the_requester() -> None:
    mapping = {
        "title": "Request of IDA  PELL",
        "mentions": ["Ida Pell"],
        "questions": [
            {"id": "1", "keywords": ["Pell"], "text": "Regards, Ida Pell\nida@post.example.org"}
        ],
        "letter": {"to": "Ida Pell, The Courier"},
        "confirm": [{"question": "Is it Ida Pell's?", "choices": ["Ida Pellew", "Ida Pell"]}],
    }
    assert remove_requester(mapping, ["Ida Pell"]) == {
        "title": "Request of the requester",
        "mentions": ["Ida Pell"],
        "questions": [
            {"id": "1", "keywords": ["Pell"], "text": "Regards, the requester\nthe requester"}
        ],
        "letter": {"to": "Ida Pell, The Courier"},
        "confirm": [
            {"question": "Is it the requester's?", "choices": ["Ida Pellew", "the requester"]}
        ],
    }


def test_an_address_in_a_word_of_any_length_is_removed() -> None:
    """A search that began anew at each letter would take minutes, and end by the time limit."""
    word = "x" * 400_000
    mapping = {"title": f"{word} ida@post.example.org {word}"}
    assert remove_requester(mapping, []) == {"title": f"{word} the requester {word}"}

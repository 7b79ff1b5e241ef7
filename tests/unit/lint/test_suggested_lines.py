"""A line that the wording check suggests keeps everything that the request says of the term."""

from __future__ import annotations

import msgspec
import pytest
import yaml

from queries.lint.findings import write_yaml_term
from queries.spec.term_spec import CooccurrenceSpec, TermSpec, make_term_spec, to_mention

BOOK: dict[str, tuple[str, ...]] = {"Xbox": ("X-Box",)}


@pytest.mark.parametrize(
    "spec",
    [
        TermSpec("Xbox"),
        TermSpec("Xbox", openings={"Xbox": ("X B ox", "ex-box")}),
        TermSpec("C 8", variants="none", aliases=("it's",)),
        TermSpec(
            "app",
            aliases=("programme",),
            cooccurrences=("chat", CooccurrenceSpec("message", 5)),
            openings={"programme": ("pro-gram",), "chat": ("c hat",)},
        ),
    ],
)
def test_a_suggested_line_is_the_term_of_the_request(spec: TermSpec) -> None:
    line = write_yaml_term(make_term_spec(to_mention(spec), lambda term: BOOK.get(term, ())))
    assert msgspec.convert(yaml.safe_load(line), TermSpec) == spec


def test_what_the_term_book_adds_is_not_written() -> None:
    spec = make_term_spec(to_mention(TermSpec("Xbox", openings=BOOK)), lambda term: BOOK[term])
    assert write_yaml_term(spec) == "{term: Xbox}"

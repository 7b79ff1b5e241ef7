"""The term book: its openings count, all wordings of a term are one term, and its loader is strict."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.config.loader import load_settings
from indexer.errors import ConfigurationError, RequestError
from queries.jobs.nightly_refresh import build_canary_query
from queries.matching.term import (
    Term,
    iter_joined_variants,
    parse_term,
    parse_term_parts,
)
from queries.questions.keywords import Keywords
from queries.request.adhoc import build_adhoc_request
from queries.request.reader import parse_request
from queries.spec.term_book import (
    BookTerm,
    TermBook,
    find_default_term_book,
    load_configured_term_book,
    load_default_term_book,
    read_term_book,
)
from queries.spec.term_spec import TermSpec
from tests.support.oracle import spellings, variants
from tests.support.paths import ROOT

BOOK = load_default_term_book()

HEAD = "reference: R\ntitle: T\n"


def term(written: str) -> Term:
    return parse_term(written, openings=BOOK.extra_spellings(written))


def book(tmp_path: Path, text: str) -> TermBook:
    path = tmp_path / "book.yaml"
    path.write_text(text, encoding="utf-8")
    return read_term_book(path)


@pytest.mark.parametrize(
    "wordings",
    [
        ["Xbox", "X-Box", "x box", "XBOX", "x \u2013 box"],
        ["WhatsApp", "Whats App", "what's app", "What\u2019s-App", "What'sApp"],
        ["Xbox live", "X-Box Live", "XboxLive", "x boxlive", "X-BoxLive"],
        ["Xbox controller", "X-Box controller", "x box  controller"],
        ["e-bike", "ebike", "E Bike"],
        ["Call of Duty", "CallOfDuty", "call-of-duty"],
        ["Facebook", "face book", "Face-Book"],
    ],
    ids=lambda wordings: wordings[0],
)
def test_all_wordings_of_one_term_are_one_term_and_count_one_another(wordings: list[str]) -> None:
    terms = [term(written) for written in wordings]
    assert {parsed.identity for parsed in terms} == {terms[0].identity}
    written_forms = {parse_term_parts(written) for written in wordings}
    assert all(written_forms <= {*parsed.forms} for parsed in terms)


def test_every_joining_of_every_wording_of_the_book_is_one_term() -> None:
    for entry in BOOK.terms:
        if term(entry.term).compound:
            continue
        forms = term(entry.term).forms
        for written in entry.wordings:
            for joined in iter_joined_variants(parse_term_parts(written)):
                assert term(" ".join(joined)).forms == forms, (entry.term, joined)


def test_forms_of_the_book_are_those_of_the_rule() -> None:
    for entry in BOOK.terms:
        forms = sorted(" ".join(form) for form in term(entry.term).forms)
        if BOOK.extra_spellings(entry.term):
            assert forms == spellings([*entry.wordings, entry.term]), entry.term
        elif not term(entry.term).compound:
            assert forms == variants(entry.term), entry.term


def test_the_book_changes_no_term_it_does_not_know() -> None:
    for written in (
        "Facebook",
        "live stream",
        "boxing",
        "x",
        "linebox",
        "Live.ly",
        "M&S",
        "",
        "--",
    ):
        assert BOOK.extra_spellings(written) == ()


@given(st.text("xbo e-'ike", max_size=20))
def test_an_opening_never_narrows_a_term(written: str) -> None:
    try:
        plain = parse_term(written)
    except RequestError:
        assert BOOK.extra_spellings(written) == ()
        return
    assert set(plain.forms) <= set(term(written).forms)


def test_openings_reach_mentions_keywords_aliases_and_company() -> None:
    found = parse_request(
        f"{HEAD}mentions: [Xbox, {{term: Hinge, aliases: [ebike], with: [Xbox]}}]\n"
        "questions: [{id: Q1, kind: keywords, keywords: [Whatsapp]}]"
    )
    first, second = found.scope.mentions
    assert ("x", "box") in first.term.forms
    assert ("e", "bike") in second.aliases[0].forms
    assert ("x", "box") in second.cooccurrences[0].term.forms
    (question,) = found.questions
    assert isinstance(question, Keywords)
    assert ("what's", "app") in question.table_query(found.scope).rows.mentions[0].term.forms
    assert ("x", "box") in build_adhoc_request(["Xbox"]).scope.mentions[0].term.forms
    assert {"match_phrase": {"narrative": "x box"}} in build_canary_query("Xbox", BOOK)["bool"][
        "should"
    ]


def test_a_request_says_what_the_book_gave_it_and_counts_the_same_without_the_book() -> None:
    found = parse_request(f"{HEAD}mentions: [Xbox]\nquestions: [{{id: Q1, kind: offences}}]")
    assert found.mentions == (TermSpec("Xbox", openings={"Xbox": ("x box",)}),)
    assert found.wordings(found.scope.mentions[0]) == ("Xbox",)


def test_a_name_that_stands_twice_in_other_capitals_is_one_other_name() -> None:
    book = TermBook(
        (BookTerm("Snapchat", aliases=("snap", "SC")), BookTerm("Snap", aliases=("Snapchat",)))
    )
    assert book.other_names("snapchat") == ("snap", "SC")
    assert book.other_names("Snap") == ("Snapchat",)


def test_variants_none_switches_openings_off() -> None:
    found = parse_request(
        f"{HEAD}mentions: [{{term: Xbox, variants: none, with: [ebike]}}]\n"
        "questions: [{id: Q1, kind: offences}]"
    )
    (mention,) = found.scope.mentions
    assert mention.term.forms == (("xbox",),)
    assert ("e", "bike") in mention.cooccurrences[0].term.forms


def test_two_keywords_that_the_book_makes_one_term_are_refused() -> None:
    with pytest.raises(RequestError, match='"X-Box" is the same term as "Xbox"'):
        parse_request(f"{HEAD}questions: [{{id: Q1, kind: keywords, keywords: [Xbox, X-Box]}}]")


def test_a_request_may_give_openings_of_its_own() -> None:
    found = parse_request(
        f"{HEAD}mentions: [{{term: Kbox, openings: {{Kbox: [K-Box]}}}}]\n"
        "questions: [{id: Q1, kind: offences}]"
    )
    assert ("k", "box") in found.scope.mentions[0].term.forms


@pytest.mark.parametrize(
    ("openings", "message"),
    [
        (
            "{Kbux: [K-Box]}",
            '3: "openings" has "Kbux", which is not a term here. The terms are Kbox.',
        ),
        ("{Kbox: [K.Box]}", '3: "K.Box" contains punctuation, so it is not an opening of "Kbox"'),
        ("{Kbox: K-Box}", "expected a list"),
    ],
)
def test_wrong_openings_of_a_request_are_told_with_their_line(openings: str, message: str) -> None:
    with pytest.raises(RequestError) as refused:
        parse_request(
            f"{HEAD}mentions: [{{term: Kbox, openings: {openings}}}]\n"
            "questions: [{id: Q1, kind: offences}]"
        )
    assert message in str(refused.value)


def test_a_compound_has_no_openings() -> None:
    with pytest.raises(RequestError, match="found as it is written"):
        parse_term("Live.ly", openings=["live ly"])
    assert parse_term("Live.ly", variants=False, openings=["live ly"]).compound


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("names: []", ":1: is not a term book"),
        ("terms: []\nmore: []", ":1: is not a term book"),
        ("terms: Xbox", ":1: is not a term book"),
        ("terms:\n- Xbox", ":2: expected"),
        ("terms:\n- {aliases: [x]}", ':2: lacks "term"'),
        ("terms:\n- term: Kbox\n  opening: [a]", ':3: "opening" is not a key here. Did you mean "openings"?'),
        ("terms:\n- term: Kbox\n  everyday: maybe", ':3: "everyday": expected true or false, not text'),
        ("terms:\n- term: C++", ':2: term "C++" contains punctuation'),
        ("terms:\n- {term: Kbox, openings: [K.Box]}", ':2: "K.Box" contains punctuation'),
        ("terms:\n- {term: Live.ly, openings: [live ly]}", ':2: term "Live.ly" is found as it is written'),
        ("terms:\n- term: Snapchat\n  openings:\n  - snap chat", ':4: "snap chat" is a form of "Snapchat" by the matching rule'),
        ("terms:\n- {term: Xbox, openings: [X-Box], aliases: [x box]}", ':2: "x box" is a form of "Xbox", which counts'),
        ("terms:\n- {term: Xbox}\n- {term: X-Box}", ':3: "X-Box" is the same term as "Xbox" above'),
        ("terms:\n- {term: Kbox, aliases: [--]}", ':2: term "--" has no letter or digit'),
        ("terms:\n- &a {term: Kbox}", ":2: has an anchor"),
    ],
)  # fmt: skip
def test_a_wrong_book_is_told_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        book(tmp_path, text)
    assert f"{tmp_path / 'book.yaml'}" in str(refused.value)
    assert message in str(refused.value)


def test_all_that_is_wrong_in_a_book_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        book(tmp_path, "terms:\n- {aliases: []}\n- {term: C++}\n- {term: Kbox, word: a}")
    assert [line.split(":")[1] for line in str(refused.value).splitlines()] == ["2", "3", "4"]


def test_a_book_of_the_force_comes_before_ours(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "terms:\n- {term: Xbox, aliases: [the box]}\n- {term: Kbox, openings: [K-Box]}\n", "utf-8"
    )
    config = tmp_path / "foidex.toml"
    config.write_text('[terms]\nbook = "mine.yaml"\n', encoding="utf-8")
    merged = load_configured_term_book(load_settings({}, config))
    assert merged.extra_spellings("Xbox") == ()
    assert merged.extra_spellings("Kbox") == ("k box",)
    assert merged.extra_spellings("whatsapp")
    entry = merged.find_term("x box")
    assert entry
    assert entry.aliases == ("the box",)


def test_a_book_that_is_missing_is_a_fault_of_the_configuration(tmp_path: Path) -> None:
    config = tmp_path / "foidex.toml"
    config.write_text('[terms]\nbook = "none.yaml"\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"none\.yaml: cannot be read"):
        load_configured_term_book(load_settings({}, config))


def test_our_book_knows_names_of_many_kinds() -> None:
    known = {entry.term for entry in BOOK.terms}
    assert len(known) > 100
    assert {"WhatsApp", "Xbox", "Tinder", "eBay", "e-scooter", "Discord", "live stream"} <= known
    every = {entry.term for entry in BOOK.terms if entry.everyday}
    assert {"Steam", "Yellow", "Discord", "Signal", "Line", "Twitch", "Hinge", "Match"} <= every
    assert all(entry.cooccurrences for entry in BOOK.terms if entry.everyday)


def test_the_keys_of_a_term_are_described() -> None:
    text = (ROOT / "mappings" / "README.md").read_text("utf-8")
    for key in BookTerm.__struct_encode_fields__:
        assert f"- `{key}`" in text


def test_no_two_terms_of_our_book_share_a_form() -> None:
    """Else a count of one would hold the other, and nobody could say which is meant."""
    forms: dict[tuple[str, ...], str] = {}
    for entry in BOOK.terms:
        for form in term(entry.term).forms:
            assert forms.setdefault(form, entry.term) == entry.term, form


def test_the_letters_of_a_name_stand_apart_only_where_the_book_says_so() -> None:
    spaced = {" ".join(form) for form in term("Xbox").forms}
    assert spaced == {"xbox", "x box", "xb ox"}
    every = itertools.chain.from_iterable(term(entry.term).forms for entry in BOOK.terms)
    assert ("m", "sn") not in set(every)


def test_the_entries_of_the_shipped_term_book_have_no_fault() -> None:
    """They are not checked again when it is loaded."""
    assert read_term_book(find_default_term_book()).terms == load_default_term_book().terms

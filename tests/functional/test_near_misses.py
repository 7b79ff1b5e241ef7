"""Near misses that a person would want to know of, on a real server, each kind by its cases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from elasticsearch import Elasticsearch

from indexer.config.model import IndexSettings
from queries.lint.check import check_wording
from queries.lint.findings import NearMiss, format_wording_check
from queries.lint.near_misses import SampleLimits
from queries.request.reader import parse_request
from queries.spec.term_book import TermBook
from tests.support.narratives import as_records

#: Term, text, and the near miss: its wording and its kind; none if nothing is near.
CASES = [
    ("3D", "A 3 D print.", ("3 d", "opened otherwise")),
    ("C8", "By the C-8 there.", ("c 8", "opened otherwise")),
    ("420", "On 4-20 there.", ("4 20", "opened otherwise")),
    ("elearning", "An e-learning page.", ("e learning", "opened otherwise")),
    ("Snapchat", "By S-N-A-P-C-H-A-T there.", ("s n a p c h a t", "opened otherwise")),
    ("USA", "From the U S A there.", ("u s a", "opened otherwise")),
    ("USA", "They told us a name.", None),
    ("pick up truck", "A pick u-p truck.", ("pick u p truck", "opened otherwise")),
    ("3D printer", "A 3 D printer.", ("3 d printer", "opened otherwise")),
    ("USA", "From the U.S.A. there.", ("u.s.a.", "with full stops")),
    ("USA", "From the u. s. a there.", ("u. s. a", "with full stops")),
    ("RSPCA", "By the R.S.P.C.A. there.", ("r.s.p.c.a.", "with full stops")),
    ("USA visa", "With a U.S.A. visa there.", ("u.s.a. visa", "with full stops")),
    ("USA", "To us. A man.", None),
    ("USA", "From the U.S. and A.", None),
    ("1000", "It was 1,000 there.", ("1,000", "with its digits grouped")),
    ("1000000", "It was 1,000,000 there.", ("1,000,000", "with its digits grouped")),
    ("1000", "It was 1.000 there.", ("1.000", "with its digits grouped")),
    ("1000 rounds", "With 1,000 rounds there.", ("1,000 rounds", "with its digits grouped")),
    ("1000", "It was 1, 000 or 1/000 there.", None),
    ("1000", "It was 100,0 there.", None),
    ("cafe", "In a caf\u00e9 there.", ("caf\u00e9", "with other accents, or none")),
    ("caf\u00e9", "In a cafe there.", ("cafe", "with other accents, or none")),
    ("etat", "Named \u00c9tat there.", ("\u00e9tat", "with other accents, or none")),
    ("Lodz", "From \u0141\u00f3d\u017a there.", ("\u0142\u00f3d\u017a", "with other accents, or none")),
    ("cafe noir", "The Caf\u00e9 Noir there.", ("caf\u00e9 noir", "with other accents, or none")),
    ("cafe", "In a cave there.", None),
    ("party", "At two parties.", ("parties", "another ending")),
    ("knife", "With two knives.", ("knives", "another ending")),
    ("app", "By two apps.", ("apps", "another ending")),
    ("meet up", "He meets up there.", ("meets up", "another ending")),
    ("meeting up", "They meet up there.", ("meet up", "another ending")),
    ("gang member", "Of gangs members there.", None),
    ("attorney general", "Two attorneys general.", ("attorneys general", "another ending")),
    ("the", "A thing there.", None),
    ("live stream", "A live-\n\nstream there.", ("live- stream", "broken by a page")),
    ("livestream", "A live-\r\n \r\nstream there.", ("live- stream", "broken by a page")),
    ("Snapchat", "By Snap-\fchat there.", ("snap- chat", "broken by a page")),
    ("pepper spray canister", "A pepper spray-\n\n\ncanister.", ("pepper spray- canister", "broken by a page")),
    ("live stream", "They live.\n\nStream there.", None),
    ("live stream", "They live on a stream.", None),
    ("live stream", "They live\n\nstream there.", None),
    ("TikTok", "Met on\u200bTikTok there.", ("ontiktok", "joined to the word before it")),
    ("TikTok", "Met onTikTok there.", ("ontiktok", "joined to the word before it")),
    ("Kik", "Met on\u200bKik there.", ("onkik", "joined to the word before it")),
    ("live stream", "Seen on\u200blive stream.", ("onlive stream", "joined to the word before it")),
    ("line", "Seen online there.", None),
    ("app", "On a map there.", None),
    ("TikTok", "On\u200b TikTok, Tik\u200bTok there.", None),
]  # fmt: skip


def find_near(
    client: Elasticsearch, alias: str, term: str, marker: str
) -> list[tuple[str, str, int, int]]:
    """The near misses of a term among the records that hold a marker."""
    text = (
        f"reference: R\ntitle: T\nmentions: [{marker}]\n"
        f"questions: [{{id: Q1, kind: keywords, keywords: ['{term}']}}]"
    )
    check = check_wording(client, alias, parse_request(text), TermBook(()))
    (finding,) = [one for one in check.terms if one.places == ("Q1",)]
    assert finding.coverage.is_complete
    return [(miss.wording, miss.kind, miss.records, miss.added) for miss in finding.near_misses]


def test_each_kind_of_near_miss_is_reported_with_its_name_and_exact_numbers(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    """Each text is in two records, of which one also has the term itself."""
    texts = {}
    for number, (term, text, _) in enumerate(CASES):
        texts[f"R{number:03}A"] = f"Case {number}x. {text}"
        texts[f"R{number:03}B"] = f"Case {number}x. {text} By {term}."
    load(as_records(texts))
    for number, (term, text, expected) in enumerate(CASES):
        right = [] if expected is None else [(*expected, 2, 1)]
        assert find_near(client, index.alias, term, f"{number}x") == right, (term, text)


def test_a_requested_wording_is_no_near_miss_and_another_required_term_is_kept(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    texts = {"R1": "In the U.S.A. with a visa.", "R2": "In the U.S.A. there.", "R3": "In USA."}
    load(as_records(texts))
    assert find_near(client, index.alias, "USA", "in") == [("u.s.a.", "with full stops", 2, 2)]
    request = (
        "reference: R\ntitle: T\nmentions: [in]\nquestions: [{id: Q1, kind: keywords, "
        "keywords: [{term: USA, with: [visa]}, {term: USA, aliases: [U.S.A]}]}]"
    )
    check = check_wording(client, index.alias, parse_request(request), TermBook(()))
    assert [one.near_misses for one in check.terms if one.places == ("Q1",)] == [(), (), ()]
    request = request.replace(", {term: USA, aliases: [U.S.A]}", "")
    check = check_wording(client, index.alias, parse_request(request), TermBook(()))
    finding, required = [one for one in check.terms if one.places == ("Q1",)]
    assert (required.required, required.near_misses) == ("visa", ())
    assert finding.near_misses == (NearMiss("u.s.a.", "with full stops", 1, 1),)


def test_what_only_reading_finds_says_how_much_was_read(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    """Records that may be broken wordings are read in order, round by round."""
    texts = {f"R{number}": "They live. Stream there." for number in range(8)}
    # One of them mentions the term as well.
    both = "A live stream. A live-\n\nstream."
    load(as_records({**texts, "R6": "A live-\n\nstream.", "R9": both}))
    text = "reference: R\ntitle: T\nmentions: [live stream]\nquestions: [{id: Q1, kind: offences}]"
    for limits, read, found in (
        (SampleLimits(3, 2), (6, 9), ()),
        (SampleLimits(3, 3), (9, 9), (NearMiss("live- stream", "broken by a page", 2, 1),)),
    ):
        check = check_wording(client, index.alias, parse_request(text), TermBook(()), limits=limits)
        coverage = check.terms[0].coverage
        assert (coverage.broken_read, coverage.broken_total) == read
        assert (coverage.uncounted_total, coverage.counted_total) == (0, 1)
        assert coverage.is_complete is (read == (9, 9))
        assert check.terms[0].near_misses == found
        told = " ".join(format_wording_check(check).split())
        incomplete = "searched for in 6 of 9 records that may contain one, whether or not they mention the term"
        assert (incomplete in told) is (read == (6, 9))
        assert "do not mention the term" not in told

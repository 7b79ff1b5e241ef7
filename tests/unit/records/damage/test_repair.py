"""The repair of damaged text, and the document of a record that has some."""

from __future__ import annotations

from datetime import date
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.loading.content_hash import hash_content
from indexer.records.damage.detect import find_damage
from indexer.records.damage.escapes import may_have_escapes
from indexer.records.damage.kinds import (
    DAMAGE_WORDS,
    NO_REPAIR,
    RepairKind,
    advise_repair,
    sort_kinds,
)
from indexer.records.damage.repair import repair_text
from indexer.records.document import build_document, encode_document
from indexer.records.model import CrimeDocument, CrimeRecord
from indexer.records.offences import load_offence_table

EVERY: frozenset[RepairKind] = frozenset(get_args(RepairKind))

REPAIRED = [
    ("control", "live\x96stream", "live–stream"),
    ("control", "what\x92s app", "what’s app"),
    ("control", "CAFÉ\x92S", "CAFÉ’S"),
    ("mojibake", "live â€“ stream at the café", "live – stream at the café"),
    ("mojibake", "live â\x80\x93 stream", "live – stream"),
    ("mojibake", "whatâ€™s “app”, Â£5, cafÃ©, ðŸ˜€", "what’s “app”, £5, café, 😀"),
    ("mojibake", "Ã¢â‚¬â€œ", "–"),
    ("mojibake", "a live\u00c2 stream, LIVE\u00c2 STREAM", "a live\u00a0stream, LIVE\u00a0STREAM"),
    ("html", "live&nbsp;stream", "live\xa0stream"),
    ("html", "live<b> </b>stream, <i>live</i>stream", "live stream, livestream"),
    ("html", "live<br/>stream", "live\nstream"),
    ("html", "live</p><p class='x'>stream", "live\n\n\n\nstream"),
    ("html", "live</td>stream", "live\tstream"),
    ("html", "M&amp;S&#8217;s &amp;nbsp;x &#150;", "M&S’s \xa0x –"),
    (
        "rtf",
        r"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\f0 live\par stream, what\'92s \b app\b0}",
        "live\nstream, what’s app",
    ),
    (
        "rtf",
        r" {\rtf1\ansi live\tab stream \u8211?app and then it en",
        " live\tstream –app and then it en",
    ),
    (
        "escape",
        r"live\r\nstream.\nwhat\u2019s \"app\", C:\new\notes \ud83d\ude00\tit\x92s and\/or",
        'live\r\nstream.\nwhat’s "app", C:\\new\\notes 😀\tit’s and/or',
    ),
    ("escape", "what=E2=80=99s app=3D live st=\r\nream =A35", "what’s app= live stream £5"),
    ("html", "<Entry n='1'>live<Line/>stream</Entry> 1<2", "\n\nlive\n\nstream\n\n 1<2"),
    ("spreadsheet", "live_x000D_\nstream a_x005F_b", "live\r\nstream a_b"),
    ("invisible", "on\u200bTikTok, Tik\u2060Tok", "on TikTok, TikTok"),
]


def repair_all(text: str, kinds: frozenset[RepairKind]) -> tuple[str, set[str], set[str]]:
    """The repaired text, the kinds that were repaired, and those that remain."""
    result = repair_text(text, kinds)
    return result.text, set(result.repaired), set(result.remaining)


@pytest.mark.parametrize(("kind", "text", "repaired"), REPAIRED)
def test_each_kind_is_repaired_alone_and_only_if_it_is_named(
    kind: RepairKind, text: str, repaired: str
) -> None:
    assert repair_all(text, frozenset([kind])) == (repaired, {kind}, set())
    assert repair_all(text, EVERY) == (repaired, {kind}, set())
    for kinds in (NO_REPAIR, EVERY - {kind}):
        assert repair_all(text, kinds) == (text, set(), {kind})


def test_damage_that_hides_damage_is_repaired_too() -> None:
    assert repair_all("live &acirc;&euro;&ldquo; stream", EVERY) == (
        "live – stream",
        {"html", "mojibake"},
        set(),
    )
    assert repair_text("live_x0096_stream", EVERY).text == "live–stream"
    parts = [part for part in REPAIRED if part[0] != "rtf"]  # a text is of that format whole
    assert repair_all(" ".join(text for _, text, _ in parts), EVERY) == (
        " ".join(repaired for _, _, repaired in parts),
        {*EVERY} - {"rtf"},
        set(),
    )
    assert repair_text(r"{\rtf1 live<br>stream, M&amp;S}", EVERY).text == "live\nstream, M&S"


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        (r"{\rtf1 live stream}{\rtf1\ansi and \{then\} chat}", "live stream\nand {then} chat"),
        ("{\\rtf1 live \\\\}\nWritten later: chat", "live \\\n\nWritten later: chat"),
        ("{\\rtf1 live}\n {\\rtf1 stream\\par } then {chat}}", "live\nstream\n\n then {chat}}"),
    ],
)
def test_what_follows_a_text_in_rich_text_format_is_kept(text: str, repaired: str) -> None:
    """Systems append an entry to those before it, as a whole text of that format or without it."""
    assert repair_text(text, frozenset({"rtf"})).text == repaired


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        (
            r"{\rtf1 live{\super\chftn}{\footnote\plain{\super\chftn} \{chat\} {app}} stream.{\header top}}",
            "live stream.\n {chat} app\n top",
        ),
        (r"{\rtf1 a{\*\atnid 1}{\*\annotation{\*\atndate 33}note} b} then", "a b\nnote\n then"),
        (
            r"{\rtf1 a{\shp{\*\shpinst\shpleft1{\sp{\sn x}{\sv 3}}{\shptxt box {\footnote foot}\par}}} b}",
            "a b\n foot\n box ",
        ),
        (r"{\rtf1 live {\footnote and then it en", "live \n and then it en"),
        (r"{\rtf1 a{\header b{\footnote c{\b d", "a\n cd\n b"),
        (r"{\rtf1 live {\footnotesize stream}}", "live stream"),
    ],
)
def test_what_stands_beside_a_text_in_rich_text_format_is_kept(text: str, repaired: str) -> None:
    """The text stays together, and footnotes, comments, headers and text boxes follow it."""
    assert repair_text(text, frozenset({"rtf"})).text.rstrip() == repaired.rstrip()


def test_many_notes_are_moved_in_a_time_that_grows_with_the_text() -> None:
    deep = r"{\rtf1 " + r"{\footnote a" * 20_000
    assert repair_text(deep, frozenset({"rtf"})).text.split() == ["a"] * 20_000


@pytest.mark.parametrize(
    "text",
    [
        "a\ufffdb",
        "live â€ stream",
        "x\x07y",
        "a\x81b",
        r"Said: {\rtf1 x}",
        r"{\rtf1 \u99999999999?}",
        r"{\rtf1 live}{\rtf1 \u99999999999?}",
    ],
)
def test_what_is_lost_is_not_guessed(text: str) -> None:
    assert repair_all(text, EVERY) == (text, set(), find_damage(text))
    assert find_damage(text)


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        (r"the app\nit was live", "the app\nit was live"),
        (r"the app\nit was live &amp; then", "the app\nit was live & then"),
        (r"an app\tused\nevery day, injured y\n, C:\new\list", "an app\tused\nevery day, injured y\\n, C:\\new\\list"),
        (r"I\nit was.\nThe end", "I\nit was.\nThe end"),
    ],
)  # fmt: skip
def test_a_source_that_writes_escapes_is_repaired_where_none_is_certain(
    text: str, repaired: str
) -> None:
    """Each text of it may have a line break before a small letter and no other."""
    result = repair_text(text, EVERY)
    assert result.text == repaired
    assert "escape" in result.repaired
    assert not result.remaining


def test_what_may_be_an_escape_stays_in_a_text_of_another_format() -> None:
    text = r"{\rtf1\ansi\nosupersub live\tab}"
    assert repair_all(text, frozenset({"escape"})) == (text, set(), {"rtf"})
    assert repair_text(r"his\niece", frozenset({"html"})).text == r"his\niece"


@given(st.text(st.characters(exclude_categories=["Cs"])), st.sets(st.sampled_from(sorted(EVERY))))
def test_a_text_without_the_kinds_named_stays_as_it_is(text: str, kinds: set[RepairKind]) -> None:
    result = repair_all(text, frozenset(kinds))
    assert result[2] == find_damage(result[0])
    if not find_damage(text) & kinds and not ("escape" in kinds and may_have_escapes(text)):
        assert result == (text, set(), find_damage(text))


def build(narrative: str | list[str], repair: frozenset[RepairKind] = NO_REPAIR) -> CrimeDocument:
    record = CrimeRecord("A", date(2019, 6, 1), "22B", narrative)
    return build_document(record, load_offence_table(), "a:1", repair=repair)


def test_a_document_names_its_damage_and_what_was_repaired() -> None:
    entries = ["live\x96stream", "sound", "a&amp;b \ufffd"]
    document = build(entries)
    assert (document.damage, document.repaired) == (("control", "html", "replacement"), ())
    document = build(entries, frozenset(["html", "control"]))
    assert (document.damage, document.repaired) == (("replacement",), ("control", "html"))
    assert "".join(document.narrative) == "".join(
        build(["live–stream", "sound", "a&b \ufffd"]).narrative
    )


def test_undamaged_records_are_encoded_and_hashed_as_before() -> None:
    for narrative in ("live stream, AT&T <3", "“Siôn” – 😀", ["one", "two"]):
        for repair in (NO_REPAIR, EVERY):
            document = build(narrative, repair)
            assert b'"damage"' not in encode_document(document)
            assert b'"repaired"' not in encode_document(document)
            assert hash_content(document) == hash_content(build(narrative))
    # The hash of a record of the version before.
    assert f"{hash_content(build('live stream')):032x}" == "d666654676b1e1b5544f1e723e2e3c74"


def test_the_advice_names_what_can_be_repaired() -> None:
    assert 'repair = ["control", "html"] in [source]' in advise_repair({"html": 1, "control": 2})
    assert "what was lost cannot be repaired" in advise_repair({"replacement": 1})
    assert "repair =" not in advise_repair({"control": 1}, EVERY)  # U+0000 stays what it is
    assert "[source]" in advise_repair({"control": 1, "html": 2}, ["control"])
    assert sort_kinds(["html", "control", "html"]) == ("control", "html")
    assert set(DAMAGE_WORDS) == EVERY | {"replacement"}

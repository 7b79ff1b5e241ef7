"""What is damage to a text and, as important, what is not."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.records.damage.detect import find_damage
from indexer.records.damage.kinds import DAMAGE_WORDS
from tests.support.narratives import REAL

DAMAGED = {
    "control": [
        "live\x96stream", "what\x92s app", "live\x85stream", "CAFÉ\x92S", "live\x08stream",
        "live\x00stream", "naïve \x93live stream\x94",
    ],
    "mojibake": [
        "live â€“ stream", "whatâ€™s app", "it cost Â£5", "cafÃ©", "SÃ£o", "live â\x80\x93 stream",
        "ðŸ˜€", "â‚¬5", "live â€ stream", "Ã¢â‚¬â€œ", "whatâ€™s “app” at the café", "ÐŸÑ€Ð¸Ð²ÐµÑ‚",
        "live ‚Äì stream", "live вЂ“ stream", "Siï¿½n"
    ],
    "html": [
        "live&nbsp;stream", "live&nbspstream", "live<b> </b>stream", "live<br/>stream", "M&amp;S",
        "it&#39;s", "it&#x27;s", '<p class="a">live</p>', "a &lt; b", "<DIV>", "<o:p></o:p>",
        "<font color='red' size=2>x", "caf&eacute;", "&amp;nbsp;", "live</Para><Para>stream",
        '<ns0:entry id="1">live</ns0:entry>', "live<LineBreak/>stream",
    ],
    "rtf": [r"{\rtf1\ansi live\par stream}", r" {\rtf1 cut off \b in the mid"],
    "spreadsheet": ["live_x000D_\nstream", "live_x000d_stream", "a_x0007_b", "a_x005F_b"],
    "escape": [
        "what=E2=80=99s app", "it cost =C2=A35", "live st=\nream", "live=0D=0Astream", "what=92s",
        r"then\nsnapchat", r"said\n'live stream'", "then\\n\u00c9cole", "then\\n\u0416\u0438\u0432", r"seen\tbefore", r"live\r\nstream", r"seen.\nThe caller", r"seen.\n\nthe caller", r"what\u2019s app", r"what\x92s app",
        r"app:\t\u2022 live", r"\ud83d\ude00", r"C:\new and live\r\nstream",
    ],
    "replacement": ["what\ufffds app"],
    "invisible": [
        "on\u200bTikTok", "Tik\ufeffTok", "Tik\u2060Tok", "Tik\u200eTok", "Tik\u200dTok",
        "x\u200c1", "Т\u200bТ", "e\u202cx", "\u00e9\u200b\u200bx",
        "Tik\U000e0020Tok", "Tik\U000e0054\U000e007fTok", "Tik\U000e0100Tok", "Tik\ufe0fTok",
        "Tik\u3164Tok", "Tik\uffa0Tok", "Tik\u180bTok", "Tik\ufff9Tok", "Tik\U0001d173Tok",
        "😀 Tik\U000e0020Tok",
    ],
}  # fmt: skip

CASES = [(kind, text) for kind, texts in DAMAGED.items() for text in texts]

SOUND = [
    "", "live stream\r\n\tand\fmore\x0b", "I <3 you", "a < b and c > d", "a <b and c> d", "x<y>z",
    "AT&T", "R&D", "M&S; B&B;", "Q&A;", "this&that", "&c.", "?a=1&b=2;", "<someone@example.org>",
    "<unknown>", "<redacted>", "<name>", "<https://example.org/a?b=c>", "<-- here", "->", "<>",
    "if a<b&&c", "IMG_x1080_2.jpg", "1920_x1080_", "_x_", "_x000D", "snake_x00_case", r"C:\rtf1", "{rtf}",
    r"and\or", r"y\n", r"Y\N", r"injured y\n?", r"his\niece or his\nephew", r"he\they", r"C:\new\notes.txt",
    r"C:\temp\n1\t2.txt", r"\\server\nTemp\r1", r'"D:\Name"', r"AC\DC", r"w\t", "a=b", "x=20", "E=MC2", "speed=92 mph",
    "==\n==", "a = b", "?q=C3&r=A9", "1+1=\n2"[:4], r"¯\_(ツ)_/¯", r"\o/", r"n\r 12", r"\users\uk",
    "“Curly” ‘quotes’ – and — dashes…", "CAFÉ’S", "CAFÉ”", "CAFÉ“", "MENÜ– x", "É™", "«\xa0À\xa0»", "« é\xa0»",
    "L’élève a été arrêté près du café «\xa0À l’angle\xa0».", "Où ça ? À Noël, garçon.", "£5 – €6 © ™ ½ °C",
    "Siôn o Lanfair-ym-Muallt, tŷ ŵyn", "zażółć gęślą jaźń, Łódź „cytat”", "Straße „Ärger“ ‚Ärger‘ Übung’",
    "SÃO PAULO’S", "Ångström ÆØÅ", "naïve’s", "Привет, «мир» — в Москве", "Γειά σου Κόσμε", "中文，文字",
    "👨\u200d👩\u200d👧 ok", "❤\ufe0f", "1\ufe0f\u20e3", "🏴\u200d☠\ufe0f", "x🏴\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007fx", "葛\U000e0100城", "می\u200cخواهم", "क्\u200dष", "שלום\u200f abc",
    "สวัส\u200bดี", "co\u00adoperate", "\ufeffStart", "word\u200b word", "\u200bword",
    "e\u0301te\u0301", "ﬁne ½", "日本\u200bです",
]  # fmt: skip


def read_real_texts() -> list[str]:
    lines = REAL.read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


@pytest.mark.parametrize(("kind", "text"), CASES)
def test_each_kind_of_damage_is_found_alone(kind: str, text: str) -> None:
    assert find_damage(text) == {kind} | ({"replacement"} if "\ufffd" in text else set())
    assert find_damage(f"The caller said: {text}, and left.\n") == find_damage(text)


@pytest.mark.parametrize(
    "text", ["#NAME?", "#N/A", "#VALUE!\n", " #REF!", "#DIV/0!", "########", "#" * 255, "Err:508"]
)
def test_an_error_of_a_spreadsheet_in_place_of_a_text_is_damage(text: str) -> None:
    assert find_damage(text) == {"replacement"}
    assert not find_damage(f"The screen said {text}, and then nothing.")


@pytest.mark.parametrize("text", ["#", "##", "#1", "#MeToo", "# # #", "N/A", "Err: 508", "#N/A?"])
def test_what_people_write_with_such_signs_is_no_damage(text: str) -> None:
    assert not find_damage(text)


def test_kinds_that_stand_together_are_all_found() -> None:
    every = " ".join(text for _, text in CASES)
    assert find_damage(every) == set(DAMAGE_WORDS)
    for one, texts in DAMAGED.items():
        for other, others in DAMAGED.items():
            assert find_damage(f"{texts[0]} {others[0]}") == {one, other}


@pytest.mark.parametrize("text", SOUND)
def test_what_people_write_is_not_damage(text: str) -> None:
    assert find_damage(text) == set()
    assert find_damage(f"The caller said {text} and left.") == set()


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="&<_=\\")))
def test_plain_text_is_not_damage(text: str) -> None:
    assert find_damage(text) == set()


WORDS = [
    "café",
    "À",
    "É",
    "à",
    "où",
    "tŷ",
    "ŵyn",
    "Łódź",
    "MENÜ",
    "fiancé’s",
    "L’été",
    "Straße",
    "ça",
    "SÃO",
]

JOINTS = [
    " ",
    " – ",
    "–",
    "—",
    "\xa0» ",
    " «\xa0",
    "” ",
    " “",
    "’ ",
    " ‘",
    "… ",
    "\xa0: ",
    "\xa0! ",
    ", ",
    "\n",
]


@given(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(JOINTS)), max_size=12))
def test_accented_words_beside_quotes_and_dashes_are_not_damage(
    parts: list[tuple[str, str]],
) -> None:
    assert find_damage("".join(map("".join, parts))) == set()


@pytest.mark.skipif(not REAL.exists(), reason="the real text is not on this machine")
def test_real_text_has_no_damage_but_has_each_kind_once_it_is_put_in() -> None:
    texts = read_real_texts()
    assert len(texts) > 1_000
    assert [text for text in texts if find_damage(text)] == []
    for kind, examples in DAMAGED.items():
        for text in texts[::50]:
            assert find_damage(f"{text} {examples[0]}") == {kind}


@pytest.mark.skipif(not REAL.exists(), reason="the real text is not on this machine")
def test_double_decoding_of_any_real_text_is_found() -> None:
    texts = [text for text in read_real_texts() if not text.isascii()]
    assert texts
    for text in texts:
        twice = text.encode().decode("latin-1")
        assert "mojibake" in find_damage(twice), ascii(text)


@pytest.mark.parametrize(
    "text",
    ["<b " + " " * 200_000, "<b x=" * 50_000, "&" * 200_000, "&#" * 100_000, "_x00" * 50_000,
     "Ã" * 200_000, "a\u200b" * 100_000, "â€" * 50_000, "<" * 200_000, "<b x" * 50_000],
)  # fmt: skip
def test_no_text_takes_long(text: str) -> None:
    start = time.process_time()
    find_damage(text)
    assert time.process_time() - start < 5

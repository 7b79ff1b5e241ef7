"""A request is changed by form: offences by words, more questions, conflicts, and what is kept."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from queries.answer.types import SpellingCount
from queries.lint.findings import (
    NearMiss,
    SampleCoverage,
    TermCheck,
    WordingAnnex,
    WordingCheck,
    WordingSuggestion,
    format_wording_check,
)
from queries.request.reader import parse_request
from queries.spec.term_spec import CooccurrenceSpec, TermSpec
from queries.spec.yaml_text import parse_yaml
from queries.workbench.error_text import adapt_advice
from queries.workbench.forms.value_lines import TERMS, write_term_line
from queries.workbench.pages.answers.wording import WordingResult
from tests.support.browsing import Browsing, make_workbench, text_of

TEXT = """\
# A remark of the officer.
reference: FOI/1
title: Apps
period: 2017/18
mentions: [Snapchat]
where: {outcome: [1]}
questions:
  - {id: Q1, kind: offences}
  - {id: Q2, kind: keywords, keywords: [Kik], within: {period: 2017/18}, share: column}
"""

PAGE = "/requests/FOI-1.yaml/form"


@pytest.fixture
def browsing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Browsing:
    monkeypatch.setenv("FOIDEX_HOME", str(tmp_path / "home"))
    (tmp_path / "foidex.toml").write_text("")
    found = Browsing(make_workbench(tmp_path / "foidex.toml"))
    found.sign_in(role="reviewer")
    found.workbench.requests.create("FOI-1.yaml", TEXT)
    return found


def read_fields(page: Any) -> dict[str, str]:
    """What a browser sends of the form on a page, without its buttons and unticked boxes."""
    form = page.text.split(f'action="{PAGE}"')[1].split("</form>")[0]
    fields = {}
    for tag in re.findall("<input [^>]*>", form):
        name = re.findall(' name="(.*?)"', tag)[0]
        if 'type="checkbox"' not in tag:
            fields[name] = html.unescape(re.findall(' value="(.*?)"', tag)[0])
        elif " checked" in tag:
            fields[name] = "on"
    for name, text in re.findall(
        '<textarea [^>]*name="(.*?)"[^>]*>\n(.*?)</textarea>', form, re.DOTALL
    ):
        fields[name] = html.unescape(text)
    for name, options in re.findall('<select [^>]*name="(.*?)".*?>(.*?)</select>', form, re.DOTALL):
        chosen = re.findall('value="([^"]*)" selected', options)
        fields[name] = chosen[0] if chosen else re.findall('value="(.*?)"', options)[0]
    return fields


def send(browsing: Browsing, page: Any, do: str = "save", **changes: str) -> Any:
    return browsing.post(PAGE, **{**read_fields(page), "do": do, **changes})


def read_text(browsing: Browsing) -> str:
    return browsing.workbench.requests.read("FOI-1.yaml").text


def test_a_form_that_is_saved_as_it_was_opened_changes_nothing(browsing: Browsing) -> None:
    saved = send(browsing, browsing.get(PAGE))
    assert saved.url.path == "/requests/FOI-1.yaml"
    assert read_text(browsing) == TEXT
    assert browsing.workbench.requests.list_versions("FOI-1.yaml") == []


def test_what_was_changed_is_saved_and_the_rest_is_named_and_kept(browsing: Browsing) -> None:
    page = browsing.get(PAGE)
    assert "It keeps as it is: of Q2: share." in text_of(page)
    send(browsing, page, title="Maps & more", **{"q1-keywords": "Kik (also Kick)\r\nTikTok"})
    text = read_text(browsing)
    assert text.startswith("# A remark of the officer.\n")
    assert "where: {outcome: [1]}\n" in text
    question = parse_yaml(text, "x").value["questions"][1]
    assert question == {
        "id": "Q2", "kind": "keywords",
        "keywords": [{"term": "Kik", "aliases": ["Kick"]}, "TikTok"],
        "within": {"period": "2017/18"}, "share": "column",
    }  # fmt: skip
    assert parse_request(text).title == "Maps & more"
    assert len(browsing.workbench.requests.list_versions("FOI-1.yaml")) == 1


def test_offences_are_found_by_words_and_nothing_typed_is_lost(browsing: Browsing) -> None:
    found = send(
        browsing, browsing.get(PAGE), "find", find_words="upskirting", title="typed before"
    )
    codes = re.findall('name="take-([^"]*)"', found.text)
    assert codes
    assert read_fields(found)["title"] == "typed before"
    taken = send(browsing, found, "take", **{f"take-{codes[0]}": "on"})
    assert read_fields(taken)["offences"].startswith(f"{codes[0]}: ")
    assert read_text(browsing) == TEXT
    send(browsing, taken)
    request = parse_request(read_text(browsing))
    assert [row.codes for row in request.scope.offences] == [(codes[0],)]
    assert request.title == "typed before"


def test_words_that_no_offence_has_are_said(browsing: Browsing) -> None:
    found = send(browsing, browsing.get(PAGE), "find", find_words="qqqqqq xxxxxx")
    assert "Nothing was found" in text_of(found)


def test_a_question_is_added_filled_in_and_another_taken_out(browsing: Browsing) -> None:
    page = browsing.get(PAGE)
    for words in ("Victims by age", "12 to 15", "A table of two things"):
        assert words in text_of(page)
    added = send(browsing, page, "add", new_kind="victims")
    assert "Q3: Victims by age" in text_of(added)
    wrong = send(browsing, added, **{"q2-bands": "teenagers"})
    assert wrong.status_code == 422
    assert '<a href="#q2-bands">' in wrong.text
    described = re.findall('id="q2-bands"[^>]*aria-describedby="([^"]*)"', wrong.text)[0]
    assert "q2-bands-error" in described
    assert read_text(browsing) == TEXT
    fields = {"q2-bands": "under 18\r\n18 to 24: Young", "q2-youngest": "on", "q0-remove": "on"}
    send(browsing, wrong, **fields)
    request = parse_request(read_text(browsing))
    assert [question.id for question in request.questions] == ["Q2", "Q3"]


CONFIRM = """\
confirm:
- part: "1"
  question: Is it TikTok?
  sentence: How many name the app?
- question: Which years?
  sentence: Of late.
"""


def test_what_is_to_be_confirmed_is_shown_and_settled_by_ticking_it(browsing: Browsing) -> None:
    opened = browsing.workbench.requests.read("FOI-1.yaml")
    browsing.workbench.requests.save("FOI-1.yaml", TEXT + CONFIRM, opened.version)
    request = browsing.get("/requests/FOI-1.yaml")
    assert "2 to confirm" in text_of(request)
    assert "Part 1: Is it TikTok?" in text_of(request)
    assert f'href="{PAGE}#confirm"' in request.text
    page = browsing.get(PAGE)
    assert "Settled: Part 1. Is it TikTok? How many name the app?" in text_of(page)
    assert "does not show all" in text_of(page)  # of Q2: share
    assert "(confirm)" not in text_of(page)
    boxes = re.findall('name="(confirm-.*?)"', page.text)
    for _ in range(2):  # sent twice, it settles one
        saved = send(browsing, page, **{boxes[0]: "on"})
        assert "The whole request: Which years?" in text_of(saved)
        assert "Is it TikTok" not in text_of(saved)
    send(browsing, browsing.get(PAGE), **{boxes[1]: "on"})
    assert read_text(browsing) == TEXT


def test_a_question_is_counted_in_another_way_and_keeps_its_words(browsing: Browsing) -> None:
    page = send(browsing, browsing.get(PAGE), **{"q1-text": "How many by month?", "q1-note": "N"})
    page = send(browsing, browsing.get(PAGE), "change-1", **{"q1-new_kind": "by"})
    assert "Q2: A table by month, outcome or another field" in text_of(page)
    lacking = send(browsing, page)
    assert "Fill in: count by" in text_of(lacking)
    send(browsing, lacking, **{"q1-by": "month", "q1-share": "true"})
    assert parse_yaml(read_text(browsing), "x").value["questions"][1] == {
        "id": "Q2", "kind": "by", "by": "month", "share": "true", "text": "How many by month?",
        "note": "N", "within": {"period": "2017/18"},
    }  # fmt: skip
    page = send(browsing, browsing.get(PAGE), "change-1", **{"q1-new_kind": ""})
    send(browsing, page, **{"q1-not_covered": "The records do not say it."})
    assert parse_yaml(read_text(browsing), "x").value["questions"][1] == {
        "id": "Q2", "text": "How many by month?", "not_covered": "The records do not say it.",
    }  # fmt: skip


def test_a_part_without_figures_is_added(browsing: Browsing) -> None:
    page = send(browsing, browsing.get(PAGE), "add", new_kind="no figures")
    send(browsing, page, **{"q2-text": "What did it cost?", "q2-not_covered": "Not recorded."})
    assert parse_yaml(read_text(browsing), "x").value["questions"][2] == {
        "id": "Q3", "text": "What did it cost?",
        "not_covered": "Not recorded.",
    }  # fmt: skip


def test_a_refusal_is_written_by_form(browsing: Browsing) -> None:
    page = send(browsing, browsing.get(PAGE), "section", outcome="refused")
    assert "Another section" in text_of(page)
    lacking = send(browsing, page, **{"s0-reason": "It would show where nobody patrols."})
    assert lacking.status_code == 422
    assert "Enter the section of the Act, or take it out" in text_of(lacking)
    removed = {"q0-remove": "on", "q1-remove": "on"}
    interest = "For: people want to know.\r\n\r\nAgainst: it helps nobody."
    saved = send(
        browsing, lacking, **removed, **{"s0-section": "31(1)(a)", "s0-public_interest": interest}
    )
    assert "None: the letter alone" in text_of(saved)
    letter = parse_request(read_text(browsing)).letter
    assert letter is not None
    assert (letter.outcome, [one.section for one in letter.sections]) == ("refused", ["31(1)(a)"])
    assert letter.sections[0].public_interest == interest.replace("\r", "")
    page = browsing.get(PAGE)
    assert "does not show all" not in text_of(page)
    send(browsing, page, title="Patrols")  # what is shown is sent back, and changes nothing else
    assert parse_request(read_text(browsing)).letter == letter
    send(browsing, browsing.get(PAGE), outcome="", **{"s0-remove": "on"})
    assert "letter" not in parse_yaml(read_text(browsing), "x").value


def test_a_request_that_is_all_refused_begins_without_figures(browsing: Browsing) -> None:
    fields = {"reference": "FOI/2", "title": "Patrols"}
    assert browsing.post("/requests/new", **fields).status_code == 422
    page = browsing.post("/requests/new", **fields, no_figures="on")
    assert page.url.path == "/requests/FOI-2.yaml/form"
    assert page.url.fragment == "letter"
    address = "/requests/FOI-2.yaml/form"
    version = re.findall('name="version" value="(.*?)"', page.text)[0]
    saved = browsing.post(
        address, version=version, outcome="refused", do="save",
        **{"s0-section": "14(1)", "s0-reason": "It is the tenth of its kind."},
    )  # fmt: skip
    assert "None: the letter alone" in text_of(saved)


def test_the_key_enter_looks_up_an_offence_or_saves(browsing: Browsing) -> None:
    page = browsing.get(PAGE)
    assert re.findall('type="submit" name="do" value="(.*?)"', page.text)[0] == "enter"
    found = send(browsing, page, "enter", find_words="stalking", title="Maps")
    assert "Offences that were found" in text_of(found)
    assert read_text(browsing) == TEXT
    send(browsing, page, "enter", title="Maps")
    assert "title: Maps" in read_text(browsing)


def test_each_button_of_the_form_leads_to_the_place_that_it_is_about(browsing: Browsing) -> None:
    page = send(browsing, browsing.get(PAGE), "find", find_words="stalking")
    places = re.findall(f'formaction="{PAGE}#(.*?)"', page.text)
    assert set(places) == {
        "find", "offences", "added", "question-0", "question-1", "section-0"
    }  # fmt: skip
    page = send(browsing, page, "section")
    for place in places:
        assert f'id="{place}"' in page.text, place


def test_two_people_who_change_one_request_see_both(browsing: Browsing) -> None:
    page = browsing.get(PAGE)
    theirs = TEXT.replace("Apps", "Theirs").replace("  - {id: Q1, kind: offences}\n", "")
    browsing.workbench.requests.save("FOI-1.yaml", theirs, read_fields(page)["version"])
    conflict = send(browsing, page, title="Mine", **{"q1-keywords": "Hinge"})
    assert conflict.status_code == 409
    text = text_of(conflict)
    assert "Someone else saved this request" in text
    assert "title: Theirs" in text
    assert "Hinge" in text
    assert read_text(browsing) == theirs
    assert read_fields(conflict)["title"] == "Mine"
    assert read_fields(conflict)["q0-keywords"] == "Kik"  # another question has this place now
    send(browsing, conflict)
    assert read_text(browsing) == theirs.replace("Theirs", "Mine")


def test_the_words_are_checked_from_the_form(browsing: Browsing) -> None:
    sent = send(browsing, browsing.get(PAGE), "check", title="Maps")
    assert sent.url.path == "/requests/FOI-1.yaml/wording"
    assert parse_request(read_text(browsing)).title == "Maps"
    assert browsing.workbench.tasks.find("wording FOI-1.yaml") is not None
    browsing.finish("wording FOI-1.yaml")


def test_a_file_that_has_no_form_is_changed_as_text(browsing: Browsing) -> None:
    opened = browsing.workbench.requests.read("FOI-1.yaml")
    browsing.workbench.requests.save("FOI-1.yaml", "reference: [", opened.version)
    assert browsing.get(PAGE).url.path == "/requests/FOI-1.yaml/edit"
    assert 'href="/requests/FOI-1.yaml/form"' in browsing.get("/requests/FOI-1.yaml").text


def check_words(browsing: Browsing) -> dict[str, str]:
    """What the page of a check sends that found near misses of three terms, and one of "app",
    which Snapchat requires."""
    version = browsing.workbench.requests.read("FOI-1.yaml").version
    terms = tuple(
        TermCheck(
            term, ("mentions",), 6, None, (NearMiss(wording, "another ending", 3, 3),), 0,
            SampleCoverage(0, 0, 0, 0), (), everyday=False, contexts=(), suggestions=(),
            wording=TermSpec(term), required=required,
        )
        for term, wording, required in (
            ("Snapchat", "snapchatted", None), ("Kik", "kiks", None), ("Viber", "vibers", None),
            ("Snapchat", "apps", "app"),
        )
    )  # fmt: skip
    result = WordingResult(version, ("what was found",), terms)
    browsing.workbench.tasks.start("wording FOI-1.yaml", "anna", lambda: result)
    browsing.finish("wording FOI-1.yaml")
    return {"version": version, "do": "count"}


def test_the_check_suggests_words_as_the_form_takes_them() -> None:
    suggestions = (WordingSuggestion("alias", "FB", 9), WordingSuggestion("with", "game", 2))
    term = TermCheck(
        "Facebook", ("Q1",), 6, None, (), 0, SampleCoverage(0, 0, 0, 0),
        (SpellingCount("fa ce", 1),), everyday=False, contexts=(), suggestions=suggestions,
        wording=TermSpec("Facebook", "none", ("Face",), ("app", CooccurrenceSpec("site", 5))),
    )  # fmt: skip
    check = WordingCheck(
        "g", datetime(2026, 1, 2, tzinfo=UTC), 20, 10, (), (term,), WordingAnnex(())
    )
    text = adapt_advice(format_wording_check(check, write_term_line))
    options = "only as written; also Face, FB; with app, site within 5"
    assert f"alias      Facebook ({options}) would make it 9" in text
    options = "only as written; also Face; with app, site within 5, game"
    assert f"with       Facebook ({options}) would leave 2 of 6" in text
    assert not re.search("[{}]|term:|aliases:|with: |variants:", text)
    assert TERMS.read_lines(f"Facebook ({options})") == [
        {
            "term": "Facebook", "variants": "none", "aliases": ["Face"],
            "with": ["app", {"term": "site", "within": "5"}, "game"],
        },
    ]  # fmt: skip


def test_a_near_miss_is_counted_by_ticking_it(browsing: Browsing) -> None:
    fields = check_words(browsing)
    page = browsing.get("/requests/FOI-1.yaml/wording")
    assert "would add 3 to the 6 of Snapchat" in text_of(page)
    boxes = re.findall('type="checkbox"[^>]*name="(count-[^"]*)"', page.text)
    assert boxes == ["count-0-0", "count-1-0", "count-2-0"]
    browsing.post("/requests/FOI-1.yaml/wording", **fields, **{boxes[0]: "on", boxes[1]: "on"})
    value = parse_yaml(read_text(browsing), "x").value
    assert value["mentions"] == [{"term": "Snapchat", "aliases": ["snapchatted"]}]
    assert value["questions"][1]["keywords"] == [{"term": "Kik", "aliases": ["kiks"]}]
    assert "where: {outcome: [1]}" in read_text(browsing)
    browsing.finish("wording FOI-1.yaml")


def test_a_near_miss_of_another_text_or_place_is_not_counted(browsing: Browsing) -> None:
    fields = check_words(browsing)
    stale = browsing.post("/requests/FOI-1.yaml/wording", **fields | {"version": "0" * 64})
    assert stale.status_code == 409
    elsewhere = browsing.post("/requests/FOI-1.yaml/wording", **fields, **{"count-2-0": "on"})
    assert elsewhere.status_code == 422
    assert "Viber" in text_of(elsewhere)
    assert read_text(browsing) == TEXT


def test_a_request_that_is_saved_and_wrong_leads_on_to_its_page(browsing: Browsing) -> None:
    opened = browsing.workbench.requests.read("FOI-1.yaml")
    listed = TEXT + "  - {id: Q3, kind: list, fields: [month]}\n"
    browsing.workbench.requests.save("FOI-1.yaml", listed, opened.version)
    form = browsing.get(PAGE)
    assert "The line narrative adds the text of each record" in text_of(form)
    saved = send(browsing, form, "check", **{"q2-fields": "month\ntext"})
    assert saved.url.path == "/requests/FOI-1.yaml"
    assert "write narrative" in text_of(saved)
    assert f'href="{PAGE}"' in saved.text
    assert "- text" in read_text(browsing)

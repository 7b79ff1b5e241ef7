"""A request as a form: what comes back as it was shown changes nothing; what does not, only that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from queries.request.reader import parse_request
from queries.spec.yaml_text import parse_yaml
from queries.workbench.forms.edit_form import (
    EditForm,
    add_question,
    fill_form,
    read_changes,
    show_request,
)
from queries.workbench.forms.file_text import change_text
from queries.workbench.forms.question_kinds import QUESTION_KINDS
from tests.support.paths import ROOT

FILES = sorted((ROOT / "tests" / "data" / "requests").glob("*.yaml"))

FULL = """\
reference: FOI/1
title: Apps
periods: [2020/21, {from: 2021-04-01, to: 2021-09-30, label: half of 2021/22}]
mentions: [TikTok, {term: Hinge, with: [{term: app, within: 5}]}, {term: WeChat, variants: none}]
offences:
  - {codes: [88/1, 88/2], label: "Meeting: a child"}
where: {outcome: [1]}
letter: {to: Pat Example, received: 2026-11-02, asked: A question}
questions:
  - {id: Q1, kind: offences, text: "How many?", within: {period: 2020/21}}
  - {id: Q2, kind: keywords, keywords: [{term: Facebook, aliases: [FB, Face book]}, Kik], share: column}
  - {id: Q3, kind: victims, bands: [{to: 11}, {from: 12, to: 15}, {from: 16, to: 16}, {from: 17}], youngest: true}
  - {id: Q4, kind: cross, rows: {keywords: [TikTok]}, columns: {bands: [{to: 17, label: Children}]}}
  - {id: Q5, kind: by, by: month}
  - {id: Q6, kind: linked, codes: [86/2]}
  - {id: Q7, kind: list, fields: [offence, month]}
  - {id: Q8, kind: overlap, keywords: [TikTok, Snapchat]}
  - {id: Q9, not_covered: The records do not say it.}
  - {id: Q10, kind: list, fields: [{bands: [{to: 17}]}]}
"""


def send(form: EditForm, **changes: str) -> dict[str, str]:
    """What a page gets of a form that a browser sends."""
    sent = dict(form.values)
    for question in form.questions:
        sent |= {question.field(key): value for key, value in question.values.items() if value}
        sent[question.field("kind")] = question.kind
        sent[question.field("id")] = question.id
    return sent | changes


def save(text: str, form: EditForm, sent: dict[str, str]) -> str:
    request = parse_yaml(text, "x").value
    changes = read_changes(request, form, sent)
    assert changes.problems == {}
    return change_text(text, changes.keys, changes.questions)


def open_form(text: str) -> EditForm:
    return show_request(parse_yaml(text, "x").value)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_form_that_is_sent_as_it_was_shown_changes_nothing(path: Path) -> None:
    text = path.read_text("utf-8")
    form = open_form(text)
    assert read_changes(parse_yaml(text, "x").value, form, send(form)).is_empty


def test_all_that_a_form_can_say_is_shown_and_the_rest_is_named() -> None:
    form = open_form(FULL)
    assert read_changes(parse_yaml(FULL, "x").value, form, send(form)).is_empty
    assert form.values == {
        "reference": "FOI/1",
        "title": "Apps",
        "to": "Pat Example",
        "received": "2026-11-02",
        "outcome": "",
        "periods": "2020/21\n2021-04-01 to 2021-09-30: half of 2021/22",
        "mentions": "TikTok\nHinge (with app within 5)\nWeChat (only as written)",
        "offences": "88/1, 88/2: Meeting: a child",
        "where": "outcome: 1",
        "lists": "",
    }
    shown = {question.id: question.values for question in form.questions}
    assert shown["Q1"]["within-periods"] == "2020/21"
    assert shown["Q2"]["keywords"] == "Facebook (also FB, Face book)\nKik"
    assert shown["Q3"]["bands"] == "under 12\n12 to 15\n16\nover 16"
    assert (shown["Q4"]["rows"], shown["Q4"]["rows-lines"]) == ("keywords", "TikTok")
    assert (shown["Q4"]["columns"], shown["Q4"]["columns-lines"]) == ("bands", "under 18: Children")
    assert shown["Q9"] == {"text": "", "not_covered": "The records do not say it."}
    assert form.hidden_keys == (
        "of the letter: asked",
        "of Q2: share",
        "of Q10: fields",
    )


def test_only_what_was_changed_is_written() -> None:
    form = open_form(FULL)
    sent = send(
        form, mentions="TikTok (also Tik Tok, TT)", title="Maps", to="", **{"q2-bands": "under 18"}
    )
    changed = save(FULL, form, sent)
    expected = FULL.replace("title: Apps", "title: Maps")
    before, after = parse_yaml(expected, "x").value, parse_yaml(changed, "x").value
    before["mentions"] = [{"term": "TikTok", "aliases": ["Tik Tok", "TT"]}]
    before["letter"] = {"received": "2026-11-02", "asked": "A question"}
    before["questions"][2]["bands"] = [{"to": "17"}]
    assert after == before
    lines = FULL.splitlines()
    assert [line for line in lines if "Q7" in line or "where" in line] == [
        line for line in changed.splitlines() if "Q7" in line or "where" in line
    ]
    parse_request(changed)


def test_one_period_is_a_period_and_several_are_periods() -> None:
    form = open_form(FULL)
    changed = parse_yaml(save(FULL, form, send(form, periods="2021")), "x").value
    assert changed["period"] == "2021"
    assert "periods" not in changed
    again = open_form(save(FULL, form, send(form, periods="2021")))
    assert again.values["periods"] == "2021"
    assert "period" not in parse_yaml(save(FULL, form, send(form, periods="")), "x").value


@pytest.mark.parametrize("kind", QUESTION_KINDS)
def test_a_question_of_each_kind_can_be_added(kind: str) -> None:
    text = "reference: A\ntitle: T\nperiod: 2020\noffences: [{codes: [88/1]}]\n"
    form = add_question(open_form(text), kind)
    lines: dict[str, Any] = {
        "terms": "Kik\nTikTok", "codes": "86/2", "field": "month", "fields": "month\noffence",
        "side": "month", "bands": "under 18",
    }  # fmt: skip
    (question,) = form.questions
    sent = send(form)
    for field in question.fields:
        sent[question.field(field.key)] = lines.get(
            field.style, "on" if field.style == "flag" else ""
        )
    filled = fill_form(open_form(text), sent)
    assert [one.kind for one in filled.questions] == [kind]
    request = parse_request(save(text, open_form(text), sent))
    assert [one.id for one in request.questions] == ["Q1"]


def test_a_question_is_taken_out_and_another_gets_a_new_name() -> None:
    form = open_form(FULL)
    sent = send(form, **{"q0-remove": "on"})
    changed = parse_yaml(save(FULL, form, sent), "x").value
    assert [question["id"] for question in changed["questions"]][:2] == ["Q2", "Q3"]
    assert add_question(form, "by").questions[-1].id == "Q11"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("title", "", "Enter the subject"),
        ("periods", "last year", "Enter periods such as"),
        ("mentions", "Kik (", "brackets only once"),
        ("mentions", "Kik (or Kick)", "In brackets, write"),
        ("offences", ": a name", "Enter the code"),
        ("q2-bands", "teenagers", "Enter ages such as"),
        ("q3-rows-lines", "", "Write the words"),
    ],
)
def test_a_line_that_cannot_be_read_is_said_at_its_field(
    name: str, text: str, message: str
) -> None:
    form = open_form(FULL)
    problems = read_changes(parse_yaml(FULL, "x").value, form, send(form, **{name: text})).problems
    field = name.removesuffix("-lines")
    assert list(problems) == [field]
    assert message in problems[field]


def test_a_new_question_says_what_it_lacks() -> None:
    form = open_form("reference: A\ntitle: T\n")
    sent = send(add_question(form, "cross"))
    problems = read_changes({"reference": "A", "title": "T"}, form, sent).problems
    assert set(problems) == {"q0-rows", "q0-columns"}


NARROWED = """\
reference: FOI/2
title: Apps
period: 2020/21
where: {outcome: [1, 18], victim: {age: {to: 17}, sex: [F, M]}, suspect: {sex: [M]}}
lists:
  apps: [TikTok, {term: Facebook, aliases: [FB, Face book]}, {term: Hinge, with: [{term: app, within: 5}], variants: none}]
mentions: {list: apps}
questions:
  - {id: Q1, kind: keywords, keywords: {list: apps}}
  - {id: Q2, kind: cross, rows: {keywords: {list: apps}}, columns: sex, for_each: financial_year, count: victims}
  - {id: Q3, kind: cross, rows: month, columns: outcome, for_each: {keywords: [Kik]}}
  - {id: Q4, kind: by, by: sex, count: suspects, within: {period: 2020/21, mentions: [Kik], offences: [{codes: [71]}], where: {outcome: [1]}}}
  - {id: Q5, kind: by, by: month, within: {where: {victim: {age: {from: 16, to: 16}}}}}
"""


def test_conditions_lists_and_narrower_scopes_are_shown_and_sent_back_unchanged() -> None:
    form = open_form(NARROWED)
    assert form.hidden_keys == ()
    assert read_changes(parse_yaml(NARROWED, "x").value, form, send(form)).is_empty
    assert form.values["where"] == "outcome: 1, 18\nvictim: under 18; sex F, M\nsuspect: sex M"
    assert form.values["lists"] == (
        "apps: TikTok; Facebook (also FB, Face book); Hinge (with app within 5; only as written)"
    )
    assert form.values["mentions"] == "list: apps"
    shown = {question.id: question.values for question in form.questions}
    assert (shown["Q2"]["for_each"], shown["Q2"]["count"]) == ("financial_year", "victims")
    assert (shown["Q3"]["for_each"], shown["Q3"]["for_each-lines"]) == ("keywords", "Kik")
    assert {key: text for key, text in shown["Q4"].items() if "within" in key} == {
        "within-periods": "2020/21", "within-mentions": "Kik", "within-offences": "71",
        "within-where": "outcome: 1",
    }  # fmt: skip
    assert shown["Q5"]["within-where"] == "victim: 16"


def test_conditions_lists_and_narrower_scopes_are_changed_by_form() -> None:
    form = open_form(NARROWED)
    changes = {
        "where": "outcome: 4", "lists": "apps: Kik; Bumble (also BB)", "mentions": "",
        "q0-within-periods": "2020-05-01 to 2020-06-30", "q0-within-mentions": "list: apps",
        "q1-for_each": "", "q1-count": "", "q3-within-offences": "", "q4-within-where": "",
    }  # fmt: skip
    changed = parse_yaml(save(NARROWED, form, send(form) | changes), "x").value
    expected = parse_yaml(NARROWED, "x").value
    expected["where"] = {"outcome": ["4"]}
    expected["lists"] = {"apps": ["Kik", {"term": "Bumble", "aliases": ["BB"]}]}
    del expected["mentions"]
    questions = expected["questions"]
    period = {"from": "2020-05-01", "to": "2020-06-30"}
    questions[0]["within"] = {"period": period, "mentions": {"list": "apps"}}
    del questions[1]["for_each"], questions[1]["count"], questions[3]["within"]["offences"]
    del questions[4]["within"]
    assert changed == expected
    parse_request(save(NARROWED, form, send(form) | changes))


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("where", "outcome", "a colon"),
        ("where", "outcome: 1\noutcome: 2", "on one line only"),
        ("where", "victim: young", "Enter ages"),
        ("lists", "apps: Kik (x) (y)", "brackets only once"),
        ("q4-within-where", "outcome", "a colon"),
        ("q3-within-periods", "May", "Enter periods"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(name: str, text: str, words: str) -> None:
    form = open_form(NARROWED)
    request = parse_yaml(NARROWED, "x").value
    changes = read_changes(request, form, send(form) | {name: text})
    assert words in changes.problems[name]
    assert list(changes.problems) == [name]


@pytest.mark.parametrize(
    "part",
    [
        "where: {outcome: ['1, 18']}",
        "lists: {apps: ['a; b']}",
        "mentions: ['list: apps']",
    ],
)
def test_what_lines_cannot_say_is_named_and_kept(part: str) -> None:
    form = open_form(f"reference: A\ntitle: T\n{part}\nquestions: [{{id: Q1, kind: offences}}]\n")
    assert len(form.hidden_keys) == 1
    assert part.partition(":")[0] in form.hidden_keys[0]

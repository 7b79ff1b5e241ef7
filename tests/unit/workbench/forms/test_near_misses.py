"""Wording near a term becomes another name of it, wherever the request has the term."""

from __future__ import annotations

from queries.request.reader import parse_request
from queries.spec.yaml_text import parse_yaml
from queries.workbench.forms.file_text import change_text
from queries.workbench.forms.near_misses import add_names

TEXT = """\
reference: FOI/1
title: T
mentions: [live stream, {term: Hinge, with: [app]}]   # kept only if unchanged
where: {outcome: [1]}
questions:
  - {id: Q1, kind: keywords, keywords: [Live Stream, Kik]}
  - {id: Q2, kind: cross, rows: {keywords: [Viber, live stream]}, columns: sex}
  - {id: Q3, kind: offences, within: {mentions: [live stream]}}
  - {id: Q4, kind: keywords, keywords: {list: streams}}
lists: {streams: [Live stream]}
"""


def test_a_name_is_added_to_the_term_wherever_it_stands() -> None:
    added = add_names(
        parse_yaml(TEXT, "x").value,
        {
            "live stream": ["live streaming", "livestreamed"],
            'Hinge (with "app")': ["hinges"],
            "Viber": ["vibers"],
            "Elsewhere": ["elsewheres"],
        },
    )
    assert added.missing == ("Elsewhere",)
    request = parse_request(change_text(TEXT, added.keys, added.questions))
    assert [mention.label for mention in request.scope.mentions] == [
        "live stream",
        'Hinge (with "app")',
    ]
    value = parse_yaml(change_text(TEXT, added.keys, added.questions), "x").value
    names = ["live streaming", "livestreamed"]
    assert value["mentions"] == [
        {"term": "live stream", "aliases": names},
        {"term": "Hinge", "with": ["app"], "aliases": ["hinges"]},
    ]
    assert value["questions"][0]["keywords"] == [{"term": "Live Stream", "aliases": names}, "Kik"]
    assert value["questions"][1]["rows"]["keywords"] == [
        {"term": "Viber", "aliases": ["vibers"]},
        {"term": "live stream", "aliases": names},
    ]
    assert value["questions"][2]["within"] == {
        "mentions": [{"term": "live stream", "aliases": names}]
    }
    assert value["questions"][3]["keywords"] == {"list": "streams"}
    assert value["lists"] == {"streams": [{"term": "Live stream", "aliases": names}]}


def test_a_name_is_added_once() -> None:
    names = {"live stream": ["live streaming"]}
    first = add_names(parse_yaml(TEXT, "x").value, names)
    text = change_text(TEXT, first.keys, first.questions)
    again = add_names(parse_yaml(text, "x").value, names)
    assert (again.keys, again.questions, again.missing) == ({}, {}, ())

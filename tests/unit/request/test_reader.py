"""The request file: strict, and wrong in all its lines at once."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import RequestError
from indexer.records.categories import Category
from queries.evidence.facts import NearScopeRecord
from queries.questions.cross import Cross
from queries.replay.movement import choose_filter_reason
from queries.request.reader import parse_request, read_request
from queries.tables.field_filter import build_field_filter
from tests.support.paths import ROOT

REQUESTS = sorted((ROOT / "tests" / "data" / "requests").glob("*.yaml"))

HEAD = "reference: R1\ntitle: T\n"

QUESTIONS = "questions: [{id: Q1, kind: offences}]\n"


@pytest.mark.parametrize("path", REQUESTS, ids=lambda path: path.stem)
def test_every_request_file_of_the_tests_is_right(path: object) -> None:
    assert read_request(path).questions  # type: ignore[arg-type]


def test_six_wordings_are_two_terms() -> None:
    found = read_request(ROOT / "tests/data/requests/reference.yaml")
    first, second = found.scope.mentions
    assert found.wordings(first) == ("live stream", "live-stream", "livestream")
    assert found.wordings(second) == ("livestreaming", "live-streaming", "live streaming")


def test_a_financial_year_is_its_days() -> None:
    period = parse_request(f"{HEAD}period: 2017/18\n{QUESTIONS}").period
    assert period
    assert (period.start.isoformat(), period.end.isoformat()) == ("2017-04-01", "2018-03-31")


def test_values_stay_as_they_are_written() -> None:
    """YAML alone would read a number, a boolean and a float."""
    text = f"{HEAD}{QUESTIONS}mentions: [086, No, 4.10, null, 1e3]\noffences: [{{codes: [086/02, 21]}}]"
    found = parse_request(text)
    assert found.mentions == ("086", "No", "4.10", "null", "1e3")
    assert found.scope.offences[0].codes == ("86/2", "21")


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("", ["is empty"]),
        ("- a\n- b", [":1: is not a request"]),
        ("a: [", [":1: is not YAML"]),
        ("a: {b: How many?}", ["put text that holds any of ? : , # ' [ ] { } in double quotes"]),
        ("\ta: b", ["Indent with spaces, not with tabs"]),
        ("a: &x 1\nb: *x", [":1: has an anchor or alias"]),
        ("a: 1\n---\nb: 2", [":2: begins a second document. Keep one in a file."]),
        ("a: !!python/object:os.system x", [":1: has a YAML tag"]),
        ("[" * 30, ["nested too deeply"]),
        ("a: 1\na: 2", [':2: gives "a" twice']),
        (HEAD, [':1: lacks "questions"']),
        *(
            (f'title: T\nreference: "A{escape}B"\n{QUESTIONS}',
             [':2: "reference": expected printable characters only, so no line break. Correct it.'])
            for escape in (r"\n", r"\t", r"\0", r"\a", r"\x7f", r"\N", r"\L", r"\P")
        ),
        (f"{HEAD}titel: x\n{QUESTIONS}", [':3: "titel" is not a key here. Did you mean "title"?']),
        (f"{HEAD}period: soon\n{QUESTIONS}", [':3: "period": "soon" is not a period; expected {from']),
        (f"{HEAD}period: {{from: 2018-02-30, to: 2018-03-01}}\n{QUESTIONS}", [':3: "from": "2018-02-30" is not a date']),
        (
            f"{HEAD}period: {{from: 2018-04-01, to: 2017-03-31}}\n{QUESTIONS}",
            [":3: the period ends (2017-03-31) before it starts"],
        ),
        (f"{HEAD}mentions: live\n{QUESTIONS}", [':3: "mentions": expected a list']),
        (f'{HEAD}mentions:\n- live\n- ""\n{QUESTIONS}', [':5: term "" has no letter']),
        (f"{HEAD}offences: [{{codes: [22F]}}]\n{QUESTIONS}", [':3: offence code "22F" is not known']),
        (f"{HEAD}offences: [{{code: [22B]}}]\n{QUESTIONS}", ['Did you mean "codes"?']),
        (f"{HEAD}questions:\n- {{id: Q1, kind: ofences}}", [':4: there is no kind of question "ofences". Did you mean "offences"?']),
        (f"{HEAD}questions:\n- {{id: '?', kind: offences}}", [":4: an id is up to 20 letters"]),
        (
            f"{HEAD}questions:\n- {{id: Q1, kind: offences}}\n- {{id: Q1, kind: offences}}",
            [':5: the id "Q1" is used twice'],
        ),
        (
            f"{HEAD}questions:\n- {{id: Q1, kind: keywords, keywords: [Snap chat, snapchat]}}",
            ['"snapchat" is the same term as "Snap chat"'],
        ),
        (
            f"{HEAD}questions:\n- {{id: Q1, kind: keywords, keywords: [{{term: kite, aliases: [drone]}}, Kite]}}",
            ['"Kite" stands above with other names, and two rows would be called so'],
        ),
        (
            f"{HEAD}questions:\n- {{id: Q1, kind: keywords, keywords: [{{term: x, alias: [y]}}]}}",
            ['"alias" is not a key here. Did you mean "aliases"?'],
        ),
        (f"{HEAD}questions:\n- {{id: Q1, kind: linked, codes: [86/99]}}", ['"86/99" is not known']),
        (
            f"{HEAD}questions:\n- {{id: Q1, kind: victims, bands: [{{to: 12}}, {{from: 0, to: 12}}]}}",
            ["the band of 0 to 12 is listed twice. Remove one."],
        ),
        (
            f"{HEAD}questions:\n- {{id: Q1, kind: victims, bands: [{{from: 15, to: 12}}]}}",
            ["the band runs from 15 to 12"],
        ),
        (
            f"{HEAD}questions:\n- {{id: Q1, kind: victims, bands: [{{from: -1}}]}}",
            ["expected an age from 0 to 120"],
        ),
        (
            f"{HEAD}titel: x\nmentions: [--]\noffences: [{{codes: [22F]}}]\n{QUESTIONS}",
            [":3:", ":4:", ":5:"],
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(text: str, messages: list[str]) -> None:
    with pytest.raises(RequestError) as refused:
        parse_request(text, "request.yaml")
    for message in messages:
        assert message in str(refused.value)
    assert all(line.startswith("request.yaml") for line in str(refused.value).splitlines())


CATEGORIES = {
    name: msgspec.convert(one, Category)
    for name, one in {
        "district": {"values": ["North", "South"]}, "ward": {}, "flag": {"many": True},
        "priority": {"type": "integer"}, "online": {"type": "boolean"},
    }.items()
}  # fmt: skip


def listed(number: int, word: str = "word{}") -> str:
    return f"[{', '.join(map(word.format, range(number)))}]"


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ("kind: by, by: age", 'by "age". For ages, write a request file with a question of kind: vic'),
        ("kind: by, by: monht", 'nothing is counted by "monht". Did you mean "month"?'),
        ("kind: by", 'lacks "by". Add it.'),
        ("kind: by, by: [month, sex]", '"by": expected text, not a list. Correct it.'),
        ("kind: by, by: offence_row", "offence_row counts by the rows of offences:, and there are none."),
        ("kind: by, by: month, count: crimes", '"count": expected offences or victims or suspects. Correct it.'),
        ("kind: by, by: month, keywords: [a b]", '"keywords" is not a key here.'),
        ("kind: by, by: month, share: rows", '"share": expected true (per cent of the total of the column), row'),
        ("kind: by, by: month, share: [row]", '"share": expected true (per cent of the total of the column), row'),
        ("kind: keywords, keywords: {list: platforms}", 'there is no list "platforms" under lists:. There are none.'),
        ("kind: keywords, keywords: {list: a, term: b}", '"term" is not a key beside list:. Write only {list: a}.'),
        ("kind: keywords, keywords: [app], present: some", '"present": expected true or false, not text.'),
        ("kind: cross, columns: month", 'lacks "rows". Add it.'),
        ("kind: cross, rows: {}, columns: month", "a side of a table is one of by:, keywords:, bands: and periods:."),
        ("kind: cross, rows: {by: month, keywords: [a b]}, columns: sex", "Keep one."),
        ("kind: cross, rows: {bye: month}, columns: sex", '"bye" is not a key here. Did you mean "by"?'),
        ("kind: cross, rows: sex, columns: [month]", '"columns": expected text or keys and values, not a list.'),
        ("kind: cross, rows: sexx, columns: month", 'Did you mean "sex"?'),
        ("kind: cross, rows: sex, columns: outcome, for_each: sex", "for_each: makes a table for each value, which must be"),
        ("kind: cross, rows: sex, columns: outcome, for_each: ward", "Put ward in rows: or columns: instead."),
        ("kind: cross, rows: sex, columns: outcome, for_each: monht", 'Did you mean "month"?'),
        ("kind: cross, rows: sex, columns: outcome, for_each: month", "which must be known beforehand"),
        ("kind: cross, rows: sex, columns: outcome, for_each: offence_row", "there are none"),
        ("kind: cross, rows: sex, columns: outcome, for_each: {bands: [{to: 11}]}", "Put age bands in rows: or columns:"),
        ("kind: cross, rows: sex, columns: outcome, for_each: {bye: month}", '"bye" is not a key here. Did you mean "by"?'),
        ("kind: cross, rows: sex, columns: outcome, for_each: {by: month, keywords: [a b]}", "Keep one."),
        ("kind: cross, rows: sex, columns: outcome, for_each: day, within: {period: 2017}", "for_each: would make 365 tables"),
        ("kind: cross, rows: sex, columns: outcome, for_each: {periods: [2018]}, within: {period: 2017}",
         "the period (2018) reaches beyond what is asked about"),
        ("kind: cross, rows: sex, columns: outcome, for_each: {keywords: [app]}, within: {mentions: [Hinge]}",
         "cannot be combined with within: mentions:. Keep one."),
        ("kind: by, by: sex, for_each: month", '"for_each" is not a key here.'),
        ("kind: cross, rows: {by: wrad}, columns: month", 'Did you mean "ward"?'),
        ("kind: cross, rows: sex, columns: {bands: [{to: 11}]}, count: offences", "both sides are of victims"),
        ("kind: cross, rows: sex, columns: {bands: [{to: 15, label: x}, {from: 16, label: X}]}",
         'two bands have the label "X". Give each a label of its own.'),
        ("kind: victims, bands: [{to: 15, label: Unknown}]", 'the label "Unknown" is that of another row.'),
        ("kind: victims, bands: [{to: 15, label: '#0'}]", 'the label "#0" is that of another row.'),
        ("kind: cross, rows: sex, columns: {bands: [{from: 130}]}", "expected an age from 0 to 120"),
        ("kind: cross, rows: {keywords: [Snapchat, snap chat]}, columns: sex", "is the same term"),
        ("kind: cross, rows: {periods: [2017, 2017]}, columns: sex", 'the period "2017" is listed twice. Remove one.'),
        ("kind: victims, bands: [{to: eleven}]", '"to": expected a whole number, not text.'),
        ("kind: victims, youngest_sex: true", "youngest_sex: adds to youngest: true. Ask for that as well."),
        ("kind: victims, bands: [0-11]", '"bands": expected keys and values, not text.'),
        ("kind: keywords, keywords: []", '"keywords": expected at least 1 entry.'),
        ("kind: keywords, keywords: [{term: Live.ly, with: [{term: app, within: 5}]}]",
         'the distance of "Live.ly" from another term cannot be measured'),
        ("kind: keywords, keywords: [{term: app, with: [{term: McDonald's, within: 5}]}]", "written with punctuation"),
        ("kind: keywords, keywords: [{term: WhatsApp, openings: {WhatsApp: [what's app]}, with: [{term: app, within: 5}]}]",
         """because "what's app" counts for it, too"""),
        ("kind: keywords, keywords: [{term: app, with: [{term: \u6771\u4eac, within: 5}]}]", "a script without spaces"),
        ("kind: keywords, keywords: [{term: Hinge, with: [{term: app, within: 200}]}]", "a whole number of 100 or less"),
        ("kind: keywords, keywords: [{term: Hinge, with: [{term: app, within: -1}]}]", "a whole number of 0 or more"),
        ("kind: keywords, keywords: [{term: Hinge, with: [{term: app, within: five}]}]", "a whole number, not text"),
        ("kind: keywords, keywords: [{term: Hinge, with: app}]", '"with": expected a list, such as [one, two], not text.'),
        ("kind: keywords, keywords: [{term: Hinge, with: [{term: app, near: 5}]}]", "The keys are term, within."),
        ("kind: keywords, keywords: [{term: Hinge, with: [{within: 5}]}]", 'lacks "term"'),
        ("kind: keywords, keywords: [{term: Hinge, variants: no}]", '"variants": expected all or none.'),
        ("kind: keywords, keywords: [{term: Hinge, aliases: ['--']}]", "has no letter or digit"),
        ("kind: overlap, keywords: [Snapchat]", '"keywords": expected at least 2 entries.'),
        (f"kind: overlap, keywords: {listed(31)}", '"keywords": expected at most 30 entries.'),
        ("kind: overlap, keywords: [Snapchat, Snap chat]", "is the same term"),
        ("kind: offences, within: 2017", '"within": expected keys and values, not text.'),
        ("kind: offences, within: {periode: 2017}", 'Did you mean "period"?'),
        ("kind: offences, within: {period: 2017, periods: [2017]}", '"periods" cannot be combined with "period".'),
        ("kind: offences, within: {mentions: []}", '"mentions" is empty'),
        ("kind: offences, within: {offences: [{codes: [22F]}]}", 'offence code "22F" is not known'),
        ("kind: offences, within: {where: {district: [West]}}", '"West" is not a valid district. It may be North, South.'),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_question_is_one_message_with_its_line(
    question: str, message: str
) -> None:
    text = f"{HEAD}questions:\n- {{id: Q1, {question}}}"
    with pytest.raises(RequestError) as refused:
        parse_request(text, "request.yaml", categories=CATEGORIES)
    (line,) = str(refused.value).splitlines()
    assert line.startswith("request.yaml:4: ")
    assert message in line


@pytest.mark.parametrize(
    ("scope", "message"),
    [
        ("where: {ward: North}", '"ward": expected a list, such as [one, two], not text.'),
        ("where: {ward: []}", '"ward": expected at least 1 entry.'),
        ("where: [ward]", '"where": expected keys and values, not a list.'),
        ("where: {distrikt: [North]}", 'where: knows no field "distrikt". Did you mean "district"?'),
        ("where: {district: [Nroth]}", '"Nroth" is not a valid district. Did you mean "North"? It may be North, South.'),
        ("where: {priority: [high]}", '"high" is not a valid priority: expected a whole number.'),
        ("where: {online: [yes]}", '"yes" is not a valid online. It may be true, false.'),
        ("where: {outcome: [23]}", '"23" is not a valid outcome. It may be 1 charged, 2 youth caution, 3 adult'),
        ("where: {sex: [woman]}", '"woman" is not a valid sex. It may be F, M, X, U, Female, Male, Neither, Unknown sex.'),
        ("lists: {apps: [Hinge, hinge]}", '"hinge" is the same term as "Hinge" above.'),
        ("lists: {apps: []}", '"apps": expected at least 1 entry.'),
        ("lists: {apps: Hinge}", '"apps": expected a list, such as [one, two], not text.'),
        ("lists: {apps: [{term: Hinge, alias: [h]}]}", '"alias" is not a key here. Did you mean "aliases"?'),
        ("mentions: {list: apps}", 'there is no list "apps" under lists:. There are none.'),
        ("where: {victim: {}}", "victim: says nothing. Give an age, a sex or both."),
        ("where: {victim: {agee: {to: 17}}}", '"agee" is not a key here. Did you mean "age"? The keys are age, sex.'),
        ("where: {victim: {age: 17}}", '"age": expected ages, such as {from: 12, to: 17}.'),
        ("where: {victim: {age: {to: 121}}}", '"to": expected an age from 0 to 120.'),
        ("where: {victim: {age: {from: 18, to: 17}}}", "the band runs from 18 to 17. Swap the two ages."),
        ("where: {victim: {sex: [woman]}}", '"woman" is not a valid sex.'),
        ("where: {victim: {sex: F}}", '"sex": expected a list, such as [one, two], not text.'),
        ("where: {victim: [F]}", "victim takes an age, a sex or both, which one victim must meet"),
        ("where: {victm: {sex: [F]}}", 'where: knows no field "victm". Did you mean "victim"?'),
        ("where: {ward: {sex: [F]}}", "ward takes a list of values, not age: and sex:"),
        ("where: {ward: {North: 1}}", '"ward": expected a list, such as [one, two], not keys and values.'),
        ("where: {offence_group: [Sexual ofences]}", 'Did you mean "Sexual offences"?'),
        ("period: 2017/19", '"period": "2017/19" is not a period; expected {from: YYYY-MM-DD, to: YYYY-MM-DD} or a year such as 2017/18.'),
        ("period: 17/18", "or a year such as 2017/18"),
        ("period: {from: 2017-04-01}", 'lacks "to"'),
        ("period: {from: 01/04/2017, to: 31/03/2018}", '"from": "01/04/2017" is not a date (expected YYYY-MM-DD).'),
        ("periods: 2017/18", '"periods": expected a list, such as [2016/17, 2017/18].'),
        ("periods: [2017/18, 18/19]", "or a year such as 2017/18"),
        ("periods: [2017, 2017]", 'the period "2017" is listed twice. Remove one.'),
        ("periods: []", '"periods" is empty, so every record would count.'),
        (f"periods: [{', '.join(map(str, range(1950, 2001)))}]", '"periods": expected at most 50 entries.'),
        ("offences: [{codes: [22B]}, {codes: [022B]}]", "a row of the offences 022B is already listed. Remove one."),
        ("offences: []", '"offences" is empty'),
        (f"mentions: [{'a' * 999_000}]", "has 999,000 characters; the most is 100."),
        (f"mentions: {listed(10_000)}", '"mentions": expected at most 500 entries.'),
        ("mentions: [contacted repeatedly through several different messaging applications afterwards]",
         'afterwards" can be written in 9,021 ways, and one search looks for 8,000 at most. '
         "Ask for its distinctive words, or for exactly this wording (variants: none)."),
        (f"mentions: {listed(40, 'abcdefghij' * 4 + '{:05} x')}", "ways, and one search looks for 8,000 at most."),
        ("mentions: [[live stream]]", '"mentions": expected text or keys and values, not a list.'),
        ('mentions: ["\\udcffx"]', "half a character"),
    ],
    ids=lambda text: text[:40],
)  # fmt: skip
def test_what_is_wrong_in_a_scope_is_one_message_with_its_line(scope: str, message: str) -> None:
    with pytest.raises(RequestError) as refused:
        parse_request(f"{HEAD}{scope}\n{QUESTIONS}", "request.yaml", categories=CATEGORIES)
    (line,) = str(refused.value).splitlines()
    assert line.startswith("request.yaml:3: ")
    assert message in line
    assert len(line) < 500


def test_periods_beside_a_period_are_refused_and_a_question_keeps_to_the_requests() -> None:
    both = f"{HEAD}period: 2017\nperiods: [2017]\n{QUESTIONS}"
    with pytest.raises(RequestError, match=':4: "periods" cannot be combined with "period"'):
        parse_request(both)
    wider = (
        f"{HEAD}period: 2017/18\nquestions:\n- {{id: Q1, kind: offences, within: {{period: 2018}}}}"
    )
    with pytest.raises(RequestError, match=r":5: the period \(2018\) reaches beyond the request's"):
        parse_request(wider)


@pytest.mark.parametrize(
    ("scope", "narrower"),
    [
        ("offences: [{codes: [28E]}]", "offences: [{codes: [34B]}]"),
        ("offences: [{codes: [28E]}]", "offences: [{codes: [28]}, {codes: [19C]}]"),
        ("offences: [{codes: [28E]}]", "where: {offence_group: [Robbery]}"),
        ("where: {offence_group: [Robbery]}", "offences: [{codes: [28]}]"),
    ],
)
def test_offences_of_a_question_that_are_none_of_the_requests_are_refused(
    scope: str, narrower: str
) -> None:
    """Every number would be 0, whatever was recorded."""
    question = f"questions:\n- id: Q1\n  kind: offences\n  within:\n    {narrower}"
    with pytest.raises(RequestError, match=r":8: no record can be of these offences and of the"):
        parse_request(f"{HEAD}{scope}\n{question}")


def test_offences_of_a_request_that_are_in_none_of_its_groups_are_refused() -> None:
    scope = "offences: [{codes: [28E]}, {codes: [34B]}]\nwhere: {offence_group: [%s]}"
    parse_request(HEAD + scope % "Robbery" + "\n" + QUESTIONS)
    with pytest.raises(RequestError, match=r":4: none of the request's offences is of these"):
        parse_request(HEAD + scope % "Sexual offences" + "\n" + QUESTIONS)


@pytest.mark.parametrize(
    ("scope", "narrower"),
    [
        ("offences: [{codes: [28]}]", "offences: [{codes: [28E]}]"),
        ("offences: [{codes: [28E]}]", "offences: [{codes: [28]}]"),
        ("offences: [{codes: [19C-19K]}]", "where: {offence_group: [Sexual offences]}"),
        ("where: {offence_group: [Robbery]}", "offences: [{codes: [34B]}]"),
    ],
)
def test_offences_of_a_question_may_be_some_of_the_requests(scope: str, narrower: str) -> None:
    question = f"questions:\n- id: Q1\n  kind: offences\n  within:\n    {narrower}"
    parse_request(f"{HEAD}{scope}\n{question}")


@given(st.text())
def test_any_text_is_a_request_or_refused(text: str) -> None:
    with pytest.raises(RequestError):
        parse_request(text)


@given(st.recursive(st.text("abc17"), lambda inner: st.dictionaries(
    st.sampled_from(["reference", "title", "questions", "period", "mentions", "offences", "from", "to",
                     "codes", "label", "id", "kind", "bands", "keywords", "term", "with"]), inner)
    | st.lists(inner), max_leaves=20))  # fmt: skip
def test_any_tree_of_our_keys_is_a_request_or_refused(tree: object) -> None:
    import yaml

    with contextlib.suppress(RequestError):
        parse_request(yaml.safe_dump(tree))


def test_a_replay_knows_a_filter_by_its_field_or_by_the_words_of_an_older_basis() -> None:
    for field, value, kind in (
        ("outcome", "14", "outcome"),
        ("sex", "F", "victims"),
        ("district", "North", "category"),
    ):
        words = build_field_filter(field, [value], {"district": Category()}).words
        for record in (
            NearScopeRecord("R1", "2018-05-01", "88A", "recorded", words, field),
            NearScopeRecord("R1", "2018-05-01", "88A", "recorded", words),
        ):
            assert choose_filter_reason(record) == kind


def test_a_list_is_its_terms_wherever_it_is_used_and_wrong_where_it_is_written() -> None:
    lists = "lists: {apps: [Hinge, {term: Snapchat, variants: none}]}\n"
    uses = (
        "mentions: {list: apps}\nquestions:\n"
        "- {id: Q1, kind: keywords, keywords: {list: apps}, within: {mentions: {list: apps}}}\n"
        "- {id: Q2, kind: cross, rows: {keywords: {list: apps}}, columns: sex}\n"
    )
    terms = "[Hinge, {term: Snapchat, variants: none}]"
    assert parse_request(HEAD + lists + uses) == parse_request(
        HEAD + uses.replace("{list: apps}", terms)
    )
    with pytest.raises(RequestError) as refused:
        parse_request(HEAD + lists.replace("Hinge", "hinge, Hinge") + uses, "request.yaml")
    (line,) = str(refused.value).splitlines()
    assert line.startswith('request.yaml:3: "Hinge" is the same term')


def test_a_cross_for_each_value_is_a_cross_narrowed_to_each() -> None:
    scope = (
        "period: {from: 2017-06-01, to: 2018-06-30}\n"
        "offences: [{codes: [22B], label: One}, {codes: [88A]}]\n"
    )
    cross = "kind: cross, rows: {keywords: [a b]}, columns: sex"

    def read(*questions: str) -> tuple[Any, ...]:
        listed = "".join(f"- {{{question}}}\n" for question in questions)
        text = f"{HEAD}{scope}questions:\n{listed}"
        request = parse_request(text, categories=CATEGORIES)
        own = (
            msgspec.structs.replace(one, table_of="") if isinstance(one, Cross) else one
            for one in request.questions
        )
        return (*own, *request.uncovered)

    assert read(
        f"id: Q1, {cross}, for_each: financial_year, text: How many, note: N, not_covered: H, within: {{where: {{ward: [A]}}}}",
        "id: Q2, not_covered: We do not hold this.",
        f"id: b), {cross}, for_each: offence_row",
        f"id: Q4, {cross}, for_each: {{keywords: [Hinge]}}",
        f"id: Q5, {cross}, for_each: district",
    ) == read(
        f"id: Q1.1, {cross}, text: How many (2017/18), note: N, within: {{where: {{ward: [A]}}, "
        "period: {from: 2017-06-01, to: 2018-03-31, label: 2017/18}}",
        f"id: Q1.2, {cross}, text: How many (2018/19), not_covered: H, within: {{where: {{ward: [A]}}, "
        "period: {from: 2018-04-01, to: 2018-06-30, label: 2018/19}}",
        "id: Q2, not_covered: We do not hold this.",
        f"id: b).1, {cross}, within: {{offences: [{{codes: [22B], label: One}}]}}",
        f"id: b).2, {cross}, within: {{offences: [{{codes: [88A], label: Sexual grooming}}]}}",
        f"id: Q4.1, {cross}, within: {{mentions: [Hinge]}}",
        f"id: Q5.1, {cross}, within: {{where: {{district: [North]}}}}",
        f"id: Q5.2, {cross}, within: {{where: {{district: [South]}}}}",
    )
    with pytest.raises(RequestError, match=r'called Q1\.1 and so on, and the id "Q1\.1" is used'):
        read(f"id: Q1, {cross}, for_each: offence_row", "id: Q1.1, kind: offences")


def test_rows_of_offences_that_cannot_be_read_are_not_called_missing() -> None:
    with pytest.raises(RequestError) as refused:
        parse_request(
            "reference: R\ntitle: T\noffences: [{codes: [71/1-71/999]}]\nquestions:\n"
            "- {id: Q1, kind: by, by: offence_row}\n- {id: Q2, kind: by, by: offense_row}\n"
        )
    first, second = str(refused.value).splitlines()
    assert "71/999" in first
    assert 'Did you mean "offence_row"?' in second

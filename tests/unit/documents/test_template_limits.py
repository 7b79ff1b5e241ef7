"""A template that does not end is one message, in every format; what a sound one may do stays."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import docx
import pytest

from indexer.errors import ConfigurationError
from queries.documents import template_process
from queries.documents.content import render_limits
from queries.documents.content.context import DocumentSettings
from queries.documents.content.templates import (
    EscapeMode,
    copy_templates,
    get_environment,
    render_template,
)
from queries.documents.document_set import (
    render_answer_text,
    render_documents,
    view_questions,
)
from queries.documents.formats.docx import render_letter_docx
from queries.documents.formats.letter import render_letter_html, render_letter_text
from queries.documents.formats.pdf import render_letter_pdf, render_letter_typst
from queries.documents.formats.report import render_report_html, render_report_text
from queries.documents.notice_files import prepare_notice
from queries.documents.specimen import build_specimen_request
from queries.documents.template_check import check_templates
from queries.documents.template_process import run_with_limits
from tests.support.answers import FORCE, sample_answer
from tests.support.command_line import run_command
from tests.support.rendered import rendered

DAY = date(2018, 8, 15)

NESTED = (
    "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}"
)  # fmt: skip

GROWING = "{{% set n = namespace(x={start}) %}}{{% for a in range(90) %}}{{% set n.x = {next} %}}{{% endfor %}}"

ENDLESS = {
    "range": "{% for a in range(10**9) %}x{% endfor %}",
    "nested loops": NESTED,
    "loops in a macro": "{% macro m() %}" + NESTED + "{% endmacro %}{{ m() }}",
    "loops in a call": "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}" + NESTED + "{% endcall %}",
    "loops in a block": "{% block b %}" + NESTED + "{% endblock %}",
    "loops in a value": "{% set x %}" + NESTED + "{% endset %}",
    "loops in a filter": "{% filter upper %}" + NESTED + "{% endfilter %}",
    "a list in a loop": "{% for a in range(99999) %}{{ range(99999) | list | length }}{% endfor %}",
    "a macro": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "a block": "{% block b %}{{ self.b() }}{% endblock %}",
    "a macro that doubles": "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
    "a recursive loop": "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "a recursive loop that doubles": "{% for a in [1, 2] recursive %}{% if loop.depth < 60 %}{{ loop([1, 2]) }}{% endif %}{% endfor %}",
    "long steps": "{% set x = 'a b ' * 2000000 %}{% for a in range(99999) %}{{ x | wordcount }}{% endfor %}",
    "a long text": "{{ 'x' * 10**10 }}",
    "a long list": "{{ ([1] * 10**10) | length }}",
    "a power": "{{ 10 ** (10 ** 10) }}",
    "a width": "{{ 'x' | center(10**10) }}",
    "an indent": "{{ 'x' | indent(10**10, true) }}",
    "a batch": "{{ [1] | batch(10**10, 1) | list }}",
    "a method": "{{ 'x'.ljust(10**10) }}",
    "a pattern": "{{ '%10000000000d' % 1 }}",
    "a pattern with a star": "{{ '%*d' % (10**10, 1) }}",
    "a pattern of a filter": "{{ '%10000000000d' | format(1) }}",
    "a form": "{{ '{:>10000000000}'.format(1) }}",
    "a form with a width": "{{ '{:>{w}}'.format(1, w=10**10) }}",
    "doubled text": GROWING.format(start="'x'", next="n.x ~ n.x"),
    "added text": GROWING.format(start="'x'", next="n.x + n.x"),
    "joined text": GROWING.format(start="'x'", next="[n.x, n.x] | join"),
    "replaced text": GROWING.format(start="'x'", next="n.x | replace('x', 'xx')"),
    "a doubled list": GROWING.format(start="[1]", next="n.x + n.x"),
    "a squared number": GROWING.format(start="9", next="n.x * n.x"),
    "made-up text": "{{ lipsum(n=10**6) }}",
}  # fmt: skip


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def fill(folder: Path, text: str, mode: EscapeMode = EscapeMode.TEXT, **names: Any) -> str:
    write(folder, "t.j2", text)
    return render_template("t.j2", mode, folder, names)


@pytest.fixture
def low(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lower limits, for speed."""
    monkeypatch.setattr(render_limits, "MAX_STEPS", 200_000)
    monkeypatch.setattr(render_limits, "MAX_CHARACTERS", 10_000_000)
    monkeypatch.setattr(render_limits, "MAX_SECONDS", 3)


@pytest.mark.timeout(60)
@pytest.mark.usefixtures("low")
@pytest.mark.parametrize("mode", [EscapeMode.TEXT, EscapeMode.MARKUP])
@pytest.mark.parametrize("kind", ENDLESS)
def test_what_does_not_end_is_one_message(kind: str, mode: EscapeMode, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"t\.j2(:\d+)?: .*Correct the template") as error:
        fill(tmp_path, ENDLESS[kind], mode)
    assert "\n" not in str(error.value)
    assert "maximum recursion" not in str(error.value)


def test_the_message_says_what_it_takes_and_where(tmp_path: Path) -> None:
    """With the limits as they are, within seconds."""
    start = time.thread_time()
    with pytest.raises(
        ConfigurationError, match=r"t\.j2:1: it takes more than 5,000,000 steps, so a loop"
    ):
        fill(tmp_path, NESTED)
    assert time.thread_time() - start < 30


@pytest.mark.usefixtures("low")
def test_a_template_that_includes_itself_is_one_message(tmp_path: Path) -> None:
    for text in ("{% include 't.j2' %}", "{% include 't.j2' %}" * 2, "{% extends 't.j2' %}"):
        with pytest.raises(ConfigurationError, match=r"does not end|may never end"):
            fill(tmp_path, text)


def test_time_is_limited_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render_limits, "MAX_SECONDS", 0)
    with pytest.raises(ConfigurationError, match="it takes more than 0 seconds, so a loop"):
        fill(tmp_path, "{% for a in range(20000) %}x{% endfor %}")


LETTERS: list[tuple[str, Callable[..., Any]]] = [
    ("letter.txt.j2", render_letter_text),
    ("letter.html.j2", render_letter_html),
    ("letter.typ.j2", render_letter_typst),
    ("report.txt.j2", render_report_text),
    ("report.html.j2", render_report_html),
    ("questions/mentions.j2", render_letter_text),
    ("sections/summary.j2", render_letter_text),
]


@pytest.mark.timeout(60)
@pytest.mark.usefixtures("low")
@pytest.mark.parametrize("kind", ["nested loops", "a macro"])
@pytest.mark.parametrize(("name", "renderer"), LETTERS[:5])
def test_every_format_has_the_limit(
    name: str, renderer: Callable[..., Any], kind: str, tmp_path: Path
) -> None:
    write(tmp_path, name, ENDLESS[kind])
    with pytest.raises(ConfigurationError, match=r"may never end|does not end"):
        rendered(renderer, sample_answer(1), FORCE, DAY, tmp_path)


@pytest.mark.timeout(60)
@pytest.mark.usefixtures("low")
@pytest.mark.parametrize("kind", ["nested loops", "a macro"])
@pytest.mark.parametrize("place", ["text", "title"])
def test_a_letter_in_word_has_the_limit(kind: str, place: str, tmp_path: Path) -> None:
    copy_templates(tmp_path)
    path = tmp_path / "letter.docx"
    letter = docx.Document(str(path))
    if place == "text":
        letter.add_paragraph(ENDLESS[kind])
    else:
        letter.core_properties.title = ENDLESS[kind][:255]
    letter.save(str(path))
    with pytest.raises(ConfigurationError, match=r"may never end|does not end"):
        rendered(render_letter_docx, sample_answer(1), FORCE, DAY, tmp_path)


@pytest.mark.timeout(100)
@pytest.mark.parametrize(
    "code",
    [
        "#let f(n) = f(n + 1)\n#f(0)",
        "#while true {}",
        "#range(10000000000)",
        "#for a in range(9999) {for b in range(9999) {for c in range(9999) {}}}",
    ],
)
def test_a_letter_in_typst_that_does_not_end_is_one_message(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("queries.documents.formats.pdf.MAX_SECONDS", 3)
    source = get_environment(EscapeMode.TYPST).loader.get_source(  # type: ignore[union-attr]
        get_environment(EscapeMode.TYPST), "letter.typ.j2"
    )[0]
    write(tmp_path, "letter.typ.j2", f"{source}\n{code}\n")
    with pytest.raises(
        ConfigurationError, match=r"letter\.typ\.j2.* Correct the template\."
    ) as error:
        rendered(render_letter_pdf, sample_answer(1), FORCE, DAY, tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.timeout(60)
@pytest.mark.usefixtures("low")
def test_the_check_of_templates_names_the_one_that_does_not_end(tmp_path: Path) -> None:
    write(tmp_path, "letter.html.j2", NESTED)
    errors = {
        finding.template: finding.error
        for finding in check_templates(DocumentSettings(FORCE, DAY, tmp_path))
        if finding.error
    }
    assert [*errors] == ["letter.html.j2"]
    assert "may never end" in errors["letter.html.j2"]


@pytest.mark.timeout(60)
@pytest.mark.usefixtures("low")
def test_the_command_that_checks_templates_ends_with_its_code(tmp_path: Path) -> None:
    write(tmp_path, "letter.html.j2", NESTED)
    (tmp_path / "foidex.toml").write_text('[templates]\nfolder = "."\n')
    done = run_command(
        "templates", "check",
        environment={"HOME": str(tmp_path)}, folder=tmp_path, expected_code=10,
    )  # fmt: skip
    assert "may never end" in done.out + done.err


DOUBLED = (
    "{% set n = namespace(x=[1]) %}{% for a in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}"
)

ONE_STEP = {
    "a doubled list, printed": DOUBLED + "{{ n.x }}",
    "a doubled list, as text": DOUBLED + "{{ n.x | string | length }}",
    "a doubled list, compared": DOUBLED + "{% set m = n.x %}" + DOUBLED + "{{ m == n.x }}",
    "a doubled list, as JSON": DOUBLED + "{{ n.x | tojson }}",
    "a doubled list, in a pattern": DOUBLED + "{{ '%s' % n.x }}",
    "a doubled row, as a key": DOUBLED.replace("[", "(").replace("]", ",)") + "{{ {n.x: 1} | length }}",
    "a list that holds itself twice": "{% set l = [1] %}{% for a in range(40) %}{% set _ = l.append(l + [l, l]) %}{% endfor %}{{ l }}",
    "text that grows in one step": "{{ ('a' * 5000000) | replace('a', 'b' * 5000000) | length }}",
    "text put between": "{{ ('a' * 4000000) | join('b' * 4000000) | length }}",
}  # fmt: skip


@pytest.fixture
def few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lower limits of the process that fills in templates."""
    monkeypatch.setattr(template_process, "MAX_SECONDS", 2)
    monkeypatch.setattr(template_process, "MAX_MEGABYTES", 1024)


@pytest.mark.timeout(60)
@pytest.mark.usefixtures("few_seconds")
@pytest.mark.parametrize(
    "kind",
    [
        name if name == "a doubled list, printed" else pytest.param(name, marks=pytest.mark.long)
        for name in ONE_STEP
    ],
)
def test_what_does_not_end_within_one_step_is_one_message(kind: str, tmp_path: Path) -> None:
    write(tmp_path, "letter.txt.j2", ONE_STEP[kind])
    with pytest.raises(
        ConfigurationError, match=r"letter\.txt\.j2.*: .*Correct the template"
    ) as error:
        render_documents(sample_answer(1), DocumentSettings(FORCE, DAY, tmp_path))
    assert "\n" not in str(error.value)


@pytest.mark.long
@pytest.mark.timeout(120)
@pytest.mark.usefixtures("few_seconds")
@pytest.mark.parametrize("name", ["annex.j2", "letters/acknowledgement.j2"])
def test_every_way_to_the_words_of_a_letter_has_the_limit(name: str, tmp_path: Path) -> None:
    """A page of the workbench, what a command prints, a letter before the answer, the check."""
    write(tmp_path, name, ONE_STEP["a doubled list, printed"])
    settings = DocumentSettings(FORCE, DAY, tmp_path)
    ways: list[Callable[[], Any]] = [
        lambda: view_questions(sample_answer(1), settings),
        lambda: render_answer_text(sample_answer(1), settings, "text"),
    ]
    if name.startswith("letters/"):
        specimen = build_specimen_request(FORCE)
        ways = [lambda: prepare_notice(specimen, "acknowledgement", settings)]
    for way in ways:
        with pytest.raises(ConfigurationError, match=rf"{name}: filling in takes more than 2 sec"):
            way()
    errors = [finding.error for finding in check_templates(settings) if finding.error]
    assert len(errors) == 1
    assert f"{name}: filling in takes more" in errors[0]


@pytest.mark.timeout(60)
def test_a_process_gives_what_foidex_itself_would_give(tmp_path: Path) -> None:
    """With a force's own templates: the same documents, the same error, and a fault as a fault."""
    copy_templates(tmp_path)
    own = DocumentSettings(FORCE, DAY, tmp_path)
    answer = sample_answer(1234)
    made = render_documents(answer, own)
    plain = render_documents(answer, DocumentSettings(FORCE, DAY))
    assert {name: content for name, content in made.items() if not name.endswith(".pdf")} == {
        name: content for name, content in plain.items() if not name.endswith(".pdf")
    }
    assert view_questions(answer, own) == view_questions(answer, DocumentSettings(FORCE, DAY))
    write(tmp_path, "letter.txt.j2", "{{ nobody }}")
    with pytest.raises(ConfigurationError, match=r'letter\.txt\.j2:1: there is no "nobody"'):
        render_documents(answer, own)
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        run_with_limits(tmp_path, divmod, 1, 0)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("{% for a in values %}{{ loop.index }}/{{ loop.length }}{{ '' if loop.last else ' ' }}{% endfor %}", "1/3 2/3 3/3"),
        ("{% for a, b in pairs | items %}{{ a }}{{ b }}{% else %}none{% endfor %}", "x1"),
        ("{% for a in [] %}{% else %}none{% endfor %}", "none"),
        ("{% for a in values if a > 1 %}{{ loop.revindex }}{{ a }} {% endfor %}", "22 13 "),
        ("{% for a in values %}{{ loop.previtem }}{{ loop.nextitem }}{% endfor %}", None),
        ("{{ 'ref 1234567 %d' % 5 }}", "ref 1234567 5"),
        ("{{ 'no 123456'.format() ~ '{:>4}'.format(123456) }}", "no 123456123456"),
        ("{{ 'x' | center(5) ~ 7 * 8 ~ 2 ** 10 ~ 'ab' * 2 }}", "  x  561024abab"),
        ("{{ '%05d' | format(42) }}", "00042"),
        ("{% macro m(n) %}{{ n }}{{ m(n - 1) if n else '' }}{% endmacro %}{{ m(3) }}", "3210"),
        ("{% for a in tree recursive %}{{ a.n }}{{ loop(a.of) }}{% endfor %}", "12"),
        ("{{ values | map('string') | join('-') }}", "1-2-3"),
        ("{{ range(3) | list }}", "[0, 1, 2]"),
    ],
)  # fmt: skip
def test_what_a_sound_template_does_is_as_it_was(
    text: str, printed: str | None, tmp_path: Path
) -> None:
    names: dict[str, Any] = {
        "values": [1, 2, 3],
        "pairs": {"x": 1},
        "tree": [{"n": 1, "of": [{"n": 2, "of": []}]}],
    }
    if printed is None:
        with pytest.raises(ConfigurationError, match=r"previous item|first iteration|no previous"):
            fill(tmp_path, text, **names)
    else:
        assert fill(tmp_path, text, **names) == printed

"""``templates check``: what a force's own templates leave out is named, kind by kind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import msgspec
import pytest
from docx import Document

from indexer.config.model import ForceSettings
from indexer.errors import ConfigurationError
from queries.documents.content.context import (
    DocumentContext,
    DocumentSettings,
    build_document_context,
)
from queries.documents.content.templates import copy_templates
from queries.documents.formats.docx import render_letter_docx
from queries.documents.formats.letter import render_letter_text
from queries.documents.template_check import TemplateFinding, check_templates
from tests.support.answers import FORCE, sample_answer
from tests.support.command_line import run_command
from tests.support.letters import make_refusing_answer
from tests.support.paths import ROOT

DAY = date(2026, 1, 6)


def find_faults(folder: Path | None, force: ForceSettings = FORCE) -> list[TemplateFinding]:
    findings = [*check_templates(DocumentSettings(force, DAY, folder))]
    assert len(findings) > 20
    return [finding for finding in findings if finding.missing or finding.error]


@pytest.mark.parametrize("act", ["uk", "scotland"])
def test_the_templates_that_ship_are_complete(act: str) -> None:
    assert find_faults(None, msgspec.structs.replace(FORCE, act=act)) == []


def cut(folder: Path, file: str, text: str, replacement: str = "") -> None:
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    source = (ROOT / "templates" / file).read_text("utf-8")
    assert text in source
    path.write_text(source.replace(text, replacement), "utf-8")


#: What is cut from templates, a template once in each; then the kind of letter, and what is missing.
CUTS = (
    (
        ("letter.txt.j2", "{{ question.answer.table | text_table }}", "answer", "the tables"),
        ("letter.html.j2", "{{ force.signatory }}", "review", "the signature"),
        ("letter.typ.j2", "{{ outcome_words }}", "refusal", "what became of the request"),
        ("report.html.j2", '{% include "table.html.j2" %}', "answer", "the tables"),
    ),
    (
        ("letter.html.j2", "{% for paragraph in force.review %}", "refusal", "error"),
        ("letter.txt.j2", "{{ section.heading | wrapped }}", "answer", "error"),
    ),
)


@pytest.mark.parametrize("cuts", CUTS)
def test_what_a_template_leaves_out_is_named(
    tmp_path: Path, cuts: tuple[tuple[str, str, str, str], ...]
) -> None:
    for file, text, _, _ in cuts:
        cut(tmp_path, file, text)
    faults = {(finding.template, finding.kind): finding for finding in find_faults(tmp_path)}
    assert {template for template, _ in faults} == {file for file, *_ in cuts}
    for file, _, kind, missing in cuts:
        fault = faults[file, kind]
        assert fault.error if missing == "error" else missing in fault.missing


def test_a_table_taken_out_of_the_word_letter_is_missed(tmp_path: Path) -> None:
    copy_templates(tmp_path)
    letter = Document(str(tmp_path / "letter.docx"))
    (table,) = letter.tables
    parent = table._tbl.getparent()  # noqa: SLF001 - python-docx removes none
    assert parent is not None
    parent.remove(table._tbl)  # noqa: SLF001
    letter.save(str(tmp_path / "letter.docx"))
    faults = find_faults(tmp_path)
    assert [(fault.template, fault.kind) for fault in faults] == [("letter.docx", "answer")]
    assert "the tables" in faults[0].missing


def test_the_command_says_what_is_missing_and_fails(tmp_path: Path) -> None:
    (tmp_path / "foidex.toml").write_text('[templates]\nfolder = "mine"\n')
    cut(tmp_path / "mine", "letter.html.j2", "{{ force.signatory }}")
    environment = {"HOME": str(tmp_path)}
    failed = run_command(
        "templates", "check", environment=environment, folder=tmp_path, expected_code=10
    )
    assert "letter.html.j2, review: leaves out the signature" in failed.out
    assert "letter.docx, review: complete" in failed.out
    assert "not complete" in failed.err
    (tmp_path / "mine" / "letter.html.j2").unlink()
    run_command("templates", "check", environment=environment, folder=tmp_path, expected_code=0)


OLD_TEMPLATES = ROOT / "tests" / "data" / "previous" / "templates"


@pytest.mark.parametrize("renderer", [render_letter_text, render_letter_docx])
def test_a_template_of_the_version_before_prints_figures_and_no_refusal_without_reasons(
    renderer: Callable[[DocumentContext], object],
) -> None:
    """It cannot print why something is refused, so it is refused itself, and the message says so."""
    settings = DocumentSettings(FORCE, DAY, OLD_TEMPLATES)
    renderer(build_document_context(sample_answer(1234), settings))
    refusing = build_document_context(make_refusing_answer("vexatious"), settings)
    with pytest.raises(ConfigurationError) as failed:
        renderer(refusing)
    message = str(failed.value)
    assert "leaves out the refusal notice; the sections of the Act" in message
    assert "Your template is older than this part of a letter" in message


@pytest.mark.parametrize("name", ["letter.txt.j2", "letter.html.j2", "letter.typ.j2"])
def test_a_template_that_does_not_mark_what_is_not_for_publication_is_named(
    tmp_path: Path, name: str
) -> None:
    ours = (ROOT / "templates" / name).read_text("utf-8")
    assert "draft" in ours
    (tmp_path / name).write_text(ours.replace("{% if draft %}", "{% if false %}"), "utf-8")
    faults = find_faults(tmp_path)
    assert [(fault.template, fault.kind) for fault in faults] == [
        (name, "answer not for publication")
    ]
    assert faults[0].missing == ("the mark of a letter that is not for publication",)

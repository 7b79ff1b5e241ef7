"""Renders every kind of document with a force's templates, and says what they leave out."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
from msgspec import Struct

from indexer.errors import ConfigurationError
from queries.documents.content.context import (
    DocumentContext,
    DocumentSettings,
    build_document_context,
)
from queries.documents.content.letter.contents import (
    flatten_text,
    list_missing,
    list_required_contents,
)
from queries.documents.content.letter.notices import NOTICE_KINDS, build_notice_context
from queries.documents.content.number_check import (
    ExtractedText,
    extract_markup_text,
    extract_typst_text,
)
from queries.documents.formats.docx import extract_docx_text, render_letter_docx
from queries.documents.formats.letter import render_letter_html, render_letter_text
from queries.documents.formats.pdf import render_letter_pdf, render_letter_typst
from queries.documents.formats.report import render_report_html, render_report_text
from queries.documents.specimen import build_specimen_answer, build_specimen_request
from queries.documents.template_process import run_with_limits
from queries.spec.act import load_acts
from queries.tables.period import format_long_date


class TemplateFinding(Struct, frozen=True):
    """What one template leaves out of one kind of letter; or the error that it raises."""

    template: str
    kind: str
    missing: tuple[str, ...]
    error: str = ""


def _read_pdf_source(context: DocumentContext) -> ExtractedText:
    """The text of the PDF letter; the PDF is made too, to see that it can be."""
    render_letter_pdf(context)
    return extract_typst_text(render_letter_typst(context))


def _read_saved_docx(saved: bytes) -> ExtractedText:
    """The text of a Word file, with what stands at the head of its pages."""
    from docx import Document

    document = Document(io.BytesIO(saved))
    content = extract_docx_text(document)
    heads = [line.text for section in document.sections for line in section.header.paragraphs]
    return ExtractedText([*heads, *content.prose], content.rows)


_LETTERS: Final[dict[str, Callable[[DocumentContext], ExtractedText]]] = {
    "letter.txt.j2": lambda context: ExtractedText([render_letter_text(context)], []),
    "letter.html.j2": lambda context: extract_markup_text(render_letter_html(context)),
    "letter.docx": lambda context: _read_saved_docx(render_letter_docx(context)),
    "letter.typ.j2": _read_pdf_source,
}

_REPORTS: Final[dict[str, Callable[[DocumentContext], ExtractedText]]] = {
    "report.txt.j2": lambda context: ExtractedText([render_report_text(context)], []),
    "report.html.j2": lambda context: extract_markup_text(render_report_html(context)),
}


def check_templates(settings: DocumentSettings) -> Iterator[TemplateFinding]:
    """Check every template with every kind of letter, in a process with limits.

    Where the templates take too much, that is the only finding.
    """
    try:
        yield from run_with_limits(settings.templates, _list_findings, settings)
    except ConfigurationError as error:
        yield TemplateFinding("the folder of templates", "every kind of letter", (), str(error))


def _list_findings(settings: DocumentSettings) -> list[TemplateFinding]:
    return [*_check_every_kind(settings)]


def _check_every_kind(settings: DocumentSettings) -> Iterator[TemplateFinding]:
    for kind, refused in (("answer", False), ("refusal", True)):
        try:
            answer = build_specimen_answer(settings.force, refused=refused)
            context = build_document_context(answer, settings)
        except ConfigurationError as error:
            yield TemplateFinding("the words of letters", kind, (), str(error))
            continue
        yield from _check_each(_LETTERS, kind, context, list_letter_contents(context))
        yield from _check_each(_REPORTS, kind, context, list_figure_contents(context))
    yield from _check_marks(settings)
    act = load_acts()[settings.force.act]
    for notice_kind in NOTICE_KINDS:
        if notice_kind == "extension" and not act.extension:
            continue
        try:
            context = build_notice_context(
                build_specimen_request(settings.force), notice_kind, settings
            )
        except ConfigurationError as error:
            yield TemplateFinding(f"letters/{notice_kind}.j2", notice_kind, (), str(error))
            continue
        yield from _check_each(_LETTERS, notice_kind, context, list_letter_contents(context))


def _check_marks(settings: DocumentSettings) -> Iterator[TemplateFinding]:
    """Check that a letter which is not for publication says so."""
    answer = msgspec.structs.replace(build_specimen_answer(settings.force), disclosure=None)
    try:
        context = build_document_context(answer, settings)
    except ConfigurationError:
        return  # told of the answer that may be published
    contents: dict[str, tuple[str, ...]] = {
        "the mark of a letter that is not for publication": (context.names["draft"],)
    }
    yield from _check_each(_LETTERS, "answer not for publication", context, contents)


def _check_each(
    documents: dict[str, Callable[[DocumentContext], ExtractedText]],
    kind: str,
    context: DocumentContext,
    contents: dict[str, tuple[str, ...]],
) -> Iterator[TemplateFinding]:
    for template, read in documents.items():
        try:
            text = flatten_text(read(context))
        except ConfigurationError as error:
            yield TemplateFinding(template, kind, (), str(error))
            continue
        missing = list_missing(text, contents)
        yield TemplateFinding(template, kind, missing)


def list_letter_contents(context: DocumentContext) -> dict[str, tuple[str, ...]]:
    """What a letter must hold, each by what a person calls it."""
    names = context.names
    force = names["force"]
    contents = {
        "the name of the force": (force.name,),
        "the unit": (force.unit,),
        "the address": force.address,
        "the date": (format_long_date(names["day"]),),
        "our reference": (names["answer"].reference,),
        "the title": (names["answer"].title,),
        "whom it is to": names["recipient"].lines,
        "the greeting": (names["recipient"].greeting,),
        "how it ends": (names["recipient"].closing,),
        "when the request was received": (names["received"],),
        "the request": names["asked"],
        "the clarification": names["clarified"],
        "what became of the request": (names["outcome_words"],),
        **list_required_contents(names),
        "how to contact us": (force.contact,),
        "the rights of review and complaint": force.review,
        "the signature": (force.signatory,),
        **list_figure_contents(context, report=False),
    }
    return {name: tuple(filter(None, parts)) for name, parts in contents.items()}


def list_figure_contents(
    context: DocumentContext, *, report: bool = True
) -> dict[str, tuple[str, ...]]:
    """What a letter or a report must hold of the figures, and of parts without any."""
    names = context.names
    questions = names["questions"]
    counted = [question for question in questions if question.counted]
    contents: dict[str, tuple[str, ...]] = {
        "which parts have figures": (names["parts_covered"],),
        "the questions": tuple(question.answer.text for question in questions),
        "the sentences of the answers": tuple(
            line for question in questions for line in question.prose
        ),
        "the tables": tuple(_list_cells(counted)),
        "the officer's notes": tuple(line for question in questions for line in question.note),
        "the notes below tables": tuple(line for question in counted for line in question.notes),
    }
    if names["counted"]:
        contents |= {
            "what was counted": (names["scope_words"],),
            "the annex": ()
            if report
            else tuple(block.text for section in names["letter_annex"] for block in section.blocks),
            "what is withheld": (names["withheld"],),
            "what is left out": (names["left_out"],),
            "the caveats": () if report else names["force"].caveat,
            "what narrows a question": tuple(question.answer.within for question in counted),
        }
    if report:
        contents["what was counted"] = ()
    return {name: tuple(filter(None, parts)) for name, parts in contents.items()}


def _list_cells(questions: list[Any]) -> Iterator[str]:
    for question in questions:
        yield from question.full_table.label_heads
        for line in question.full_table.lines:
            yield from line.fields or (line.label,)
            yield from line.cells

"""No page tells an officer to type a command: what foidex says elsewhere is adapted to a browser."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from queries.workbench.error_text import adapt_advice
from tests.support.paths import ROOT

#: What the command line alone says: no page gets it.
COMMAND_LINE_ONLY = {
    "queries/cli.py",
    "queries/command_table.py",
    "queries/documents/content/letter/contents.py",  # for whoever changes templates
    "queries/documents/content/letter/marks.py",  # a mark of templates
    "queries/documents/content/templates.py",
    "queries/documents/formats/pdf.py",  # for whoever changes templates
    "queries/documents/notice_files.py",
    "queries/drafting/draft_file.py",
    "queries/drafting/request_text.py",  # a remark in a file
    "queries/jobs/demo.py",
    "queries/jobs/nightly_refresh.py",
    "queries/layout/offence_text.py",
    "queries/request/adhoc.py",
    "queries/reviewing/decision_file.py",
    "queries/search/exactness.py",  # for whoever loads records
}

FOLDERS = ("commands", "workbench")

COMMAND = re.compile(
    r"(?<![\w-])--[a-z][a-z-]+"
    r"|\bfoidex (?:answer|count|draft|find|lint|load|refresh|replay|review|templates)\b"
)

#: What the pattern takes for advice, and is none: a part of a longer text, and a name.
HARMLESS = {"--question {}", "foidex review"}


def list_texts(path: Path) -> Iterator[str]:
    """Each text of a module but its docstrings, with {} for what is put into it."""
    tree = ast.parse(path.read_text("utf-8"))
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    inside = {
        id(value)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for value in node.values
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (
                value.value if isinstance(value, ast.Constant) else "{}" for value in node.values
            )
            yield "".join(map(str, parts))
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in documentation | inside
        ):
            yield node.value


def list_modules() -> Iterator[Path]:
    for path in sorted((ROOT / "queries").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name not in COMMAND_LINE_ONLY and path.relative_to(ROOT).parts[1] not in FOLDERS:
            yield path


def test_no_text_that_a_page_may_show_names_a_command_or_an_option() -> None:
    left = {}
    for path in list_modules():
        for text in list_texts(path):
            if text in HARMLESS:
                continue
            if COMMAND.search(text) and COMMAND.search(adapt_advice(text)):
                left[path.relative_to(ROOT).as_posix()] = text
    assert left == {}


def test_the_texts_that_are_looked_at_are_those_of_messages() -> None:
    texts = [text for path in list_modules() for text in list_texts(path)]
    assert sum(bool(COMMAND.search(text)) for text in texts) >= 20


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "some are to be read (L1: 6 of 6). Read them: foidex review approve REQUEST --question L1 "
            "--question 'L 2', with the name of the request file.",
            'some are to be read (L1: 6 of 6). Read them: the link "Approve the texts" on the page of '
            "the request.",
        ),
        (
            "a sample of 9 is more than the 3 records of this number. Leave --sample out to read them "
            "all.",
            "a sample of 9 is more than the 3 records of this number. Leave the field "
            '"How many records are read" empty to read them all.',
        ),
    ],
)
def test_advice_names_what_the_page_has(said: str, shown: str) -> None:
    assert adapt_advice(said) == shown

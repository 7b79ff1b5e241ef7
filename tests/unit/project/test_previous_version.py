"""Files that the version before wrote are read as that version read them."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from indexer.audit import AUDIT_LOG_NAME
from indexer.audit.log import AuditLog
from queries.answer.answer_file import read_answer_file
from queries.answer.cells import list_cells
from queries.answer.types import Answer, format_json
from queries.disclosure.consistency import check_consistency
from queries.disclosure.ledger import read_ledger
from queries.evidence.basis import read_basis
from queries.request.reader import request_from_answer
from tests.support.paths import ROOT

PREVIOUS = ROOT / "tests" / "data" / "previous"
ANSWERS = sorted((PREVIOUS / "answers").glob("*.json.gz"))
WITH_BASIS = [
    path
    for path in ANSWERS
    if json.loads(gzip.decompress(path.read_bytes()))["provenance"]["basis"]
]


def unpack(path: Path, folder: Path) -> Path:
    """The file without its compression."""
    target = folder / path.name.removesuffix(".gz")
    target.write_bytes(gzip.decompress(path.read_bytes()))
    return target


def read(path: Path, folder: Path) -> Answer:
    return read_answer_file(unpack(path, folder))


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.name)
def test_an_answer_is_read_and_written_as_it_was(path: Path, tmp_path: Path) -> None:
    """Every condition in it is text that is read into a value and written back."""
    answer = read(path, tmp_path)
    before: Any = json.loads(gzip.decompress(path.read_bytes()))
    assert json.loads(format_json(answer)) == before
    assert list_cells(answer)
    check_consistency(answer)


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.name)
def test_the_request_in_an_answer_can_be_asked_again(path: Path, tmp_path: Path) -> None:
    answer = read(path, tmp_path)
    assert request_from_answer(answer.request).reference == answer.reference


def test_the_ledger_holds_its_three_releases() -> None:
    entries = read_ledger(PREVIOUS / "releases.jsonl")
    assert len(entries) == 3
    assert all(entry.figures for entry in entries)


def test_the_audit_log_is_whole_up_to_the_head_that_was_noted(tmp_path: Path) -> None:
    folder = tmp_path / "audit"
    shutil.copytree(PREVIOUS / "audit", folder)
    head = (folder / "head-noted.txt").read_text("utf-8").strip()
    log = AuditLog(folder / AUDIT_LOG_NAME)
    checked = log.check(head)
    assert checked.line_count == len((folder / AUDIT_LOG_NAME).read_bytes().splitlines())
    assert checked.noted_line
    assert len(list(log.read_lines(None))) == checked.line_count


@pytest.mark.parametrize("path", WITH_BASIS, ids=lambda path: path.name)
def test_the_basis_of_an_answer_is_read(path: Path, tmp_path: Path) -> None:
    answer = read(path, tmp_path)
    digest = answer.provenance.basis
    assert digest
    basis = read_basis(PREVIOUS / "audit", digest)
    assert basis
    assert basis.head.generation == answer.provenance.generation

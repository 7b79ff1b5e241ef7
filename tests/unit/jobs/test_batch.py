"""The results of a folder of requests: one failure does not hide another, and the worst one wins."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from indexer.errors import FoidexError, InexactError, NumbersChangedError, RequestError
from indexer.session import Session
from indexer.terminal import describe_forging_name
from queries.disclosure.ledger import PreparedRelease
from queries.documents.comparison import NumberChange
from queries.documents.content.context import DocumentSettings
from queries.documents.document_set import WriteResult
from queries.jobs import batch
from queries.jobs.batch import (
    AnswerJob,
    BatchFailedError,
    BatchResult,
    raise_batch_failures,
    run_batch,
    write_documents,
)
from tests.support.answers import FORCE, sample_answer


def result(error: FoidexError | None = None, changes: tuple[NumberChange, ...] = ()) -> BatchResult:
    written = None if error else WriteResult(("a.json",), changes)
    return BatchResult(Path("a.yaml"), "FOI/1", written, error)


def test_the_exit_code_of_a_folder_is_the_highest_of_its_failures() -> None:
    with pytest.raises(BatchFailedError, match="2 of 3 requests could not be answered") as raised:
        raise_batch_failures([result(InexactError("a")), result(), result(RequestError("b"))])
    assert raised.value.exit_code == InexactError.exit_code


def test_a_failure_counts_before_a_change() -> None:
    changed = result(changes=(NumberChange("Q1, All", 1, 2),))
    with pytest.raises(NumbersChangedError, match="numbers of 1 of 2 requests changed"):
        raise_batch_failures([changed, result()])
    with pytest.raises(BatchFailedError):
        raise_batch_failures([changed, result(RequestError("b"))])


def test_a_folder_without_failures_and_changes_raises_nothing() -> None:
    raise_batch_failures([result(), result()])


def test_a_pipe_among_the_requests_is_told_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "request.yaml")
    job = AnswerJob(Session(), DocumentSettings(FORCE, date(2018, 8, 15)))
    (told,) = run_batch(job, tmp_path, tmp_path / "out")
    assert "request.yaml: is a named pipe" in str(told.error)
    assert not (tmp_path / "out").exists()


def test_a_request_whose_name_could_forge_a_line_is_refused_as_a_source_is(tmp_path: Path) -> None:
    path = tmp_path / "a\nfoidex: done.yaml"
    path.write_text("reference: [\n")
    job = AnswerJob(Session(), DocumentSettings(FORCE, date(2018, 8, 15)))
    (told,) = run_batch(job, tmp_path, tmp_path / "out")
    assert told.reference == r"a\nfoidex: done.yaml"
    assert str(told.error) == describe_forging_name(path)
    assert str(told.error).endswith(
        r"a\nfoidex: done.yaml: has a line break in its name. Rename it."
    )
    assert describe_forging_name(tmp_path / "a.yaml") == ""


def test_no_request_is_passed_over_for_its_capitals(tmp_path: Path) -> None:
    """An officer would take it for answered."""
    for name in ("a.yaml", "b.YAML", "c.Yml", "notes.txt"):
        (tmp_path / name).write_text("reference: [\n")
    job = AnswerJob(Session(), DocumentSettings(FORCE, date(2018, 8, 15)))
    results = run_batch(job, tmp_path, tmp_path / "out")
    assert [told.path.name for told in results] == ["a.yaml", "b.YAML", "c.Yml"]


def test_a_folder_that_cannot_be_listed_is_not_one_without_requests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    job = AnswerJob(Session(), DocumentSettings(FORCE, date(2018, 8, 15)))
    with pytest.raises(RequestError, match=r"cannot be read \(Permission denied\)"):
        next(run_batch(job, tmp_path, tmp_path / "out"))


def test_an_answer_that_is_not_published_is_not_recorded_as_a_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a message would say, of documents that cannot be put in their place, that it was."""
    recorders: list[object] = []
    monkeypatch.setattr(
        batch, "write_document_set", lambda *_, **options: recorders.append(options["record"])
    )
    job = AnswerJob(Session(), DocumentSettings(FORCE, date(2018, 8, 15)))
    write_documents(job, PreparedRelease(sample_answer(3)), tmp_path)
    assert recorders == [None]

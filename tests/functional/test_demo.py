"""The demonstration's questions are asked like any others: with a line in the audit log."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexer.audit import AUDIT_LOG_NAME
from indexer.audit.log import AuditLog
from indexer.session import Session
from queries.answer.cells import hash_numbers
from queries.jobs.demo import answer_demo_request
from queries.replay.compare import read_unpublished_answer
from tests.support.paths import ROOT

DATA = ROOT / "tests" / "data"


def test_an_answer_of_the_demonstration_is_in_the_audit_log(
    load: Callable[..., Any],
    environment: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load(map(json.loads, (DATA / "reference.jsonl").read_text("utf-8").splitlines()))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    shutil.copy(DATA / "requests" / "reference.yaml", tmp_path)
    session = Session()
    session.quiet = True
    answer_demo_request(session, tmp_path, "reference")
    answered = read_unpublished_answer(tmp_path / "reference.answer.json")
    (line,) = AuditLog(session.settings.audit_folder / AUDIT_LOG_NAME).read_lines()
    assert (line["command"], line["reference"]) == ("demo", "FOI2018/03922")
    assert line["numbers"] == hash_numbers(answered)

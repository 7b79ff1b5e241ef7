"""The demonstration's questions are asked like any others: with a line in the audit log."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexer import audit
from indexer.session import Session
from queries import demo, numbers, replay
from tests.conftest import ROOT

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
    demo._answer(session, tmp_path, "reference")
    answered = replay.read(tmp_path / "reference.answer.json")
    (line,) = audit.Log(session.settings.audit_folder / audit.NAME).last()
    assert (line["command"], line["reference"]) == ("demo", "FOI2018/03922")
    assert line["numbers"] == numbers.digest(answered)

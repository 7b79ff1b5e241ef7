"""A long task gives signs of life; a short one, or a quiet run, says nothing."""

from __future__ import annotations

import time

import pytest

from indexer.progress import Progress


def test_a_long_task_says_how_long_it_has_run(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress().signs_of_life("Answering", first=0.05, later=0.05):
        time.sleep(0.4)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) > 1
    assert all(line.startswith("Answering ... ") for line in lines)
    time.sleep(0.2)
    assert capsys.readouterr().err == "", "it ends with the task"


def test_a_short_task_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress().signs_of_life("Answering"):
        pass
    assert capsys.readouterr().err == ""


def test_a_quiet_run_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(quiet=True).signs_of_life("Answering", first=0.01, later=0.01):
        time.sleep(0.1)
    assert capsys.readouterr().err == ""


def test_a_task_that_fails_ends_its_signs(capsys: pytest.CaptureFixture[str]) -> None:
    with (
        pytest.raises(ValueError, match="failed"),
        Progress().signs_of_life("Answering", first=0.05, later=0.05),
    ):
        raise ValueError("failed")
    time.sleep(0.2)
    assert capsys.readouterr().err == ""


def test_a_warning_is_said_even_in_a_quiet_run(capsys: pytest.CaptureFixture[str]) -> None:
    """As the nightly job is: whoever may read a secret is no progress."""
    Progress(quiet=True).say("Loading.")
    Progress(quiet=True).warn("Everybody can read it.")
    assert capsys.readouterr().err == "Everybody can read it.\n"

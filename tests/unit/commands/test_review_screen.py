"""What a reviewer sees: nothing is cut off, on a terminal or without one."""

from __future__ import annotations

import pytest

from queries.commands.review.screen import RecordView, Screen
from queries.evidence.hits import MentionSnippet


def test_without_a_terminal_no_line_is_cut_off(capsys: pytest.CaptureFixture[str]) -> None:
    words = " ".join(f"word{number}" for number in range(60))
    view = RecordView(
        heading="Review",
        criterion="It was used.",
        reference="SYN-1",
        recorded_on="2024-01-01",
        offence_code="22B",
        snippets=[MentionSnippet("app", f"{words} ", "app", " and the end.")],
        mentions=1,
        text=f"{words} last",
    )
    Screen(mask=False).show_record(view)
    shown = capsys.readouterr().out
    assert f"  {words} app and the end.\n" in shown
    assert f"  {words} last\n" in shown

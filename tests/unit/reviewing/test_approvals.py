"""Decisions on texts for release: what is shown, and for what a decision holds."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from queries.evidence.masking import MASK
from queries.reviewing.approvals import Approval, ReleaseText, choose_holding

TEXT = ReleaseText(
    reference="SYN-1",
    recorded_on=date(2023, 1, 1),
    offence_code="22B",
    content_hash="one",
    text="an entry\n  by Exampleton \x07 and by sam",
    line="22B | 1",
    headings=("Offence", "Outcome"),
    values=("An offence (22B)", "1 Charged or summonsed"),
)


def approve(text: ReleaseText, hidden: tuple[tuple[int, int], ...] = ()) -> Approval:
    return Approval(
        text.reference,
        text.content_hash,
        text.hash_shown(hidden),
        hidden,
        is_approved=True,
        approved_by="ann",
        approved_at="now",
    )


def test_a_text_is_shown_masked_and_on_one_line() -> None:
    assert TEXT.mask().split() == ["an", "entry", "by", MASK, "and", "by", "sam"]
    start = TEXT.text.index("sam")
    assert TEXT.mask([(start, start + 3)]).endswith(f"and by {MASK}")


@pytest.mark.parametrize(
    "change",
    [
        {"content_hash": "two"},
        {"text": "an entry by Exampleton and by samuel"},
        {"line": "22B | 2"},
        {"headings": ("Offence", "Month")},
        {"reference": "SYN-2"},
    ],
)
def test_a_decision_does_not_hold_for_anything_else_than_was_seen(change: dict[str, Any]) -> None:
    approval = approve(TEXT)
    assert TEXT.is_decided_by(approval)
    assert not msgspec.structs.replace(TEXT, **change).is_decided_by(approval)


def test_what_was_hidden_is_part_of_what_was_approved() -> None:
    approval = approve(TEXT, ((0, 2),))
    assert TEXT.is_decided_by(approval)
    assert not TEXT.is_decided_by(msgspec.structs.replace(approval, hidden=()))


def test_texts_are_approved_refused_or_open() -> None:
    texts = [msgspec.structs.replace(TEXT, reference=f"SYN-{one}") for one in range(3)]
    decisions = {
        "SYN-0": approve(texts[0]),
        "SYN-1": msgspec.structs.replace(approve(texts[1]), is_approved=False),
        "SYN-9": approve(texts[0]),
    }
    state = choose_holding(texts, decisions)
    assert (state.approved, state.refused, state.open) == (1, 1, 1)
    assert [text.reference for text in state.list_open()] == ["SYN-2"]

"""What a replay says of the texts of lists."""

from __future__ import annotations

import msgspec

from queries.answer.types import TextApprovals
from queries.replay.reviews import explain_texts
from tests.support.answers import sample_answer


def test_a_replay_says_how_many_texts_a_list_gave_and_that_it_compares_none() -> None:
    answer = sample_answer(10)
    first, *others = answer.questions
    approvals = TextApprovals(
        approved=5,
        refused=1,
        min_records=5,
        first_at="2024-03-01T09:00:00Z",
        last_at="2024-03-04T09:00:00Z",
    )
    with_texts = msgspec.structs.replace(first, approvals=approvals)
    (sentence,) = explain_texts(msgspec.structs.replace(answer, questions=(with_texts, *others)))
    assert f"{first.id} gave 5 texts and withheld 1" in sentence
    assert "from 2024-03-01 to 2024-03-04" in sentence
    assert [*explain_texts(answer)] == []

"""The scored letters: nothing is invented, and no part is dropped in silence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.score.__main__ import LETTERS, format_scores, score_folder

SHARED = Path(os.environ.get("FOIDEX_TEST_LETTERS", LETTERS.parents[3] / "shared" / "letters"))


def test_the_letters_of_the_project_need_no_correction() -> None:
    scores = score_folder(LETTERS)
    assert len(scores) >= 10
    assert not [score.invented for score in scores if score.invented]
    assert not [score.dropped for score in scores if score.dropped]
    assert all(score.is_right for score in scores), format_scores(scores)


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"{SHARED} is not there (FOIDEX_TEST_LETTERS)")
def test_the_shared_letters_need_no_correction() -> None:
    scores = score_folder(SHARED)
    assert not [score.invented for score in scores if score.invented]
    assert not [score.dropped for score in scores if score.dropped]
    assert all(
        score.exact[name] or name in score.confirmed for score in scores for name in score.exact
    )
    assert sum(score.is_right for score in scores) >= 8, format_scores(scores)

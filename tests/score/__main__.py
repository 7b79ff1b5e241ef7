"""``make score``: drafts every letter of the test sets and says how right the drafts are.

The letters of the project, and those of each folder that is named on the command line.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from queries.drafting.drafting import draft_request
from queries.drafting.letter_text import LetterText
from queries.drafting.readers.formats import read_letter_bytes
from tests.score.gold import list_letters
from tests.score.scoring import LetterScore, Tally, list_letter_words, score_draft
from tests.support.paths import ROOT

LETTERS = ROOT / "tests" / "data" / "letters"

_MEASURES = ("head", "period", "terms", "codes")

_TALLIES = ("terms", "codes", "questions", "gaps")


def read_test_letter(path: Path) -> LetterText:
    """A letter, read without a process of its own: the test sets are not hostile."""
    reading = read_letter_bytes(path.suffix, path.read_bytes())
    assert reading.fault is None, path
    return LetterText(file_name=path.name, messages=reading.messages, blocks=reading.blocks)


def score_folder(folder: Path) -> list[LetterScore]:
    """The score of each letter of a folder, in order."""
    scores = []
    for path, gold in list_letters(folder):
        letter = read_test_letter(path)
        scores.append(score_draft(draft_request(letter), gold, list_letter_words(letter)))
    return scores


def format_scores(scores: Sequence[LetterScore]) -> str:
    """A line for each letter with what is not right below it, and the sums."""
    lines = [
        "letter  head period terms codes   (right of drafted, right of wanted:) terms codes questions "
        "not-covered flagged   to confirm"
    ]
    for score in scores:
        marks = "  ".join(_mark_measure(score, name) for name in _MEASURES)
        tallies = "  ".join(getattr(score, name).words for name in _TALLIES)
        verdict = "" if score.is_right else "   <-- to correct"
        lines.append(f"{score.name:6}  {marks}   {tallies}   {score.confirmations}{verdict}")
        lines += [f"        {fault}" for fault in score.faults]
        lines += [f"        invented: {fault}" for fault in score.invented]
        lines += [f"        dropped in silence: part {part}" for part in score.dropped]
    return "\n".join([*lines, *_sum_up(scores)])


def _mark_measure(score: LetterScore, name: str) -> str:
    if score.exact[name]:
        return "exact"
    return "asked" if name in score.confirmed else "WRONG"


def _sum_up(scores: Sequence[LetterScore]) -> list[str]:
    lines = []
    for name in _TALLIES:
        total = Tally()
        for score in scores:
            total.add(getattr(score, name))
        lines.append(
            f"{name}: {total.right} right of {total.drafted} drafted, of {total.wanted} wanted"
        )
    lines += [
        f"{name} exact: {sum(score.exact[name] for score in scores)} of {len(scores)}"
        for name in _MEASURES
    ]
    right = sum(score.is_right for score in scores)
    return [
        *lines,
        f"nothing to correct: {right} of {len(scores)}",
        f"to confirm: {sum(score.confirmations for score in scores)}",
        f"invented: {sum(len(score.invented) for score in scores)}",
        f"dropped in silence: {sum(len(score.dropped) for score in scores)}",
    ]


def main(folders: Sequence[str]) -> int:
    """Score the folders; 1 if anything was invented or dropped."""
    failed = False
    for folder in (LETTERS, *map(Path, folders)):
        scores = score_folder(folder)
        print(f"{folder}\n{format_scores(scores)}\n")
        failed = failed or any(score.invented or score.dropped for score in scores)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

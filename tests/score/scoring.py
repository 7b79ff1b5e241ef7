"""Scores one draft against the gold of its letter, measure by measure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct, field

from queries.drafting.draft import Draft
from queries.drafting.letter_text import LetterText
from queries.drafting.request_mapping import build_request_mapping
from tests.score.gold import (
    fold_codes,
    fold_part,
    fold_term,
    fold_words,
    list_gold_days,
    list_term_words,
)


class Tally(Struct):
    """Right ones among those drafted and those of the gold."""

    right: int = 0
    drafted: int = 0
    wanted: int = 0

    def add(self, other: Tally) -> None:
        """Add another tally."""
        self.right += other.right
        self.drafted += other.drafted
        self.wanted += other.wanted

    @property
    def words(self) -> str:
        """Precision and recall, each as right ones of all."""
        return f"{self.right}/{self.drafted} {self.right}/{self.wanted}"


class LetterScore(Struct):
    """The score of a letter. ``faults`` say in a line each what is not right; ``invented`` and
    ``dropped`` must be empty. A measure is true where it is exact, ``confirmed`` names those that
    are not exact and under confirmation.
    """

    name: str
    exact: dict[str, bool] = field(default_factory=dict)
    confirmed: list[str] = field(default_factory=list)
    codes: Tally = field(default_factory=Tally)
    terms: Tally = field(default_factory=Tally)
    questions: Tally = field(default_factory=Tally)
    gaps: Tally = field(default_factory=Tally)
    flags: Tally = field(default_factory=Tally)
    faults: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    confirmations: int = 0

    @property
    def is_right(self) -> bool:
        """Whether there is nothing to correct once the confirmations are answered."""
        return not (self.faults or self.invented or self.dropped)


def list_letter_words(letter: LetterText) -> str:
    """All text of a letter, in which what is drafted has to stand."""
    subjects = [message.subject or "" for message in letter.messages]
    return "\n".join([*subjects, *(block.text for block in letter.blocks)])


def score_draft(draft: Draft, gold: dict[str, Any], letter_words: str) -> LetterScore:
    """The score of a draft. ``letter_words`` is all text of the letter, for what is invented."""
    mapping = build_request_mapping(draft)
    score = LetterScore(gold["id"], confirmations=len(draft.confirmations))
    flagged = fold_words(
        json.dumps(mapping.get("confirm", []), ensure_ascii=False).replace("\\n", " ")
    )
    _score_head(score, draft, gold)
    _score_period(score, mapping, gold, flagged)
    _score_terms(score, mapping, gold, flagged)
    _score_codes(score, mapping, gold, flagged)
    _score_questions(score, mapping, gold)
    _score_gaps(score, draft, mapping, gold)
    _score_flags(score, gold, flagged)
    _find_invented(score, mapping, fold_words(letter_words))
    _find_dropped(score, draft, gold)
    return score


def _score_head(score: LetterScore, draft: Draft, gold: dict[str, Any]) -> None:
    head = draft.head
    values = {
        "received": (f"{head.received}", {gold["received"]}),
        "clarified": (f"{head.clarified}", {f"{gold.get('clarified')}"}),
        "reference": (
            f"{head.reference}",
            {f"{gold.get('reference')}", *gold.get("reference_accept", ())},
        ),
    }
    for name, (value, right) in values.items():
        if value not in right:
            score.faults.append(f"{name} is {value}, not {' or '.join(sorted(right))}")
    names = {fold_words(name) for name in (gold["from"], *gold["from"].split(", "))}
    drafted = {fold_words(name) for name in (head.sender or "", head.body or "", head.address)}
    drafted |= {re.sub(r"^(?:mr|mrs|ms|miss|dr|prof)\.? ", "", name) for name in drafted}
    if not names & drafted:
        score.faults.append(f"from is {head.sender}, {head.body}")
    score.exact["head"] = not score.faults


def _score_period(
    score: LetterScore, mapping: dict[str, Any], gold: dict[str, Any], flagged: str
) -> None:
    periods = mapping.get("periods") or ([mapping["period"]] if "period" in mapping else [])
    days = frozenset((period["from"], period["to"]) for period in periods)
    right = list_gold_days(gold)
    joined = {
        frozenset({(min(first for first, _ in option), max(last for _, last in option))})
        for option in right
        if option
    }
    score.exact["period"] = days in right or days in joined
    if not score.exact["period"]:
        if "which days" in flagged:
            score.confirmed.append("period")
        else:
            score.faults.append(f"period is {sorted(days)}")


def _score_terms(
    score: LetterScore, mapping: dict[str, Any], gold: dict[str, Any], flagged: str
) -> None:
    options = [gold["mentions"], *gold.get("mentions_accept", ())]
    mentions = mapping.get("mentions", [])
    optional = {fold_words(word) for word in _list_optional(gold)}
    optional |= {fold_words(word.replace("*", "")) for word in gold.get("terms_to_confirm", ())}
    is_scope = any(
        {fold_term(term) for term in mentions} == {fold_term(term) for term in option}
        or list_term_words(mentions) - optional == list_term_words(option) - optional
        for option in options
    )
    drafted = set().union(*(list_term_words(terms) for terms in _iterate_terms(mapping))) - optional
    wanted = (
        set().union(*(list_term_words(terms) for terms in _iterate_terms(gold)), set()) - optional
    )
    if not is_scope:
        # Terms of one part may hold for all: the union still has to be right.
        (score.confirmed if "terms of this part hold" in flagged else score.faults).append(
            f"mentions are {mentions}"
        )
    if drafted != wanted:
        missing, extra = wanted - drafted, drafted - wanted
        unsure = {word for word in extra if f'"{word}"' in flagged}
        if missing or extra - unsure:
            score.faults.append(f"terms: missing {sorted(missing)}, too many {sorted(extra)}")
        else:
            score.confirmed.append("terms")
    score.exact["terms"] = is_scope and drafted == wanted
    score.terms = Tally(len(drafted & wanted), len(drafted), len(wanted))


def _list_optional(gold: dict[str, Any]) -> list[str]:
    return [
        *gold.get("optional_terms", ()),
        *(word for part in gold["questions"] for word in part.get("optional_terms", ())),
    ]


def _iterate_terms(values: Any) -> Iterator[list[Any]]:
    """Every list of terms of a mapping or of gold."""
    if isinstance(values, dict):
        for key, value in values.items():
            if key in ("mentions", "keywords"):
                yield value
            elif key not in ("mentions_accept", "confirm"):
                yield from _iterate_terms(value)
    elif isinstance(values, list):
        for value in values:
            yield from _iterate_terms(value)


def _score_codes(
    score: LetterScore, mapping: dict[str, Any], gold: dict[str, Any], flagged: str
) -> None:
    wanted = fold_codes([code for row in gold["offences"] for code in row["codes"]])
    maybe = fold_codes(
        [code for entry in gold.get("offences_to_confirm", ()) for code in entry["maybe"]]
    )
    drafted = fold_codes(_list_codes(mapping))
    firm = drafted - (maybe - wanted)
    unflagged = {code for code in drafted & maybe - wanted if code.casefold() not in flagged}
    score.codes = Tally(len(firm & wanted), len(firm), len(wanted))
    score.exact["codes"] = firm == wanted and not unflagged
    if not score.exact["codes"]:
        if wanted <= drafted and all(code.casefold() in flagged for code in firm - wanted):
            score.confirmed.append("codes")
        else:
            score.faults.append(
                f"codes: missing {sorted(wanted - drafted)}, too many {sorted(firm - wanted)}"
            )


def _list_codes(mapping: dict[str, Any]) -> list[str]:
    rows = list(mapping.get("offences", ()))
    for question in mapping["questions"]:
        rows += question.get("within", {}).get("offences", ())
    return [code for row in rows for code in row["codes"]]


def _score_questions(score: LetterScore, mapping: dict[str, Any], gold: dict[str, Any]) -> None:
    drafted = [question for question in mapping["questions"] if "kind" in question]
    right_ids = set()
    flagged_parts = {fold_part(entry.get("part", "")) for entry in mapping.get("confirm", ())}
    for wanted in gold["questions"]:
        part = fold_part(wanted["part"])
        same_part = [question for question in drafted if fold_part(question["id"]) == part]
        if match := next(
            (question for question in same_part if _is_answer(question, wanted)), None
        ):
            score.questions.right += 1
            right_ids.add(match["id"])
        elif wanted.get("or_ask") and part in flagged_parts:
            score.confirmed.append(f"part {wanted['part']}")
        else:
            kinds = [
                {key: value for key, value in question.items() if key not in ("id", "text")}
                for question in same_part
            ]
            score.faults.append(f"part {wanted['part']}: {wanted['kind']} is drafted as {kinds}")
    score.questions.drafted, score.questions.wanted = len(drafted), len(gold["questions"])
    free = {fold_part(part) for part in gold.get("withdrawn", ())}
    free |= {
        fold_part(entry["part"])
        for entry in gold["not_covered"]
        if entry.get("or_count") or entry.get("partial") or entry.get("or_ask")
    }
    score.questions.drafted -= sum(
        1
        for question in drafted
        if fold_part(question["id"]) in free and question["id"] not in right_ids
    )


def _is_answer(question: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether a drafted question answers one of the gold."""
    kinds = {wanted["kind"], *wanted.get("accept", ())}
    if question["kind"] not in kinds:
        return False
    if (
        question["kind"] == wanted["kind"]
        and "within" in wanted
        and not _is_within(question.get("within", {}), wanted["within"])
    ):
        return False
    if question["kind"] != wanted["kind"]:
        return True
    return all(
        _has_field(question, wanted, key)
        for key in ("keywords", "codes", "bands", "youngest", "by", "rows", "columns")
    )


def _is_within(within: dict[str, Any], wanted: dict[str, Any]) -> bool:
    if (
        "period" in wanted
        and {key: within.get("period", {}).get(key) for key in ("from", "to")} != wanted["period"]
    ):
        return False
    if "mentions" in wanted and list_term_words(within.get("mentions", [])) != list_term_words(
        wanted["mentions"]
    ):
        return False
    if isinstance(wanted.get("offences"), list):
        codes = [code for row in within.get("offences", ()) for code in row["codes"]]
        return fold_codes(codes) == fold_codes(
            [code if isinstance(code, str) else code["codes"][0] for code in wanted["offences"]]
        )
    return True


def _has_field(question: dict[str, Any], wanted: dict[str, Any], key: str) -> bool:
    if key not in wanted:
        return True
    value, right = question.get(key), wanted[key]
    if key == "keywords":
        return list_term_words(value or []) == list_term_words(right)
    if key == "codes":
        return fold_codes(value or []) == fold_codes(right)
    if key == "bands":
        return _fold_bands(value) in [
            _fold_bands(option) for option in (right, *wanted.get("bands_accept", ()))
        ]
    if key in ("rows", "columns"):
        return _fold_axis(value) == _fold_axis(right) or {
            _fold_axis(question.get("rows")),
            _fold_axis(question.get("columns")),
        } == {_fold_axis(wanted["rows"]), _fold_axis(wanted["columns"])}
    return bool(value == right)


def _fold_bands(bands: Any) -> tuple[tuple[Any, Any], ...]:
    return tuple((band.get("from"), band.get("to")) for band in bands or ())


def _fold_axis(axis: Any) -> object:
    if isinstance(axis, dict) and "keywords" in axis:
        return frozenset(list_term_words(axis["keywords"]))
    return _fold_bands(axis["bands"]) if isinstance(axis, dict) and "bands" in axis else axis


def _score_gaps(
    score: LetterScore, draft: Draft, mapping: dict[str, Any], gold: dict[str, Any]
) -> None:
    drafted = {fold_part(part.number) for part in draft.parts if part.why and not part.withdrawn}
    withdrawn = {fold_part(part) for part in gold.get("withdrawn", ())}
    flagged = {fold_part(entry.get("part", "")) for entry in mapping.get("confirm", ())}
    wanted = {fold_part(entry["part"]) for entry in gold["not_covered"]}
    optional = {
        fold_part(entry["part"]) for entry in gold["not_covered"] if entry.get("or_ask")
    } & flagged
    # A percentage that is asked for is as right as one that is listed as not covered.
    optional |= wanted & {
        fold_part(question["id"]) for question in mapping["questions"] if question.get("share")
    }
    score.gaps = Tally(
        len(drafted & wanted), len(drafted - withdrawn), len(wanted - (optional - drafted))
    )
    if missing := wanted - drafted - optional:
        score.faults.append(f"not covered: missing {sorted(missing)}")
    if extra := drafted - wanted - withdrawn:
        (score.confirmed if extra <= flagged else score.faults).append(
            f"not covered: too many {sorted(extra)}"
        )


def _score_flags(score: LetterScore, gold: dict[str, Any], flagged: str) -> None:
    words = [entry["words"] for entry in gold.get("offences_to_confirm", ())]
    words += gold.get("terms_to_confirm", [])
    for text in words:
        _count_flag(score, fold_words(text) in flagged, text)
    for entry in gold["must_ask"]:
        tokens = re.findall(r"\w{4,}", fold_words(entry["about"])) or [fold_words(entry["about"])]
        _count_flag(
            score,
            sum(token.rstrip("s") in flagged for token in tokens) * 2 >= len(tokens),
            entry["about"],
        )


def _count_flag(score: LetterScore, is_flagged: bool, text: str) -> None:  # noqa: FBT001 - a result
    score.flags.wanted += 1
    score.flags.right += is_flagged
    if not is_flagged:
        score.faults.append(f"not flagged: {text}")


def _find_invented(score: LetterScore, mapping: dict[str, Any], letter_words: str) -> None:
    """Terms that are not in the letter. Codes and parts that it has not are faults already."""
    for terms in _iterate_terms(mapping):
        score.invented += [
            f'term "{word}"'
            for word in list_term_words(terms)
            if not re.search(rf"(?<!\w){re.escape(word)}(?!\w)", letter_words)
        ]


def _find_dropped(score: LetterScore, draft: Draft, gold: dict[str, Any]) -> None:
    """Parts of the gold that are in the draft in no way."""
    present = {fold_part(part.number) for part in draft.parts} | {
        fold_part(entry.part) for entry in draft.confirmations if entry.part
    }
    wanted = {
        fold_part(entry["part"]) for key in ("questions", "not_covered") for entry in gold[key]
    }
    score.dropped += sorted(part for part in wanted if part not in present)
    known = wanted | {fold_part(part) for part in gold.get("withdrawn", ())}
    flagged = {fold_part(entry.part) for entry in draft.confirmations if entry.part}
    score.invented += [
        f"part {part.number}"
        for part in draft.parts
        if fold_part(part.number) not in known and fold_part(part.number) not in flagged
    ]

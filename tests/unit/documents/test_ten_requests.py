"""Ten requests of different kinds, as a force would send their letters, compared whole."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typst

from indexer.records.noun import Noun
from queries.answer.types import Answer
from queries.answering.service import require_cost_over_limit
from queries.disclosure.ledger import prepare_release
from queries.disclosure.policy import Policy
from queries.documents.formats.letter import render_letter_html, render_letter_text
from queries.documents.formats.pdf import render_letter_pdf, render_letter_typst
from queries.request.reader import read_request
from queries.spec.act import ActName
from tests.support.answers import FORCE
from tests.support.fake_search import answer, day
from tests.support.kinds import CATEGORIES
from tests.support.paths import ROOT
from tests.support.pdf_ua import check_pdf_ua
from tests.support.rendered import rendered

DAY = date(2018, 8, 15)

REQUESTS = ROOT / "tests" / "data" / "requests" / "letters"

GOLDEN = ROOT / "tests" / "data" / "golden" / "letters"

#: The file of each request; the Scottish Act and a noun of the force's own have one each.
NAMES: dict[str, tuple[ActName, Noun | None]] = {
    "cost-limit": ("uk", None),
    "part-answer": ("uk", None),
    "list": ("uk", None),
    "neither-confirm-nor-deny": ("uk", None),
    "published": ("uk", None),
    "victims": ("uk", None),
    "suspects": ("uk", None),
    "terms": ("uk", Noun("incident", "incidents")),
    "three-way": ("uk", None),
    "vexatious": ("scotland", None),
}


def make_records() -> list[dict[str, Any]]:
    """Always the same: two years of records, of which few are alike in every field."""
    dice = random.Random(18)

    def people(name: str) -> list[dict[str, Any]]:
        return [
            {
                f"{name}_ref": f"{name}{dice.randrange(200)}",
                "age": dice.choice([None, 9, 13, 15, 16, 17, 30, 44]),
                "sex": dice.choice("FFM"),
            }
            for _ in range(dice.choice([0, 1, 1, 1, 2]))
        ]

    return [
        {
            "crime_ref": f"R{number}",
            "recorded_on": day(dice.randrange(730)),
            "offence_code": dice.choice(["22B", "22B", "88/1", "71/3"]),
            "status": dice.choice(["recorded"] * 9 + ["cancelled"]),
            "outcome": dice.choice([None, 1, 16, 18]),
            "narrative": " ".join(dice.sample(["alpha", "beta", "gamma"], dice.randrange(4))),
            "victims": people("victim"),
            "suspects": people("suspect"),
            "linked": [{"offence_code": "86/2"}] * (dice.random() < 0.1),
            "categories": {"district": dice.choice(["North", "South"])},
        }
        for number in range(400)
    ]


def publish(name: str) -> tuple[Answer, Any]:
    """The answer as it may be published, and the force that sends it."""
    act, noun = NAMES[name]
    force = msgspec.structs.replace(
        FORCE,
        name="Example Constabulary",
        act=act,
        exemption="We rely on section 40(2) of the Freedom of Information Act 2000.",
    )
    request = read_request(REQUESTS / f"{name}.yaml", categories=CATEGORIES, act=act)
    if noun:
        request = msgspec.structs.replace(request, noun=noun)
    own = answer(request, make_records())
    require_cost_over_limit(own)
    with prepare_release(own, Policy(threshold=5), None) as release:
        return release.answer, force


@pytest.mark.parametrize("name", NAMES)
def test_the_letter_of_each_kind_of_request_is_as_it_was_agreed(
    name: str, request: pytest.FixtureRequest
) -> None:
    """Rewrite the golden files with --regolden, and read every change."""
    published, force = publish(name)
    renderers: dict[str, Callable[..., str]] = {
        "txt": render_letter_text,
        "html": render_letter_html,
        "typ": render_letter_typst,
    }
    for ending, renderer in renderers.items():
        text = rendered(renderer, published, force, DAY)
        path = GOLDEN / f"{name}.letter.{ending}"
        if request.config.getoption("--regolden"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")


@pytest.mark.long
def test_an_independent_checker_finds_every_pdf_accessible(tmp_path: Path) -> None:
    """PDF/UA-1, by veraPDF. A PDF of the same letter without tags is found out."""
    documents = {}
    for name in NAMES:
        published, force = publish(name)
        documents[f"{name}.pdf"] = rendered(render_letter_pdf, published, force, DAY)
    source = rendered(render_letter_typst, *publish("list"), DAY)
    documents["untagged.pdf"] = typst.compile(source.encode(), format="pdf", pdf_tags=False)
    verdicts = check_pdf_ua(tmp_path, documents)
    assert verdicts == {name: name != "untagged.pdf" for name in documents}


def test_every_request_file_has_its_letter() -> None:
    assert {path.stem for path in REQUESTS.iterdir()} == {*NAMES}
    assert len([*GOLDEN.iterdir()]) == 3 * len(NAMES)

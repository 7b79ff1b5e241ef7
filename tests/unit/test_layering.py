"""Imports flow one way: queries to indexer to indexer.errors; inside, from orchestration to pure."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

FILES = sorted(
    path.relative_to(ROOT) for top in ("indexer", "queries") for path in (ROOT / top).rglob("*.py")
)

#: What does no input or output, and what else of ours it may import.
PURE = {
    "indexer.errors": set(),
    "indexer.narrative": set(),
    "indexer.categories": {"indexer.errors"},
    "indexer.records": {"indexer.categories", "indexer.narrative", "indexer.offences"},
    "indexer.sample": set(),
    "indexer.chain": set(),
    "queries.problems": set(),
    "queries.terms": {"indexer.errors", "indexer.narrative"},
    "queries.conditions": {"indexer.offences"},
    "queries.scope": {
        "queries.conditions", "queries.terms", "indexer.categories", "indexer.offences",
        "indexer.records",
    },
    "queries.periods": {"queries.answer", "queries.scope"},
    "queries.grid": {
        "queries.answer", "queries.conditions", "queries.fields", "queries.scope", "indexer.errors",
    },
    "queries.wording": {"indexer.errors", "queries.terms", "queries.problems", "queries.scope"},
    "queries.context": {"indexer.narrative", "queries.terms"},
    "queries.nearmiss": {"indexer.narrative", "queries.context", "queries.terms"},
    "queries.answer": set(),
    "queries.render.phrases": {"queries.answer", "queries.scope"},
    "queries.render.tables": {"queries.answer", "queries.periods", "queries.render.phrases"},
    "queries.render.text": {"queries.answer", "queries.render.tables"},
    "queries.render.typst": set(),
    "queries.render.readback": {
        "indexer.errors", "indexer.settings", "queries.answer", "queries.render.tables",
    },
    "queries.render.packages": set(),
    "queries.render.charts": {"queries.answer", "queries.render.extras", "queries.render.phrases"},
    "queries.numbers": {"queries.answer"},
    "queries.membership": {
        "queries.answer", "queries.fields", "queries.numbers", "queries.periods",
        "queries.questions", "queries.request", "queries.scope",
    },
    "queries.facts": {"queries.membership"},
    "queries.movement": {
        "queries.facts", "queries.membership", "queries.numbers", "queries.scope", "indexer.records",
    },
    "queries.consistency": {
        "indexer.errors", "queries.answer", "queries.conditions", "queries.disclosure.certain",
        "queries.disclosure.populations", "queries.periods",
    },
    "queries.disclosure.policy": {"indexer.errors", "indexer.settings", "queries.answer"},
    "queries.disclosure.certain": {"queries.answer", "queries.conditions"},
    "queries.disclosure.populations": {
        "indexer.errors", "queries.answer", "queries.conditions", "queries.disclosure.certain",
        "queries.scope",
    },
    "queries.disclosure.reader": {"indexer.errors", "queries.disclosure.certain"},
    "queries.disclosure.suppression": {
        "indexer.errors", "queries.disclosure.certain", "queries.disclosure.reader",
    },
    "queries.disclosure.release": {
        "indexer.errors", "queries.answer", "queries.conditions", "queries.consistency",
        "queries.periods", "queries.disclosure.certain", "queries.disclosure.policy", "queries.disclosure.populations", "queries.disclosure.reader",
        "queries.disclosure.suppression", "queries.scope",
    },
    "queries.disclosure.differencing": {
        "indexer.errors", "queries.answer", "queries.disclosure", "queries.disclosure.policy",
        "queries.disclosure.certain", "queries.disclosure.populations", "queries.disclosure.reader",
        "queries.disclosure.release", "queries.disclosure.suppression",
    },
}  # fmt: skip


def name_of(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> set[str]:
    """The modules of ours that a file imports, at its top or inside a function."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = ROOT / Path(*node.module.split(".")) / f"{alias.name}.py"
                found.add(f"{node.module}.{alias.name}" if inner.is_file() else node.module)
    return {one for one in found if one.split(".")[0] in ("indexer", "queries", "tests")}


@pytest.mark.parametrize("path", FILES, ids=str)
def test_imports_flow_one_way(path: Path) -> None:
    mine = imports(path)
    if path.parts[0] == "indexer":
        assert not {one for one in mine if one.startswith("queries")}
    if path.name != "cli.py":
        assert not {one for one in mine if one.endswith(".cli")}
    assert not {one for one in mine if one.startswith("tests")}


@pytest.mark.parametrize("module", PURE)
def test_pure_modules_import_only_what_is_pure(module: str) -> None:
    path = Path(*module.split(".")).with_suffix(".py")
    assert imports(path) <= PURE[module]


def test_only_execute_evidence_lint_and_trace_ask_the_server() -> None:
    asks = ("client.search(", "paging.pages(", "paging.sealed_pages(")
    askers = {
        name_of(path)
        for path in FILES
        if any(one in (ROOT / path).read_text("utf-8") for one in asks)
    }
    assert {one for one in askers if one.startswith("queries")} == {
        "queries.execute",
        "queries.evidence",
        "queries.lint",
        "queries.trace",
    }


def test_questions_do_no_input_or_output() -> None:
    for path in FILES:
        if path.parts[:2] == ("queries", "questions"):
            assert not imports(path) & {"queries.execute", "queries.evidence", "indexer.elastic"}


def test_there_are_no_drawers_for_odds_and_ends() -> None:
    assert not {path.stem for path in FILES} & {"utils", "helpers", "common", "misc"}
    assert not (ROOT / "docker" / "__init__.py").exists()


def test_a_help_text_waits_for_no_slow_library() -> None:
    """Each takes long to import, and a help text needs none of it."""
    slow = (
        "elasticsearch", "requests", "jinja2", "sqlalchemy", "importlib.metadata", "msgspec",
        "platformdirs",
    )  # fmt: skip
    code = f"import sys, queries.cli; print([one for one in {slow} if one in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"

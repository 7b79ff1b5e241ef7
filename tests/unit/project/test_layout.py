"""The shape of the code, where import-linter's contracts (pyproject.toml) cannot see it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.support.paths import ROOT

MODULES = sorted(path for top in ("indexer", "queries") for path in (ROOT / top).rglob("*.py"))

TESTS = sorted((ROOT / "tests").rglob("*.py"))

#: These build queries and aggregations, and so use the query language of the client's library, but
#: no client: nothing in them can ask the server.
BUILDERS = ("matching", "questions", "request", "spec", "tables")

MAX_FILES = 10

MAX_LINES = 60

MAX_PARAMETERS = 6


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def imported_modules(path: Path) -> Iterator[str]:
    """The modules that a file imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node


def test_no_folder_of_code_has_over_ten_files() -> None:
    files = Counter(path.parent.relative_to(ROOT) for path in MODULES if path.stem != "__init__")
    assert not {str(folder): count for folder, count in files.items() if count > MAX_FILES}


def test_no_function_is_over_sixty_lines() -> None:
    lines = {name: (node.end_lineno or 0) - node.lineno + 1 for name, node in functions()}
    assert not {name: count for name, count in lines.items() if count > MAX_LINES}


def test_no_function_but_a_command_has_over_six_parameters() -> None:
    """The parameters of a command are its options."""
    found = {}
    for name, node in functions():
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        is_command = "Annotated[" in ast.unparse(node.args) and "typer." in ast.unparse(node.args)
        count = len([one for one in arguments if one.arg not in ("self", "cls")])
        if count > MAX_PARAMETERS and not (is_command or "commands/" in name):
            found[name] = count
    assert not found


def test_there_are_no_drawers_for_odds_and_ends() -> None:
    assert not {path.stem for path in MODULES} & {"utils", "helpers", "common", "misc"}
    assert not (ROOT / "docker" / "__init__.py").exists()


def test_only_the_program_imports_its_command_line() -> None:
    importers = {name_of(path) for path in MODULES if "queries.cli" in set(imported_modules(path))}
    assert not importers
    assert not {name_of(path) for path in MODULES if any(module.split(".")[0] == "tests" for module in imported_modules(path))}  # fmt: skip


def test_what_builds_a_search_cannot_ask_for_it() -> None:
    parts = {
        module
        for path in MODULES
        if path.relative_to(ROOT).parts[:1] == ("queries",)
        and path.relative_to(ROOT).parts[1] in BUILDERS
        for module in imported_modules(path)
        if module.split(".")[0] == "elasticsearch"
    }
    assert parts == {"elasticsearch.dsl", "elasticsearch.dsl.query"}


def test_only_search_and_the_readers_of_records_ask_the_server() -> None:
    """One counts, one asks which words there are, one asks again of a sealed generation, three
    read the records of a number."""
    asks = re.compile(
        r"client\.(search|msearch|count|open_point_in_time)\(|\bsearch_(sealed_)?pages\("
    )
    askers = {
        name_of(path)
        for path in MODULES
        if path.relative_to(ROOT).parts[0] == "queries" and asks.search(path.read_text("utf-8"))
    }
    assert askers == {
        "queries.evidence.hits",
        "queries.evidence.population",
        "queries.evidence.trace",
        "queries.search.absent_words",
        "queries.search.run",
        "queries.search.sealed",
    }


def test_no_test_module_imports_another() -> None:
    """What several tests share is in tests/support."""
    importers = {
        f"{path.relative_to(ROOT)}: {module}"
        for path in TESTS
        for module in imported_modules(path)
        if re.match(r"tests\..*\btest_\w+$", module)
    }
    assert not importers


def test_no_test_imports_or_replaces_a_private_name() -> None:
    """What a test needs is public, or is shown from outside; ruff (SLF001) sees other accesses."""
    found = set()
    for path in TESTS:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
                ("indexer", "queries")
            ):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("setattr"):
                names = [str(one.value) for one in node.args if isinstance(one, ast.Constant)]
            found |= {
                f"{path.relative_to(ROOT)}: {name}" for name in names if re.match("_[a-zA-Z]", name)
            }
    assert not found


def test_a_help_text_waits_for_no_slow_library() -> None:
    """Each takes long to import, and a help text needs none of it."""
    slow = (
        "elasticsearch", "requests", "jinja2", "sqlalchemy", "importlib.metadata", "msgspec",
        "platformdirs",
    )  # fmt: skip
    code = f"import sys, queries.cli; print([one for one in {slow} if one in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"

"""What the images are built from: locked to the hash, as the project asks, and audited."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.paths import ROOT

LOCKS = ROOT / "docker" / "requirements"

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

RUNS: list[str] = PROJECT["project"]["dependencies"]

EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]

ASKED = {
    "foidex.txt": [
        *RUNS,
        *EXTRAS["database"],
        *EXTRAS["letters"],
        *EXTRAS["reports"],
        *EXTRAS["review"],
        *(text for text in EXTRAS["workbench"] if not text.startswith("foidex[")),
    ],
    "core.txt": [*RUNS, *EXTRAS["embedded"]],
    "build.txt": [*PROJECT["build-system"]["requires"], "setuptools"],
}

#: The Pythons and systems of the images, and those of people.
PLACES = [
    {"python_version": version, "python_full_version": f"{version}.1", "sys_platform": system}
    for version in ("3.11", "3.12", "3.13")
    for system in ("linux", "darwin")
]


def locked(name: str) -> Iterator[tuple[Requirement, list[str]]]:
    """Each package of a lock, with its hashes."""
    for entry in (LOCKS / name).read_text("utf-8").replace("\\\n", " ").splitlines():
        wanted, *hashes = re.split(r"\s+--hash=", entry)
        yield Requirement(wanted), [one.strip() for one in hashes]


@pytest.mark.parametrize("name", ASKED)
def test_every_package_of_a_lock_has_one_version_and_its_hashes(name: str) -> None:
    for package, hashes in locked(name):
        assert re.fullmatch(r"==[^*,]+", str(package.specifier)), package
        assert hashes, package
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", one) for one in hashes)
    assert "://" not in (LOCKS / name).read_text("utf-8")


@pytest.mark.parametrize("place", PLACES, ids=lambda one: "-".join(one.values()))
@pytest.mark.parametrize("name", ASKED)
def test_a_lock_has_what_the_project_asks_for(name: str, place: dict[str, str]) -> None:
    held = {
        canonicalize_name(package.name): next(iter(package.specifier)).version
        for package, _ in locked(name)
        if package.marker is None or package.marker.evaluate(place)
    }
    for text in ASKED[name]:
        wanted = Requirement(text)
        version = held[canonicalize_name(wanted.name)]
        assert wanted.specifier.contains(version), f"{text}, and {name} has {version}: make lock"


@pytest.mark.parametrize(
    ("dockerfile", "lock"), [("Dockerfile", "foidex.txt"), ("Dockerfile.core", "core.txt")]
)
def test_an_image_fetches_nothing_but_what_is_locked(dockerfile: str, lock: str) -> None:
    text = (ROOT / "docker" / dockerfile).read_text("utf-8").replace("\\\n", " ")
    fetching = re.findall(r"pip (?:install|wheel) [^&;\n]*", text)
    assert any(lock in one for one in fetching)
    for one in fetching:
        assert "$DRIVER" in one or "--require-hashes" in one or "--no-deps" in one, one
        if "--no-deps" in one:
            assert "--no-index" in one or "/source" in one, one


def list_packages(texts: list[str]) -> set[str]:
    """The packages that requirements name, also through extras of foidex's own."""
    packages: set[str] = set()
    for requirement in map(Requirement, texts):
        if requirement.name == "foidex":
            packages |= list_packages([text for one in requirement.extras for text in EXTRAS[one]])
        else:
            packages.add(canonicalize_name(requirement.name))
    return packages


def test_the_extra_workbench_brings_all_that_its_pages_and_letters_import() -> None:
    code = (
        "import importlib, pkgutil, sys, queries.workbench as pages\n"
        "for module in pkgutil.walk_packages(pages.__path__, 'queries.workbench.'):\n"
        "    importlib.import_module(module.name)\n"
        "from queries.drafting.readers.formats import LETTER_ENDINGS\n"
        "print(*{name.split('.')[0] for name in sys.modules}, *sum(LETTER_ENDINGS.values(), ()))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    packages = metadata.packages_distributions()
    names = (name for module in done.stdout.split() for name in packages.get(module, ()))
    ours = list_packages([*RUNS, *chain.from_iterable(EXTRAS.values())])
    imported = {canonicalize_name(name) for name in names} & ours
    assert {"alembic", "starlette", "python-docx", "pypdfium2"} <= imported
    assert imported <= list_packages([*RUNS, *EXTRAS["workbench"]])


def judged(found: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "judge_audit.py", "x.txt"],
        input=found, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


def test_what_could_not_be_audited_is_said_and_what_is_vulnerable_fails() -> None:
    good = {"name": "good", "version": "1", "vulns": []}
    unknown = {"name": "unknown", "skip_reason": "not found"}
    bad = {"name": "bad", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}

    def of(*packages: dict[str, Any]) -> tuple[int, str]:
        return judged(json.dumps({"dependencies": packages}))

    assert of(good) == (0, "x.txt: no vulnerability is known of 1 packages.\n")
    code, said = of(good, unknown)
    assert (code, said.splitlines()[0]) == (
        0,
        "NOT AUDITED: x.txt. Nothing is known of 1 of 2 packages.",
    )
    code, said = of(good, bad, unknown)
    assert code == 1
    assert "VULNERABLE: x.txt: bad 2: PYSEC-1, fixed in 3" in said
    for nothing in ("", "Traceback", "{}", json.dumps({"dependencies": []})):
        code, said = judged(nothing)
        assert code == 0
        assert said.startswith("NOT AUDITED: x.txt.")
    assert of(unknown)[1].startswith("NOT AUDITED: x.txt. Nothing is known of 1 of 1")


def test_the_folder_of_the_locks_reaches_the_build() -> None:
    assert "!docker/requirements" in Path(ROOT / ".dockerignore").read_text("utf-8").splitlines()

#!/usr/bin/env python3
"""Prints the Pythons that pyproject.toml names and this machine has, but for the running one.

A line each: the version and its program.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))


def find_python(version: str) -> str | None:
    """A program of that version that runs."""
    kept = sorted(PYENV.glob(f"versions/{version}.*/bin/python"))
    for program in (f"python{version}", *map(str, reversed(kept))):
        code = "import sys, venv; print('%d.%d' % sys.version_info[:2])"
        try:
            done = subprocess.run(
                [program, "-c", code], capture_output=True, text=True, check=False
            )
        except OSError:
            continue
        if done.stdout.strip() == version:
            return program
    return None


declared = re.findall(
    r'"Programming Language :: Python :: (3\.\d+)"', (ROOT / "pyproject.toml").read_text("utf-8")
)
for declared_version in declared:
    if declared_version == f"{sys.version_info[0]}.{sys.version_info[1]}":
        continue
    if program_path := find_python(declared_version):
        print(declared_version, program_path)
    else:
        print(f"NOT TESTED: this machine has no Python {declared_version}.", file=sys.stderr)

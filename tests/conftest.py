"""What every suite needs: the project's folder on the path, hypothesis without a deadline."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

pytest_plugins = ["tests.support.fixtures"]

settings.register_profile("foidex", deadline=None, derandomize=bool(os.environ.get("CI")))

settings.load_profile("foidex")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a person rewrite the agreed outputs, to read the difference."""
    parser.addoption("--regolden", action="store_true", help="rewrite the golden files")

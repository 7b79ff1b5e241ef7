"""What every suite needs: the fixtures of the servers, and how hypothesis tries."""

from __future__ import annotations

import pytest
from hypothesis import settings

from tests.support.examples import EXAMPLES, examples

pytest_plugins = ["tests.support.fixtures"]

settings.register_profile(
    "foidex", deadline=None, derandomize=not EXAMPLES, max_examples=examples(100)
)

settings.load_profile("foidex")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a person rewrite the agreed outputs, to read the difference."""
    parser.addoption("--regolden", action="store_true", help="rewrite the golden files")

"""TODO: say what indexer.version is for."""

from __future__ import annotations

import importlib.metadata
from typing import Final

VERSION: Final = importlib.metadata.version("foidex")

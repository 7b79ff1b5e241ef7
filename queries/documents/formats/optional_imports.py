"""The libraries of the extra "reports", imported where they are used and named if missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from indexer.errors import ConfigurationError


@contextmanager
def require_extra(feature: str) -> Iterator[None]:
    """Put the import inside. Raises ConfigurationError, which says what ``feature`` needs."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"{feature} needs the Python package {error.name}, which is not installed. "
            "Install the extra: pip install 'foidex[reports]'."
        ) from None

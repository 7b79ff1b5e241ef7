"""The libraries of the extra "reports", imported where they are used and named where they lack."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from indexer.errors import ConfigurationError


@contextmanager
def require_extra(feature: str) -> Iterator[None]:
    """Import inside. Raises ConfigurationError, which says what to install for ``what``."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"{feature} needs the Python package {error.name}, which is not installed. "
            "Install the extra: pip install 'foidex[reports]'."
        ) from None

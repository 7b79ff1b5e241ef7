"""Find the data that ships with foidex: in the wheel, or at the top of a checkout."""

from __future__ import annotations

from pathlib import Path

from indexer.errors import ConfigurationError

_PACKAGE = Path(__file__).resolve().parent


def find_data_folder(name: str) -> Path:
    """Return the folder ``mappings``, ``templates`` or ``demo``.

    Raises ConfigurationError if it is missing.
    """
    in_checkout = _PACKAGE.parent / {"demo": "tests/data"}.get(name, name)
    for candidate in (_PACKAGE / "_data" / name, in_checkout):
        if candidate.is_dir():
            return candidate
    raise ConfigurationError(
        f"the {name} folder is missing from this installation. Install foidex again."
    )

"""The store of reviews: a database to which decisions are added and in which none is changed.

Raises ConfigurationError when it is imported without its libraries, whichever command comes first.
"""

from __future__ import annotations

from importlib.util import find_spec

from indexer.errors import ConfigurationError

if find_spec("alembic") is None or find_spec("sqlalchemy") is None:
    raise ConfigurationError(
        "reviews need SQLAlchemy and Alembic. Run: pip install 'foidex[review]'"
    )

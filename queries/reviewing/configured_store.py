"""The store of reviews that foidex.toml names, and who may use it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from indexer.audit.log import sanitize_user_name
from indexer.config.model import Settings, expand_path
from indexer.config.secrets import read_secret
from indexer.errors import ReviewError
from indexer.files import is_there
from indexer.progress import Progress

if TYPE_CHECKING:
    from queries.reviewing.store.database import DatabaseKeeper
    from queries.reviewing.store.review_store import ReviewStore


@contextmanager
def open_configured_store(settings: Settings, progress: Progress) -> Iterator[ReviewStore]:
    """Open the store of the settings; without one, a private file in the home.

    Raises ConfigurationError and ReviewError.
    """
    from queries.reviewing.store.review_store import open_store

    lease = timedelta(minutes=settings.review.lease_minutes)
    with open_store(_find_store_url(settings, progress), settings.folder, lease) as store:
        yield store


def open_kept_store(settings: Settings, progress: Progress, keeper: DatabaseKeeper) -> ReviewStore:
    """The store of the settings, kept open by a service. Raises as ``open_configured_store``."""
    from queries.reviewing.store.review_store import ReviewStore

    database = keeper.open(_find_store_url(settings, progress), settings.folder)
    return ReviewStore(database, timedelta(minutes=settings.review.lease_minutes))


@contextmanager
def open_existing_store(settings: Settings, progress: Progress) -> Iterator[ReviewStore]:
    """The same, but a store that is missing or empty is not made again: what was in it would seem
    never to have been. Raises as ``open_configured_store``."""
    import_module("queries.reviewing.store")  # where its libraries are missing, they are the reason
    url = _find_store_url(settings, progress)
    if not _is_made(settings, url):
        raise ReviewError(
            f"there is no store of reviews at {settings.folder / url}, so there is no review yet. "
            "Start one with: foidex review start. If there was one, use the foidex.toml with which "
            "it was made, or bring the store back."
        )
    with open_configured_store(settings, progress) as store:
        yield store


def has_configured_store(settings: Settings, progress: Progress) -> bool:
    """Whether there is a store already; one on a server is. Raises ConfigurationError."""
    return _is_made(settings, _find_store_url(settings, progress))


def _is_made(settings: Settings, url: str) -> bool:
    if "://" in url:
        return True
    path = settings.folder / url
    return is_there(path) and path.stat().st_size > 0


def _find_store_url(settings: Settings, progress: Progress) -> str:
    review = settings.review
    if review.store_url_file:
        return read_secret(Path(review.store_url_file), "review.store_url_file", progress)
    if review.store is None:
        return str(settings.default_review_store)
    if "://" in review.store:
        return review.store
    return str(expand_path(review.store, "[review] store"))


def require_reviewer(settings: Settings, user: str) -> None:
    """Raise ReviewError if foidex.toml lists who may review, and a user is not one of them."""
    reviewers = settings.review.reviewers
    if reviewers and user not in reviewers:
        raise ReviewError(
            f'"{user}" is not one of the reviewers that [review] reviewers of foidex.toml lists. '
            "Ask whoever keeps that file to add the name."
        )


def find_user(settings: Settings) -> str:
    """The user whose decisions these are: who used sudo, or else whose process it is."""
    name = settings.sudo_user or psutil.Process().username()
    return sanitize_user_name(name)

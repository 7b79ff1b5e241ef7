"""Where foidex writes, by its settings: never over what it reads, nor twice into one file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Final, NamedTuple

from indexer.audit import AUDIT_KEY_NAME, AUDIT_LOG_NAME
from indexer.config.model import Settings, SourceQueries, expand_path
from indexer.config.source_patterns import split_pattern
from indexer.errors import ConfigurationError

_CRIMES_FILE: Final = "crimes.csv"

#: The tables of a folder, which are called as those of a database.
_TABLE_FILES: Final = frozenset(f"{name}.csv" for name in SourceQueries.__struct_fields__)

#: Of the small files that say what the file beside them must hold.
_SIDECAR_ENDINGS: Final = (".count", ".sha256")

#: What the embedded server keeps in the home, where there is no other server.
_HOME_FILES: Final = ("password", "server.json", "server.lock", "start.log")

_HOME_FOLDERS: Final = ("backups", "config", "data", "server")

_REQUEST_ENDINGS: Final = (".yaml", ".yml")


class _NamedFile(NamedTuple):
    """A file, and the setting that names it, as a person reads it."""

    setting: str
    path: Path


def check_output_paths(settings: Settings) -> None:
    """Raise ConfigurationError if a file that foidex writes by its settings is one that it reads,
    or is written for two settings. None of them needs to be there yet."""
    config_name = settings.file or "foidex.toml"
    outputs = list(_list_outputs(settings))
    for output in outputs:
        if use := _find_input_use(settings, output.path):
            raise ConfigurationError(
                f"{config_name}: {output.setting} ({output.path}) would be written over {use}. "
                "Name another file."
            )
    for first, second in combinations(outputs, 2):
        if _is_same_file(first.path, second.path):
            raise ConfigurationError(
                f"{config_name}: {first.setting} and {second.setting} are one file "
                f"({second.path}), and each would be written over the other. Name another file "
                "for one of them."
            )


def find_file_use(settings: Settings, path: Path) -> str:
    """What foidex reads or writes a file as, by its settings, in words; empty if it does not."""
    for output in _list_outputs(settings):
        if _is_same_file(path, output.path):
            return f"the file of {output.setting}"
    return _find_input_use(settings, path)


def _find_input_use(settings: Settings, path: Path) -> str:
    for named in _list_inputs(settings):
        if _is_same_file(path, named.path):
            return named.setting
    source = settings.source
    for key, patterns in (("paths", source.paths), ("tombstones", source.tombstones)):
        if any(map(partial(_is_source_file, settings.folder, path), patterns)):
            return f"a file of [source] {key}, or one that is read with it"
    own_names = () if settings.server.url else (*_HOME_FILES, *_HOME_FOLDERS)
    if any(_is_below(path, settings.home / name) for name in own_names):
        return "a file of the embedded server"
    templates = settings.templates.folder
    if templates and _is_below(path, settings.folder / expand_path(templates, "[templates]")):
        return "a file of [templates] folder"
    requests = settings.folder / settings.workbench.folder
    if path.name.lower().endswith(_REQUEST_ENDINGS) and _is_below(path, requests):
        return "a request of [workbench] folder"
    return ""


def _list_outputs(settings: Settings) -> Iterator[_NamedFile]:
    for key in ("report", "metrics"):
        if name := getattr(settings.refresh, key):
            yield _NamedFile(f"[refresh] {key}", settings.output_folder / name)
    if isinstance(settings.disclosure.ledger, str):
        ledger = settings.folder / settings.disclosure.ledger
        yield _NamedFile("[disclosure] ledger", ledger)
    review = settings.review
    if review.store and "://" not in review.store:
        store = expand_path(review.store, "[review] store")
        yield _NamedFile("[review] store", settings.folder / store)
    elif not review.store and not review.store_url_file:
        yield _NamedFile("[review] store, which is not set", settings.default_review_store)
    for name in (AUDIT_LOG_NAME, AUDIT_KEY_NAME):
        yield _NamedFile(f"{name} of the audit log", settings.audit_folder / name)


def _list_inputs(settings: Settings) -> Iterator[_NamedFile]:
    """The single files that foidex.toml names to be read, and itself."""
    if settings.file:
        yield _NamedFile("the settings themselves", settings.file)
    server, proxy = settings.server, settings.workbench.proxy
    names = {
        "[server] ca_cert": server.ca_cert,
        "[server] password_file": server.password_file,
        "[server] api_key_file": server.api_key_file,
        "[source] database_url_file": settings.source.database_url_file,
        "[offences] table": settings.offences.table,
        "[review] store_url_file": settings.review.store_url_file,
        "[terms] book": settings.terms.book,
        "[workbench.proxy] secret_file": proxy and proxy.secret_file,
    }
    for file in settings.disclosure.ledger_files:
        yield _NamedFile("a file of [disclosure] ledger_files", settings.folder / file)
    for setting, name in names.items():
        if name:
            path = settings.folder / expand_path(name, setting)
            yield _NamedFile(f"the file of {setting}", path)


def _is_source_file(folder: Path, path: Path, pattern: str) -> bool:
    """Whether a file is, or would be, one that a path or pattern of the source reads, a table that
    belongs to one, or a small file beside one."""
    candidates = [path]
    if path.suffix in _SIDECAR_ENDINGS:
        candidates.append(path.with_suffix(""))
    candidates += [
        crimes
        for candidate in candidates
        if candidate.name in _TABLE_FILES
        for crimes in (candidate.with_name(_CRIMES_FILE), candidate.parent)
    ]
    return any(_is_named_by(folder, candidate, pattern) for candidate in candidates)


def _is_named_by(folder: Path, path: Path, pattern: str) -> bool:
    root, steps = split_pattern(folder, pattern)
    if not steps:
        return _is_same_file(path, root)
    real_root = Path(os.path.realpath(root)).parts
    parts = Path(os.path.realpath(path)).parts
    return parts[: len(real_root)] == real_root and _match_parts(parts[len(real_root) :], steps)


def _match_parts(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_match_parts(parts[skip:], pattern[1:]) for skip in range(len(parts) + 1))
    return (
        bool(parts) and fnmatchcase(parts[0], pattern[0]) and _match_parts(parts[1:], pattern[1:])
    )


def _is_below(path: Path, folder: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _is_same_file(first: Path, second: Path) -> bool:
    """Whether two paths lead to one file, also by links or by another case of its name."""
    if os.path.realpath(first) == os.path.realpath(second):
        return True
    try:
        return os.path.samefile(first, second)  # noqa: PTH121 - as above
    except OSError:
        return False

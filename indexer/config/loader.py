"""Read the settings: the only reader of the environment and of foidex.toml.

An environment variable comes before foidex.toml, and foidex.toml before the default. An unknown
variable or key is an error that suggests the nearest known one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import platformdirs
from msgspec import Struct

from indexer.config.model import (
    PATTERN_WORDS,
    ConfigFile,
    OffenceSettings,
    RecordsSettings,
    ReviewSettings,
    ServerSettings,
    Settings,
    expand_path,
)
from indexer.config.output_paths import check_output_paths
from indexer.config.profile import UNDECIDED
from indexer.config.toml_text import parse_toml
from indexer.errors import ConfigurationError
from indexer.files import is_file, open_named_input, refuse_planted
from indexer.records.categories import check_categories
from indexer.records.contract import PLAIN_CONTRACT
from indexer.suggestions import find_closest_names, suggest_name
from indexer.validation_errors import (
    Violation,
    ViolationKind,
    describe_violation,
    get_value_at,
    list_allowed_keys,
    list_allowed_values,
    parse_validation_error,
)

CONFIG_FILE_NAME: Final = "foidex.toml"

_MAX_CONFIG_BYTES: Final = 1_000_000

_MAX_URLS: Final = 100

_VARIABLE_PREFIX: Final = "FOIDEX_"

# The system's folder for a service's data: a server that root starts runs as another user, who
# cannot reach root's home.
_ROOT_HOME: Final = Path("/var/lib/foidex")


class _Variable(Struct, frozen=True):
    """An environment variable; ``section`` and ``key`` say what it overrides in foidex.toml."""

    description: str
    section: str = ""
    key: str = ""


_VARIABLES: Final = {
    "FOIDEX_CONFIG": _Variable("the foidex.toml to read"),
    "FOIDEX_URL": _Variable(
        "address of Elasticsearch, or several separated by commas", "server", "url"
    ),
    "FOIDEX_USER": _Variable("user name there", "server", "user"),
    "FOIDEX_PASSWORD": _Variable("password there", "server", "password"),
    "FOIDEX_PASSWORD_FILE": _Variable("file of the password there", "server", "password_file"),
    "FOIDEX_API_KEY": _Variable("API key there, instead of user and password", "server", "api_key"),
    "FOIDEX_API_KEY_FILE": _Variable("file of the API key there", "server", "api_key_file"),
    "FOIDEX_CA_CERT": _Variable("certificate authority file for https", "server", "ca_cert"),
    "FOIDEX_FINGERPRINT": _Variable(
        "SHA-256 of the server's certificate for https", "server", "fingerprint"
    ),
    "FOIDEX_TIMEOUT": _Variable("seconds a call may take", "server", "timeout"),
    "FOIDEX_RETRIES": _Variable("how often a call is repeated", "server", "retries"),
    "FOIDEX_DATABASE_URL": _Variable(
        "SQLAlchemy URL of the database of records", "source", "database"
    ),
    "FOIDEX_INDEX": _Variable("alias of the index", "index", "alias"),
    "FOIDEX_HOME": _Variable("folder of the embedded server, of rejects and of the audit log"),
    "FOIDEX_DOWNLOADS": _Variable("folder for the server's zip, shared by all homes"),
    "FOIDEX_HEAP": _Variable("heap of the embedded server", "embedded", "heap"),
    "FOIDEX_PORT": _Variable("port of the embedded server", "embedded", "port"),
    "FOIDEX_START_SECONDS": _Variable(
        "the longest that a start of the embedded server may take", "embedded", "start_seconds"
    ),
    "FOIDEX_SERVER_USER": _Variable(
        "user the embedded server runs as when root starts it", "embedded", "user"
    ),
}

_VARIABLE_BY_KEY: Final = {
    (variable.section, variable.key): name for name, variable in _VARIABLES.items()
}

# Settings that exclude each other: one from the environment replaces its alternatives in the file.
_ALTERNATIVES: Final = {
    "password": ("password_file", "api_key", "api_key_file"),
    "password_file": ("password", "api_key", "api_key_file"),
    "api_key": ("user", "password", "password_file", "api_key_file"),
    "api_key_file": ("user", "password", "password_file", "api_key"),
    "database": ("database_url_file",),
}

_URL_PASSWORD: Final = re.compile(r"//[^/@:]*:[^@]+@|[?&]password=")

# Names of files that are relative to the folder of foidex.toml.
_FILE_KEYS: Final = {
    "server": ("ca_cert", "password_file", "api_key_file"),
    "source": ("database_url_file",),
    "offences": ("table",),
    "review": ("store_url_file",),
}


def load_settings(
    environment: Mapping[str, str] | None = None, config: Path | None = None
) -> Settings:
    """Read the settings.

    ``config`` is a foidex.toml named on the command line; without it, FOIDEX_CONFIG names one;
    without that, foidex.toml in the working folder is read if it exists. Raises
    ConfigurationError.
    """
    env = os.environ if environment is None else environment
    _refuse_unknown_variables(env)
    named_path = config or env.get("FOIDEX_CONFIG")
    path = Path(named_path or CONFIG_FILE_NAME)
    # One that is there but cannot be read is an error: other settings give other numbers.
    is_there = named_path or os.path.lexists(path)
    file = _read_config_file(path, is_named=bool(named_path)) if is_there else ConfigFile()
    secret_keys = tuple(_list_secret_keys(file))
    file = _override_from_environment(_resolve_file_paths(file, path.parent), env)
    _check_server(file.server)
    _check_records(file.records)
    _check_offences(file.offences)
    _check_review(file.review)
    check_categories(file.categories, PLAIN_CONTRACT.names)
    settings = Settings(
        **{name: getattr(file, name) for name in ConfigFile.__struct_fields__},
        home=_absolute_path(env, "FOIDEX_HOME") or _choose_home_folder(),
        downloads=(
            _absolute_path(env, "FOIDEX_DOWNLOADS") or platformdirs.user_cache_path("foidex")
        ),
        file=path if is_file(path) else None,
        secret_keys=secret_keys,
        sudo_user=env.get("SUDO_USER") or None,
        home_is_named=bool(env.get("FOIDEX_HOME")),
    )
    check_output_paths(settings)
    return settings


def _absolute_path(env: Mapping[str, str], variable: str) -> Path | None:
    name = env.get(variable)
    return expand_path(name, variable).absolute() if name else None


def _choose_home_folder() -> Path:
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return _ROOT_HOME
    return platformdirs.user_data_path("foidex")


# -- foidex.toml -----------------------------------------------------------------------------------


def _read_config_file(path: Path, *, is_named: bool) -> ConfigFile:
    try:
        with open_named_input(path) as file:
            if not is_named:  # else a password of the environment could be sent to anybody's server
                refuse_planted(path, file.fileno())
            text = file.read(_MAX_CONFIG_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(
            f"{path}: cannot be read ({error.strerror}). Name another file with --config."
        ) from error
    if len(text) > _MAX_CONFIG_BYTES:
        raise ConfigurationError(
            f"{path}: is larger than {_MAX_CONFIG_BYTES:,} bytes, the most that is read. Name "
            "another file with --config."
        )
    document = parse_toml(text, str(path))
    try:
        file_settings = _convert_settings(document.value)
    except msgspec.ValidationError as error:
        violation = parse_validation_error(error)
        named = _name_entries(document.value, violation)
        explanation = _explain_violation(violation, named, document.value)
        line = document.find_line(f"{named.path}.{named.key}" if named.key else named.path)
        location = f"{path}:{line}" if line else str(path)
        raise ConfigurationError(f"{location}: {explanation}") from None
    _refuse_null_characters(msgspec.to_builtins(file_settings), path, "")
    return file_settings


def _convert_settings(value: dict[str, Any]) -> ConfigFile:
    return msgspec.convert(
        value, ConfigFile, builtin_types=(datetime, date, time), str_keys=True, strict=True
    )


def _name_entries(value: dict[str, Any], violation: Violation) -> Violation:
    """The violation with the names of tables in its path for which msgspec writes "[...]"."""
    while "[...]" in violation.path and not violation.in_key:
        head, _, tail = violation.path.partition("[...]")
        entries = get_value_at(value, head)
        names = list(entries) if isinstance(entries, dict) else []
        name = next((name for name in names if _is_wrong_entry(value, head, name)), None)
        if name is None:
            break
        violation = msgspec.structs.replace(violation, path=f"{head}.{name}{tail}")
    return violation


def _is_wrong_entry(value: dict[str, Any], path: str, name: str) -> bool:
    """Whether the settings are wrong if the table at a path has this entry alone."""
    keys = path.removeprefix("$.").split(".")

    def keep_entry(table: dict[str, Any], depth: int) -> dict[str, Any]:
        if depth == len(keys):
            return {name: table[name]}
        return {keys[depth]: keep_entry(table[keys[depth]], depth + 1)}

    try:
        _convert_settings(keep_entry(value, 0))
    except msgspec.ValidationError:
        return True
    return False


def _refuse_null_characters(value: Any, path: Path, location: str) -> None:
    """Raise ConfigurationError for a text that no name of a file and no query can hold."""
    if isinstance(value, str) and "\0" in value:
        raise ConfigurationError(
            f'{path}: "{location}": has a null character (\\u0000). Correct the value.'
        )
    if isinstance(value, dict):
        for key, item in value.items():
            _refuse_null_characters(item, path, f"{location}.{key}".removeprefix("."))
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_null_characters(item, path, location)


def _list_secret_keys(file: ConfigFile) -> Iterator[str]:
    """The settings of a file that hold a password or a key themselves."""
    if file.server.password:
        yield "server.password"
    if file.server.api_key:
        yield "server.api_key"
    if file.source.database and _URL_PASSWORD.search(file.source.database):
        yield "source.database"
    if file.review.store and _URL_PASSWORD.search(file.review.store):
        yield "review.store"


def _explain_violation(violation: Violation, named: Violation, value: dict[str, Any]) -> str:
    """What is wrong in plain words; ``named`` is the violation with the names in its path."""
    section = named.location
    if violation.kind is ViolationKind.UNKNOWN_KEY:
        keys = list_allowed_keys(ConfigFile, violation.path)
        subject = f"[{section}] has" if section else "has"
        hint = suggest_name(violation.key, keys) or f" The keys are {', '.join(keys)}."
        return f'{subject} an unknown key "{violation.key}".{hint}'
    description = describe_violation(violation, PATTERN_WORDS)
    remedy = " Correct the value."
    choices = list_allowed_values(ConfigFile, violation.path)
    if UNDECIDED in choices:  # what inspect writes for an answer, and no answer
        choices = tuple(choice for choice in choices if choice != UNDECIDED)
        if not choices:
            description = "is not a whole number, which has no quotes"
    if choices:
        description = f"is not one of {', '.join(choices)}"
        choice = get_value_at(value, named.path)
        remedy = (isinstance(choice, str) and suggest_name(choice, choices)) or remedy
    part = "a name in " if violation.in_key else ""
    return f'{part}"{section}": {description}.{remedy}'


def _resolve_file_paths(file: ConfigFile, folder: Path) -> ConfigFile:
    """The settings with the names of files below the folder of foidex.toml."""
    sections: dict[str, Struct] = {}
    for section_name, keys in _FILE_KEYS.items():
        section = getattr(file, section_name)
        names = {key: getattr(section, key) for key in keys}
        paths = {key: str(folder / name) for key, name in names.items() if name}
        sections[section_name] = msgspec.structs.replace(section, **paths)
    return msgspec.structs.replace(file, **sections)


# -- the environment -------------------------------------------------------------------------------


def _refuse_unknown_variables(env: Mapping[str, str]) -> None:
    for name in env:
        if name.startswith(_VARIABLE_PREFIX) and name not in _VARIABLES and "_TEST_" not in name:
            (nearest,) = find_closest_names(name, _VARIABLES, limit=1, min_similarity=0)
            raise ConfigurationError(
                f"environment variable {name} is not one foidex reads. "
                f"The nearest is {nearest} ({_VARIABLES[nearest].description}). "
                "Correct or unset it."
            )


def _override_from_environment(file: ConfigFile, env: Mapping[str, str]) -> ConfigFile:
    """The settings with the environment's values, checked as the file's are."""
    overrides: dict[str, dict[str, str]] = {}
    for name, variable in _VARIABLES.items():
        value = env.get(name)
        if not variable.section or value is None or (variable.section == "source" and not value):
            continue
        overrides.setdefault(variable.section, {})[variable.key] = value
    sections = {
        section_name: _override_section(section_name, getattr(file, section_name), values)
        for section_name, values in overrides.items()
    }
    return msgspec.structs.replace(file, **sections)


def _override_section(section_name: str, section: Struct, values: dict[str, str]) -> Any:
    replaced = {name: None for key in values for name in _ALTERNATIVES.get(key, ())}
    raw = {**msgspec.to_builtins(section), **replaced, **values}
    try:
        return msgspec.convert(raw, type(section), strict=False)
    except msgspec.ValidationError as error:
        violation = parse_validation_error(error)
        variable = _VARIABLE_BY_KEY[section_name, violation.field_name]
        raise ConfigurationError(
            f"environment variable {variable}: {describe_violation(violation, PATTERN_WORDS)}. "
            "Correct it."
        ) from None


def _check_records(records: RecordsSettings) -> None:
    """Raise ConfigurationError if the declared coverage begins before any record may."""
    start = records.covers.start
    if start is not None and start < records.earliest:
        raise ConfigurationError(
            f"[records] covers: begins on {start}, but no record may be of a day before "
            f"{records.earliest}. Correct covers, or set earliest in [records] to an earlier day."
        )


def _check_offences(offences: OffenceSettings) -> None:
    """Raise ConfigurationError for a scheme without codes."""
    if offences.scheme == "own" and offences.table is None:
        raise ConfigurationError(
            '[offences] scheme is "own", but no table has its codes. Set table, or remove scheme.'
        )


def _check_review(review: ReviewSettings) -> None:
    """Raise ConfigurationError for a store that is named twice."""
    if review.store and review.store_url_file:
        raise ConfigurationError(
            "[review] store and store_url_file both name where decisions are kept. Keep one."
        )


# -- the server ------------------------------------------------------------------------------------


def _check_server(server: ServerSettings) -> None:
    """Raise ConfigurationError for settings that exclude each other, or a wrong address."""
    for credential in ("password", "password_file", "api_key", "api_key_file"):
        alternative = next(
            (name for name in _ALTERNATIVES[credential] if getattr(server, name) is not None), None
        )
        if getattr(server, credential) is not None and alternative:
            raise ConfigurationError(
                f"the server's {credential} and {alternative} are both given "
                f"({_VARIABLE_BY_KEY['server', credential]}, "
                f"{_VARIABLE_BY_KEY['server', alternative]} or [server]). Keep one."
            )
    if len(server.urls) > _MAX_URLS:
        raise ConfigurationError(
            f"FOIDEX_URL (or server.url) names {len(server.urls):,} addresses, and {_MAX_URLS} are "
            "tried at most. Name some nodes of the cluster."
        )
    for url in server.urls:
        _check_server_url(url)
    if server.ca_cert and server.fingerprint:
        raise ConfigurationError(
            "the server's ca_cert and fingerprint are both given (FOIDEX_CA_CERT, "
            "FOIDEX_FINGERPRINT or [server]). Keep one: the fingerprint alone is trusted."
        )


def _check_server_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or True)
    except ValueError:
        valid = False
    if not valid:
        raise ConfigurationError(
            "FOIDEX_URL (or server.url) is not an address. It looks like https://host:9200."
        )

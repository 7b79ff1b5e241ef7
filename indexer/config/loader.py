"""TODO: say what indexer.config.loader is for."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit

import msgspec
import platformdirs
from msgspec import Struct

from indexer.config.model import (
    AuditSettings,
    BackupSettings,
    Canary,
    ConfigFile,
    DisclosureSettings,
    EmbeddedSettings,
    ForceSettings,
    IndexSettings,
    RefreshSettings,
    ServerSettings,
    Settings,
    SourceQueries,
    SourceSettings,
    TemplateSettings,
    TermBookSettings,
)
from indexer.errors import ConfigurationError
from indexer.records.categories import Category, check_categories

CONFIG_FILE_NAME: Final = "foidex.toml"

_VARIABLE_PREFIX: Final = "FOIDEX_"

# The system's own place for a service's data: the server of a root user runs as somebody else,
# who cannot reach root's home.
_ROOT_HOME: Final = Path("/var/lib/foidex")

_S = TypeVar("_S", bound=Struct)

# The names of a record's own fields and of its parts'; held to records.py by a test.
BUILT_IN_FIELDS: Final = (
    "crime_ref", "recorded_on", "offence_code", "narrative", "status", "outcome", "victims",
    "linked", "updated_at", "victim_ref", "age", "sex",
)  # fmt: skip


# Ways to say who we are: one takes the place of the others.
_CREDENTIAL_ALTERNATIVES: Final = {
    "password": ("password_file", "api_key", "api_key_file"),
    "password_file": ("password", "api_key", "api_key_file"),
    "api_key": ("user", "password", "password_file", "api_key_file"),
    "api_key_file": ("user", "password", "password_file", "api_key"),
}

_VARIABLES: Final = {
    "FOIDEX_CONFIG": "the foidex.toml to read",
    "FOIDEX_URL": "address of Elasticsearch, or several with commas between",
    "FOIDEX_USER": "user name there",
    "FOIDEX_PASSWORD": "password there",
    "FOIDEX_PASSWORD_FILE": "file of the password there",
    "FOIDEX_API_KEY": "API key there, instead of user and password",
    "FOIDEX_API_KEY_FILE": "file of the API key there",
    "FOIDEX_CA_CERT": "certificate authority file for https",
    "FOIDEX_FINGERPRINT": "SHA-256 of the server's certificate for https",
    "FOIDEX_TIMEOUT": "seconds a call may take",
    "FOIDEX_RETRIES": "how often a call is repeated",
    "FOIDEX_DATABASE_URL": "SQLAlchemy URL of the database of records",
    "FOIDEX_INDEX": "alias of the index",
    "FOIDEX_HOME": "folder of the embedded server, of rejects and of the audit log",
    "FOIDEX_DOWNLOADS": "folder for the server's zip, kept between homes",
    "FOIDEX_HEAP": "heap of the embedded server",
    "FOIDEX_PORT": "port of the embedded server",
    "FOIDEX_SERVER_USER": "user the embedded server runs as when root starts it",
}


def load_settings(
    environment: Mapping[str, str] | None = None, config: Path | None = None
) -> Settings:
    """Read the settings.

    ``config`` is a foidex.toml named on the command line; else FOIDEX_CONFIG; else the one in the
    working folder, if there is one. Raises ConfigurationError.
    """
    env = os.environ if environment is None else environment
    _refuse_unknown_variables(env)
    named_path = config or (Path(env["FOIDEX_CONFIG"]) if env.get("FOIDEX_CONFIG") else None)
    path = named_path or Path(CONFIG_FILE_NAME)
    file = _read_config_file(path) if named_path or path.is_file() else ConfigFile()
    server = _override_server(
        _resolve_section_paths(path, file.server, "ca_cert", "password_file", "api_key_file"), env
    )
    source = _resolve_section_paths(path, file.source, "database_url_file")
    if env.get("FOIDEX_DATABASE_URL"):
        source = msgspec.structs.replace(
            source, database=env["FOIDEX_DATABASE_URL"], database_url_file=None
        )
    check_categories(file.categories, BUILT_IN_FIELDS)
    home = env.get("FOIDEX_HOME")
    downloads = env.get("FOIDEX_DOWNLOADS")
    return Settings(
        server=server,
        embedded=_override_section(
            file.embedded,
            heap=env.get("FOIDEX_HEAP"),
            port=env.get("FOIDEX_PORT"),
            user=env.get("FOIDEX_SERVER_USER"),
        ),
        index=_override_section(file.index, alias=env.get("FOIDEX_INDEX")),
        force=file.force,
        home=Path(home).expanduser().absolute() if home else _choose_home_folder(),
        downloads=(
            Path(downloads).expanduser().absolute()
            if downloads
            else platformdirs.user_cache_path("foidex")
        ),
        terms=file.terms,
        source=source,
        refresh=file.refresh,
        audit=file.audit,
        backup=file.backup,
        categories=file.categories,
        templates=file.templates,
        disclosure=file.disclosure,
        file=path if path.is_file() else None,
        sudo_user=env.get("SUDO_USER") or None,
    )


def _choose_home_folder() -> Path:
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return _ROOT_HOME
    return platformdirs.user_data_path("foidex")


def _refuse_unknown_variables(env: Mapping[str, str]) -> None:
    for name in env:
        if name.startswith(_VARIABLE_PREFIX) and name not in _VARIABLES and "_TEST_" not in name:
            suggestions = difflib.get_close_matches(name, _VARIABLES, n=1, cutoff=0)
            raise ConfigurationError(
                f"environment variable {name} is not one foidex reads. "
                f"The nearest is {suggestions[0]} ({_VARIABLES[suggestions[0]]}). Correct or unset it."
            )


def _resolve_section_paths(path: Path, section: _S, *names: str) -> _S:
    """The section with the files it names relative to foidex.toml."""
    folder = path.parent
    files = {name: getattr(section, name) for name in names}
    return msgspec.structs.replace(
        section, **{name: str(folder / file) for name, file in files.items() if file}
    )


def _override_server(section: ServerSettings, env: Mapping[str, str]) -> ServerSettings:
    """The server's section with the environment's values. Raises ConfigurationError.

    A credential of the environment takes the place of those of the file that say otherwise.
    """
    values = {
        name: env.get(_VARIABLE_PREFIX + name.upper()) for name in ServerSettings.__struct_fields__
    }
    for credential, alternatives in _CREDENTIAL_ALTERNATIVES.items():
        if values[credential] is not None:
            section = msgspec.structs.replace(section, **dict.fromkeys(alternatives, None))
    server = _override_section(section, **values)
    for credential, alternatives in _CREDENTIAL_ALTERNATIVES.items():
        alternative = next(
            (name for name in alternatives if getattr(server, name) is not None), None
        )
        if getattr(server, credential) is not None and alternative:
            raise ConfigurationError(
                f"the server's {credential} and {alternative} are both given ({_name_variable(credential)}, "
                f"{_name_variable(alternative)} or [server]). Keep one."
            )
    for url in server.urls:
        _check_server_url(url)
    if server.ca_cert and server.fingerprint:
        raise ConfigurationError(
            "the server's ca_cert and fingerprint are both given (FOIDEX_CA_CERT, "
            "FOIDEX_FINGERPRINT or [server]). Keep one: the fingerprint alone is trusted."
        )
    return server


def _name_variable(name: str) -> str:
    return _VARIABLE_PREFIX + name.upper()


def _check_server_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or True)
    except ValueError:
        good = False
    if not good:
        raise ConfigurationError(
            "FOIDEX_URL (or server.url) is not an address. It looks like https://host:9200."
        )


def _read_config_file(path: Path) -> ConfigFile:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"{path}: cannot be read ({error.strerror}). Name another file with --config."
        ) from error
    try:
        return msgspec.toml.decode(text, type=ConfigFile)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{path}: {_explain_config_error(str(error))}") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise ConfigurationError(f"{path}: is not TOML: {error}. Correct the line.") from None


def _explain_config_error(text: str) -> str:
    message, _, location = text.partition(" - at ")
    section = location.strip("`$.")
    if unknown := re.search(r"unknown field `(.*)`", message):
        keys = _list_section_keys(section)
        suggestions = difflib.get_close_matches(unknown[1], keys, n=1, cutoff=0)
        subject = f"[{section}] has" if section else "has"
        return f'{subject} an unknown key "{unknown[1]}". Did you mean "{suggestions[0]}"?'
    return f'"{section}": {message[0].lower()}{message[1:]}. Correct the value.'


def _list_section_keys(section: str) -> tuple[str, ...]:
    structs: dict[str, type[Struct]] = {
        "server": ServerSettings,
        "embedded": EmbeddedSettings,
        "index": IndexSettings,
        "force": ForceSettings,
        "terms": TermBookSettings,
        "source": SourceSettings,
        "source.queries": SourceQueries,
        "refresh": RefreshSettings,
        "refresh.canaries[...]": Canary,
        "audit": AuditSettings,
        "backup": BackupSettings,
        "categories[...]": Category,
        "templates": TemplateSettings,
        "disclosure": DisclosureSettings,
    }
    return structs.get(section, ConfigFile).__struct_encode_fields__


def _override_section(section: _S, **values: str | None) -> _S:
    """The section with the environment's values, checked as the file's are."""
    overrides = {name: value for name, value in values.items() if value is not None}
    if not overrides:
        return section
    raw = {**msgspec.to_builtins(section), **overrides}
    try:
        return msgspec.convert(raw, type(section), strict=False)
    except msgspec.ValidationError as error:
        message, _, location = str(error).partition(" - at ")
        raise ConfigurationError(
            f"the environment sets {location.strip('`$.')} wrongly: {message[0].lower()}{message[1:]}."
        ) from None

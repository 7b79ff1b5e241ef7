"""Settings: the only reader of the environment and of foidex.toml.

Order: an environment variable, else foidex.toml, else the default. Both are strict: an unknown
name is an error that gives the nearest right one.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar
from urllib.parse import urlsplit

import msgspec
import platformdirs
from msgspec import Meta, Struct

from indexer.errors import ConfigurationError

FILE_NAME: Final = "foidex.toml"
_PREFIX: Final = "FOIDEX_"
# The system's own place for a service's data: the server of a root user runs as somebody else,
# who cannot reach root's home.
_ROOT_HOME: Final = Path("/var/lib/foidex")

_S = TypeVar("_S", bound=Struct)
IndexName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,79}$")]
Port = Annotated[int, Meta(ge=0, le=65535)]


class Server(Struct, frozen=True, forbid_unknown_fields=True):
    """Where Elasticsearch is. Without ``url`` the embedded server is used."""

    url: str | None = None
    user: str | None = None
    password: str | None = None
    ca_cert: str | None = None
    timeout: Annotated[int, Meta(ge=1, le=3600)] = 60


class Embedded(Struct, frozen=True, forbid_unknown_fields=True):
    """The embedded server. ``port`` 0 takes the first free one; ``heap`` is in Java's notation."""

    heap: Annotated[str, Meta(pattern=r"^[1-9]\d*[mMgG]$")] = "1g"
    port: Port = 0
    user: str = "nobody"


class Index(Struct, frozen=True, forbid_unknown_fields=True):
    """The index: ``alias`` is what queries use, and the start of every generation's name."""

    alias: IndexName = "crimes"
    shards: Annotated[int, Meta(ge=1, le=1024)] = 1
    replicas: Annotated[int, Meta(ge=0, le=10)] = 0


class Force(Struct, frozen=True, forbid_unknown_fields=True):
    """What a letter says of the force that sends it. Lists are paragraphs or lines."""

    name: str = "[force.name]"
    unit: str = "Information Rights"
    address: tuple[str, ...] = ("[force.address]",)
    contact: str = "[force.contact]"
    signatory: str = "[force.signatory]"
    caveat: tuple[str, ...] = (
        "The figures are a snapshot of unpublished data from live systems and have not been "
        "audited. Records are updated as investigations go on, so the same question asked on "
        "another day may have another answer.",
        "A record counts where its text holds the words asked for. That shows the words are "
        "present, not that they mattered to the offence, and it depends on what the recording "
        "officer wrote. Forces record differently: please do not compare these figures with "
        "another force's.",
    )
    review: tuple[str, ...] = (
        "If you are not content with how we have handled your request, you may ask us for an "
        "internal review within two months of this letter, in writing, at the address above.",
        "If you are still not content after the review, you may complain to the Information "
        "Commissioner, whose office will tell you how.",
    )


class Source(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the nightly refresh reads. Paths are relative to foidex.toml and may be patterns.

    ``fields`` maps our names to theirs, ``ignore`` lists theirs to leave out; ``tombstones`` are
    text files of references that were deleted, one a line.
    """

    paths: tuple[str, ...] = ()
    tombstones: tuple[str, ...] = ()
    fields: dict[str, str] = {}
    ignore: tuple[str, ...] = ()


class Canary(Struct, frozen=True, forbid_unknown_fields=True):
    """A term that at least so many records must mention, or something is wrong with the source."""

    term: str
    least: Annotated[int, Meta(ge=1)]


class Refresh(Struct, frozen=True, forbid_unknown_fields=True):
    """The nightly refresh: what a generation must pass, and what is left behind.

    ``max_shrink_percent`` is how much smaller than the live generation it may be; ``keep`` counts
    generations with the live one; ``lease_seconds`` is how long a dead refresh blocks the next.
    """

    keep: Annotated[int, Meta(ge=1, le=1000)] = 3
    max_rejects: Annotated[int, Meta(ge=0)] = 0
    max_shrink_percent: Annotated[float, Meta(ge=0, le=100)] = 5
    canaries: tuple[Canary, ...] = ()
    lease_seconds: Annotated[int, Meta(ge=5, le=3600)] = 60
    report: str | None = None
    metrics: str | None = None


Threshold = Annotated[int, Meta(ge=0, le=100)]
Rounding = Annotated[int, Meta(ge=0, le=100)]
Youngest = Literal["withhold", "band", "give"]


class Disclosure(Struct, frozen=True, forbid_unknown_fields=True):
    """What of an answer may be published.

    Counts from 1 to ``threshold`` - 1 are withheld, or every count is rounded to ``rounding``; 0
    turns either off. ``youngest`` is what becomes of the age of the youngest of few victims.
    ``flag``: counts below it are shown to the officer as small. ``ledger`` is the file in which
    releases are recorded, relative to foidex.toml.
    """

    threshold: Threshold = 0
    rounding: Rounding = 0
    youngest: Youngest = "withhold"
    flag: Threshold = 5
    ledger: str | None = None


class ConfigFile(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of foidex.toml."""

    server: Server = Server()
    embedded: Embedded = Embedded()
    index: Index = Index()
    force: Force = Force()
    source: Source = Source()
    refresh: Refresh = Refresh()
    disclosure: Disclosure = Disclosure()


class Settings(Struct, frozen=True):
    """Everything foidex is told from outside. ``file`` is the foidex.toml read, if any."""

    server: Server
    embedded: Embedded
    index: Index
    force: Force
    source: Source
    refresh: Refresh
    disclosure: Disclosure
    home: Path
    downloads: Path
    file: Path | None = None

    @property
    def folder(self) -> Path:
        """What the paths of foidex.toml are relative to."""
        return self.file.parent if self.file else Path()


_VARIABLES: Final = {
    "FOIDEX_CONFIG": "the foidex.toml to read",
    "FOIDEX_URL": "address of Elasticsearch",
    "FOIDEX_USER": "user name there",
    "FOIDEX_PASSWORD": "password there",
    "FOIDEX_CA_CERT": "certificate authority file for https",
    "FOIDEX_INDEX": "alias of the index",
    "FOIDEX_HOME": "folder of the embedded server and of rejects",
    "FOIDEX_DOWNLOADS": "folder for the server's zip, kept between homes",
    "FOIDEX_HEAP": "heap of the embedded server",
    "FOIDEX_PORT": "port of the embedded server",
    "FOIDEX_SERVER_USER": "user the embedded server runs as when root starts it",
}


def load(environment: Mapping[str, str] | None = None, config: Path | None = None) -> Settings:
    """Read the settings.

    ``config`` is a foidex.toml named on the command line; else FOIDEX_CONFIG; else the one in the
    working folder, if there is one. Raises ConfigurationError.
    """
    env = os.environ if environment is None else environment
    _refuse_unknown(env)
    named = config or (Path(env["FOIDEX_CONFIG"]) if env.get("FOIDEX_CONFIG") else None)
    path = named or Path(FILE_NAME)
    file = _read(path) if named or path.is_file() else ConfigFile()
    server = _override(
        file.server,
        url=env.get("FOIDEX_URL"),
        user=env.get("FOIDEX_USER"),
        password=env.get("FOIDEX_PASSWORD"),
        ca_cert=env.get("FOIDEX_CA_CERT"),
    )
    _check_url(server.url)
    home = env.get("FOIDEX_HOME")
    downloads = env.get("FOIDEX_DOWNLOADS")
    return Settings(
        server=server,
        embedded=_override(
            file.embedded,
            heap=env.get("FOIDEX_HEAP"),
            port=env.get("FOIDEX_PORT"),
            user=env.get("FOIDEX_SERVER_USER"),
        ),
        index=_override(file.index, alias=env.get("FOIDEX_INDEX")),
        force=file.force,
        home=Path(home).expanduser().absolute() if home else _default_home(),
        downloads=(
            Path(downloads).expanduser().absolute()
            if downloads
            else platformdirs.user_cache_path("foidex")
        ),
        source=file.source,
        refresh=file.refresh,
        disclosure=file.disclosure,
        file=path if path.is_file() else None,
    )


def _default_home() -> Path:
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return _ROOT_HOME
    return platformdirs.user_data_path("foidex")


def _refuse_unknown(env: Mapping[str, str]) -> None:
    for name in env:
        if name.startswith(_PREFIX) and name not in _VARIABLES and "_TEST_" not in name:
            near = difflib.get_close_matches(name, _VARIABLES, n=1, cutoff=0)
            raise ConfigurationError(
                f"environment variable {name} is not one foidex reads. "
                f"The nearest is {near[0]} ({_VARIABLES[near[0]]}). Correct or unset it."
            )


def _check_url(url: str | None) -> None:
    if url is None:
        return
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or True)
    except ValueError:
        good = False
    if not good:
        raise ConfigurationError(
            "FOIDEX_URL (or server.url) is not an address. It looks like https://host:9200."
        )


def _read(path: Path) -> ConfigFile:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"{path}: cannot be read ({error.strerror}). Name another file with --config."
        ) from error
    try:
        return msgspec.toml.decode(text, type=ConfigFile)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{path}: {_explain(str(error))}") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise ConfigurationError(f"{path}: is not TOML: {error}. Correct the line.") from None


def _explain(text: str) -> str:
    message, _, place = text.partition(" - at ")
    section = place.strip("`$.")
    if unknown := re.search(r"unknown field `(.*)`", message):
        known = _keys(section)
        near = difflib.get_close_matches(unknown[1], known, n=1, cutoff=0)
        where = f"[{section}] has" if section else "has"
        return f'{where} an unknown key "{unknown[1]}". Did you mean "{near[0]}"?'
    return f'"{section}": {message[0].lower()}{message[1:]}. Correct the value.'


def _keys(section: str) -> tuple[str, ...]:
    structs: dict[str, type[Struct]] = {
        "server": Server,
        "embedded": Embedded,
        "index": Index,
        "force": Force,
        "source": Source,
        "refresh": Refresh,
        "refresh.canaries[...]": Canary,
        "disclosure": Disclosure,
    }
    return structs.get(section, ConfigFile).__struct_fields__


def _override(section: _S, **values: str | None) -> _S:
    """The section with the environment's values, checked as the file's are."""
    given = {name: value for name, value in values.items() if value is not None}
    if not given:
        return section
    raw = {**msgspec.to_builtins(section), **given}
    try:
        return msgspec.convert(raw, type(section), strict=False)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at ")
        raise ConfigurationError(
            f"the environment sets {place.strip('`$.')} wrongly: {message[0].lower()}{message[1:]}."
        ) from None

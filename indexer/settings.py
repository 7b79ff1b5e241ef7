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

from indexer import categories
from indexer.categories import Categories, Category, Name
from indexer.errors import ConfigurationError

FILE_NAME: Final = "foidex.toml"
_PREFIX: Final = "FOIDEX_"
# The system's own place for a service's data: the server of a root user runs as somebody else,
# who cannot reach root's home.
_ROOT_HOME: Final = Path("/var/lib/foidex")

_S = TypeVar("_S", bound=Struct)
# The names of a record's own fields and of its parts'; held to records.py by a test.
BUILT_IN: Final = (
    "crime_ref", "recorded_on", "offence_code", "narrative", "status", "outcome", "victims",
    "linked", "updated_at", "victim_ref", "age", "sex",
)  # fmt: skip
IndexName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,79}$")]
Port = Annotated[int, Meta(ge=0, le=65535)]
Fingerprint = Annotated[str, Meta(pattern=r"^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$")]


class Server(Struct, frozen=True, forbid_unknown_fields=True):
    """Where Elasticsearch is. Without ``url`` the embedded server is used.

    ``url`` may be several, of one cluster. ``timeout`` is in seconds; ``retries`` is how often a
    call is repeated that met a broken connection or a busy server. ``fingerprint`` is the SHA-256
    of the server's certificate, or of one it was signed with.
    """

    url: str | tuple[str, ...] | None = None
    user: str | None = None
    password: str | None = None
    password_file: str | None = None
    api_key: str | None = None
    api_key_file: str | None = None
    ca_cert: str | None = None
    fingerprint: Fingerprint | None = None
    timeout: Annotated[int, Meta(ge=1, le=3600)] = 60
    retries: Annotated[int, Meta(ge=0, le=20)] = 5

    @property
    def urls(self) -> tuple[str, ...]:
        """Every address; none where the embedded server is used."""
        if self.url is None:
            return ()
        every = self.url.split(",") if isinstance(self.url, str) else self.url
        return tuple(url.strip() for url in every)


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
    """What a letter says of the force that sends it. Lists are paragraphs or lines.

    ``exemption`` is said where a number is withheld: the section that lets it be.
    """

    name: str = "[force.name]"
    unit: str = "Information Rights"
    address: tuple[str, ...] = ("[force.address]",)
    contact: str = "[force.contact]"
    exemption: str = ""
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


class Terms(Struct, frozen=True, forbid_unknown_fields=True):
    """A term book of the force's own, relative to foidex.toml; its terms come before ours."""

    book: str | None = None


class Queries(Struct, frozen=True, forbid_unknown_fields=True):
    """The SQL of each table of a database; all but ``crimes`` may be left out."""

    crimes: str | None = None
    victims: str | None = None
    links: str | None = None
    narratives: str | None = None


class Source(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the nightly refresh reads: files, or a database.

    Paths are relative to foidex.toml and may be patterns. ``database`` is a SQLAlchemy URL, or
    stands in the file ``database_url_file``. ``watermark`` is the column of ``queries.crimes`` that
    says when a record last changed: an incremental refresh reads what is newer than the live
    generation, less the overlap in seconds. ``fields`` maps our names to theirs, ``ignore`` lists
    theirs to leave out; ``tombstones`` are text files of references that were deleted, one a line.
    """

    paths: tuple[str, ...] = ()
    database: str | None = None
    database_url_file: str | None = None
    queries: Queries = Queries()
    watermark: str | None = None
    watermark_overlap_seconds: Annotated[int, Meta(ge=0, le=31_536_000)] = 3600
    tombstones: tuple[str, ...] = ()
    fields: dict[str, str] = {}
    ignore: tuple[str, ...] = ()


class Backup(Struct, frozen=True, forbid_unknown_fields=True):
    """The snapshot repository of a server of one's own; the embedded server has one in its home."""

    repository: Annotated[str, Meta(min_length=1, max_length=200)] | None = None


class Canary(Struct, frozen=True, forbid_unknown_fields=True):
    """A term that at least so many records must mention, or something is wrong with the source."""

    term: str
    least: Annotated[int, Meta(ge=1)]


class Refresh(Struct, frozen=True, forbid_unknown_fields=True):
    """The nightly refresh: what a generation must pass, and what is left behind.

    ``max_shrink_percent`` is how much smaller than the live generation it may be; ``keep`` counts
    generations with the live one; what is older than ``max_age_days`` is not kept: generations but
    the live one, rejects, and backups but the newest; ``lease_seconds`` is how long a dead refresh
    blocks the next.
    """

    keep: Annotated[int, Meta(ge=1, le=1000)] = 3
    max_age_days: Annotated[int, Meta(ge=1, le=36500)] | None = None
    max_rejects: Annotated[int, Meta(ge=0)] = 0
    max_shrink_percent: Annotated[float, Meta(ge=0, le=100)] = 5
    canaries: tuple[Canary, ...] = ()
    lease_seconds: Annotated[int, Meta(ge=5, le=3600)] = 60
    report: str | None = None
    metrics: str | None = None


class Templates(Struct, frozen=True, forbid_unknown_fields=True):
    """Templates of the force's own; what the folder lacks is taken from ours. The folder is
    relative to foidex.toml."""

    folder: str | None = None


class Audit(Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept of every query. ``folder`` is relative to foidex.toml; else it is in the home.

    ``log`` false writes no log; ``basis_records`` is the most records in the scope of an answer
    whose basis is kept, so that a replay can name what moved.
    """

    folder: str | None = None
    log: bool = True
    basis_records: Annotated[int, Meta(ge=0, le=1_000_000)] = 200_000


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
    terms: Terms = Terms()
    source: Source = Source()
    refresh: Refresh = Refresh()
    audit: Audit = Audit()
    backup: Backup = Backup()
    categories: dict[Name, Category] = {}
    templates: Templates = Templates()
    disclosure: Disclosure = Disclosure()


class Settings(Struct, frozen=True):
    """Everything foidex is told from outside. ``file`` is the foidex.toml read, if any, and
    ``sudo_user`` who became another user to run it."""

    server: Server
    embedded: Embedded
    index: Index
    force: Force
    source: Source
    refresh: Refresh
    audit: Audit
    disclosure: Disclosure
    home: Path
    downloads: Path
    categories: Categories = {}
    terms: Terms = Terms()
    templates: Templates = Templates()
    backup: Backup = Backup()
    file: Path | None = None
    sudo_user: str | None = None

    @property
    def folder(self) -> Path:
        """What the paths of foidex.toml are relative to."""
        return self.file.parent if self.file else Path()

    @property
    def own_templates(self) -> Path | None:
        """The folder of the force's own templates. Raises ConfigurationError where there is none
        of that name."""
        if self.templates.folder is None:
            return None
        folder = self.folder / Path(self.templates.folder).expanduser()
        if not folder.is_dir():
            raise ConfigurationError(
                f"{self.file}: [templates] folder: {folder} is no folder. Correct the name, or "
                f"make it: foidex templates init {folder}"
            )
        return folder

    @property
    def audit_folder(self) -> Path:
        """Where the audit log and the bases of answers are."""
        if self.audit.folder is not None:
            return self.folder / Path(self.audit.folder).expanduser()
        return self.home / "audit"


# Ways to say who we are: one takes the place of the others.
_INSTEAD: Final = {
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
    server = _server(_beside(path, file.server, "ca_cert", "password_file", "api_key_file"), env)
    source = _beside(path, file.source, "database_url_file")
    if env.get("FOIDEX_DATABASE_URL"):
        source = msgspec.structs.replace(
            source, database=env["FOIDEX_DATABASE_URL"], database_url_file=None
        )
    categories.check(file.categories, BUILT_IN)
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


def _beside(path: Path, section: _S, *names: str) -> _S:
    """The section with the files it names relative to foidex.toml."""
    folder = path.parent
    found = {name: getattr(section, name) for name in names}
    return msgspec.structs.replace(
        section, **{name: str(folder / file) for name, file in found.items() if file}
    )


def _server(section: Server, env: Mapping[str, str]) -> Server:
    """The server's section with the environment's values. Raises ConfigurationError.

    A credential of the environment takes the place of those of the file that say otherwise.
    """
    given = {name: env.get(_PREFIX + name.upper()) for name in Server.__struct_fields__}
    for mine, others in _INSTEAD.items():
        if given[mine] is not None:
            section = msgspec.structs.replace(section, **dict.fromkeys(others, None))
    server = _override(section, **given)
    for mine, others in _INSTEAD.items():
        other = next((name for name in others if getattr(server, name) is not None), None)
        if getattr(server, mine) is not None and other:
            raise ConfigurationError(
                f"the server's {mine} and {other} are both given ({_variable(mine)}, "
                f"{_variable(other)} or [server]). Keep one."
            )
    for url in server.urls:
        _check_url(url)
    if server.ca_cert and server.fingerprint:
        raise ConfigurationError(
            "the server's ca_cert and fingerprint are both given (FOIDEX_CA_CERT, "
            "FOIDEX_FINGERPRINT or [server]). Keep one: the fingerprint alone is trusted."
        )
    return server


def _variable(name: str) -> str:
    return _PREFIX + name.upper()


def _check_url(url: str) -> None:
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
        "terms": Terms,
        "source": Source,
        "source.queries": Queries,
        "refresh": Refresh,
        "refresh.canaries[...]": Canary,
        "audit": Audit,
        "backup": Backup,
        "categories[...]": Category,
        "templates": Templates,
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

"""Settings: the only reader of the environment and of foidex.toml.

Order: an environment variable, else foidex.toml, else the default. Both are strict: an unknown
name is an error that gives the nearest right one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from indexer.errors import ConfigurationError
from indexer.records.categories import Categories, Category, CategoryName

IndexName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,79}$")]

PortNumber = Annotated[int, Meta(ge=0, le=65535)]

CertificateFingerprint = Annotated[str, Meta(pattern=r"^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$")]


class ServerSettings(Struct, frozen=True, forbid_unknown_fields=True):
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
    fingerprint: CertificateFingerprint | None = None
    timeout: Annotated[int, Meta(ge=1, le=3600)] = 60
    retries: Annotated[int, Meta(ge=0, le=20)] = 5

    @property
    def urls(self) -> tuple[str, ...]:
        """Every address; none where the embedded server is used."""
        if self.url is None:
            return ()
        addresses = self.url.split(",") if isinstance(self.url, str) else self.url
        return tuple(url.strip() for url in addresses)


class EmbeddedSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The embedded server. ``port`` 0 takes the first free one; ``heap`` is in Java's notation."""

    heap: Annotated[str, Meta(pattern=r"^[1-9]\d*[mMgG]$")] = "1g"
    port: PortNumber = 0
    user: str = "nobody"


class IndexSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The index: ``alias`` is what queries use, and the start of every generation's name."""

    alias: IndexName = "crimes"
    shards: Annotated[int, Meta(ge=1, le=1024)] = 1
    replicas: Annotated[int, Meta(ge=0, le=10)] = 0


class ForceSettings(Struct, frozen=True, forbid_unknown_fields=True):
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


class TermBookSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A term book of the force's own, relative to foidex.toml; its terms come before ours."""

    book: str | None = None


class SourceQueries(Struct, frozen=True, forbid_unknown_fields=True):
    """The SQL of each table of a database; all but ``crimes`` may be left out."""

    crimes: str | None = None
    victims: str | None = None
    links: str | None = None
    narratives: str | None = None


class SourceSettings(Struct, frozen=True, forbid_unknown_fields=True):
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
    queries: SourceQueries = SourceQueries()
    watermark: str | None = None
    watermark_overlap_seconds: Annotated[int, Meta(ge=0, le=31_536_000)] = 3600
    tombstones: tuple[str, ...] = ()
    fields: dict[str, str] = {}
    ignore: tuple[str, ...] = ()


class BackupSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The snapshot repository of a server of one's own; the embedded server has one in its home."""

    repository: Annotated[str, Meta(min_length=1, max_length=200)] | None = None


class Canary(Struct, frozen=True, forbid_unknown_fields=True, rename={"min_records": "least"}):
    """A term that at least so many records must mention, or something is wrong with the source."""

    term: str
    min_records: Annotated[int, Meta(ge=1)]


class RefreshSettings(Struct, frozen=True, forbid_unknown_fields=True):
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


class TemplateSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Templates of the force's own; what the folder lacks is taken from ours. The folder is
    relative to foidex.toml."""

    folder: str | None = None


class AuditSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept of every query. ``folder`` is relative to foidex.toml; else it is in the home.

    ``log`` false writes no log; ``basis_records`` is the most records in the scope of an answer
    whose basis is kept, so that a replay can name what moved.
    """

    folder: str | None = None
    log: bool = True
    basis_records: Annotated[int, Meta(ge=0, le=1_000_000)] = 200_000


Threshold = Annotated[int, Meta(ge=0, le=100)]

Rounding = Annotated[int, Meta(ge=0, le=100)]

YoungestRule = Literal["withhold", "band", "give"]


class DisclosureSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What of an answer may be published.

    Counts from 1 to ``threshold`` - 1 are withheld, or every count is rounded to ``rounding``; 0
    turns either off. ``youngest`` is what becomes of the age of the youngest of few victims.
    ``flag``: counts below it are shown to the officer as small. ``ledger`` is the file in which
    releases are recorded, relative to foidex.toml.
    """

    threshold: Threshold = 0
    rounding: Rounding = 0
    youngest: YoungestRule = "withhold"
    flag: Threshold = 5
    ledger: str | None = None


class ConfigFile(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of foidex.toml."""

    server: ServerSettings = ServerSettings()
    embedded: EmbeddedSettings = EmbeddedSettings()
    index: IndexSettings = IndexSettings()
    force: ForceSettings = ForceSettings()
    terms: TermBookSettings = TermBookSettings()
    source: SourceSettings = SourceSettings()
    refresh: RefreshSettings = RefreshSettings()
    audit: AuditSettings = AuditSettings()
    backup: BackupSettings = BackupSettings()
    categories: dict[CategoryName, Category] = {}
    templates: TemplateSettings = TemplateSettings()
    disclosure: DisclosureSettings = DisclosureSettings()


class Settings(Struct, frozen=True):
    """Everything foidex is told from outside. ``file`` is the foidex.toml read, if any, and
    ``sudo_user`` who became another user to run it."""

    server: ServerSettings
    embedded: EmbeddedSettings
    index: IndexSettings
    force: ForceSettings
    source: SourceSettings
    refresh: RefreshSettings
    audit: AuditSettings
    disclosure: DisclosureSettings
    home: Path
    downloads: Path
    categories: Categories = {}
    terms: TermBookSettings = TermBookSettings()
    templates: TemplateSettings = TemplateSettings()
    backup: BackupSettings = BackupSettings()
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

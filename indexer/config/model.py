"""The settings: one struct for each section of foidex.toml, and all of them together."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from indexer.config.profile import SourceProfile
from indexer.errors import ConfigurationError
from indexer.files import DOCUMENT_PERMISSIONS, Permissions, is_folder
from indexer.records.categories import CATEGORY_NAME, Category, CategoryName
from indexer.records.contract import DEFAULT_EARLIEST_DAY
from indexer.records.coverage import CoverageSettings
from indexer.records.damage.kinds import RepairKind
from indexer.records.model import PRINTABLE
from indexer.records.noun import NOUN_WORD, OFFENCE, Noun
from indexer.records.offences.own_table import OwnOffences
from indexer.records.offences.table import CodeScheme

_INDEX_NAME: Final = r"^[a-z][a-z0-9_-]{0,79}$"

_FINGERPRINT: Final = r"^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$"

_HEAP: Final = r"^[1-9]\d*[mMgG]$"

_FILE_MODE: Final = r"^0?[67][0-7][0-7]$"

#: What the patterns of settings stand for, in words, for messages.
PATTERN_WORDS: Final = {
    _INDEX_NAME: "a letter from a to z, and then up to 79 of a to z, 0 to 9, - and _",
    _FINGERPRINT: "64 hexadecimal digits, with or without colons between pairs",
    _HEAP: "a whole number with m or g, such as 512m or 1g",
    _FILE_MODE: 'three octal digits that let the owner read and write, such as "640"',
    PRINTABLE: "printable characters only, so no line break",
    CATEGORY_NAME: "a letter from a to z, and then up to 39 of a to z, 0 to 9 and _",
    NOUN_WORD: "a word in small letters, such as incident",
}

IndexName = Annotated[str, Meta(pattern=_INDEX_NAME)]

FolderName = Annotated[str, Meta(min_length=1)]

PortNumber = Annotated[int, Meta(ge=0, le=65535)]

CertificateFingerprint = Annotated[str, Meta(pattern=_FINGERPRINT)]


class ServerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where Elasticsearch is. Without ``url`` the embedded server is used.

    ``url`` may list several nodes of one cluster. ``timeout`` is in seconds; ``retries`` is how
    often a call is repeated after a broken connection or a busy server. ``fingerprint`` is the
    SHA-256 of the server's certificate, or of one that signed it.
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
        """Every address; none if the embedded server is used."""
        if self.url is None:
            return ()
        addresses = self.url.split(",") if isinstance(self.url, str) else self.url
        return tuple(url.strip() for url in addresses)


class EmbeddedSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The embedded server. ``port`` 0 means the first free one; ``heap`` is in Java's notation.

    ``start_seconds`` is the longest that a start may take while it makes progress. ``user`` is the
    account it runs as when root starts it; empty means foidex's own, which is made.
    """

    heap: Annotated[str, Meta(pattern=_HEAP)] = "1g"
    port: PortNumber = 0
    start_seconds: Annotated[int, Meta(ge=1, le=86_400)] = 600
    user: str = ""


class IndexSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The index: queries use ``alias``, and every generation's name starts with it."""

    alias: IndexName = "crimes"
    shards: Annotated[int, Meta(ge=1, le=1024)] = 1
    replicas: Annotated[int, Meta(ge=0, le=10)] = 0


class CommissionerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How a requester reaches the commissioner; what is empty is as the act's own data say."""

    name: str = ""
    website: str = ""
    telephone: str = ""
    address: tuple[str, ...] = ()


class ForceSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What letters say about the force that sends them. Lists are paragraphs or lines.

    ``act`` is the act under which it answers: "uk" (England, Wales and Northern Ireland) or
    "scotland". ``exemption`` names the section of the Act under which a number is withheld,
    and ``public_interest`` how the public interest is weighed, if that section asks for it.
    ``review`` replaces the standard paragraphs about review and complaint.
    """

    name: str = "[force.name]"
    unit: str = "Information Rights"
    address: tuple[str, ...] = ("[force.address]",)
    contact: str = "[force.contact]"
    exemption: str = ""
    public_interest: str = ""
    signatory: str = "[force.signatory]"
    caveat: tuple[str, ...] = (
        "The figures are a snapshot of unpublished data from live systems and have not been "
        "audited. Records are updated as investigations go on, so the same question may have a "
        "different answer on another day.",
        "A record is counted if its text contains the words asked for. This shows that the words "
        "are present, not that they played a part in the offence, and it depends on what the "
        "recording officer wrote. Forces record crimes differently: please do not compare these "
        "figures with those of another force.",
    )
    review: tuple[str, ...] = ()
    act: Literal["uk", "scotland"] = "uk"
    commissioner: CommissionerSettings = CommissionerSettings()

    @property
    def missing_keys(self) -> tuple[str, ...]:
        """The keys without which a letter cannot be sent, and that are not set."""
        values = {
            "name": self.name,
            "unit": self.unit,
            "address": " ".join(self.address),
            "contact": self.contact,
            "signatory": self.signatory,
        }
        return tuple(
            key for key, value in values.items() if value.strip() in ("", f"[force.{key}]")
        )


class TermBookSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The force's own term book, relative to foidex.toml; its terms override the built-in ones."""

    book: str | None = None


class SourceQueries(Struct, frozen=True, forbid_unknown_fields=True):
    """The SQL for each table of a database; only ``crimes`` is required."""

    crimes: str | None = None
    victims: str | None = None
    suspects: str | None = None
    links: str | None = None
    narratives: str | None = None


class SourceOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """The column of each query of a database that orders the rows of one record."""

    victims: str | None = None
    suspects: str | None = None
    links: str | None = None
    narratives: str | None = None


class SourceSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What the nightly refresh reads: files, or a database.

    Paths are relative to foidex.toml and may be patterns. ``database`` is a SQLAlchemy URL, which
    may instead be in the file ``database_url_file``. ``order`` names a column for each query that
    needs one; without it, narratives are ordered by the ORDER BY of their query. ``watermark`` is
    the column of ``queries.crimes`` that says when a record last changed: an incremental refresh
    reads what is newer than the live generation, less ``watermark_overlap_seconds``. ``fields``
    maps the names of fields in foidex to those in the source; ``ignore`` lists fields of the source
    to leave out. ``tombstones`` are text files that list the references of deleted records, one a
    line. ``repair`` are the kinds of damage to text that are repaired when records are loaded.
    ``require`` are the small files that every file must have beside it. ``profile`` says how files
    as they come become records; without it, files have foidex's own fields.
    """

    paths: tuple[str, ...] = ()
    database: str | None = None
    database_url_file: str | None = None
    queries: SourceQueries = SourceQueries()
    order: SourceOrder = SourceOrder()
    watermark: str | None = None
    watermark_overlap_seconds: Annotated[int, Meta(ge=0, le=31_536_000)] = 3600
    tombstones: tuple[str, ...] = ()
    fields: dict[str, str] = {}
    ignore: tuple[str, ...] = ()
    repair: tuple[RepairKind, ...] = ()
    require: tuple[Literal["count", "sha256"], ...] = ()
    profile: SourceProfile | None = None

    @property
    def reference_name(self) -> str:
        """The name that the reference of a record has in the source."""
        if self.profile and "crime_ref" in self.profile.rules:
            return next(iter(self.profile.rules["crime_ref"].names), "crime_ref")
        return self.fields.get("crime_ref", "crime_ref")

    @property
    def repaired_kinds(self) -> frozenset[RepairKind]:
        """The kinds of damage to repair."""
        return frozenset(self.repair)


class RecordsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The records: ``covers`` are the days for which the index holds them, ``noun`` is what
    documents call one of them.

    A record that names a day before ``earliest`` is rejected: the day is most likely mistyped.
    """

    covers: CoverageSettings = CoverageSettings()
    noun: Noun = OFFENCE
    earliest: date = DEFAULT_EARLIEST_DAY


class OffenceSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The force's own offence codes: a table relative to foidex.toml. Its codes are added to the
    Home Office's, or with ``scheme`` "own" are all that there are."""

    table: Annotated[str, Meta(min_length=1)] | None = None
    scheme: CodeScheme = "home-office"

    @property
    def own(self) -> OwnOffences | None:
        """The table, or None if there are only the Home Office's codes."""
        return OwnOffences(Path(self.table), self.scheme) if self.table else None


class BackupSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The snapshot repository of the force's own server; the embedded server has one already."""

    repository: Annotated[str, Meta(min_length=1, max_length=200)] | None = None


class Canary(Struct, frozen=True, forbid_unknown_fields=True, rename={"min_records": "least"}):
    """A term that at least ``min_records`` records must mention if the source is complete."""

    term: str
    min_records: Annotated[int, Meta(ge=1)]


class RefreshSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The nightly refresh: the checks of a new generation, and what is kept.

    ``max_shrink_percent`` is how much smaller than the live generation the new one may be;
    ``max_month_shrink_percent`` and ``max_offence_shrink_percent``, how much of any month or of any
    offence code may be missing; and ``max_content_shrink_percent``, how much of the victims, text
    and other values that as many records had: each if that is at least ``min_lost_records``.
    ``max_decline_percent`` is how much smaller it may be than the largest of the last refreshes,
    if that is more than in one night. ``max_month_growth_percent`` is how many more records a month
    may have than once it was over, or than any other month.
    ``keep`` is the number of generations kept, including the live one. ``max_age_days`` limits the
    age of generations other than the live one, of rejects, and of backups other than the newest.
    ``lease_seconds`` is how long a refresh that died blocks the next.
    """

    keep: Annotated[int, Meta(ge=1, le=1000)] = 3
    max_age_days: Annotated[int, Meta(ge=1, le=36500)] | None = None
    max_rejects: Annotated[int, Meta(ge=0)] = 0
    max_shrink_percent: Annotated[float, Meta(ge=0, le=100)] = 1
    max_decline_percent: Annotated[float, Meta(ge=0, le=100)] = 5
    max_month_shrink_percent: Annotated[float, Meta(ge=0, le=100)] = 10
    max_month_growth_percent: Annotated[float, Meta(ge=0, le=1_000_000)] = 100
    max_offence_shrink_percent: Annotated[float, Meta(ge=0, le=100)] = 20
    max_content_shrink_percent: Annotated[float, Meta(ge=0, le=100)] = 20
    min_lost_records: Annotated[int, Meta(ge=1)] = 10
    canaries: tuple[Canary, ...] = ()
    lease_seconds: Annotated[int, Meta(ge=5, le=3600)] = 60
    report: str | None = None
    metrics: str | None = None


class TemplateSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The force's own templates, in a folder relative to foidex.toml.

    Templates that the folder lacks are taken from the built-in ones.
    """

    folder: FolderName | None = None


class AuditSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept about every query. ``folder`` is relative to foidex.toml; default: the home.

    ``log`` false writes no log. The basis of an answer, from which a replay names the records that
    changed, is kept for a scope of up to ``basis_records`` records.
    """

    folder: FolderName | None = None
    log: bool = True
    basis_records: Annotated[int, Meta(ge=0, le=1_000_000)] = 200_000


Threshold = Annotated[int, Meta(ge=0, le=100)]

Rounding = Annotated[int, Meta(ge=0, le=100)]

YoungestRule = Literal["withhold", "band", "give"]

WholeGroupsRule = Literal["warn", "withhold", "give"]

#: Counts from 1 to one less are withheld if nothing else is configured.
SAFE_THRESHOLD: Final = 5


def describe_threshold(threshold: int, usual: int) -> str:
    """That numbers below the usual threshold are given, as a reader of the answer sees it."""
    numbers = f"from {threshold} to {usual - 1}" if threshold > 1 else f"below {usual}"
    if threshold == usual - 1 > 0:
        numbers = f"of {threshold}"
    return f"numbers {numbers} are given, where usually they are withheld"


def describe_rounding(rounding: int, usual: int) -> str:
    """That numbers are rounded less than usual, or not at all."""
    if rounding > 1:
        return f"numbers are rounded to {rounding}, where usually they are rounded to {usual}"
    return f"numbers are not rounded, where usually they are rounded to {usual}"


def describe_youngest(youngest: str, usual: str) -> str:
    """That more is said of the youngest age than usual."""
    given = {"give": "given", "band": "given as a band", "withhold": "withheld"}
    return f"the youngest age is {given[youngest]}, where usually it is {given[usual]}"


class DisclosureSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What may be published of an answer. It is safe without any of this being set.

    Counts from 1 to ``threshold`` - 1 are withheld, by default those below SAFE_THRESHOLD; or every
    count is rounded to a multiple of ``rounding``. 0 turns either off. ``youngest`` says how the
    age of the youngest of few victims is shown. ``whole_groups`` says what becomes of a table of
    which one row has all and every other none: a warning for the officer, rows that are withheld,
    or nothing. Counts below ``flag`` are marked as small for the officer. ``ledger`` records
    releases: true on the server, one for the index; a text names a file, relative to foidex.toml;
    false turns it off. ``ledger_files`` are files of earlier releases that the ledger takes over.
    Whatever is less strict than the defaults needs a ``reason``, which every published answer
    states.
    """

    threshold: Threshold | None = None
    rounding: Rounding = 0
    youngest: YoungestRule = "withhold"
    whole_groups: WholeGroupsRule = "warn"
    flag: Threshold = SAFE_THRESHOLD
    ledger: str | bool = True
    ledger_files: tuple[str, ...] = ()
    reason: Annotated[str, Meta(max_length=500)] = ""

    @property
    def effective_threshold(self) -> int:
        """The threshold that applies; 0 if numbers are rounded and none is set."""
        if self.threshold is not None:
            return self.threshold
        return 0 if self.rounding else SAFE_THRESHOLD

    @property
    def minimum_group(self) -> int:
        """The smallest number of records that may be given; 0 or 1 if every number may."""
        return max(self.effective_threshold, self.rounding)

    @property
    def weaker_rules(self) -> dict[str, str]:
        """What is less strict than the defaults: in a few words, by the key that says so."""
        rules = {}
        if self.rounding and max(self.effective_threshold, self.rounding) < SAFE_THRESHOLD:
            rules["rounding"] = describe_rounding(self.rounding, SAFE_THRESHOLD)
        elif not self.rounding and self.effective_threshold < SAFE_THRESHOLD:
            rules["threshold"] = describe_threshold(self.effective_threshold, SAFE_THRESHOLD)
        if self.youngest != "withhold":
            rules["youngest"] = describe_youngest(self.youngest, "withhold")
        if self.ledger is False:
            rules["ledger"] = "no ledger of releases"
        return rules


class ListSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What a list of records may give, beside fields that put records into groups.

    ``references`` allows the references of records, ``days`` exact days. Either lets a person who
    knows of one record find its line. ``narratives`` allows masked texts, each of which a person
    has approved.
    """

    references: bool = False
    days: bool = False
    narratives: bool = False


class ReviewSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Reviews of hits: where decisions are stored, and who may decide.

    ``store`` is a file, relative to foidex.toml, or the SQLAlchemy URL of a PostgreSQL database,
    which may instead be in the file ``store_url_file``; without either, a file in the home.
    ``reviewers`` are the user names of those who may review; without any, everyone who may read
    records. A record is reserved for ``lease_minutes`` for the reviewer who opened it.
    """

    store: Annotated[str, Meta(min_length=1)] | None = None
    store_url_file: Annotated[str, Meta(min_length=1)] | None = None
    reviewers: tuple[str, ...] = ()
    lease_minutes: Annotated[int, Meta(ge=1, le=1440)] = 30


class OutputSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The mode of the documents that ``answer --out`` writes, in octal digits.

    Without it, they are for the owner and the group, less what the umask takes away.
    """

    mode: Annotated[str, Meta(pattern=_FILE_MODE)] | None = None

    @property
    def permissions(self) -> Permissions:
        """The permissions of new documents."""
        return Permissions(int(self.mode, 8), exact=True) if self.mode else DOCUMENT_PERMISSIONS


#: What someone may do in the workbench; each role includes those before it.
WorkbenchRole = Literal["reader", "reviewer", "publisher", "administrator"]


class WorkbenchProxySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A proxy that signs people in, and proves itself by a secret in a header.

    ``people`` has the role of each name that the proxy sends; nobody else may do anything.
    """

    secret_file: str
    people: dict[str, WorkbenchRole]
    user_header: str = "X-Forwarded-User"
    secret_header: str = "X-Foidex-Proxy-Secret"  # noqa: S105 - the name of a header


class WorkbenchSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the workbench finds request files, and where it is served.

    ``folder`` is relative to foidex.toml. Without a ``proxy`` it is served on loopback only, and a
    session ends after ``idle_minutes`` without a page, and the draft of a letter that nobody saved
    is forgotten after ``draft_days``. ``hosts`` are further names, with the port
    unless it is the usual one, under which a proxy is reached.
    """

    folder: FolderName = "requests"
    address: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65_535)] = 8_347
    idle_minutes: Annotated[int, Meta(ge=1, le=24 * 60)] = 60
    draft_days: Annotated[int, Meta(ge=1, le=365)] = 30
    hosts: tuple[str, ...] = ()
    proxy: WorkbenchProxySettings | None = None


class ConfigFile(Struct, frozen=True, forbid_unknown_fields=True):
    """All sections of foidex.toml."""

    server: ServerSettings = ServerSettings()
    embedded: EmbeddedSettings = EmbeddedSettings()
    index: IndexSettings = IndexSettings()
    force: ForceSettings = ForceSettings()
    terms: TermBookSettings = TermBookSettings()
    source: SourceSettings = SourceSettings()
    records: RecordsSettings = RecordsSettings()
    offences: OffenceSettings = OffenceSettings()
    refresh: RefreshSettings = RefreshSettings()
    audit: AuditSettings = AuditSettings()
    backup: BackupSettings = BackupSettings()
    categories: dict[CategoryName, Category] = {}
    templates: TemplateSettings = TemplateSettings()
    disclosure: DisclosureSettings = DisclosureSettings()
    lists: ListSettings = ListSettings()
    output: OutputSettings = OutputSettings()
    workbench: WorkbenchSettings = WorkbenchSettings()
    review: ReviewSettings = ReviewSettings()


class Settings(ConfigFile, frozen=True, kw_only=True):
    """All settings: the sections of foidex.toml, and what only the environment says.

    ``home`` is the folder of the embedded server, rejects and audit log; ``file`` is the
    foidex.toml that was read, if any, and ``secret_keys`` the settings of it that hold a password
    or a key; ``sudo_user`` is the user who ran foidex through sudo. ``home_is_named`` is true if
    FOIDEX_HOME names the home.
    """

    home: Path
    downloads: Path
    file: Path | None = None
    secret_keys: tuple[str, ...] = ()
    sudo_user: str | None = None
    home_is_named: bool = False

    @property
    def output_folder(self) -> Path:
        """The folder that the report and the metrics of a refresh are relative to.

        It is the home if FOIDEX_HOME names one, because a service may not write beside its
        foidex.toml; otherwise the folder of foidex.toml.
        """
        return self.home if self.home_is_named else self.folder

    @property
    def folder(self) -> Path:
        """The folder that paths in foidex.toml are relative to."""
        return self.file.parent if self.file else Path()

    @property
    def own_templates(self) -> Path | None:
        """The folder of the force's own templates, or None.

        Raises ConfigurationError if the folder does not exist.
        """
        if self.templates.folder is None:
            return None
        folder = self.folder / expand_path(self.templates.folder, "[templates] folder")
        if not is_folder(folder):
            raise ConfigurationError(
                f"{self.file}: [templates] folder: {folder} is not a folder. Correct the name, "
                f"or create it: foidex templates init {folder}"
            )
        return folder

    @property
    def default_review_store(self) -> Path:
        """Where the store of reviews is, unless ``[review]`` names one."""
        return (self.home / "reviews" / "reviews.sqlite").absolute()

    @property
    def audit_folder(self) -> Path:
        """The folder of the audit log and of the evidence files of answers."""
        if self.audit.folder is not None:
            return self.folder / expand_path(self.audit.folder, "[audit] folder")
        return self.home / "audit"


def expand_path(name: str, setting: str) -> Path:
    """A path, with ~ for a home folder. Raises ConfigurationError if there is no such folder."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        raise ConfigurationError(
            f"{setting} ({name}): there is no such user, or no home folder of one. Write the "
            "whole path."
        ) from None

"""A refresh: from a source to a verified, promoted generation, or to no change at all.

*Full*: a new index is filled. *Incremental*: the live generation is cloned, which copies no data,
and only the changes are applied. Either way the result is a generation of its own, so every refresh
can be undone. One refresh runs at a time, and first deletes what a failed one left half built.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

import elasticsearch
import msgspec
from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer.config.field_map import EMPTY_FIELD_MAP, FieldMap
from indexer.config.model import IndexSettings, RefreshSettings
from indexer.config.profile import SourceProfile
from indexer.errors import GenerationError, NoIndexError, SourceError
from indexer.index.coverage_search import measure_coverage, require_days_within
from indexer.index.damage_search import measure_damage
from indexer.index.erasures import collect_erasure_tombstones
from indexer.index.generations import (
    Generation,
    clear_unfinished,
    clone_generation,
    create_generation,
    discard_generation,
    find_live_name,
    find_newest_generation,
    list_earlier_sizes,
    list_unreadable,
    list_verified,
    mark_verified,
    promote_generation,
    prune_generations,
    read_live_generation,
    seal_generation,
)
from indexer.index.lock import Lease, hold_lock
from indexer.index.mapping import IndexSchema, add_category_fields, load_index_schema
from indexer.jobs.forget import apply_and_report_erasures
from indexer.jobs.links import resolve_links
from indexer.jobs.overrides import CheckOverride
from indexer.jobs.retention import find_clock_doubt
from indexer.jobs.shrinkage import ShrinkLimits, count_lost_contents
from indexer.jobs.verification import VerificationLimits, verify_generation
from indexer.loading.faults import RejectedKind
from indexer.loading.loader import change_index, check_records, fill_index
from indexer.loading.preparation import DocumentBuilder
from indexer.loading.rejected_tables import make_rejects_layout
from indexer.loading.rejects import ForgottenRecords, Rejects, list_rejects_files
from indexer.loading.tally import Tally
from indexer.loading.workers import count_workers
from indexer.progress import Progress
from indexer.records.contract import DEFAULT_EARLIEST_DAY, DayLimits, RecordContract
from indexer.records.coverage import CoverageSettings
from indexer.records.damage.kinds import NO_REPAIR, RepairKind, sort_kinds
from indexer.records.model import DELETED, KEPT_OUT
from indexer.records.narrative import MATCHING_RULE
from indexer.records.offences import load_offence_table
from indexer.sources import (
    begin_extract_checks,
    check_paths,
    measure_sources,
    paths_include_file,
    read_records,
    read_tombstones,
)
from indexer.sources.base import RawRecord
from indexer.sources.database import check_database, find_increment_start, read_database
from indexer.sources.database_connection import DatabaseSource
from indexer.sources.extract import ExtractChecks, ExtractRules, SidecarKind
from indexer.sources.profile.from_database import (
    check_profiled_database,
    read_profiled_database,
)
from indexer.terminal import name_place
from indexer.version import VERSION

RefreshMode = Literal["full", "incremental"]


class RefreshPlan(Struct, frozen=True):
    """What to read, files or a database, and how. Rejected records go to ``rejects_file``, or
    without one to a file named after the generation in ``rejects_folder``. ``covers`` are the days
    that the force declares its records to cover, ``repair`` the kinds of damage to repair,
    ``require`` the small files that must be beside each file, and ``earliest`` the first day that a
    record may name. ``profile`` says how files as they come become records. ``workers`` processes
    prepare the records; without a number, as many as suit the processors. ``find_files`` looks
    again for the files of ``paths`` and ``tombstones``, if patterns say which they are."""

    paths: tuple[Path, ...]
    rejects_folder: Path
    tombstones: tuple[Path, ...] = ()
    fields: FieldMap = FieldMap()
    rejects_file: Path | None = None
    database: DatabaseSource | None = None
    covers: CoverageSettings = CoverageSettings()
    repair: frozenset[RepairKind] = NO_REPAIR
    require: tuple[SidecarKind, ...] = ()
    profile: SourceProfile | None = None
    earliest: date = DEFAULT_EARLIEST_DAY
    workers: int | None = None
    find_files: Callable[[], tuple[Path, ...]] | None = None

    @property
    def reference_name(self) -> str:
        """The name that the reference of a record has in the source."""
        if self.profile and "crime_ref" in self.profile.rules:
            return next(iter(self.profile.rules["crime_ref"].names), "crime_ref")
        renamed = self.fields.renamed.items()
        return next((source for source, name in renamed if name == "crime_ref"), "crime_ref")

    @property
    def names(self) -> tuple[str, ...]:
        """The sources as the generation records them; a database without its credentials."""
        files = tuple(name_place(path.name) for path in (*self.paths, *self.tombstones))
        return (self.database.redacted_url, *files) if self.database else files

    @property
    def schema(self) -> IndexSchema:
        """The index's settings and mapping, with the declared categories."""
        return add_category_fields(load_index_schema(), self.fields.categories)

    def document_builder(self, current_time: datetime) -> DocumentBuilder:
        """The builder that turns raw records into documents; a record may name no later day."""
        contract = RecordContract(self.fields.categories, DayLimits(current_time, self.earliest))
        return DocumentBuilder(
            load_offence_table(),
            self.fields,
            current_time,
            contract,
            self.repair,
            workers=self.workers or count_workers(),
            columns=self._list_columns(),
        )

    def _list_columns(self) -> dict[str, tuple[str, ...]]:
        """The source's own names of fields, where they differ from ours."""
        if self.profile is None:
            return {name: (source,) for source, name in self.fields.renamed.items()}
        names = {field: rule.names for field, rule in self.profile.rules.items()}
        return {field: columns for field, columns in names.items() if columns not in ((), (field,))}


class RefreshResult(Struct, frozen=True):
    """What a refresh did. ``previous`` was live before; ``rejects`` is set if any were rejected;
    ``cleared`` and ``pruned`` are the generations it deleted: half built, or old. ``gained`` is
    how many records more than the previous one the generation holds (fewer if below 0), and
    ``lost_contents`` how many fewer have text, people or links; ``unchanged`` says that a
    refresh found the very records of the previous one. ``rejected_kinds`` counts the rejected
    records by their fault. ``clock_doubt`` says why nothing was deleted for its age.
    ``known_erasures`` are the erasures that the generations before remember."""

    generation: Generation
    previous: str | None
    reasons: tuple[str, ...] = ()
    rejects: Path | None = None
    cleared: tuple[str, ...] = ()
    pruned: tuple[str, ...] = ()
    rejected_kinds: tuple[RejectedKind, ...] = ()
    gained: int = 0
    lost_contents: dict[str, int] = {}
    unchanged: bool = False
    clock_doubt: str = ""
    known_erasures: int = 0


class LoadOptions(Struct, frozen=True):
    """How files are loaded. ``rejects_file`` replaces the file in the rejects folder;
    ``reject_invalid`` promotes even if records were rejected, ``overrides`` even if other checks
    fail. ``profile`` says how files as they come become records."""

    fields: FieldMap = EMPTY_FIELD_MAP
    rejects_file: Path | None = None
    reject_invalid: bool = False
    lease_seconds: int = 60
    covers: CoverageSettings = CoverageSettings()
    repair: frozenset[RepairKind] = NO_REPAIR
    overrides: frozenset[CheckOverride] = frozenset()
    profile: SourceProfile | None = None
    earliest: date = DEFAULT_EARLIEST_DAY
    workers: int | None = None


DEFAULT_LOAD_OPTIONS: Final = LoadOptions()


class RefreshOptions(Struct, frozen=True):
    """How a refresh is run: the configured limits, and the checks that the operator sets aside.

    ``query_for_term`` gives the Elasticsearch query of a canary's term. ``note_promotion`` is
    called with the generation as soon as it is live: the run may still fail.
    """

    settings: RefreshSettings
    query_for_term: Callable[[str], dict[str, Any]]
    mode: RefreshMode = "full"
    overrides: frozenset[CheckOverride] = frozenset()
    note_promotion: Callable[[Generation], None] | None = None


class RefreshContext(Struct, frozen=True):
    """What every step of one refresh shares. The lock is held."""

    client: Elasticsearch
    index: IndexSettings
    plan: RefreshPlan
    mode: RefreshMode
    limits: VerificationLimits
    lock: Lease
    progress: Progress


def load_files(  # noqa: PLR0913 - the rest is in the options
    client: Elasticsearch,
    index: IndexSettings,
    paths: list[Path],
    rejects_folder: Path,
    progress: Progress,
    options: LoadOptions = DEFAULT_LOAD_OPTIONS,
) -> RefreshResult:
    """Build a generation from files, verify it and promote it.

    A rejected record stops the promotion, unless the options say otherwise. Raises SourceError,
    GenerationError, LockedError or ServerError; the alias then points where it did before.
    """
    plan = RefreshPlan(
        tuple(paths),
        rejects_folder,
        fields=options.fields,
        rejects_file=options.rejects_file,
        covers=options.covers,
        repair=options.repair,
        profile=options.profile,
        earliest=options.earliest,
        workers=options.workers,
    )
    rejects_override = frozenset({CheckOverride.REJECTS} if options.reject_invalid else ())
    limits = VerificationLimits(overrides=options.overrides | rejects_override)
    with hold_lock(client, index.alias, options.lease_seconds, "load") as lock:
        return _build_and_promote(
            RefreshContext(client, index, plan, "full", limits, lock, progress)
        )


def refresh_index(
    client: Elasticsearch,
    index: IndexSettings,
    plan: RefreshPlan,
    options: RefreshOptions,
    progress: Progress,
) -> RefreshResult:
    """The nightly refresh: like ``load_files``, with the configured limits, and pruning afterwards.

    An incremental refresh needs a live generation of the same mapping: raises NoIndexError where
    nothing is live, SourceError where the mapping differs; otherwise as ``load_files``.
    """
    settings = options.settings
    limits = VerificationLimits(
        max_rejects=settings.max_rejects,
        shrink=ShrinkLimits(
            settings.max_shrink_percent,
            settings.max_month_shrink_percent,
            settings.max_offence_shrink_percent,
            settings.max_content_shrink_percent,
            settings.min_lost_records,
            max(settings.max_decline_percent, settings.max_shrink_percent),
            settings.max_month_growth_percent,
        ),
        canaries=tuple(
            (canary.term, options.query_for_term(canary.term), canary.min_records)
            for canary in settings.canaries
        ),
        overrides=options.overrides,
    )
    with hold_lock(client, index.alias, settings.lease_seconds) as lock:
        result = _build_and_promote(
            RefreshContext(client, index, plan, options.mode, limits, lock, progress)
        )
        if options.note_promotion:
            options.note_promotion(result.generation)
        doubt = find_clock_doubt(list_verified(client, index.alias), settings.max_age_days)
        days = None if doubt else settings.max_age_days
        pruned = prune_generations(client, index.alias, settings.keep, max_age_days=days)
    return msgspec.structs.replace(result, pruned=tuple(pruned), clock_doubt=doubt)


def _build_and_promote(context: RefreshContext) -> RefreshResult:
    client, index, plan = context.client, context.index, context.plan
    _check_plan_source(plan, context.mode)
    _refuse_overwriting_input(plan)
    find_live_name(client, index.alias)  # raises for an alias that could not be moved
    cleared_names = clear_unfinished(client, index.alias)
    for name in cleared_names:
        context.progress.say(f"{name}, left half built by an earlier refresh, was deleted.")
    for name in list_unreadable(client, index.alias):
        context.progress.say(f"{name} was not built by this foidex, and is left as it is.")
    live = _find_base_generation(context)
    checks = _begin_source_checks(plan, context.limits.overrides)
    with _clear_on_failure(context) as new_names:
        generation = _make_empty_generation(context, live)
        new_names.append(generation.name)
        _warn_about_clock(context.progress, live, generation)
        erased = collect_erasure_tombstones(client, index.alias)
        rejects = Rejects(
            plan.rejects_file or plan.rejects_folder / f"{generation.name}.jsonl",
            keep=plan.rejects_file is None,
            layout=make_rejects_layout(plan.profile) if plan.profile else None,
            forgotten=ForgottenRecords(frozenset(erased), plan.reference_name),
        )
        tally = _fill_generation(context, generation, live, rejects, checks)
        _require_records(plan, context.mode, tally)
        generation = _set_generation_counts(generation, tally)
        generation = resolve_links(client, generation, tally, load_offence_table())
        context.progress.say("Merging and checking.")
        generation = seal_generation(client, generation, index.replicas)
        coverage = measure_coverage(
            client, generation.name, plan.covers, generation.built_at.date()
        )
        cut = tally.damage.cut.find_limits()
        if live and live.damage and context.mode == "incremental":
            cut = cut or live.damage.cut
        damage = measure_damage(client, generation.name, plan.repair, cut)
        generation = msgspec.structs.replace(generation, coverage=coverage, damage=damage)
        generation = _set_earlier_sizes(generation, live, context.limits)
        overrides_used = verify_generation(client, generation, live, context.limits, tally, rejects)
        if context.mode == "incremental":
            limits = DayLimits(generation.built_at, plan.earliest)
            require_days_within(client, generation.name, limits)
        generation = _set_overrides(generation, tuple(sorted({*overrides_used, *checks.failed})))
        context.lock.check()
        lost = count_lost_contents(client, generation, live, context.limits.shrink)
        replaced = find_live_name(client, index.alias)
        generation = mark_verified(client, msgspec.structs.replace(generation, replaced=replaced))
        previous = promote_generation(client, index.alias, generation)
    return RefreshResult(
        generation,
        previous,
        tuple(tally.reasons),
        rejects.path if tally.rejected else None,
        tuple(cleared_names),
        rejected_kinds=tally.faults.list_kinds(),
        gained=generation.records - live.records if live else 0,
        lost_contents=lost,
        unchanged=_holds_same_records(generation, live),
        known_erasures=len(erased),
    )


def _holds_same_records(generation: Generation, live: Generation | None) -> bool:
    """Whether a generation has the very records of the live one, as where no new extract came."""
    return live is not None and (generation.records, generation.content_hash) == (
        live.records,
        live.content_hash,
    )


def _set_earlier_sizes(
    generation: Generation, live: Generation | None, limits: VerificationLimits
) -> Generation:
    """The sizes to compare with; a load by hand, which is not compared, starts a new list."""
    is_compared = live is not None and limits.shrink.decline_percent is not None
    sizes = list_earlier_sizes(live) if live and is_compared else ()
    return msgspec.structs.replace(generation, earlier_sizes=sizes)


def _set_overrides(generation: Generation, overrides: tuple[str, ...]) -> Generation:
    """What the operator allowed; a shrinkage among it is not counted again in later refreshes."""
    if {CheckOverride.SHRINK, CheckOverride.DECLINE} & {*overrides}:
        generation = msgspec.structs.replace(generation, earlier_sizes=())
    return msgspec.structs.replace(generation, overrides=overrides)


def _warn_about_clock(progress: Progress, live: Generation | None, generation: Generation) -> None:
    """Say that the clock of this machine, or that of the last refresh, is or was wrong."""
    if live and live.built_at > generation.built_at + timedelta(days=1):
        progress.warn(
            f"The clock of this machine says {generation.built_at:%Y-%m-%d %H:%M} UTC, but "
            f"{live.name} was built at {live.built_at:%Y-%m-%d %H:%M} UTC. Check the clock: "
            "records of days after tomorrow are rejected."
        )


def _begin_source_checks(plan: RefreshPlan, overrides: frozenset[CheckOverride]) -> ExtractChecks:
    rules = ExtractRules(plan.require, frozenset(map(str, overrides)))
    return begin_extract_checks(plan.paths, plan.tombstones, rules)


def _make_empty_generation(context: RefreshContext, live: Generation | None) -> Generation:
    """The index to fill: a new one, or a clone of the live one for an incremental refresh."""
    client, index, plan = context.client, context.index, context.plan
    if context.mode == "incremental" and live:
        return clone_generation(client, index, live, VERSION, plan.names)
    return create_generation(
        client, index, plan.schema, VERSION, plan.names, tuple(plan.fields.categories)
    )


def _require_records(plan: RefreshPlan, mode: RefreshMode, tally: Tally) -> None:
    """Raise SourceError for a whole extract without any record; an increment may have none.

    One from a database reads all records, or at least the one that changed last.
    """
    if tally.read == tally.skipped and (mode == "full" or plan.database):
        raise _describe_no_records(plan, mode)


def _describe_no_records(plan: RefreshPlan, mode: RefreshMode) -> SourceError:
    location = plan.names[0] if plan.database else ", ".join(map(str, plan.paths))
    fault = f"{location}: there are no records"
    if mode == "incremental":
        return SourceError(
            f"{fault} that changed, not even the last one that is in the index. Check that the "
            "database is the right one, and has its records. If that record was deleted there, run "
            "a full refresh: foidex refresh --full"
        )
    return SourceError(f"{fault}. Check the {'query' if plan.database else 'path'}.")


def _set_generation_counts(generation: Generation, tally: Tally) -> Generation:
    return msgspec.structs.replace(
        generation,
        read=tally.read,
        indexed=tally.indexed,
        rejected=tally.rejected,
        deleted=tally.deleted,
        late=tally.late,
        unchanged=tally.unchanged,
        kept_out=tally.kept_out,
        skipped=tally.skipped,
        skipped_by=dict(tally.skipped_by.most_common(100)),
        notes=dict(tally.notes.most_common(100)),
        records=tally.records,
        tombstones=tally.tombstones,
        watermark=tally.watermark,
        unknown_codes=dict(tally.unknown_codes.most_common(100)),
        codes_outside_validity=dict(tally.codes_outside_validity.most_common(100)),
    )


def _find_base_generation(context: RefreshContext) -> Generation | None:
    """The live generation, which knows what was forgotten; for a full refresh the newest one that
    is kept where none is live, and None where there is none at all."""
    incremental = context.mode == "incremental"
    try:
        live = read_live_generation(context.client, context.index.alias)
    except NoIndexError:
        if incremental:
            raise
        return find_newest_generation(context.client, context.index.alias)
    if incremental and live.mapping_hash != context.plan.schema.hash:
        raise SourceError(
            f"{live.name} was built with another mapping or other categories, so it cannot be "
            "changed, only rebuilt. Run a full refresh: foidex refresh --full"
        )
    if incremental and live.counting_rule != MATCHING_RULE:
        raise SourceError(
            f"the text of {live.name} was cut by version {live.counting_rule} of the matching "
            f"rule, and this foidex has version {MATCHING_RULE}, so an increment would mix the "
            "two. Run a full refresh: foidex refresh --full"
        )
    if incremental and live.offence_table != load_offence_table().fingerprint:
        raise SourceError(
            f"{live.name} was built with another table of offence codes, so an increment would "
            "count some of its codes differently. Run a full refresh: foidex refresh --full"
        )
    if incremental and live.damage and live.damage.repair != sort_kinds(context.plan.repair):
        raise SourceError(
            f"{live.name} was built with another repair in [source], so an increment would leave "
            "part of its text as it is. Run a full refresh: foidex refresh --full"
        )
    if not incremental:
        return live
    # It may have been restored from a backup that is older than an erasure.
    return apply_and_report_erasures(
        context.client, context.index.alias, live, context.lock, context.progress.say
    )


def _fill_generation(
    context: RefreshContext,
    generation: Generation,
    live: Generation | None,
    rejects: Rejects,
    checks: ExtractChecks,
) -> Tally:
    client, plan, alias = context.client, context.plan, context.index.alias
    builder = plan.document_builder(generation.built_at)
    total = None if plan.database else measure_sources(plan.paths)
    since = None
    if plan.database and live and generation.mode == "incremental":
        since = find_increment_start(plan.database, live.watermark, live.built_at)
        if since is None:
            context.progress.say(
                "Nothing says which records of the database changed, so all of them are read and "
                "compared. Those that were deleted there stay: foidex refresh --full drops them."
            )
    with (
        context.progress.bar("Loading records", total=total) as advance,
        closing(_read_plan_records(plan, context.mode, checks, since)) as source_records,
    ):
        raws = _track_progress(source_records, advance)
        if generation.mode == "full" or live is None:
            tally = Tally(tombstones=_copy_erasure_tombstones(client, alias, generation.name))
            return fill_index(client, generation.name, raws, builder, rejects, tally)
        start = Tally(
            records=live.records,
            tombstones=live.tombstones,
            content=int(live.content_hash, 16),
            watermark=live.watermark,
            bare_links=live.unresolved_links,
            changed=[],
        )
        # The clock may have been put back since the live generation was built.
        clock = max(generation.built_at, live.built_at)
        limits = DayLimits(clock, plan.earliest)
        builder = msgspec.structs.replace(builder, latest_stored_time=limits.latest_time)
        return change_index(client, generation.name, raws, builder, rejects, start)


def _copy_erasure_tombstones(client: Elasticsearch, alias: str, new_index: str) -> int:
    """Copy the tombstones of forgotten records, whichever generation remembers them, into a new
    index; returns their number."""
    tombstones = collect_erasure_tombstones(client, alias)
    for reference, tombstone in tombstones.items():
        client.index(index=new_index, id=reference, document={**tombstone, "place": KEPT_OUT})
    return len(tombstones)


def _check_plan_source(plan: RefreshPlan, mode: RefreshMode) -> None:
    """Raise SourceError or ConfigurationError for a source that cannot be read, before building."""
    check_paths(plan.paths, plan.profile)
    if plan.database and plan.profile:
        check_profiled_database(plan.database, plan.profile)
    elif plan.database:
        check_database(plan.database, plan.fields, incremental=mode == "incremental")


def _read_plan_records(
    plan: RefreshPlan, mode: RefreshMode, checks: ExtractChecks, since: datetime | None = None
) -> Generator[RawRecord]:
    """Every record of the source. Raises SourceError, also for files that changed meanwhile, and
    for a database that gives none, whatever deletions are beside it."""
    counts: Counter[Path] = Counter()
    try:
        yield from read_records(plan.paths, plan.fields, counts, plan.profile)
        if plan.database:
            has_records = False
            for row in _read_plan_database(plan, plan.database, since):
                has_records = has_records or _shows_records(row, since)
                yield row
            if not has_records:
                raise _describe_no_records(plan, mode)
        for path in plan.tombstones:
            yield from read_tombstones(path, counts)
    except SourceError:
        checks.check_unchanged()  # a file that was cut while it was read is damaged, too
        raise
    checks.check_unchanged()
    if plan.find_files and "changed" not in checks.failed:  # of files that are gone, enough is said
        checks.check_no_more_files((*plan.paths, *plan.tombstones), plan.find_files())
    checks.check_counts(counts)


def _shows_records(row: RawRecord, since: datetime | None) -> bool:
    """Whether a row of a database shows that its records are there.

    A deletion alone does not. An increment that begins at a time reads the row of the newest record
    again; rows without a time are read every night, and show nothing of the others.
    """
    if row.blank or not isinstance(row.raw, dict):
        return False
    if since is not None:
        return row.raw.get("updated_at") is not None
    return row.raw.get("status") != DELETED


def _read_plan_database(
    plan: RefreshPlan, database: DatabaseSource, since: datetime | None
) -> Iterator[RawRecord]:
    if plan.profile:
        return read_profiled_database(database, plan.profile, plan.fields.categories)
    return read_database(database, plan.fields, since)


def check_plan(
    plan: RefreshPlan,
    mode: RefreshMode = "full",
    overrides: frozenset[CheckOverride] = frozenset(),
) -> Tally:
    """Read and check the whole source, and write nothing.

    Raises SourceError, also for a whole extract (mode full) or a database without any record.
    """
    _check_plan_source(plan, mode)
    checks = _begin_source_checks(plan, overrides)
    with closing(_read_plan_records(plan, mode, checks)) as raws:
        builder = plan.document_builder(datetime.now(UTC))
        tally = check_records(raws, builder, unique=mode == "full")
    _require_records(plan, mode, tally)
    return tally


@contextmanager
def _clear_on_failure(context: RefreshContext) -> Iterator[list[str]]:
    """Delete what was built when anything fails, from making the index to promoting it.

    Yields a list that takes the names of the indices that were made.
    """
    client, alias = context.client, context.index.alias
    new_names: list[str] = []
    try:
        yield new_names
    except BaseException:
        try:
            clear_unfinished(client, alias)
            for name in new_names:
                discard_generation(client, alias, name)
        except (elasticsearch.ApiError, elasticsearch.TransportError, GenerationError):
            context.progress.say(
                "What was built cannot be deleted now; the next refresh will do it."
            )
        raise


def _refuse_overwriting_input(plan: RefreshPlan) -> None:
    """Raise SourceError where rejected records would overwrite records to be read."""
    if plan.rejects_file is None:
        return
    if plan.rejects_file.is_dir():
        raise SourceError(f"{plan.rejects_file}: is a folder. Choose a file with --rejects.")
    for file in list_rejects_files(plan.rejects_file, tables=plan.profile is not None):
        if paths_include_file(plan.paths, file):
            raise SourceError(
                f"{file}: is read by this load, and the rejected records would overwrite it. "
                "Choose another file with --rejects."
            )


def _track_progress(
    raws: Iterator[RawRecord], advance: Callable[[float], None]
) -> Iterator[RawRecord]:
    pending_bytes = 0
    for number, raw in enumerate(raws, start=1):
        yield raw
        pending_bytes += raw.size
        if number % 1_000 == 0:
            advance(pending_bytes)
            pending_bytes = 0
    advance(pending_bytes)

"""Checks of the index: its live generation, half-built ones, the refresh lock, and the backups."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from elasticsearch import Elasticsearch

from indexer.config.model import Settings
from indexer.doctor.finding import Finding, Findings
from indexer.errors import NoIndexError
from indexer.files import is_there
from indexer.index.backups import (
    EMBEDDED_REPOSITORY,
    MISSING_FOLDER_ADVICE,
    check_repository,
)
from indexer.index.erasures import find_unknown_erasures
from indexer.index.generations import (
    describe_future_build,
    find_newest_generation,
    list_unfinished,
    list_unreadable,
    list_verified,
    read_live_generation,
    require_whole_generation,
)
from indexer.index.lock import read_lock
from indexer.index.mapping import add_category_fields, load_index_schema
from indexer.records.categories import Categories
from indexer.records.damage.kinds import (
    CUT_ADVICE,
    advise_repair,
    describe_cut_texts,
    describe_without_text,
    list_damage_counts,
)
from indexer.records.narrative import MATCHING_RULE
from indexer.records.offences import load_offence_table
from indexer.server.embedded.home import BACKUPS_FOLDER

#: How many records a finding names.
_NAMED: Final = 5


def _describe_absence(client: Elasticsearch, alias: str) -> Finding:
    if newest_generation := find_newest_generation(client, alias):
        return Finding(
            "generation",
            "problem",
            f"no generation is live, though {newest_generation.name} is kept.",
            f"Make it live: foidex rollback {newest_generation.name}",
        )
    return Finding(
        "generation",
        "warning",
        "nothing has been loaded yet.",
        "Run: foidex refresh (from the source in foidex.toml) or foidex load PATH. After a loss, "
        "run foidex restore first: a new index does not know which records were forgotten.",
    )


def check_live_generation(client: Elasticsearch, alias: str, categories: Categories) -> Findings:
    """Whether a generation is live, is not of a time to come, and has the mapping of this version
    with these categories."""
    try:
        live = read_live_generation(client, alias)
    except NoIndexError:
        yield _describe_absence(client, alias)
        return
    if fault := describe_future_build(live):
        yield Finding(
            "generation",
            "warning",
            f"{fault}, so nobody notices when it is too old.",
            "Correct the clock that is wrong, then run a refresh.",
        )
    if live.mapping_hash != add_category_fields(load_index_schema(), categories).hash:
        yield Finding(
            "generation",
            "warning",
            f"{live.name} was built with another mapping than this foidex has.",
            "Run a full refresh: foidex refresh --full",
        )
    elif live.counting_rule != MATCHING_RULE:
        yield Finding(
            "generation",
            "warning",
            f"the text of {live.name} was cut by version {live.counting_rule} of the matching "
            f"rule, and this foidex has version {MATCHING_RULE}.",
            "Run a full refresh: foidex refresh --full",
        )
    elif live.offence_table != load_offence_table().fingerprint:
        yield Finding(
            "generation",
            "warning",
            f"{live.name} was built with another table of offence codes than this foidex has.",
            "Run a full refresh: foidex refresh --full",
        )
    else:
        yield Finding(
            "generation",
            "ok",
            f"{live.name} is live, with {live.records:,} records and the mapping of this foidex.",
        )


def check_record_count(client: Elasticsearch, alias: str) -> Findings:
    """Nothing, or an error where this user does not see every record of the live generation."""
    with suppress(NoIndexError):
        require_whole_generation(client, alias)
    yield from ()


#: What to do about records without any text.
_TEXT_ADVICE: Final = "If they should have some, correct the export, and run a full refresh."


def check_text_damage(client: Elasticsearch, alias: str) -> Findings:
    """Whether the text of the live generation is damaged."""
    try:
        live = read_live_generation(client, alias)
    except NoIndexError:
        return
    damage = live.damage
    if damage is None:
        yield Finding(
            "text",
            "warning",
            f"{live.name} was built by an earlier foidex, which did not look for damaged text.",
            "Run a full refresh: foidex refresh --full",
        )
        return
    if damage.cut:
        yield Finding("text", "warning", describe_cut_texts(damage.cut), CUT_ADVICE)
    if without_text := describe_without_text(damage.without_text, live.records):
        yield Finding("text", "warning", without_text, _TEXT_ADVICE)
    if damage.damaged:
        yield Finding(
            "text",
            "warning",
            f"the text of {damage.damaged:,} of {live.records:,} records is damaged, and a term in "
            f"it may not be found: {list_damage_counts(damage.kinds)}.",
            advise_repair(damage.kinds, damage.repair),
        )
    elif damage.repaired:
        yield Finding(
            "text",
            "ok",
            f"damaged text was repaired in {damage.repaired:,} of {live.records:,} records: "
            f"{list_damage_counts(damage.repaired_kinds)}.",
        )
    elif not damage.cut and not without_text:
        yield Finding("text", "ok", "no record has damaged text.")


def check_erasures(client: Elasticsearch, alias: str) -> Findings:
    """Whether a generation, such as one of an older backup, holds records that another one knows to
    be forgotten; says nothing if none does."""
    for generation in list_verified(client, alias):
        returned = sorted(find_unknown_erasures(client, alias, generation.name).returned)
        if returned:
            others = f" and {len(returned) - _NAMED:,} more" if len(returned) > _NAMED else ""
            yield Finding(
                "erasures",
                "problem",
                f"{generation.name} holds records that were forgotten, as another generation "
                f"remembers: {', '.join(returned[:_NAMED])}{others}.",
                "Run for each: foidex forget REFERENCE. If it was let back since, and an older "
                "backup was restored: foidex forget REFERENCE --undo",
            )


def check_foreign_indices(client: Elasticsearch, alias: str) -> Findings:
    """Whether an index is named like a generation and is none; says nothing if none is."""
    if names := list_unreadable(client, alias):
        yield Finding(
            "foreign indices",
            "warning",
            f"{', '.join(names)} is named like a generation, but was not built by this foidex.",
            "It is not used, and foidex forget refuses while it is there. Delete it on the server.",
        )


def check_unfinished_generations(client: Elasticsearch, alias: str) -> Findings:
    """Whether a refresh that died left a generation half built."""
    generation_names = list_unfinished(client, alias)
    if generation_names and read_lock(client, alias) is None:
        yield Finding(
            "unfinished",
            "warning",
            f"{', '.join(generation_names)} was left half done by a refresh or restore that died.",
            "The next refresh or restore clears it.",
        )
    elif generation_names:
        yield Finding("unfinished", "ok", f"{', '.join(generation_names)} is being built.")
    else:
        yield Finding("unfinished", "ok", "no generation is half built.")


def check_refresh_lock(client: Elasticsearch, alias: str) -> Findings:
    """Whether a refresh is running."""
    lock = read_lock(client, alias)
    if lock is None:
        yield Finding("lock", "ok", "nothing that changes the index is running.")
    else:
        yield Finding(
            "lock",
            "ok",
            f"a {lock.work} has been running since {lock.since:%Y-%m-%d %H:%M:%S} UTC, on "
            f"{lock.holder.partition('@')[2]}.",
        )


def check_backup_repository(client: Elasticsearch, settings: Settings) -> Findings:
    """Whether backups can be made, and which is the newest."""
    configured_name = settings.backup.repository
    if configured_name is None and settings.server.urls:
        yield Finding("backups", "ok", "no repository is named in foidex.toml, so there are none.")
        return
    folder = settings.home / BACKUPS_FOLDER
    if configured_name is None and not is_there(folder):
        yield Finding(
            "backups",
            "problem",
            f"{folder} is missing, so the embedded server can make no backup.",
            MISSING_FOLDER_ADVICE,
        )
        return
    if configured_name is None and EMBEDDED_REPOSITORY not in client.snapshot.get_repository().body:
        yield Finding(
            "backups",
            "ok",
            "there are none yet; the first one makes the embedded server's repository.",
        )
        return
    repository = configured_name or EMBEDDED_REPOSITORY
    stored_backups, use = check_repository(client, settings.index.alias, repository)
    if use == "read-only":
        yield Finding(
            "backups",
            "warning",
            f'repository "{repository}" is registered as read-only, so no backup can be made.',
            "Register it without readonly, unless this server only restores.",
        )
        return
    access = (
        "used" if use == "written" else "read (this user may not ask whether it can be written)"
    )
    newest = next(
        (f"{backup.taken_at:%Y-%m-%d %H:%M} UTC" for backup in stored_backups if backup.complete),
        None,
    )
    summary = f"the newest complete one is of {newest}" if newest else "it has no complete one yet"
    yield Finding("backups", "ok", f'repository "{repository}" can be {access}; {summary}.')

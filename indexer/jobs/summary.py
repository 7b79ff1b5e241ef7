"""Summarises a refresh for a person, in a few lines."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Final

from indexer.audit import AUDIT_LOG_NAME
from indexer.audit.archive import count_erased_records
from indexer.audit.log import AuditLog
from indexer.errors import BrokenChainError
from indexer.index.generations import Generation
from indexer.jobs.refresh import RefreshResult
from indexer.loading.faults import describe_records, list_kinds
from indexer.loading.tally import Tally
from indexer.records.coverage import Coverage, list_month_spans
from indexer.records.damage.kinds import (
    CUT_ADVICE,
    TextDamage,
    advise_repair,
    describe_cut_texts,
    describe_without_text,
    list_damage_counts,
)
from indexer.sources.profile.grouping import JOINED
from indexer.sources.profile.reading import CONTINUED
from indexer.terminal import count_noun

#: So many offence codes are named.
_MAX_CODES: Final = 3

_MAX_SPANS: Final = 12

#: So many years without a record set others apart.
_LONE_YEARS: Final = 5


def summarise_refresh(
    result: RefreshResult, audit_folder: Path | None = None, alias: str = ""
) -> list[str]:
    """What a refresh did, in lines for a person; with the folder of the audit log, also which of
    its erasures a new index, that of the alias, lacks."""
    generation = result.generation
    changes = ""
    if generation.mode == "incremental":
        changes = (
            f" {generation.deleted:,} deleted, {generation.unchanged:,} unchanged, "
            f"{generation.late:,} older than held; it holds {generation.records:,} records."
        )
    lines = [
        f"{generation.name} is live: {generation.read:,} records read, "
        f"{generation.indexed:,} indexed, {generation.rejected:,} rejected.{changes}"
    ]
    lines += describe_skipped(generation.skipped, generation.skipped_by)
    lines += describe_notes(generation.notes)
    lines += list_kinds(result.rejected_kinds)
    if result.rejects:
        lines.append(f"Rejected records are in {result.rejects}, their reasons beside it.")
    if generation.kept_out:
        lines.append(
            f"Records kept out because they were forgotten: {generation.kept_out:,}. "
            "Delete them at the source. To take one in again: foidex forget REF --undo, then "
            "foidex refresh."
        )
    if generation.unknown_codes:
        lines.append(
            f"{describe_unknown_codes(generation.unknown_codes)} Only the class of their category "
            "covers them."
        )
    if generation.unresolved_links:
        lines.append(
            f"Links without a code to a record that is not in the index: "
            f"{generation.unresolved_links:,}."
        )
    lines += describe_coverage_found(generation)
    if generation.damage:
        lines += describe_damage_found(generation.damage, generation.records)
    advice = f"Warning: {result.clock_doubt}. If it is right: foidex prune --trust-clock"
    lines += [advice] if result.clock_doubt else []
    if generation.overrides:
        lines.append(f"Checks that were overridden: {', '.join(generation.overrides)}.")
    lines += _describe_previous_generation(result)
    if result.pruned:
        lines.append(f"Old generations that were deleted: {', '.join(result.pruned)}.")
    return lines + _describe_lost_erasures(result, audit_folder, alias)


def _describe_lost_erasures(
    result: RefreshResult, audit_folder: Path | None, alias: str
) -> list[str]:
    """That the audit log notes erasures of which a new index knows nothing, as after a loss; empty
    if it was not new, or knows of some."""
    if audit_folder is None or result.previous or result.known_erasures:
        return []
    try:
        counts = count_erased_records(AuditLog(audit_folder / AUDIT_LOG_NAME), alias)
    except BrokenChainError:  # foidex audit verify says so
        return []
    lines = []
    if counts.own:
        unnamed = (
            f" (for {counts.unnamed:,} it does not say from which index)" if counts.unnamed else ""
        )
        lines.append(
            f"This index is new and knows of no erasure, but the audit log notes those of "
            f"{describe_records(counts.own)}{unnamed}. What the source still has of them is back. "
            "Bring back a backup from after the erasures (foidex restore), then refresh again; or "
            "run for each: foidex forget REFERENCE"
        )
    if counts.others:
        lines.append(
            f"The audit log notes erasures of {describe_records(counts.others)} from indices of "
            "another name. Only if this source has the same records, run for each: foidex forget "
            "REFERENCE"
        )
    return lines


def describe_older_backup(audit_folder: Path, alias: str, known_erasures: int) -> str:
    """That the audit log notes more erasures than the backup from which all was restored knows of;
    empty if it does not."""
    try:
        counts = count_erased_records(AuditLog(audit_folder / AUDIT_LOG_NAME), alias)
    except BrokenChainError:  # foidex audit verify says so
        return ""
    if counts.own <= known_erasures:
        return ""
    return (
        f"The audit log notes erasures of {describe_records(counts.own)}, and the backup knows of "
        f"{known_erasures:,}. What was erased after it was taken is back. Run for each: foidex "
        "forget REFERENCE"
    )


def _describe_previous_generation(result: RefreshResult) -> list[str]:
    lines = []
    is_kept = result.previous not in result.pruned
    undoing = "; foidex rollback undoes it" if is_kept else ""
    previous = result.previous or "the newest generation that is kept"
    if result.lost_contents:
        contents = ", ".join(
            f"{count:,} {content}" for content, count in result.lost_contents.items()
        )
        lines.append(
            f"Fewer than in {previous}, besides those that are gone: {contents}. If that is "
            f"unexpected, check that every table is whole{undoing}."
        )
    if result.gained < 0:
        lines.append(
            f"It holds {describe_records(-result.gained)} fewer than {previous}. If that "
            f"is unexpected, check that the source is whole{undoing}."
        )
    if result.gained > 0:
        lines.append(f"It holds {describe_records(result.gained)} more than {previous}.")
    if result.unchanged:
        advice = (
            "If a new extract was due, check that it came."
            if result.generation.mode == "full"
            else "If changes were due, check that the source has them."
        )
        lines.append(f"Its records are those of {previous}, without any change. {advice}")
    if result.previous and is_kept:
        lines.append(f"{result.previous} was live before and is kept.")
    elif result.previous:
        lines.append(
            f"{result.previous} was live before and is not kept, because of keep or max_age_days "
            "under [refresh], so foidex rollback cannot make it live again."
        )
    return lines


def describe_coverage_found(generation: Generation) -> list[str]:
    """The days that a generation covers, and what is odd about them, in lines for a person."""
    coverage = generation.coverage
    if coverage is None:
        return []
    source = "as declared"
    if coverage.inferred:
        ends = " and ".join({"from": "first", "to": "last"}[end] for end in coverage.inferred)
        source = f"inferred from the {ends} record; to declare it, set covers in [records]"
    lines = [f"It covers {coverage.start} to {coverage.end} ({source})."]
    if coverage.empty_months:
        spans, unlisted = list_empty_months(coverage)
        rest = f" and {unlisted:,} more periods" if unlisted else ""
        number = f"{len(coverage.empty_months):,}"
        lines.append(f"Months without any record ({number}): {', '.join(spans)}{rest}.")
    if coverage.outside:
        lines.append(
            "Some records are of days that covers in [records] leaves out. Their days print as not "
            "covered, and totals count them. Correct covers, or the records."
        )
    return lines


def list_empty_months(coverage: Coverage) -> tuple[list[str], int]:
    """The months without any record as spans ("2018-06 to 2018-11"): the first of them, and how
    many more there are."""
    spans = [span.format("%Y-%m") for span in list_month_spans(coverage.empty_months)]
    return spans[:_MAX_SPANS], max(len(spans) - _MAX_SPANS, 0)


def describe_damage_found(damage: TextDamage, records: int) -> list[str]:
    """The damage to the text of records, and what was repaired, in lines for a person."""
    lines = []
    if damage.repaired:
        lines.append(
            f"Damaged text was repaired in {damage.repaired:,} of {records:,} records: "
            f"{list_damage_counts(damage.repaired_kinds)}."
        )
    if damage.damaged:
        lines.append(
            f"The text of {damage.damaged:,} of {records:,} records is damaged, and a term in it "
            f"may not be found: {list_damage_counts(damage.kinds)}. "
            f"{advise_repair(damage.kinds, damage.repair)}"
        )
    if damage.cut:
        lines.append(f"{describe_cut_texts(damage.cut)} {CUT_ADVICE}")
    if without_text := describe_without_text(damage.without_text, records):
        lines.append(without_text)
    return lines


def describe_skipped(number: int, skipped_by: Mapping[str, int]) -> list[str]:
    """The lines and rows that are no records, in lines for a person: blank ones, and others by the
    rule that skips them."""
    blank = number - sum(skipped_by.values())
    lines = [f"Of what was read, {blank:,} blank lines or rows were skipped."] if blank else []
    return lines + [
        f"Of what was read, {count_noun(count, 'row was', 'rows were')} "
        f"{'joined to another' if rule in (JOINED, CONTINUED) else 'skipped'}: {rule}."
        for rule, count in skipped_by.items()
    ]


def describe_days(tally: Tally, today: date) -> list[str]:
    """The first and the last day of each field with a date, and which years stand alone, in lines
    for a person: a wrong form or calendar of dates shows there."""
    lines = []
    if tally.first_day and tally.last_day:
        lines.append(f"recorded_on is from {tally.first_day} to {tally.last_day}.")
        if tally.last_day > today:
            lines.append(f"The last day is after today, {today}. Check the form of the dates.")
    if tally.first_update and tally.watermark:
        first, last = tally.first_update.date(), tally.watermark.date()
        lines.append(f"updated_at is from {first} to {last}.")
    years = sorted(tally.years)
    for earlier, later in pairwise(years):
        if later - earlier > _LONE_YEARS:
            number = sum(count for year, count in tally.years.items() if year <= earlier)
            others = sum(tally.years.values()) - number
            few, side = (
                (number, f"{earlier} or before")
                if number <= others
                else (others, f"{later} or after")
            )
            lines.append(
                f"{count_noun(few, 'record is', 'records are')} of {side}, and none of the "
                f"{later - earlier - 1:,} years between {earlier} and {later}. Check the dates."
            )
    return lines


def describe_notes(notes: Mapping[str, int]) -> list[str]:
    """What the profile did to the records that is worth knowing, each with its number."""
    return [f"{count_noun(count, 'time', 'times')}: {note}." for note, count in notes.items()]


def describe_unknown_codes(codes: dict[str, int]) -> str:
    """The offence codes that are not in the table, each with its number of records."""
    counts = ", ".join(f"{code} ({number:,})" for code, number in codes.items())
    return f"Offence codes not in the table: {counts}."


def describe_codes_outside_validity(codes: Mapping[str, int], total: int) -> str:
    """How many of the records are from before or after the known days of their code."""
    records = f"{sum(codes.values()):,} of {count_noun(total, 'record is', 'records are')}"
    ranked = sorted(codes.items(), key=lambda entry: (-entry[1], entry[0]))
    listing = ", ".join(f"{code} {number:,}" for code, number in ranked[:_MAX_CODES])
    more = f" and {len(codes) - _MAX_CODES:,} more" if len(codes) > _MAX_CODES else ""
    return (
        f"{records} from before or after the known days of their offence code ({listing}{more}), "
        "and counted like others. Check dates and codes if these are many; the days of a code: "
        f"foidex offences {ranked[0][0]}"
    )

"""TODO: say what indexer.jobs.summary is for."""

from __future__ import annotations

from indexer.jobs.refresh import RefreshResult


def summarise_refresh(result: RefreshResult) -> list[str]:
    """What a refresh did, in lines for a person."""
    generation = result.generation
    changes = ""
    if generation.mode == "incremental":
        changes = (
            f" {generation.deleted:,} deleted, {generation.unchanged:,} unchanged, {generation.late:,} older than held;"
            f" it holds {generation.records:,} records."
        )
    lines = [
        f"{generation.name} is live: {generation.read:,} records read, {generation.indexed:,} indexed, "
        f"{generation.rejected:,} rejected.{changes}"
    ]
    if result.rejects:
        lines.append(f"Rejected records are in {result.rejects}, their reasons beside it.")
    if generation.kept_out:
        lines.append(
            f"Records that were kept out, as they were forgotten here: {generation.kept_out:,}. Delete "
            "them at the source; or, to have one back: foidex forget REF --undo, and refresh."
        )
    if generation.unknown_codes:
        codes = ", ".join(
            f"{code} ({number:,})" for code, number in generation.unknown_codes.items()
        )
        lines.append(
            f"Offence codes not in the table: {codes}. No class but their category's covers them."
        )
    if generation.unresolved_links:
        lines.append(
            f"{generation.unresolved_links:,} links name a record that is not held, and no code."
        )
    if generation.overrides:
        lines.append(f"Checks that were overridden: {', '.join(generation.overrides)}.")
    if result.previous:
        lines.append(f"{result.previous} was live before and is kept.")
    if result.pruned:
        lines.append(f"Deleted as old: {', '.join(result.pruned)}.")
    return lines

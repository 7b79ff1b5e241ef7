"""The statement about a forgotten record: what held it, was removed, and may still hold it."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from msgspec import Struct

from indexer.loading.rejects import RejectsErasure

NOT_REACHED: Final = (
    "the source: delete the record there; a version of it that is newer than this comes back",
    "the text of other records, and their links, which may name it",
    "answers, letters and listings that were made from it, and rejects files named with --rejects",
    "the evidence files in audit/basis: its reference, date and codes, and hashes of its text",
    "the store of reviews: its reference, hashes of its text, and what was decided",
    "copies of disk, repository or files, and what the file system has not yet written over",
)

RecordPresence = Literal["record", "tombstone", "forgotten", "kept out", "nothing"]


class GenerationErasure(Struct, frozen=True, rename={"presence": "held"}):
    """What one generation held, and holds now: ``searches_show`` is the number of records that a
    search for the reference still finds, ``deleted_in_files`` that of the deleted documents in its
    files, and ``copies_away`` that of its shard copies that could not be asked."""

    name: str
    live: bool
    presence: RecordPresence
    records: int
    searches_show: int
    deleted_in_files: int
    copies_away: int

    @property
    def is_erased(self) -> bool:
        """Whether nothing of the record is left here, except perhaps in copies that are away."""
        return not self.searches_show and not self.deleted_in_files


class ErasureStatement(Struct, frozen=True, rename={"timestamp": "at", "not_reached": "beyond"}):
    """What was forgotten, where, and what may still hold it. ``backups`` is None where they could
    not be read; ``not_reached`` is what foidex cannot reach."""

    crime_ref: str
    timestamp: datetime
    generations: tuple[GenerationErasure, ...]
    rejects: tuple[RejectsErasure, ...]
    backups: tuple[str, ...] | None
    not_reached: tuple[str, ...] = NOT_REACHED

    @property
    def was_present(self) -> bool:
        """Whether the record was held anywhere."""
        in_index = any(generation.presence == "record" for generation in self.generations)
        return in_index or any(file.removed for file in self.rejects)

    @property
    def is_unknown(self) -> bool:
        """Whether nothing was ever held of it, so that the reference may be wrong."""
        return not self.was_present and all(
            generation.presence == "nothing" for generation in self.generations
        )


def format_statement(statement: ErasureStatement) -> list[str]:
    """A statement in lines for a person."""
    time = f"{statement.timestamp:%Y-%m-%d %H:%M:%S} UTC"
    lines = [
        f"{statement.crime_ref}, looked for at {time}: no record, so nothing was changed"
        if statement.is_unknown
        else f"{statement.crime_ref}, forgotten on request at {time}"
    ]
    for generation in statement.generations:
        outcome = {
            "record": "was there and is removed",
            "tombstone": "was not there, only its deletion",
            "forgotten": "was forgotten before",
            "kept out": "was not there, and is kept out",
            "nothing": "was not there",
        }[generation.presence]
        lines.append(
            f"{generation.name}{' (live)' if generation.live else ''}: {outcome}. Searches show "
            f"{generation.searches_show}; deleted documents in its files: "
            f"{generation.deleted_in_files}; records: {generation.records:,}."
        )
        if generation.copies_away:
            lines.append(
                f"{generation.name}: shard copies that could not be asked, and may hold it on "
                f"disk: {generation.copies_away}. Run this again when the cluster is complete."
            )
    for file in statement.rejects:
        lines.append(f"{file.path}: {file.removed} removed.")
        if file.unclear:
            lines.append(_describe_unclear_lines(file))
    if statement.backups is None:
        lines.append("Backups: unknown; no repository is set, or this user may not see it.")
    elif statement.backups:
        lines.append(
            f"Backups that hold it, or may hold it: {', '.join(statement.backups)}. "
            "Delete each: foidex backups --delete NAME"
        )
    else:
        lines.append("Backups: none holds it.")
    return [*lines, "Not reached:", *(f"  {item}" for item in statement.not_reached)]


def _describe_unclear_lines(file: RejectsErasure) -> str:
    if file.unclear == 1:
        finding = "1 line names it, and does not tell whose record it is, so it is left. Look at it"
    else:
        finding = (
            f"{file.unclear:,} lines name it, and do not tell whose record they are, so they are "
            "left. Look at them"
        )
    return (
        f"{file.path}: {finding}. If the file is of another index, run forget with the foidex.toml "
        "of that one, too."
    )

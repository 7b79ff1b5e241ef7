"""The set of documents of an answer in a folder: written whole or not at all, and compared.

A folder's ``manifest.json`` lists what foidex wrote there, each file with its SHA-256. New files
are first written whole into a folder beside them, ``.foidex-new``, its manifest last; only then do
they take their places. A run that was killed in between is finished by the next. A release is
recorded between the two: when all is on the disk, and nothing in its place. One run at a time: a
lock, ``.foidex.lock``, is in the folder meanwhile, and removed at the end.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any, Final

import msgspec
from filelock import FileLock, Timeout
from msgspec import Struct

from indexer.errors import OutputError
from indexer.settings import Force
from queries import render
from queries.answer import Answer, to_json
from queries.disclosure.release import small
from queries.render import pdf, report, spreadsheets, word

MANIFEST: Final = "manifest.json"
FORMAT: Final = "foidex-manifest/1"
_PENDING: Final = ".foidex-new"
_LOCK: Final = ".foidex.lock"
_LONGEST: Final = 80
# Names Windows keeps for devices.
_DEVICES: Final = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


class Desk(Struct, frozen=True):
    """What documents need beside the answer: the force, the day, its own templates if any, and
    below which count a report of what is not for publication calls a number small."""

    force: Force
    day: date
    templates: Path | None = None
    flag: int = 0


class Manifest(Struct, frozen=True):
    """What foidex wrote in a folder: the SHA-256 of each file, by its path there, and whether the
    answer is the one that may be published."""

    reference: str
    generation: str
    query_hash: str
    run_at: str
    version: str
    files: dict[str, str]
    for_publication: bool = False
    format: str = FORMAT


class Change(Struct, frozen=True):
    """A number that is not what it was; None is a count not given, "" a number that is new."""

    where: str
    before: int | str | None
    after: int | str | None

    def __str__(self) -> str:
        before, after = (
            "not given"
            if one is None
            else "none"
            if one == ""
            else f"{one:,}"
            if isinstance(one, int)
            else one
            for one in (self.before, self.after)
        )
        return f"{self.where}: {before} before, {after} now"


class Written(Struct, frozen=True):
    """What was written, and the numbers that changed; None where there is nothing to compare."""

    files: tuple[str, ...]
    changes: tuple[Change, ...] | None


def slug(reference: str) -> str:
    """A reference as a name that is safe on every file system: "FOI2018/03922" to
    "FOI2018-03922". It holds letters, digits, dots, underscores and hyphens."""
    plain = unicodedata.normalize("NFKD", reference).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9._]+", "-", plain)[:_LONGEST].strip("-._")
    if not name:  # nothing of it can be written
        return "request-" + hashlib.sha256(reference.encode()).hexdigest()[:8]
    return f"request-{name}" if _DEVICES.fullmatch(name) else name


def small_numbers(answer: Answer, desk: Desk) -> list[str]:
    """The small numbers of an answer that is not for publication, by their places."""
    return [] if answer.disclosure else small(answer, desk.flag)


def warning(answer: Answer, desk: Desk) -> str:
    """What whoever gives an answer away is told first; nothing where no number is small."""
    number = len(small_numbers(answer, desk))
    said = "one number is" if number == 1 else f"{number:,} numbers are"
    return f"Not for publication: {said} small." if number else ""


def documents(answer: Answer, desk: Desk) -> dict[str, bytes]:
    """Every document, by its path. Raises ConfigurationError, and OutputError where the temporary
    files that some are made in have no room."""
    try:
        return _documents(answer, desk)
    except OSError as error:
        raise OutputError(
            f"the documents cannot be made ({error.strerror}): a temporary file cannot be written. "
            "Make room there, or name another folder in TMPDIR. Nothing was written."
        ) from None


def _documents(answer: Answer, desk: Desk) -> dict[str, bytes]:
    given = (answer, desk.force, desk.day, desk.templates)
    name = slug(answer.reference)
    flagged = small_numbers(answer, desk)
    found: dict[str, str | bytes] = {
        f"{name}.answer.json": to_json(answer) + "\n",
        f"{name}.report.txt": render.report_text(*given, flagged),
        f"{name}.report.html": report.report_html(*given, flagged),
        f"{name}.letter.txt": render.letter_text(*given),
        f"{name}.letter.html": render.letter_html(*given),
        f"{name}.letter.docx": word.letter_docx(*given),
        f"{name}.letter.pdf": pdf.letter_pdf(*given),
        f"{name}.xlsx": spreadsheets.workbook(*given),
        **{
            f"tables/{name}.{slug(question.id)}.csv": spreadsheets.table_csv(question.table)
            for question in answer.questions
        },
    }
    return {path: held.encode() if isinstance(held, str) else held for path, held in found.items()}


def write(
    answer: Answer,
    folder: Path,
    desk: Desk,
    *,
    force: bool = False,
    record: Callable[[], None] | None = None,
) -> Written:
    """Write the set of an answer, and say which numbers changed since the last.

    ``record`` is called when all is on the disk and nothing in its place; where it fails, nothing
    is given. A file that foidex did not write, or that was changed since, is never replaced without
    ``force``, nor is a set for publication by one that is not, or the other way round. Raises
    OutputError, and ConfigurationError for a template that is wrong.
    """
    made = documents(answer, desk)
    provenance = answer.provenance
    manifest = Manifest(
        reference=answer.reference,
        generation=provenance.generation,
        query_hash=provenance.query_hash,
        run_at=provenance.run_at.isoformat(),
        version=provenance.version,
        files={path: hashlib.sha256(held).hexdigest() for path, held in made.items()},
        for_publication=answer.disclosure is not None,
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            _finish(folder)
            old = _manifest(folder)
            if not force:
                _refuse_other(folder, manifest, old)
                _refuse_foreign(folder, made, old)
            previous = _previous(folder, old)
            _prepare(folder / _PENDING, made, manifest, record)
            _finish(folder)
    except Timeout:
        raise OutputError(f"{folder}: another run is writing here. Wait for it.") from None
    except NotImplementedError:  # a file system without locks
        raise OutputError(f"{folder}: no file can be locked there. Name another folder.") from None
    except OSError as error:
        ready = (folder / _PENDING / MANIFEST).is_file()
        raise OutputError(
            f"{error.filename or folder}: cannot be written ({error.strerror}). "
            + (
                f"The new files lie ready in {_PENDING}; the next run puts them in their places."
                if ready
                else "Nothing was replaced. Make room, or name another folder with --out."
            )
        ) from None
    return Written((*made, MANIFEST), None if previous is None else changes(previous, answer))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other runs from writing in a folder. Raises Timeout where one does so."""
    path = folder / _LOCK
    with FileLock(path, timeout=0):
        try:
            yield
        finally:
            # While it is held: who has opened it meanwhile finds that it has lost its name, and
            # does not take it (filelock sees to that). Where it cannot be removed it does no harm.
            with suppress(OSError):
                path.unlink()


def _manifest(folder: Path) -> Manifest | None:
    path = folder / MANIFEST
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError):
        found = None
    if found is None or not all(map(_inside, found.files)):
        raise OutputError(
            f"{path}: is not a manifest of foidex. Move it away, or name another folder with --out."
        )
    return found


def _inside(path: str) -> bool:
    """Whether a manifest's path stays in its folder."""
    return not Path(path).is_absolute() and ".." not in Path(path).parts


def _refuse_other(folder: Path, new: Manifest, old: Manifest | None) -> None:
    """Raise OutputError where what is for publication and what is not would take turns."""
    if old and old.for_publication != new.for_publication:
        held, made = (
            "may be published" if one.for_publication else "is not for publication"
            for one in (old, new)
        )
        raise OutputError(
            f"{folder}: holds a set that {held}, and the new one {made}. Name another folder, so "
            "that nobody takes one for the other, or replace it with --force."
        )


def _refuse_foreign(folder: Path, made: Mapping[str, bytes], old: Manifest | None) -> None:
    """Raise OutputError where a file would be lost that foidex did not write as it is now."""
    known = old.files if old else {}
    lost = [
        path
        for path in (*made, *(path for path in known if path not in made))
        if (folder / path).is_symlink()
        or ((folder / path).exists() and _digest(folder / path) != known.get(path))
    ]
    if (folder / "tables").is_symlink():
        lost.append("tables")
    if lost:
        raise OutputError(
            f"{folder}: {', '.join(lost[:5])}{' and more' if len(lost) > 5 else ''} would be "
            "replaced, which foidex did not write or somebody changed since. Move it away, name "
            "another folder with --out, or replace it with --force."
        )


def _digest(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _prepare(
    pending: Path,
    made: Mapping[str, bytes],
    manifest: Manifest,
    record: Callable[[], None] | None,
) -> None:
    """Write everything beside its place; on failure nothing stays.

    Only the manifest's name makes it ready, which takes no room: it comes after ``record``.
    """
    try:
        pending.mkdir()
        for path, held in made.items():
            _write(pending / path, held)
        whole = pending / f"{MANIFEST}.part"
        _write(whole, msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
        if record:
            record()
        whole.replace(pending / MANIFEST)
    except BaseException:
        shutil.rmtree(pending, ignore_errors=True)
        raise


def _write(path: Path, held: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(held)
        file.flush()
        os.fsync(file.fileno())


def _finish(folder: Path) -> None:
    """Put what was prepared in its place: also what a run that was killed had prepared."""
    pending = folder / _PENDING
    if not (pending / MANIFEST).is_file():
        shutil.rmtree(pending, ignore_errors=True)  # never whole
        return
    new, old = _manifest(pending), _manifest(folder)
    assert new is not None
    for path in new.files:
        if (pending / path).is_file():  # else it is in its place already
            target = folder / path
            target.parent.mkdir(exist_ok=True)
            (pending / path).replace(target)
    for path in old.files if old else ():
        if path not in new.files:
            (folder / path).unlink(missing_ok=True)
    (pending / MANIFEST).replace(folder / MANIFEST)
    shutil.rmtree(pending)


def _previous(folder: Path, old: Manifest | None) -> dict[str, Any] | None:
    """The answer of the last run, if it is still as it was written."""
    name = (
        next((path for path in old.files if path.endswith(".answer.json")), None) if old else None
    )
    if old is None or name is None or _digest(folder / name) != old.files[name]:
        return None
    found: dict[str, Any] = msgspec.json.decode((folder / name).read_bytes())
    return found


def changes(before: Mapping[str, Any], answer: Answer) -> tuple[Change, ...] | None:
    """The numbers that are not what they were; None where another question was asked."""
    after: dict[str, Any] = msgspec.json.decode(to_json(answer))
    if _asked(before) != _asked(after):
        return None
    old, new = _numbers(before), _numbers(after)
    return tuple(
        Change(", ".join(filter(None, place[1::2])), old.get(place, ""), new.get(place, ""))
        for place in {**old, **new}
        if old.get(place, "") != new.get(place, "")
    )


def _asked(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The request without what only the letter says."""
    return {
        name: held for name, held in answer["request"].items() if name not in ("letter", "title")
    }


#: Where a number stands: keys, each followed by its words for a person.
_Place = tuple[str, ...]


def _numbers(answer: Mapping[str, Any]) -> dict[_Place, int | str | None]:
    """Every number of an answer: the scope's, single facts, the tables'."""
    found: dict[_Place, int | str | None] = {
        ("scope", "Offences in scope"): answer["scope"]["records"]
    }
    for status, number in answer["scope"]["left_out"].items():
        found["left out", "Left out", status, status] = number
    for question in answer["questions"]:
        name, table = question["id"], question["table"]
        for fact, held in question.get("facts", {}).items():
            found[name, name, fact, fact.replace("_", " ")] = held
        for row in (*table["rows"], table["total"]):
            for column, count in zip(table["columns"], row["counts"], strict=True):
                keyed = (row["key"], row["label"], column["key"], column["label"])
                found[(name, name, *keyed)] = count
    return found

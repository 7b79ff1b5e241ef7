"""The release ledger: an append-only list of what was published, one JSON line a release.

It contains printed numbers and what they count, but no withheld number and no record. It is on the
server, or in a file with a lock beside it; either way no release is recorded that was not checked
against all those before it. The hash of the chain of its lines, the head, is noted in the audit
log: a ledger that lost a line since is refused.

A release is recorded when all of it is ready, and before any of it is given away: a release that
fails earlier leaves no line, and nothing without a line is ever given away.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from io import FileIO
from itertools import accumulate
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import msgspec
from filelock import Timeout
from msgspec import Struct

from indexer.audit.chain import CHAIN_START, extend_head
from indexer.errors import DisclosureError, InexactError, LedgerMovedError, OutputError
from indexer.files import PRIVATE_MODE, Permissions, open_file, open_folder, read_file
from queries.answer.types import Answer, RuleOverride, count_or_zero
from queries.disclosure.attack.constraints import Population
from queries.disclosure.attack.suppression import NoChoiceError
from queries.disclosure.differencing import (
    LedgerEntry,
    collect_published_numbers,
    collect_published_relations,
    collect_term_names,
    collect_withheld,
    find_differencing_problems,
    find_exposed_numbers,
    find_known_zeros,
    find_moved_numbers,
    find_public_numbers,
    list_changed_numbers,
)
from queries.disclosure.list_release import (
    shorten_lists,
    summarise_lists,
    warn_of_references,
    warn_of_texts,
)
from queries.disclosure.messages.advice import (
    summarise_withheld,
    warn_of_stated_numbers,
    warn_of_whole_groups,
)
from queries.disclosure.messages.refusals import explain_no_choice, explain_refusal
from queries.disclosure.policy import Policy
from queries.disclosure.populations import count_populations, list_printed_cells, list_unasked
from queries.disclosure.release import NO_POPULATIONS, Release, protect_answer

LOCK_SECONDS: Final = 60

_IDLE_OVERRIDE: Final = (
    "the reason of --override is not used, because nothing was refused. To give small numbers as "
    "well, add disclosure: {threshold: 0, youngest: give} to the request file"
)

# Of a new file. Whoever shares a ledger gives a group the right to it, and it keeps that.
_LEDGER_PERMISSIONS: Final = Permissions(PRIVATE_MODE)


class LedgerHead(Struct, frozen=True, omit_defaults=True):
    """A ledger as a release left it: how many releases it contained, and the hash of their chain.

    ``alias`` is the index that the release was made from; ``created`` says that the release is the
    first.
    """

    alias: str
    ledger: str
    releases: int
    head: str
    created: bool = False


class LedgerStore(Protocol):
    """Where a ledger is: a file, or an index of the server."""

    name: str

    def hold(self, seconds: float) -> AbstractContextManager[None]:
        """Let one release at a time be checked and recorded, if the place needs a lock for it."""

    def read_lines(self) -> list[bytes]:
        """The lines, oldest first. Raises DisclosureError or OutputError."""

    def append_line(self, line: bytes, earlier: list[bytes]) -> None:
        """Add a line after the earlier ones. Raises LedgerMovedError if another was first, and
        OutputError if it cannot be written."""


class LedgerUse(Struct, frozen=True):
    """How a release is checked and recorded.

    ``noted`` is the head that the audit log noted last. ``files`` are ledgers of earlier versions
    whose releases count, and are taken over with the next one. ``lock_seconds`` is how long to wait
    for another release.
    """

    store: LedgerStore
    alias: str = ""
    noted: LedgerHead | None = None
    files: tuple[Path, ...] = ()
    lock_seconds: float = LOCK_SECONDS


def _record_nowhere() -> LedgerHead | None:
    """Record nowhere."""
    return None


def _preview_unchanged(answer: Answer, after: bool) -> Answer:  # noqa: FBT001 - of one callable
    """What is not published is given as it is."""
    del after
    return answer


class PublishedAnswer(NamedTuple):
    """A published answer, and messages about numbers that changed since the last release."""

    answer: Answer
    changes: tuple[str, ...] = ()


class PreparedRelease(NamedTuple):
    """A release that is not published yet.

    Call ``record`` once everything made from it is ready, and before any of that is given away. It
    returns the ledger's new head, and raises OutputError if the ledger cannot be written, or
    DisclosureError if another release that was recorded meanwhile changes what may be published.
    ``summary`` says how much each table withholds, and is for the officer alone. ``preview`` gives
    another answer as it might be published after this one (or instead of it, if its second argument
    is false) and records nothing; it raises DisclosureError if it might not. ``protected`` has the
    lines of lists that ``answer`` leaves out, without their numbers, as ``preview`` has. ``locks``
    is true if most of what it withholds was not withheld before: no later release will give it.
    ``is_few`` is true if the number of records in scope is itself small.
    ``cautions`` are what somebody should decide before it is recorded, a line for each.
    """

    answer: Answer
    changes: tuple[str, ...] = ()
    record: Callable[[], LedgerHead | None] = _record_nowhere
    summary: tuple[str, ...] = ()
    preview: Callable[[Answer, bool], Answer] = _preview_unchanged
    protected: Answer | None = None
    locks: bool = False
    is_few: bool = False
    cautions: tuple[str, ...] = ()


def publish_release(
    answer: Answer, policy: Policy, ledger: Path | LedgerUse | None, override: str = ""
) -> PublishedAnswer:
    """The answer as it may be published, checked against the ledger and recorded there.

    Raises as ``prepare_release``, and OutputError if the ledger cannot be written.
    """
    with prepare_release(answer, policy, ledger, override) as pending_release:
        pending_release.record()
        return PublishedAnswer(pending_release.answer, pending_release.changes)


@contextmanager
def prepare_release(
    answer: Answer,
    policy: Policy,
    ledger: Path | LedgerUse | None,
    override: str = "",
    lock_seconds: float = LOCK_SECONDS,
) -> Iterator[PreparedRelease]:
    """The answer as it may be published, checked against the ledger, which stays locked meanwhile.

    ``override`` is the reason to publish even if earlier releases speak against it, and
    ``lock_seconds`` how long to wait for another release if ``ledger`` is only the path of a file.
    Raises DisclosureError if the release would give a number away or another one takes longer,
    OutputError if the ledger cannot be read or locked.
    """
    if ledger is None:
        published = protect_answer(answer, policy).answer
        yield PreparedRelease(
            shorten_lists(answer, published, policy),
            summary=_summarise_release(answer, published, policy, override),
            preview=lambda other, _: protect_answer(other, policy).answer,
            protected=published,
            is_few=_is_few(answer, policy),
        )
        return
    use = (
        LedgerUse(FileLedger(ledger), lock_seconds=lock_seconds)
        if isinstance(ledger, Path)
        else ledger
    )
    with use.store.hold(use.lock_seconds):
        lines = _read_lines(use)
        lost = _find_loss(use, lines)
        if lost and not override.strip():
            raise DisclosureError(_explain_loss(use, lost))
        check = _ReleaseCheck(answer, policy, override.strip(), lost)
        earlier = parse_ledger_lines(lines, use.store.name)
        new_release = check.run(earlier)
        entry = _make_ledger_entry(new_release, policy)

        def record() -> LedgerHead:
            return _record_release(use, check, entry, lines)

        def preview(other: Answer, after: bool) -> Answer:  # noqa: FBT001 - of one callable
            entries = [*earlier, entry] if after else earlier
            return check._replace(answer=other).run(entries).answer

        changes = list_changed_numbers(entry.figures, entry.generation, earlier[-1:])
        summary = _summarise_release(answer, new_release.answer, policy, override)
        protected = new_release.answer
        published = shorten_lists(answer, protected, policy)
        yield PreparedRelease(
            published,
            tuple(changes),
            record,
            summary,
            preview,
            protected,
            locks=_withholds_anew(protected, earlier),
            is_few=_is_few(answer, policy),
        )


def _is_few(answer: Answer, policy: Policy) -> bool:
    return 0 < count_or_zero(answer.scope.records) < policy.minimum_group


def _withholds_anew(protected: Answer, earlier: list[LedgerEntry]) -> bool:
    """Whether earlier releases withheld less than half of what a release withholds."""
    names = collect_term_names(protected)
    earlier_numbers = collect_withheld([entry.rename_terms(names) for entry in earlier])
    populations = {cell.population for cell in list_printed_cells(protected) if cell.number is None}
    return 2 * len(populations - earlier_numbers.keys()) > len(populations)


def _summarise_release(
    own: Answer, published: Answer, policy: Policy, override: str
) -> tuple[str, ...]:
    """What the officer reads about a release before it goes out."""
    is_idle = override.strip() and published.disclosure and not published.disclosure.overrides
    warnings = warn_of_whole_groups(published) if policy.whole_groups == "warn" else ()
    stated = warn_of_stated_numbers(own, published)
    shortened = shorten_lists(own, published, policy)
    return (
        *((_IDLE_OVERRIDE,) if is_idle else ()),
        *summarise_withheld(own, published, policy),
        *summarise_lists(own, shortened),
        *warnings,
        *stated,
        *warn_of_references(own, policy),
        *warn_of_texts(shortened),
    )


class _ReleaseCheck(NamedTuple):
    """The check of one release against earlier ones."""

    answer: Answer
    policy: Policy
    override: str
    lost: str

    def run(self, earlier: list[LedgerEntry]) -> Release:
        new_release = _check_release(self.answer, self.policy, earlier, self.override)
        return _add_override(new_release, self.lost, self.override) if self.lost else new_release


def _read_lines(use: LedgerUse) -> list[bytes]:
    """The lines of the ledger, and after them those of files that it is to take over."""
    lines = use.store.read_lines()
    known_lines = {line.rstrip(b"\n") for line in lines}
    for path in use.files:
        file = FileLedger(path)
        file_lines = file.read_lines()
        if not file_lines:
            raise DisclosureError(
                f"{path}: contains no release, and [disclosure] ledger_files names it. Correct the "
                "name, or remove it."
            )
        parse_ledger_lines(file_lines, file.name)
        for line in file_lines:
            if line.rstrip(b"\n") not in known_lines:
                lines.append(line)
                known_lines.add(line.rstrip(b"\n"))
    return lines


def read_releases(use: LedgerUse) -> list[LedgerEntry]:
    """The releases of a ledger, oldest first. Raises DisclosureError and OutputError."""
    return parse_ledger_lines(_read_lines(use), use.store.name)


def compute_heads(lines: Sequence[bytes]) -> list[str]:
    """The head of the chain before the first line, and after each."""
    return list(accumulate(lines, extend_head, initial=CHAIN_START))


def find_ledger_loss(use: LedgerUse) -> str:
    """Why a release would be refused for what the ledger lost, with what to do; empty if nothing.

    Raises DisclosureError if the ledger is damaged, OutputError if it cannot be read.
    """
    lines = _read_lines(use)
    parse_ledger_lines(lines, use.store.name)
    lost = _find_loss(use, lines)
    return _explain_loss(use, lost) if lost else ""


def _find_loss(use: LedgerUse, lines: list[bytes]) -> str:
    """What the ledger lost since the audit log noted its head, in a few words; empty if nothing."""
    noted = use.noted
    if noted is None:
        return ""
    heads = compute_heads(lines)
    if noted.releases < len(heads) and heads[noted.releases] == noted.head:
        return ""
    if noted.head in heads:  # it took over the lines of another ledger before these
        return ""
    if not lines:
        return "the ledger is missing or empty"
    if len(lines) < noted.releases:
        number = noted.releases - len(lines)
        return f"the ledger lacks {number:,} of {noted.releases:,} releases"
    return "the ledger is not the one that the last release was recorded in"


def _explain_loss(use: LedgerUse, lost: str) -> str:
    noted = use.noted
    assert noted
    if noted.ledger != use.store.name:
        remedy = (
            f"The last release was recorded in {noted.ledger}. Name that one under [disclosure] in "
            "foidex.toml again. To move a file to the server, name it there: ledger_files = "
            '["releases.jsonl"]'
        )
    else:
        remedy = "Restore the ledger from a backup (docs/publishing.md)."
    return (
        f"{use.store.name}: {lost}, as the audit log shows, so the release cannot be checked "
        f"against all earlier ones and nothing is published. {remedy} If it cannot be restored, "
        "say so with --override REASON: every number that was withheld before may then be given "
        "away."
    )


_MAX_ATTEMPTS: Final = 20


def _record_release(
    use: LedgerUse, check: _ReleaseCheck, entry: LedgerEntry, lines: list[bytes]
) -> LedgerHead:
    """Record a release, checked again if others were recorded since. Returns the new head."""
    line = msgspec.json.encode(entry)
    for _ in range(_MAX_ATTEMPTS):
        try:
            return _append_lines(use, entry, line, lines)
        except LedgerMovedError:
            lines = _read_lines(use)
            again = check.run(parse_ledger_lines(lines, use.store.name))
            if _make_ledger_entry(again, check.policy).answer != entry.answer:
                break
    raise DisclosureError(
        f"{use.store.name}: another release was recorded while this one was made, and changes what "
        "may be published. Nothing is published. Run the command again."
    )


def _append_lines(
    use: LedgerUse, entry: LedgerEntry, line: bytes, lines: list[bytes]
) -> LedgerHead:
    """Add what the ledger takes over and the new line, each once. Raises LedgerMovedError."""
    earlier = parse_ledger_lines(lines, use.store.name)
    recorded = any(_is_same_release(entry, past_entry) for past_entry in earlier)
    every_line = lines if recorded else [*lines, line]
    start = len(use.store.read_lines()) if use.files else len(lines)
    for position in range(start, len(every_line)):
        use.store.append_line(every_line[position], every_line[:position])
    head = compute_heads(every_line)[-1]
    created = start == 0 and not recorded
    return LedgerHead(use.alias, use.store.name, len(every_line), head, created)


class FileLedger:
    """A ledger in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = str(path)

    @contextmanager
    def hold(self, seconds: float) -> Iterator[None]:
        """Hold the lock beside the file. Raises DisclosureError if another release does."""
        with _lock_ledger(self._path, seconds):
            yield

    def read_lines(self) -> list[bytes]:
        """The lines of the file; none if there is none. Raises OutputError."""
        try:
            return read_file(self._path).splitlines(keepends=True)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _make_ledger_error(self._path, error) from None

    def append_line(self, line: bytes, earlier: list[bytes]) -> None:
        """Add a line and sync it to the disk. Raises OutputError."""
        del earlier  # the lock keeps others away
        _append_line(self._path, line.rstrip(b"\n") + b"\n")


@contextmanager
def _lock_ledger(path: Path, seconds: float) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(open_folder(path.parent, writes=True))
            stack.enter_context(folder.hold_lock(f"{path.name}.lock", seconds))
        except Timeout:
            raise DisclosureError(
                f"{path}: another release has been recording for over {seconds:g} s. Try again."
            ) from None
        except OSError as error:
            raise _make_ledger_error(path, error) from None
        yield


def _make_ledger_error(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path}: the ledger of releases cannot be written ({error.strerror}), so nothing is "
        "published. Make its folder writable, or choose another under [disclosure]."
    )


def _check_release(
    answer: Answer, policy: Policy, earlier: list[LedgerEntry], override: str
) -> Release:
    """The release, checked against earlier ones. What nobody asked for is withheld rather than
    that the release is refused for it. Raises DisclosureError."""
    names = collect_term_names(answer)
    earlier = [entry.rename_terms(names) for entry in earlier]
    if override:
        new_release = protect_answer(answer, policy)
        messages = find_exposed_numbers(answer, policy, earlier)
        messages += find_differencing_problems(new_release, policy, earlier)
        return _record_override(new_release, messages, override) if messages else new_release
    messages = find_exposed_numbers(answer, policy, earlier)
    if not messages:
        try:
            new_release = _protect_with_earlier(answer, policy, earlier)
        except NoChoiceError:
            raise DisclosureError(_explain_no_choice(answer, policy, earlier)) from None
        messages = find_differencing_problems(new_release, policy, earlier)
        if not messages:
            return new_release
    for unasked in list_unasked(answer):
        if find_exposed_numbers(answer, policy, earlier, unasked):
            continue
        new_release = _protect_with_earlier(answer, policy, earlier, unasked)
        if not find_differencing_problems(new_release, policy, earlier):
            return new_release
    raise DisclosureError(explain_refusal(messages))


def _protect_with_earlier(
    answer: Answer,
    policy: Policy,
    earlier: list[LedgerEntry],
    unasked: frozenset[Population] = NO_POPULATIONS,
) -> Release:
    """The release with what earlier ones withheld and printed; ``unasked`` are withheld as well,
    unless they are 0 or public."""
    public = find_public_numbers(answer, earlier).union(find_known_zeros(answer, policy, earlier))
    counts = count_populations(list_printed_cells(answer))
    withheld_too = {one: 1 for one in unasked - public if counts.get(one)}
    return protect_answer(
        answer,
        policy,
        withheld_before=withheld_too | collect_withheld(earlier),
        public=public,
        moved=find_moved_numbers(answer, earlier),
    )


#: No more questions are tried, one at a time, to find the one that cannot be protected.
_MAX_QUESTIONS_TRIED: Final = 10


def _explain_no_choice(answer: Answer, policy: Policy, earlier: list[LedgerEntry]) -> str:
    """Which releases stand in the way of an answer, and which of its questions."""
    locations: dict[Population, str] = {}
    for cell in sorted(list_printed_cells(answer), key=lambda cell: cell.part != "row"):
        locations.setdefault(cell.population, cell.location)
    public = find_public_numbers(answer, earlier) & locations.keys()
    places: dict[str, list[str]] = {}
    for entry in earlier:
        printed = {figure.population for figure in entry.figures if figure.number is not None}
        if shared := printed & public:
            places[entry.name] = [
                locations[population] for population in locations if population in shared
            ]
    return explain_no_choice(places, _find_unprotected_questions(answer, policy, earlier))


def _find_unprotected_questions(
    answer: Answer, policy: Policy, earlier: list[LedgerEntry]
) -> list[str]:
    """The questions that cannot be protected by themselves."""
    names = []
    for question in answer.questions[:_MAX_QUESTIONS_TRIED]:
        try:
            _protect_with_earlier(
                msgspec.structs.replace(answer, questions=(question,)), policy, earlier
            )
        except NoChoiceError:
            names.append(question.id)
        except (DisclosureError, InexactError):
            continue
    return names


def _record_override(new_release: Release, messages: list[str], reason: str) -> Release:
    numbers = f"{len(messages)} numbers" if len(messages) > 1 else "1 number"
    verb = "are" if len(messages) > 1 else "is"
    rule = (
        f"together with earlier answers, {numbers} can be worked out that {verb} usually withheld"
    )
    return _add_override(new_release, rule, reason)


def _add_override(new_release: Release, rule: str, reason: str) -> Release:
    disclosure = new_release.answer.disclosure
    assert disclosure
    overrides = (*disclosure.overrides, RuleOverride(rule, reason))
    answer = msgspec.structs.replace(
        new_release.answer, disclosure=msgspec.structs.replace(disclosure, overrides=overrides)
    )
    return msgspec.structs.replace(new_release, answer=answer)


def _make_ledger_entry(new_release: Release, policy: Policy) -> LedgerEntry:
    answer = new_release.answer
    figures = collect_published_numbers(new_release)
    # Reviews are left out if there are none, so that releases of earlier versions stay the same.
    reviews = (answer.reviews,) if answer.reviews else ()
    content = msgspec.json.encode((answer.scope, answer.questions, answer.disclosure, *reviews))
    assert answer.disclosure
    return LedgerEntry(
        reference=answer.reference,
        title=answer.title,
        released_at=datetime.now(UTC).replace(microsecond=0),
        generation=answer.provenance.generation,
        threshold=policy.threshold,
        rounding=policy.rounding,
        youngest=policy.youngest,
        answer=hashlib.sha256(content).hexdigest(),
        figures=figures,
        relations=collect_published_relations(new_release, figures),
        overrides=answer.disclosure.overrides,
    )


def _is_same_release(first: LedgerEntry, second: LedgerEntry) -> bool:
    """Whether a release was recorded before: the same letter in another format."""
    return (first.reference, first.generation, first.answer) == (
        second.reference,
        second.generation,
        second.answer,
    )


def read_ledger(path: Path) -> list[LedgerEntry]:
    """The releases recorded in a file, oldest first.

    Raises DisclosureError for a line that is not a release, OutputError if the file cannot be read.
    """
    return parse_ledger_lines(FileLedger(path).read_lines(), str(path))


def parse_ledger_lines(lines: Sequence[bytes], name: str) -> list[LedgerEntry]:
    """The releases that the lines of the ledger ``name`` record. Raises DisclosureError."""
    entries = []
    for number, line in enumerate(lines, start=1):
        try:
            entries.append(msgspec.json.decode(line, type=LedgerEntry))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            remedy = (
                "Restore the ledger from a backup."
                if line.endswith(b"\n")
                else "It was cut short. If a run was stopped as it wrote the line, its "
                "release was never published: remove the line. If not, restore a backup."
            )
            raise DisclosureError(
                f"{name}:{number}: is not a release, so the new one cannot be checked against it. "
                + remedy
            ) from None
    return entries


def _append_line(path: Path, line: bytes) -> None:
    """Add a line and sync it to the disk; a line that fails leaves nothing. Raises OutputError."""
    try:
        handle = open_file(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, _LEDGER_PERMISSIONS)
        with FileIO(handle, "ab+") as file:
            end = file.seek(0, os.SEEK_END)
            # An editor, or a copy by hand, may have left the last line without an end.
            file.seek(max(0, end - 1))
            separator = b"" if file.read(1) in (b"", b"\n") else b"\n"
            try:
                _write_ledger_line(file, separator + line)
            except BaseException:
                file.truncate(end)
                raise
        with open_folder(path.parent) as folder:
            folder.sync()
    except OSError as error:
        raise _make_ledger_error(path, error) from None


def _write_ledger_line(file: FileIO, line: bytes) -> None:
    if file.write(line) != len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(file)

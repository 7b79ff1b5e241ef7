"""The expected errors of foidex, each with its exit code.

A message says where, what, and the fix, and never holds narrative text, a name or a credential.
This module imports no other of foidex, so every module may use it.
"""

from __future__ import annotations


class FoidexError(Exception):
    """Base of every expected error.

    ``exit_code`` is what the command line exits with; ``summary`` explains the code in help texts.
    """

    exit_code: int = 1
    summary: str = "a fault in foidex"


class RequestError(FoidexError):
    """A request file, a term, an offence code or a reference was refused."""

    exit_code = 3
    summary = "a request, term, offence code or reference was refused"


class SourceError(FoidexError):
    """The records could not be read, or some were rejected; nothing was promoted."""

    exit_code = 4
    summary = "records could not be read, or were rejected"


class ServerError(FoidexError):
    """The server is unreachable, refused access, or cannot be used by foidex."""

    exit_code = 5
    summary = "the server could not be used"


class GenerationError(FoidexError):
    """A generation failed verification or could not be promoted; the live one is unchanged."""

    exit_code = 6
    summary = "a generation was not verified or not promoted"


class InexactError(FoidexError):
    """A number may be inexact, so none is given."""

    exit_code = 7
    summary = "a number may be inexact, so none is given"


class NoIndexError(FoidexError):
    """There is no live generation to search."""

    exit_code = 8
    summary = "no records are loaded yet"


class EmbeddedError(FoidexError):
    """The embedded server could not be downloaded, started or stopped."""

    exit_code = 9
    summary = "the embedded server could not be downloaded, started or stopped"


class ConfigurationError(FoidexError):
    """The environment, foidex.toml, a mapping or a template is wrong."""

    exit_code = 10
    summary = "the configuration is wrong"


class OutputError(FoidexError):
    """A result could not be written."""

    exit_code = 11
    summary = "a result could not be written"


class UnfinishedOutputError(OutputError):
    """What was asked for is done and on the disk, but not yet in its place."""


class UnreadableError(OutputError):
    """What foidex keeps in a folder cannot be read there."""


class LedgerMovedError(Exception):
    """Another release was recorded first. Whoever records a release catches it and checks again."""


class LockedError(FoidexError):
    """Another run that changes the index has the lock; nothing was changed."""

    exit_code = 12
    summary = "another run that changes the index, such as a refresh, is under way"


class LostLockError(GenerationError):
    """A run lost the lock that it held, so it made nothing live. Nobody else need be running."""


class StaleGenerationError(FoidexError):
    """The live generation is older than allowed."""

    exit_code = 13
    summary = "the live generation is too old"


class ReplayMismatchError(FoidexError):
    """A replay gives other numbers, or the answer file was changed."""

    exit_code = 14
    summary = "a replay gives other numbers"


class DisclosureError(FoidexError):
    """A release was refused: it would reveal a withheld number, or it overrides a rule without a
    reason."""

    exit_code = 15
    summary = "a release was refused"


class NumbersChangedError(FoidexError):
    """A number differs from the last run; every file was written."""

    exit_code = 16
    summary = "a number changed since the last run"


class ProblemsFoundError(FoidexError):
    """The doctor found a problem; its findings say which."""

    exit_code = 17
    summary = "the doctor found a problem"


class BrokenChainError(FoidexError):
    """The audit log is not as it was written."""

    exit_code = 18
    summary = "the audit log was changed, or cannot be read"


class BackupError(FoidexError):
    """A backup could not be made, found or restored; the live generation is unchanged."""

    exit_code = 19
    summary = "a backup could not be made or restored"


class LetterError(FoidexError):
    """A requester's letter could not be read, or the draft made from it could not be used."""

    exit_code = 20
    summary = "a letter could not be read, or no draft could be made of it"


class UnconfirmedError(FoidexError):
    """A request file has confirmations that nobody has decided yet; nothing was counted."""

    exit_code = 21
    summary = "a request has something to confirm first"


class ReviewError(FoidexError):
    """A review could not be started or changed, or the store of its decisions not be used."""

    exit_code = 22
    summary = "a review was refused, or its decisions could not be stored"


def list_exit_codes() -> list[tuple[int, str]]:
    """Every exit code of the command line with what it means, in order.

    An error that takes the exit code of others, as that of a batch does, has none of its own.
    """
    kinds = [kind for kind in FoidexError.__subclasses__() if "exit_code" in vars(kind)]
    errors: tuple[type[FoidexError], ...] = (FoidexError, *kinds)
    return sorted(
        [
            (0, "done"),
            (2, "the command line is wrong, or a date, period or number on it"),
            (129, "stopped, as its terminal was closed (SIGHUP)"),
            (130, "interrupted, by Ctrl-C or SIGINT"),
            (143, "stopped, by SIGTERM"),
            *((error.exit_code, error.summary) for error in errors),
        ]
    )

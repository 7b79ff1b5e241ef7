"""The expected errors of foidex: one class, and one exit code, a kind.

A message says where, what and the fix, and never holds narrative text, a name or a credential.
Imports nothing of ours, so every module may use it.
"""

from __future__ import annotations


class FoidexError(Exception):
    """Base of every expected error; ``exit_code`` is what the command line exits with."""

    exit_code = 1


class RequestError(FoidexError):
    """A request file, a term or an offence code was refused; nothing was asked of the server."""

    exit_code = 3


class SourceError(FoidexError):
    """The records could not be read, or some were rejected; nothing was promoted."""

    exit_code = 4


class ServerError(FoidexError):
    """The server could not be reached, refused us, or is not one foidex can use."""

    exit_code = 5


class GenerationError(FoidexError):
    """A generation did not verify, or could not be promoted; the live one is untouched."""

    exit_code = 6


class InexactError(FoidexError):
    """A number may be inexact, so none is given."""

    exit_code = 7


class NoIndexError(FoidexError):
    """There is no live generation to ask."""

    exit_code = 8


class EmbeddedError(FoidexError):
    """The embedded server could not be fetched, started or stopped."""

    exit_code = 9


class ConfigurationError(FoidexError):
    """The environment, foidex.toml, a mapping or a template is wrong."""

    exit_code = 10


class OutputError(FoidexError):
    """A file of results could not be written."""

    exit_code = 11


class LockedError(FoidexError):
    """Another refresh is running, or took the lock; nothing was changed."""

    exit_code = 12


class StaleGenerationError(FoidexError):
    """The live generation is older than was asked for."""

    exit_code = 13


class ReplayMismatchError(FoidexError):
    """A replay gives other numbers, or the answer is not as it was made."""

    exit_code = 14


class DisclosureError(FoidexError):
    """A release was refused: it would give a withheld number away, or a rule was set aside without
    a reason."""

    exit_code = 15


class NumbersChangedError(FoidexError):
    """A number is not what it was in the last run; everything was written."""

    exit_code = 16


class ProblemsFoundError(FoidexError):
    """The doctor found a problem; what it is stands in its findings."""

    exit_code = 17


class BrokenChainError(FoidexError):
    """The audit log is not as it was written."""

    exit_code = 18


class BackupError(FoidexError):
    """A backup could not be made, found or restored; what is live is untouched."""

    exit_code = 19

"""What the checks of a spreadsheet raise."""

from __future__ import annotations


class DamageError(Exception):
    """The file contradicts itself. Its text is for whoever mends the check, never for a message."""


class UncomputedError(Exception):
    """A cell has a formula and no value of it, and which cell it is, is not certain."""


class LeftOutError(Exception):
    """A cell is read as empty, or without a part of its text, and which one is not certain."""

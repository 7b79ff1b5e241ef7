"""What the checks of a spreadsheet raise."""

from __future__ import annotations


class DamageError(Exception):
    """The file contradicts itself. Its text is for whoever mends the check, never for a message."""

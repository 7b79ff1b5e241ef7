"""How much a run tries: a little and always the same on a push, much and by chance in the long run.

EXAMPLES is set in the long run. It is how many sets of data a usual property is tried on, which is
25 on a push; others are tried on more or fewer in proportion.
"""

from __future__ import annotations

import os

EXAMPLES = int(os.environ.get("EXAMPLES") or 0)

_USUAL = 25


def examples(few: int, long: int | None = None) -> int:
    """How many sets of data a property is tried on, which on a push are ``few``.

    In the long run they are as many more as EXAMPLES is more than usual: of ``few``, or of ``long``
    where a push has to try less because each set takes its time.
    """
    return max(few, (long or few) * EXAMPLES // _USUAL)


def repeats(few: int, many: int) -> int:
    """How often a fault is made: ``few`` times on a push, ``many`` in the long run."""
    return many if EXAMPLES else few

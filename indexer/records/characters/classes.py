"""The class of every character of Unicode in the matching rule, as one character of Latin-1.

A text is cut by its classes: a string of the same length in which every character outside ASCII
stands for its class. So the rule's expressions need no class of characters beyond Latin-1, which
the engine finds slowly or, beyond U+FFFF, by walking a list; and every script costs the same.
"""

from __future__ import annotations

from functools import cache
from typing import Final
from unicodedata import category

import numpy as np
from numpy.typing import NDArray

from indexer.records.characters import HEBREW, MARK, NUMBER_SIGN

#: How many code points there are, and how many before the last planes, which hold no letters.
CODE_POINTS: Final = 0x110000
LETTER_POINTS: Final = 0x40000

# Of the categories that are not hard.
_CATEGORY_CLASSES: Final = {
    **dict.fromkeys(("Ll", "Lm", "Lo"), "a"),
    **dict.fromkeys(("Lu", "Lt"), "A"),
    **dict.fromkeys(("Mn", "Mc", "Me"), MARK),
    **dict.fromkeys(("Nl", "No"), NUMBER_SIGN),
    "Nd": "0",
    "Zs": " ",
    "Zl": " ",
    "Zp": "\f",
}

# The first and the last code point of the characters of a class that their category does not say.
_CLASS_RANGES: Final = {
    " ": ((0x85, 0x85),),
    "-": ((0x2010, 0x2015), (0x2212, 0x2212)),
    HEBREW: ((0x5D0, 0x5EA), (0x5EF, 0x5F2)),
    # Signs that are not letters, but that the index's tokenizer keeps in a word.
    "_": (
        (0x2C2, 0x2C5), (0x2D2, 0x2D7), (0x2DE, 0x2DF), (0x2ED, 0x2ED), (0x2EF, 0x2FF),
        (0x55B, 0x55C), (0x55E, 0x55E), (0x5F3, 0x5F3), (0x600, 0x605), (0x66B, 0x66B),
        (0x6DD, 0x6DD), (0x70F, 0x70F), (0x8E2, 0x8E2), (0x203F, 0x2040), (0x2054, 0x2054),
        (0xA720, 0xA721), (0xA789, 0xA78A), (0xAB5B, 0xAB5B), (0xFFF9, 0xFFFB),
        (0x110BD, 0x110BD), (0x110CD, 0x110CD), (0x13430, 0x13438), (0x1BCA0, 0x1BCA3),
        (0x1D173, 0x1D17A), (0x1F150, 0x1F169), (0x1F170, 0x1F189),
    ),
}  # fmt: skip


def classify_characters(text: str) -> str:
    """The class of each character of a text; those of ASCII are classes of their own."""
    return build_classes().take(encode_codes(text)).tobytes().decode("latin-1")


def encode_codes(text: str) -> NDArray[np.uint32]:
    """The code points of a text."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


@cache
def build_classes() -> NDArray[np.uint8]:
    """The class of each code point; built when first needed, because it takes 25 ms."""
    kinds = map(category, map(chr, range(0x80, LETTER_POINTS)))
    classes = "".join([_CATEGORY_CLASSES.get(kind, ".") for kind in kinds])
    table = np.full(CODE_POINTS, ord("."), dtype=np.uint8)
    table[:0x80] = range(0x80)
    table[0x80:LETTER_POINTS] = np.frombuffer(classes.encode("latin-1"), dtype=np.uint8)
    for name, ranges in _CLASS_RANGES.items():
        for first, last in ranges:
            table[first : last + 1] = ord(name)
    return table

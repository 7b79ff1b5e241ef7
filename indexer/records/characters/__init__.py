"""Characters: what each one of Unicode is to the matching rule, and what it is cleaned to.

The modules import numpy, which takes 0.1 s, so they are imported when a text is not ASCII.
"""

from typing import Final

# Classes that ASCII has no character for. The others are "a" (a letter), "A" (a capital), "0",
# " ", "-", "\f" (ends a paragraph), "_" (parts a word for us, but not for the tokenizer), and "."
# (hard).
MARK: Final = "\xa8"  # combining
NUMBER_SIGN: Final = "\xb9"  # circled numbers and the like, which part a word for the tokenizer
HEBREW: Final = "\xaa"  # a letter whose apostrophe the tokenizer keeps

#: The dashes that join words, as the content of a character class.
DASHES: Final = r"\-\u2010-\u2015\u2212"

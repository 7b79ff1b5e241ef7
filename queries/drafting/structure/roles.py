"""Tells what a line of a mail is: a greeting, a sign-off, standing words, or the request itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from queries.drafting.letter_text import BlockKind
from queries.drafting.phrases.date_tokens import find_date_tokens
from queries.drafting.structure.lines import LetterLine

_GREETING: Final = re.compile(
    r"(?:dear\b|hi\b|hello\b|hey\b|good (?:morning|afternoon|evening|day)\b|to whom it may concern|greetings\b|"
    r"for the attention of\b|sirs?,?$|madam,?$)",
    re.IGNORECASE,
)

_SIGN_OFF: Final = re.compile(
    r"(?:(?:with )?(?:very |my )?(?:kind(?:est)?|best|warm(?:est)?|many|good)\s+(?:regards|wishes|thanks)|regards|"
    r"yours\s+(?:faithfully|sincerely|truly|etc)|yours|sincerely|faithfully|respectfully|"
    r"(?:many |with )?thanks(?: again| in advance| for| and)?|thank you(?: in advance| for| very much| again)?|thx|ta|cheers|"
    r"all the best|best|with (?:many )?thanks|in anticipation|best wishes|kr)\b[^?]{0,40}$",
    re.IGNORECASE,
)

_SHORT_CLOSE: Final = re.compile(r"[A-Z][\w' ]{1,30},$")

_BARE_NAME: Final = re.compile(r"[A-Z][a-z'-]+(?: [A-Z]\.?)?(?: [A-Z][\w'-]+){1,2}")

_SIGNATURE_MARK: Final = re.compile(r"(?:-- ?|_{3,}|-{3,}|={3,})$|sent from my\b", re.IGNORECASE)

_DISCLAIMER: Final = re.compile(
    r"\b(?:confidential|privileged|intended (?:only |solely )?for|in error|scanned for viruses|registered (?:office|charity|"
    r"company|in england)|company no|please consider the environment|privacy notice|disclaimer|do not print|limited liability|"
    r"unincorporated association|charity number)\b",
    re.IGNORECASE,
)

_POSTSCRIPT: Final = re.compile(r"p\.?\s?p?\.?s\b[.:]?", re.IGNORECASE)

_STANDING_WORDS: Final = re.compile(
    r"\b(?:cost limit|appropriate limit|fees? (?:limit|regulations)|cost of compliance|section (?:8|10|11|12|16|17|50)\b|"
    r"over the (?:cost )?limit|exceeds?\b|costs? too (?:much|long)|too (?:wide|long|much|broad)|advice and assistance|working days|narrow\w*|refin\w+|"
    r"by (?:return|e-?mail|post)|spreadsheet|excel|csv|electronic\w*|look(?:ing)? forward|acknowledg\w*|contact me|get in touch|unclear|"
    r"under (?:the )?(?:foi|freedom of information|FOIA)\w*|freedom of information act(?: 2000)?|environmental information|treat this|this is (?:a|an) (?:foi )?request|"
    r"grateful|thank(?:s| you)|happy to|would be (?:fine|ideal|great|perfect|helpful)|is fine|do not worry|if (?:that|it) (?:is|'s)|"
    r"background|i am (?:a|an|writing)\b|i'm (?:a|an)\b|we (?:are|campaign|support)\b|may be withheld|redact\w*|personal data|nb\b|no objection|waiver|in the same order|"
    r"disregard(?:ed)?|leave (?:it|that) out|please do not hesitate|my (?:mobile|phone|number)|if you have any (?:questions?|quer(?:y|ies)|problems?|difficult(?:y|ies))|any questions,? please|"
    r"(?:ring|call|phone|telephone|text|e-?mail|reach|write to) me\b(?! (?:a|the|all|any|every|each|how|what|copies|details|whether|figures|numbers)\b)|reporter at|on behalf of|we look|to be clear)\b",
    re.IGNORECASE,
)

#: Words that number a part at the beginning of its sentence.
COUNT_OFF_WORDS: Final = r"(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last|final|thirdly)(?:ly)?"

_ASK: Final = re.compile(
    r"\bthe number\b|\bhow (?:many|much|old|often|long|quickly|was|were|is|are|did|does|do|each|they)\b|\b(?:the )?(?:total |overall )?numbers? of\b|\bnumber (?:recorded|aged)\b"
    r"|\bwhat (?:types?|kinds?|sorts?|was|were|is|are|percentage|proportion|steps|age|offences?|crimes?|outcomes?|happened|did|do)\b"
    r"|\bwhich (?:types?|kinds?|offences?|crimes?|offence|districts?|areas?|police|officers?|of)\b|\bwhether\b|\bage of\b|\bthe ages\b|\bcop(?:y|ies) of\b"
    r"|\b(?:percentage|proportion|breakdown|list|details|summary|description|account|copies) of\b|\bsplit by\b|\bbroken down by\b"
    r"|\b(?:have|do|does|did|has|are) (?:you|the force|any|your|officers)\b|\bwhere (?:do|did|does|were|are)\b|(?:^|[.?!] )\W*why\b|\bwhy (?:did|do|does|is|are|was|were)\b|\bwho\b(?= (?:was|were|is|are))",
    re.IGNORECASE,
)

_DIRECT_ASK: Final = re.compile(
    r"\bplease (?:also )?(?:say|state|tell|provide|give|send|supply|describe|explain|confirm|list|include|indicate|advise|let)\b|\?\s*$"
    r"|\b(?:i|we) (?:would|'d|also) (?:also )?(?:like|want|need|wish)\b|\b(?:can|could|would|will) you\b",
    re.IGNORECASE,
)

#: "(Date of letter: 7 May 2025)": words that only say when a letter was written.
WRITTEN_DATE: Final = re.compile(
    r"\(?\b(?:date of (?:this |the )?(?:letter|request|e-?mail)|(?:letter |request )?dated?(?=\s*:))\s*:?\s*"
    r"(?P<day>(?:\w+day,? )?\d{1,2}[^()\n.;]{0,20}?\d{4})\)?",
    re.IGNORECASE,
)

_COUNTED_OFF: Final = re.compile(rf"\W*(?:and |then )?{COUNT_OFF_WORDS}\s*[,:]", re.IGNORECASE)

_DATE_LINE_WORDS: Final = 5

_LONGEST_SIGN_OFF: Final = 60


def is_greeting(line: LetterLine) -> bool:
    """Whether a line greets: "Dear Sir", "Hi", "To whom it may concern"."""
    is_short = line.label is None and len(line.text) <= 80
    return is_short and bool(_GREETING.match(line.text)) and not is_asking(line.text)


def is_sign_off(line: LetterLine) -> bool:
    """Whether a line ends a mail: "Kind regards", "thx"; perhaps with the name below it."""
    if line.label is not None or line.kind == BlockKind.ROW:
        return False
    first = line.text.split("\n")[0].strip()
    return len(first) <= _LONGEST_SIGN_OFF and bool(
        _SIGN_OFF.fullmatch(first.rstrip(" !.,-") or first)
    )


def is_unusual_close(lines: list[LetterLine], number: int) -> bool:
    """Whether a line is a close of other words, "In solidarity,": short, near the end, and followed
    by lines that are no sentences."""
    line = lines[number]
    first = line.text.split("\n")[0]
    if line.label is not None or not _SHORT_CLOSE.fullmatch(first) or is_greeting(line):
        return False
    following = lines[number + 1 : number + 3]
    return any(later_line.label is None for later_line in following) and all(
        later_line.label is None and not later_line.is_bullet and not is_asking(later_line.text)
        for later_line in following
    )


def is_bare_name(lines: list[LetterLine], number: int) -> bool:
    """Whether a line is the name at the end of a mail that closes without a greeting."""
    is_last = number > 0 and number >= len(lines) - 2
    return (
        is_last and lines[number].label is None and bool(_BARE_NAME.fullmatch(lines[number].text))
    )


def is_signature_mark(line: LetterLine) -> bool:
    """Whether a line begins what mail programs add: "-- ", "Sent from my"."""
    return bool(_SIGNATURE_MARK.match(line.text))


def is_disclaimer(line: LetterLine) -> bool:
    """Whether a line is about confidentiality, viruses, a register of companies."""
    return bool(_DISCLAIMER.search(line.text)) and not _ASK.search(line.text)


def is_postscript(line: LetterLine) -> bool:
    """Whether a line is a postscript."""
    return bool(_POSTSCRIPT.match(line.text))


def is_date_line(line: LetterLine) -> bool:
    """Whether a line is only the date of a letter."""
    return len(line.text.split()) <= _DATE_LINE_WORDS and any(
        token.kind == "day" and not token.is_yearless for token in find_date_tokens(line.text)
    )


def is_counted_off(sentence: str) -> bool:
    """Whether a sentence begins with its number in words: "Third,", "Lastly,"."""
    return bool(_COUNTED_OFF.match(sentence))


def is_standing_text(sentence: str) -> bool:
    """Whether a sentence is what many requests say, about costs, format or courtesy."""
    return bool(_STANDING_WORDS.search(sentence))


def is_asking(text: str) -> bool:
    """Whether a text has the words of a question: "how many", "the number of", "copies of"."""
    return bool(_ASK.search(text))


def is_directly_asking(text: str) -> bool:
    """Whether a text asks for something in the imperative or with a question mark."""
    return bool(_DIRECT_ASK.search(text))


def find_body(lines: Sequence[LetterLine]) -> tuple[int, int]:
    """Where the request itself begins and ends among the lines of a mail: after the greeting, and
    before the sign-off or what a mail program adds."""
    start = next((number + 1 for number, line in enumerate(lines) if is_greeting(line)), 0)
    listed = list(lines)
    for number in range(start, len(lines)):
        line = lines[number]
        is_end = (
            is_bare_name(listed, number)
            or is_sign_off(line)
            or is_signature_mark(line)
            or is_unusual_close(listed, number)
        )
        if is_end and not any(later_line.label for later_line in lines[number + 1 :]):
            return start, number
    # A disclaimer may have numbers of its own: the first sign-off behind every question ends the mail.
    for number in range(start, len(lines)):
        if is_sign_off(lines[number]) and not any(
            is_asking(line.text) for line in lines[number + 1 :]
        ):
            return start, number
    end = next(
        (number for number in range(start, len(lines)) if is_signature_mark(lines[number])),
        len(lines),
    )
    return start, end

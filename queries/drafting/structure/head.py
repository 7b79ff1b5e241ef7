"""Who asks, when, about what, and under which reference."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from queries.drafting.draft import DraftHead
from queries.drafting.letter_text import LetterText
from queries.drafting.phrases.plain_text import hide_phone_numbers, plain_text, split_sentences
from queries.drafting.structure.lines import LetterLine
from queries.drafting.structure.mails import RequestMail
from queries.drafting.structure.roles import is_asking, is_date_line, is_sign_off

_OWN_REFERENCE: Final = re.compile(
    r"(?<![\w/-])(?P<reference>(?:[A-Z]{1,6}[-/ ]?)?(?:FOIA?|RFI|EIR|IRT|IAR|IR)[A-Z]*[-/ :]{0,2}\d[\w/-]*\d)(?![\w/])"
)

#: An Act and its year, which are no reference.
_ACT_AND_YEAR: Final = re.compile(
    r"(?:FOI|FOIA|FOISA|EIR|EIRS|FOI ?Act)?[-/ :]*(?:19|20)\d\d", re.IGNORECASE
)

_NAMED_REFERENCE: Final = re.compile(
    r"\b(?:your|our|my|case|request|foi)\s+(?:ref(?:erence)?|case|request)(?:\s+(?:number|no\.?))?\s*(?:is|:|\.)?\s+"
    r"(?P<reference>[A-Z]{0,10}[-/ ]?\d[\w/-]*[/-][\w/-]*\d)",
    re.IGNORECASE,
)

_EARLIER: Final = re.compile(
    r"\b(?:earlier|previous|last year|last month|before|other|another|different|in response to|reply)\b",
    re.IGNORECASE,
)

_REQUESTERS_OWN: Final = re.compile(r"\b(?:our|my)\s+ref", re.IGNORECASE)

_SUBJECT_PREFIX: Final = re.compile(
    r"^\W*(?:(?:re|fw|fwd|aw|subject|ref)\s*:\s*|(?:a )?(?:freedom of information|foia?)(?: act(?: 2000)?)?\s*(?:request)?\s*(?:for my)?\b[\s:,-]*|"
    r"(?:information )?request\s*(?:for information)?[\s:-]+|clarification\s*(?=[:-])[\s:-]*)+",
    re.IGNORECASE,
)

_STANDING_SUBJECT: Final = re.compile(
    r"\bfreedom of information act\b|^(?:clarification|question|request)$"
    r"|^(?:under |made under )?(?:the )?(?:foi|foia|foisa|eir)(?: act)?(?: \d{4})?$",
    re.IGNORECASE,
)

_BODY_WORDS: Final = re.compile(
    r"\b(?:LLP|Ltd|Limited|plc|Trust|University|College|Association|Network|Charity|Council|Gazette|Courier|News|Times|Post|"
    r"Foundation|Society|Union|Group|Institute|Solicitors|UK|CIC|Audio|Media|Alliance|Campaign|People|Residents)\b"
)

_NOT_NAME: Final = re.compile(
    r"[@\d|:?!]|\b(?:LLP|Ltd|Limited|plc|sent from|registered|tel|mobile)\b", re.IGNORECASE
)

_ROLE: Final = re.compile(
    r"\b(?:Director|Secretary|Manager|Partner|Policy|Campaigns?|Data|Reporter|Journalist|Officer|Editor|Head|Lecturer|Senior|"
    r"Student|Researcher?|Producer|Chair|Chief|Crime|Correspondent|Solicitor|Assistant|Coordinator|News)\b"
)

_NAME: Final = re.compile(
    r"(?:(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor|Rev|Sir|Dame|Cllr)\.?\s+)?"
    r"[A-Z][\w'-]*\.?(?:\s+(?:[A-Z]\.?|de|van|von|der|[A-Z][\w'-]+))*\s+[A-Z][\w'-]+"
)

_LONGEST_SUBJECT_WORDS: Final = 16


def find_head(letter: LetterText, mails: Sequence[RequestMail]) -> DraftHead:
    """The head of a draft, from the mails of the requester, the oldest first."""
    if not mails:
        return DraftHead()
    first, last = mails[0], mails[-1]
    sender = _find_sender(mails)
    return DraftHead(
        received=first.sent,
        clarified=last.sent if len(mails) > 1 else None,
        reference=_find_reference(letter, mails),
        sender=sender,
        body=_find_requesting_body(mails, sender),
        subject=find_subject(first),
    )


def find_subject(mail: RequestMail) -> str | None:
    """What a mail is about, without "FOI request" and the like; None if nothing else is said."""
    written = hide_phone_numbers(plain_text(mail.message.subject or "")) or find_heading(mail)
    subject = _SUBJECT_PREFIX.sub("", written).strip(" .:-")
    subject = re.sub(r"^\((.*)\)$", r"\1", subject)
    if _STANDING_SUBJECT.search(subject):
        return None
    if not re.search(r"[a-z]", subject):
        subject = subject.capitalize()
    return subject[:1].upper() + subject[1:] if len(subject) > 2 else None


def find_heading(mail: RequestMail) -> str:
    """The subject line of a letter: a heading, or a short line without a full stop behind the
    greeting; empty without one."""
    for line in mail.body[:1]:
        is_short = len(line.text.split()) <= _LONGEST_SUBJECT_WORDS and line.label is None
        if is_short and not line.is_bullet and is_heading_like(line.text):
            return line.text
    return ""


def is_heading_like(text: str) -> bool:
    """Whether a text is a title, and no sentence."""
    is_reference = bool(re.match(r"(?:re|subject)\b\s*:", text, re.IGNORECASE))
    return is_reference or (
        not re.search(r"[.?!:,-]$", text)
        and not is_asking(text)
        and "\n" not in text
        and text[:1].isupper()
        and not re.match(r"(?:I|We|Please|Could|Can|Under|Thank)\b", text)
    )


def _find_reference(letter: LetterText, mails: Sequence[RequestMail]) -> str | None:
    """The force's reference of this request: in the subjects of the chain, or in a sentence that
    speaks of no earlier request."""
    texts = [plain_text(message.subject or "") for message in letter.messages]
    texts += [
        sentence
        for mail in reversed(mails)
        for line in (*mail.head, *mail.body)
        for sentence in split_sentences(line.text)
    ]
    for text in texts:
        if _EARLIER.search(text) or _REQUESTERS_OWN.search(text):
            continue
        for pattern in (_OWN_REFERENCE, _NAMED_REFERENCE):
            for match in pattern.finditer(text):
                if not _ACT_AND_YEAR.fullmatch(match["reference"].strip()):
                    return match["reference"].strip()
    return None


def _find_sender(mails: Sequence[RequestMail]) -> str | None:
    for mail in mails:
        if (sender := plain_text(mail.message.sender or "")) and "@" not in sender:
            return sender
    names = (name for mail in mails for name in _iterate_names(mail))
    return next(names, None) or next(
        (mail.message.sender for mail in mails if mail.message.sender), None
    )


def _iterate_names(mail: RequestMail) -> Iterator[str]:
    """What may be the name of the sender in a signature, in its order."""
    for line in mail.signature:
        for text in line.text.split("\n"):
            words = text.strip(" ()")
            if is_sign_off(LetterLine(words)) and not _NAME.fullmatch(words):
                continue
            words = re.split(r",|\s\|\s|\(", words)[0].strip()
            if role := _ROLE.search(words):
                words = words[: role.start()].strip()
            match = _NAME.match(words)
            if match and not _NOT_NAME.search(words):
                yield match[0]


def _find_requesting_body(mails: Sequence[RequestMail], sender: str | None) -> str | None:
    """The body that the sender writes for: a line of the letterhead or of the signature."""
    for mail in mails:
        for line in (*mail.head[:2], *mail.signature[:4]):
            if line.label or is_date_line(line):
                continue
            for text in line.text.split("\n")[:4]:
                words = re.split(r"\s\|\s|,\s", text)[-1].strip()
                is_body = _BODY_WORDS.search(words) and not _NOT_NAME.search(
                    words.replace("LLP", "")
                )
                if (
                    is_body
                    and words != sender
                    and len(words.split()) <= 6
                    and not re.search(r"\bFreedom|\bPolice\b", words)
                ):
                    return words
    return None

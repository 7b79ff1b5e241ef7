"""Which mails of a chain are the requester's, in the order in which they were sent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

from msgspec import Struct

from queries.drafting.letter_text import LetterMessage, LetterText
from queries.drafting.phrases.date_tokens import find_only_day
from queries.drafting.structure.lines import LetterLine, read_lines
from queries.drafting.structure.roles import WRITTEN_DATE, find_body, is_asking, is_date_line

_OFFICE: Final = re.compile(
    r"\bfoia?\b|freedom of information|information (?:rights|governance|access|requests?|unit|compliance)|"
    r"\bpolice\b|\bconstabulary\b|disclosure|data protection|info\.?gov",
    re.IGNORECASE,
)


class RequestMail(Struct, frozen=True):
    """A mail of the requester, or the letter itself, as lines. The request itself are the lines
    from ``start`` to before ``end``; before it are the letterhead and the greeting, and behind it
    the sign-off and what follows.
    """

    message: LetterMessage
    lines: tuple[LetterLine, ...]
    start: int
    end: int
    sent: date | None = None

    @property
    def head(self) -> tuple[LetterLine, ...]:
        """The letterhead, the address and the greeting."""
        return self.lines[: self.start]

    @property
    def body(self) -> tuple[LetterLine, ...]:
        """The request itself."""
        return self.lines[self.start : self.end]

    @property
    def signature(self) -> tuple[LetterLine, ...]:
        """The sign-off, the name, postscripts and disclaimers."""
        return self.lines[self.end :]


def read_request_mails(letter: LetterText) -> list[RequestMail]:
    """The mails of the requester, the oldest first. Those of the office that answers are left out,
    unless there are no others."""
    numbers = range(len(letter.messages))
    of_requester = [number for number in numbers if not is_of_office(letter.messages[number])]
    of_requester = of_requester or list(numbers)
    if of_requester:
        requester = letter.messages[max(of_requester)].sender
        of_requester = [
            number
            for number in of_requester
            if _is_same_person(letter.messages[number].sender, requester)
        ]
    mails = [_read_mail(letter, number) for number in sorted(of_requester, reverse=True)]
    whole_mails = [mail for mail in mails if mail.lines and not _is_scrap(mail)]
    return _sort_mails(whole_mails or mails)


def _is_scrap(mail: RequestMail) -> bool:
    """Whether a quotation says neither who wrote it nor when, and asks nothing: it is no mail."""
    message = mail.message
    is_nameless = message.quoted and not (message.sender or message.sent or message.subject)
    return is_nameless and not any(is_asking(line.text) for line in mail.body)


def is_of_office(message: LetterMessage) -> bool:
    """Whether a mail comes from an office that answers requests."""
    return bool(_OFFICE.search(f"{message.sender or ''} {message.address or ''}"))


def _is_same_person(sender: str | None, second_sender: str | None) -> bool:
    """Whether two senders may be one: a name may be missing, or be an address only."""
    if not sender or not second_sender or "@" in sender or "@" in second_sender:
        return True
    words, other_words = (
        set(re.findall(r"\w+", name.casefold())) for name in (sender, second_sender)
    )
    return bool(words & other_words)


def _read_mail(letter: LetterText, number: int) -> RequestMail:
    lines = read_lines(block for block in letter.blocks if block.message == number)
    start, end = find_body(lines)
    message = letter.messages[number]
    return RequestMail(message, tuple(lines), start, end, message.sent or _find_date(lines))


def _find_date(lines: Sequence[LetterLine]) -> date | None:
    """The date of a letter that stands in a line of its own, or behind "date of letter"."""
    days = (find_only_day(line.text) for line in lines if is_date_line(line))
    named = (
        find_only_day(match["day"]) for line in lines for match in WRITTEN_DATE.finditer(line.text)
    )
    return next(filter(None, days), None) or next(filter(None, named), None)


def _sort_mails(mails: list[RequestMail]) -> list[RequestMail]:
    """By the day of sending if each has one; a file may hold its mails in either order."""
    days = [mail.sent for mail in mails]
    if all(days):
        return sorted(mails, key=lambda mail: mail.sent or date.min)
    return mails

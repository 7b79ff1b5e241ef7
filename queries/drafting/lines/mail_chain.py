"""Tell the mails of a chain apart: heads that a mail program writes, and marks of quotation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from queries.drafting.letter_text import LetterBlock, LetterMessage
from queries.drafting.lines.join_lines import join_lines
from queries.drafting.lines.line import Line, squeeze_spaces
from queries.drafting.lines.sender_name import parse_sender
from queries.drafting.lines.written_date import parse_written_datetime

_HEAD_LINE: Final = re.compile(
    r"\*{0,2}(?P<name>from|sent|date|to|cc|bcc|subject|importance|attachments|reply-to)\s?:\*{0,2}"
    r"(?:\s+(?P<value>.*))?$",
    re.IGNORECASE,
)

#: "-----Original Message-----", and how other programs write it.
_BANNER: Final = re.compile(
    r"(?:-{2,}|\*{2,}|_{2,})\s*(?:original|forwarded|reply)\s+(?:message|mail|e-mail)\b.{0,80}"
    r"|begin forwarded message:",
    re.IGNORECASE,
)

_ATTRIBUTION: Final = re.compile(
    r"on\b(?P<head>.{6,240})\b(?:wrote|writes)\s?:(?:\s*-{2,})?", re.IGNORECASE
)

#: A line that a program draws above the head of a quoted mail.
_RULE: Final = re.compile(r"[_=-]{10,}")

_MAX_ATTRIBUTION_LINES: Final = 3

#: The head of a mail to many people is long.
_MAX_HEAD_LINES: Final = 60

_ADDRESS_TAIL: Final = re.compile(r".*@.*|.*;\s*$|.*>\s*$")


class MailHead(Struct, frozen=True, kw_only=True):
    """What stands at the head of a mail. ``sent`` has no time zone."""

    sender: str | None = None
    address: str | None = None
    sent: datetime | None = None
    subject: str | None = None


class ChainMail:
    """One mail of a chain, as its lines are collected: those of the mail, and of each attachment
    that was read into it."""

    def __init__(self, head: MailHead, *, quoted: bool) -> None:
        self.head = head
        self.quoted = quoted
        self.sections: list[list[Line]] = [[]]

    @property
    def has_text(self) -> bool:
        """Whether any line holds something."""
        return any(line.text for section in self.sections for line in section)


class MailChain(NamedTuple):
    """Mails, newest first, and their blocks in the order of the file."""

    messages: tuple[LetterMessage, ...]
    blocks: tuple[LetterBlock, ...]


def split_chain(lines: Sequence[Line], head: MailHead | None = None) -> MailChain:
    """The mails of a letter. ``head`` is that of the mail around the lines, if the file has one."""
    return number_mails([_ChainReader(lines, head).read_mails()])


def read_mails(lines: Sequence[Line], head: MailHead | None = None) -> list[ChainMail]:
    """The mails of some lines, in the order of the file, to be numbered with others."""
    return _ChainReader(lines, head).read_mails()


def number_mails(groups: Iterable[list[ChainMail]]) -> MailChain:
    """The chain of the mails of a file; each group after the first was attached to it."""
    mails: list[ChainMail] = []
    for number, group in enumerate(groups):
        for mail in group:
            mail.quoted |= number > 0
        mails += group
    order = _order_newest_first([mail.head.sent for mail in mails])
    ranks = {position: rank for rank, position in enumerate(order)}
    blocks: list[LetterBlock] = []
    for position, mail in enumerate(mails):
        for section in mail.sections:
            blocks += join_lines(section, ranks[position])
    return MailChain(
        messages=tuple(
            LetterMessage(
                sender=mail.head.sender,
                address=mail.head.address,
                sent=mail.head.sent.date() if mail.head.sent else None,
                subject=mail.head.subject,
                quoted=mail.quoted,
            )
            for mail in (mails[position] for position in order)
        ),
        blocks=tuple(blocks),
    )


def _order_newest_first(times: Sequence[datetime | None]) -> list[int]:
    """The places of mails, newest first; as in the file where one has no date."""
    places = list(range(len(times)))
    level = [time for time in times if time is not None]
    if len(level) < len(times):
        return places
    return sorted(places, key=lambda position: level[position], reverse=True)


class _ChainReader:
    """Reads lines once, and keeps for each depth of quotation the mail that is open there."""

    def __init__(self, lines: Sequence[Line], head: MailHead | None) -> None:
        self._lines = lines
        self._mails = [ChainMail(head or MailHead(), quoted=False)]
        self._has_head = head is not None
        self._last_sent = self._mails[0].head.sent
        self._open: dict[int, ChainMail] = {0: self._mails[0]}
        self._next_head: MailHead | None = None  # of the mail that an attribution announced

    def read_mails(self) -> list[ChainMail]:
        """Every mail that has a head or a text; the empty one, if none has."""
        index = 0
        while index < len(self._lines):
            index += self._read_at(index)
        return [mail for mail in self._mails if mail.has_text or mail.head != MailHead()] or [
            self._mails[0]
        ]

    def _read_at(self, index: int) -> int:
        """Read from a line on; returns how many lines were read."""
        line = self._lines[index]
        if line.kind is None and line.text:
            if _BANNER.fullmatch(line.text) or self._is_rule_above_head(index):
                return 1
            if head := read_head(self._lines[index : index + _MAX_HEAD_LINES]):
                self._begin_mail(line.quote_depth, head.head)
                return head.length
            if attribution := _read_attribution(
                self._lines[index : index + _MAX_ATTRIBUTION_LINES]
            ):
                return self._announce(index, attribution)
        self._add_line(line)
        return 1

    def _is_rule_above_head(self, index: int) -> bool:
        if not _RULE.fullmatch(self._lines[index].text):
            return False
        below = self._lines[index + 1 : index + _MAX_HEAD_LINES]
        return read_head([line for line in below if line.text]) is not None

    def _announce(self, index: int, attribution: _Head) -> int:
        """Remember who wrote what is quoted below; without marks it begins a mail here."""
        depth = self._lines[index].quote_depth
        start = index + attribution.length
        rest = self._lines[start : start + _MAX_HEAD_LINES]
        following = next((line for line in rest if line.text), None)
        if following and following.quote_depth > depth:
            self._next_head = attribution.head
        else:
            self._begin_mail(depth, attribution.head)
        return attribution.length

    def _add_line(self, line: Line) -> None:
        depth = line.quote_depth
        if not line.text and depth not in self._open:  # a quotation may have plain blank lines
            depth = max(level for level in self._open if level <= depth)
        if depth not in self._open:
            self._begin_mail(depth, self._next_head or MailHead())
            self._next_head = None
        elif line.text:
            self._open = {level: mail for level, mail in self._open.items() if level <= depth}
        self._open[depth].sections[0].append(msgspec.structs.replace(line, quote_depth=0))

    def _begin_mail(self, depth: int, head: MailHead) -> None:
        first = self._mails[0]
        if not (first.has_text or self._has_head or len(self._mails) > 1 or depth):
            first.head = head
            self._has_head = True
            self._last_sent = head.sent
            return
        newer = bool(self._last_sent and head.sent and head.sent > self._last_sent and not depth)
        self._last_sent = head.sent or self._last_sent
        mail = ChainMail(head, quoted=not newer)
        for level in [level for level in self._open if level >= depth]:
            del self._open[level]
        self._open[depth] = mail
        self._mails.append(mail)


class _Head(NamedTuple):
    """A head, and how many lines it takes."""

    head: MailHead
    length: int


def read_head(lines: Sequence[Line]) -> _Head | None:
    """The lines "From:", "Sent:", "To:", "Subject:" that begin here, if they do."""
    if not _HEAD_LINE.match(lines[0].text if lines else ""):
        return None
    depth = lines[0].quote_depth
    values: dict[str, str] = {}
    length = 0
    name = ""
    for line in lines:
        match = _HEAD_LINE.match(line.text) if line.quote_depth == depth else None
        if match and match["name"].lower() not in values:
            name = match["name"].lower()
            values[name] = match["value"] or ""
        elif name and line.text and line.quote_depth == depth and _goes_on(name, values, line):
            values[name] += f" {line.text}"
        else:
            break
        length += 1
    if "from" not in values or not values.keys() & {"sent", "date", "subject", "to"}:
        return None
    return _Head(_make_head(values), length)


def _goes_on(name: str, values: dict[str, str], line: Line) -> bool:
    """Whether a line goes on with the value above it: a long list of names, or a broken line."""
    if not values[name] or line.indent > 0:
        return True
    return name in ("to", "cc", "bcc") and bool(_ADDRESS_TAIL.fullmatch(line.text))


def _make_head(values: dict[str, str]) -> MailHead:
    sender = parse_sender(values["from"])
    return MailHead(
        sender=sender.name,
        address=sender.address,
        sent=parse_written_datetime(values.get("sent") or values.get("date") or ""),
        subject=squeeze_spaces(values.get("subject", "")) or None,
    )


def _read_attribution(lines: Sequence[Line]) -> _Head | None:
    """The line that says who wrote what is quoted below ("On 29 November 2019, ... wrote:")."""
    if not lines[0].text[:3].lower().startswith("on "):
        return None
    text = ""
    for length, line in enumerate(lines, start=1):
        if not line.text or line.quote_depth != lines[0].quote_depth:
            return None
        text = f"{text} {line.text}".strip()
        if match := _ATTRIBUTION.fullmatch(text):
            written = match["head"]
            sent = parse_written_datetime(written)
            if sent is None:
                return None
            sender = parse_sender(_cut_date(written))
            return _Head(MailHead(sender=sender.name, address=sender.address, sent=sent), length)
    return None


_DATE_PART: Final = re.compile(
    r"^.*?(?:\b\d{4}\b|\d{1,2}/\d{1,2}/\d{2,4})[,]?(?:\s*(?:at\s*)?\d{1,2}[:.]\d{2}(?:[:.]\d{2})?"
    r"\s*(?:[ap]\.?m\.?)?(?:\s*(?:\([^)]*\)|[+-]\d{4}|GMT|BST|UTC))?)?[,]?\s*",
    re.IGNORECASE,
)


def _cut_date(written: str) -> str:
    return _DATE_PART.sub("", written, count=1)

"""Letters as mails (.eml), with the letters that are attached to them.

Nothing that a mail points to is followed: no link, no picture, no file beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import Message
from pathlib import PurePosixPath
from typing import Final

import msgspec

from queries.drafting.lines.line import (
    BLANK,
    Line,
    clean_text,
    split_plain_lines,
    squeeze_spaces,
)
from queries.drafting.lines.mail_chain import ChainMail, MailHead, read_mails
from queries.drafting.lines.sender_name import parse_sender
from queries.drafting.lines.written_date import parse_written_datetime
from queries.drafting.readers.faults import (
    MAX_MAIL_DEPTH,
    MAX_MAIL_PARTS,
    MAX_PART_DEPTH,
    LetterFault,
    UnreadableLetterError,
)
from queries.drafting.readers.html_text import read_html_lines
from queries.drafting.readers.plain_text import check_length, decode_text

#: Reads an attachment, by its ending, and adds what it does not read of it to a list. Raises
#: UnreadableLetterError.
DocumentReader = Callable[[str, bytes, list[str]], list[ChainMail]]

_DOCUMENT_ENDINGS: Final = (".txt", ".docx", ".pdf")

_ENDINGS_BY_TYPE: Final = {
    "application/pdf": ".pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.ms-outlook": ".msg",
}

#: Parts that prove who sent a mail, and say nothing.
_SIGNATURES: Final = (
    "application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature",
)  # fmt: skip

_ENCRYPTED: Final = ("application/pkcs7-mime", "application/x-pkcs7-mime", "multipart/encrypted")

#: Of the words of the plain part, how many the HTML part must have to be the whole text.
_WHOLE_SHARE: Final = 0.9


class MailReader:
    """Reads a mail, and the mails and letters attached to it.

    ``groups`` are the mails of the file and of each attached mail, ``unread`` the endings of the
    attachments that no reader reads.
    """

    def __init__(self, read_document: DocumentReader) -> None:
        self.groups: list[list[ChainMail]] = []
        self.unread: list[str] = []
        self._read_document = read_document
        self._parts = 0

    def read_file(self, ending: str, data: bytes, depth: int = 0) -> None:
        """Read a mail (.eml or .msg), which is in ``depth`` others.

        Raises UnreadableLetterError.
        """
        if ending == ".msg":
            from queries.drafting.readers.outlook_file import convert_outlook_file

            self._read_mail(convert_outlook_file(data), depth)
            return
        mail = message_from_bytes(data, policy=policy.default)
        if depth == 0 and not mail.keys():
            raise UnreadableLetterError(LetterFault.DAMAGED)
        self._read_mail(mail, depth)

    def _read_mail(self, mail: Message, depth: int) -> None:
        if depth > MAX_MAIL_DEPTH:
            raise UnreadableLetterError(LetterFault.TOO_DEEP)
        parts = _MailParts(self, depth)
        group: list[ChainMail] = []
        self.groups.append(group)
        parts.collect(mail, 0)
        group += read_mails(parts.lines, _read_mail_head(mail))
        for extra in parts.documents:
            group[0].sections += extra[0].sections
            self.groups.append(extra[1:])
        if parts.encrypted and not any(entry.has_text for entry in group):
            raise UnreadableLetterError(LetterFault.PROTECTED)

    def count_part(self) -> None:
        """Raise UnreadableLetterError for a mail of more parts than a person attaches."""
        self._parts += 1
        if self._parts > MAX_MAIL_PARTS:
            raise UnreadableLetterError(LetterFault.TOO_LONG)

    def read_attachment(self, ending: str, data: bytes, depth: int) -> list[ChainMail]:
        """The mails of an attached letter; none for an attached mail, which has its own group."""
        try:
            if ending in (".eml", ".msg"):
                self.read_file(ending, data, depth + 1)
                return []
            if ending in _DOCUMENT_ENDINGS:
                return self._read_document(ending, data, self.unread)
        except UnreadableLetterError as error:
            if error.fault is LetterFault.TOO_DEEP:
                raise
        except ImportError:
            pass
        self.unread.append(ending)
        return []

    def read_attached_mail(self, mail: Message, depth: int) -> None:
        """Read a mail that another holds as a part. Raises UnreadableLetterError."""
        self._read_mail(mail, depth + 1)


class _MailParts:
    """The parts of one mail: the lines of its text, and the letters attached to it."""

    def __init__(self, reader: MailReader, depth: int) -> None:
        self.lines: list[Line] = []
        self.documents: list[list[ChainMail]] = []
        self.encrypted = False
        self._reader = reader
        self._depth = depth

    def collect(self, part: Message, level: int) -> None:
        """Read a part and those in it, in order. Raises UnreadableLetterError."""
        if level > MAX_PART_DEPTH:
            raise UnreadableLetterError(LetterFault.TOO_DEEP)
        self._reader.count_part()
        kind = part.get_content_type()
        self.encrypted |= kind in _ENCRYPTED
        if kind == "message/rfc822":
            for mail in _list_parts(part):
                self._reader.read_attached_mail(mail, self._depth)
        elif kind == "multipart/alternative":
            self._collect_alternative(part, level)
        elif part.is_multipart():
            for inner in _list_parts(part):
                self.collect(inner, level + 1)
        elif kind in ("text/plain", "text/html") and not _is_attachment(part):
            self._add(_read_text_part(part))
        elif kind not in _SIGNATURES and not (kind.startswith("image/") and _is_inline(part)):
            self._attach(part)

    def _collect_alternative(self, part: Message, level: int) -> None:
        """Of the forms of one text, the HTML one, unless the plain one says more."""
        forms = []
        for inner in _list_parts(part):
            form = _MailParts(self._reader, self._depth)
            form.collect(inner, level + 1)
            self.encrypted |= form.encrypted
            forms.append(form)
        forms = [form for form in forms if form.lines] or forms[-1:]
        counts = [sum(len(line.text.split()) for line in form.lines) for form in forms]
        for form, count in reversed([*zip(forms, counts, strict=True)]):
            if count >= _WHOLE_SHARE * max(counts):
                self._add(form.lines)
                break
        for form in forms:
            self.documents += form.documents

    def _add(self, lines: list[Line]) -> None:
        if self.lines:
            self.lines.append(BLANK)
        self.lines += lines

    def _attach(self, part: Message) -> None:
        name = _read_header(part.get_filename)
        kind = part.get_content_type()
        ending = PurePosixPath(name).suffix.lower() or _ENDINGS_BY_TYPE.get(kind, "")
        if kind.startswith("text/") and not ending:
            ending = ".txt"
        data = part.get_payload(decode=True)
        if mails := self._reader.read_attachment(
            ending or kind.partition("/")[2][:20],
            data if isinstance(data, bytes) else b"",
            self._depth,
        ):
            self.documents.append(mails)


def _list_parts(part: Message) -> list[Message]:
    payload = part.get_payload()
    return (
        [entry for entry in payload if isinstance(entry, Message)]
        if isinstance(payload, list)
        else []
    )


def _read_header(read: Callable[[], object]) -> str:
    """A header, or empty text: the standard library raises much for one that is malformed."""
    try:
        return str(read() or "")
    except Exception:  # noqa: BLE001 - see above
        return ""


def _is_attachment(part: Message) -> bool:
    return _read_header(part.get_content_disposition) == "attachment"


def _is_inline(part: Message) -> bool:
    """Whether a picture belongs to the text, as a logo does."""
    return not _is_attachment(part) or bool(_read_header(lambda: part["content-id"]))


def _read_text_part(part: Message) -> list[Line]:
    data = part.get_payload(decode=True)
    text = decode_text(
        data if isinstance(data, bytes) else b"", _read_header(part.get_content_charset)
    )
    check_length(text)
    if part.get_content_type() == "text/html":
        return read_html_lines(text)
    lines = split_plain_lines(text)
    if _read_header(lambda: part.get_param("format")).lower() == "flowed":
        return _mark_flow(text, lines)
    return lines


def _mark_flow(text: str, lines: list[Line]) -> list[Line]:
    """The lines of a flowed text, which end with a space where the paragraph goes on (RFC 3676)."""
    raw = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n\n").split("\n")
    return [
        msgspec.structs.replace(line, fills=ending.endswith(" ") and ending.rstrip("> ") != "--")
        for line, ending in zip(lines, raw, strict=True)
    ]


def _read_mail_head(mail: Message) -> MailHead:
    sender = parse_sender(clean_text(_read_header(lambda: mail["from"])))
    subject = squeeze_spaces(clean_text(_read_header(lambda: mail["subject"])))
    return MailHead(
        sender=sender.name,
        address=sender.address,
        sent=parse_written_datetime(_read_header(lambda: mail["date"])),
        subject=subject or None,
    )

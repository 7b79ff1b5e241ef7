"""Letters as mails of Outlook (.msg): made into a mail as any other program writes it.

No object in the file is run or opened. Of the attachments, only those that the file itself holds
are read, by the readers of their kinds.
"""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final

from queries.drafting.readers.faults import LetterFault, UnreadableLetterError

if TYPE_CHECKING:
    from oxmsg import Message
    from oxmsg.attachment import Attachment

#: The property that holds a text as compressed RTF.
_RICH_TEXT: Final = 0x1009

_OLE_MARK: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def convert_outlook_file(data: bytes) -> EmailMessage:
    """The mail of an Outlook file. Raises UnreadableLetterError."""
    from oxmsg import Message

    if not data.startswith(_OLE_MARK):
        raise UnreadableLetterError(LetterFault.DAMAGED)
    source = Message.load(data)
    if "encrypted" in source.message_class.lower():
        raise UnreadableLetterError(LetterFault.PROTECTED)
    mail = EmailMessage()
    _set_header(mail, "From", source.sender)
    _set_header(mail, "Subject", source.subject)
    # The header has the day where the mail was written; the property has it in Greenwich.
    if date := source.message_headers.get("Date"):
        _set_header(mail, "Date", date)
    elif source.sent_date:
        mail["Date"] = format_datetime(source.sent_date.astimezone())
    _set_body(mail, source)
    for attachment in source.attachments:
        _add_attachment(mail, attachment)
    return mail


def _set_header(mail: EmailMessage, name: str, value: str | None) -> None:
    if value and value.strip():
        mail[name] = " ".join(value.split())


def _set_body(mail: EmailMessage, source: Message) -> None:
    plain, rich = source.body, source.html_body
    if plain and plain.strip():
        mail.set_content(plain.replace("\r\n", "\n"))
        if rich:
            mail.add_alternative(rich, subtype="html")
    elif rich:
        mail.set_content(rich, subtype="html")
    elif source.properties.binary_prop_value(_RICH_TEXT) and not source.attachment_count:
        raise UnreadableLetterError(LetterFault.RICH_TEXT)
    else:
        mail.set_content("")


def _add_attachment(mail: EmailMessage, attachment: Attachment) -> None:
    name = attachment.file_name or "attachment"
    data = attachment.file_bytes
    mail.add_attachment(
        data or b"",
        maintype="application",
        subtype="octet-stream",
        filename=name if data is not None else f"{name}.msg",
    )

"""Letters in memory, a block for each line, as a reader of files would leave them."""

from __future__ import annotations

from datetime import date

from queries.drafting.letter_text import BlockKind, LetterBlock, LetterMessage, LetterText

SENT = date(2024, 7, 8)


def make_block(line: str, message: int = 0) -> LetterBlock:
    """A line as a block; "* " begins an item of a list."""
    kind = BlockKind.ITEM if line.startswith("* ") else BlockKind.PARAGRAPH
    return LetterBlock(text=line.removeprefix("* "), kind=kind, message=message)


def make_letter(*mails: str, sent: tuple[date, ...] = (SENT,), subject: str = "Apps") -> LetterText:
    """A letter of one or several mails by one person, the newest first."""
    return LetterText(
        file_name="letter.txt",
        messages=tuple(
            LetterMessage(sender="Ada Example", sent=day, subject=subject)
            for day, _ in zip(sent, mails, strict=True)
        ),
        blocks=tuple(
            make_block(line.strip(), number)
            for number, mail in enumerate(mails)
            for line in mail.splitlines()
            if line.strip()
        ),
    )

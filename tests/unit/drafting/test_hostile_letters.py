"""Letters that are no letters, or meant to harm: one message each, and nothing of the letter in it."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import docx
import pypdf
import pytest

from indexer.errors import ConfigurationError, LetterError
from queries.drafting.letter_text import LetterBlock, LetterText
from queries.drafting.readers import open_letter, read_letter
from queries.drafting.readers.formats import LETTER_ENDINGS
from tests.support.letter_files import make_mail, save_word, write_pdf, write_word

CANARY = "ZQXCANARY"

LETTER = [LetterBlock(text=f"How many crimes mention {CANARY}?")]


def read(folder: Path, name: str, data: bytes) -> LetterText:
    path = folder / name
    path.write_bytes(data)
    return read_letter(path)


def fail(folder: Path, name: str, data: bytes) -> str:
    """The message about a letter that cannot be read."""
    with pytest.raises(LetterError) as refused:
        read(folder, name, data)
    message = str(refused.value)
    assert refused.value.exit_code == 20
    assert message.startswith(str(folder / name))
    assert CANARY not in message
    return message


def write_pages(count: int) -> bytes:
    writer = pypdf.PdfWriter()
    for _ in range(count):
        writer.add_blank_page(200, 200)
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def write_protected_pdf() -> bytes:
    writer = pypdf.PdfWriter(clone_from=pypdf.PdfReader(io.BytesIO(write_pdf(LETTER))))
    writer.encrypt("secret", algorithm="RC4-128")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def write_bomb() -> bytes:
    """A Word file of some kilobytes whose text unpacks to 60 MB."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(write_word(LETTER))) as source,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bomb,
    ):
        for name in source.namelist():
            data = source.read(name)
            if name == "word/document.xml":
                data = data.replace(b"<w:body>", b"<w:body>" + b" " * 60_000_000)
            bomb.writestr(name, data)
    return file.getvalue()


def write_entities() -> bytes:
    """A Word file whose text is an entity of entities."""
    layers = "".join(f'<!ENTITY e{number + 1} "{f"&e{number};" * 10}">' for number in range(9))
    head = f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY e0 "{CANARY}">{layers}]>'
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(write_word([LetterBlock(text="PLACE")]))) as source,
        zipfile.ZipFile(file, "w") as changed,
    ):
        for name in source.namelist():
            data = source.read(name)
            if name == "word/document.xml":
                body = data[data.index(b"<w:document") :].replace(b"PLACE", b"&e9;")
                data = head.encode() + body
            changed.writestr(name, data)
    return file.getvalue()


def nest_mails(count: int) -> bytes:
    mail = make_mail(CANARY)
    for _ in range(count):
        outer = make_mail("See below.")
        outer.add_attachment(mail)
        mail = outer
    return mail.as_bytes()


def nest_parts(count: int) -> bytes:
    lines = ["Subject: nested"]
    for number in range(count):
        lines += [f'Content-Type: multipart/mixed; boundary="b{number}"', "", f"--b{number}"]
    return "\r\n".join([*lines, "Content-Type: text/plain", "", CANARY]).encode()


def nest_html(count: int) -> bytes:
    return make_mail("-", "<div>" * count + f"<p>{CANARY} is deep down</p>").as_bytes()


HOSTILE: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "an unknown kind": ("letter.odt", lambda: b"x", "is not a kind of letter"),
    "an empty text": ("letter.txt", lambda: b"\n \n", "holds no text"),
    "a text of nulls": ("letter.txt", lambda: b"a\0b\0c" + CANARY.encode(), "is not text"),
    "a long text": ("letter.txt", lambda: b"word " * 1_200_000, "too long to be a letter"),
    "a Word file that is none": ("letter.docx", CANARY.encode, "not a whole .docx file"),
    "a Word file cut short": (
        "letter.docx",
        lambda: write_word(LETTER)[:3000],
        "not a whole .docx",
    ),
    "a zip that is no Word file": ("letter.docx", lambda: _zip({"a": b"b"}), "not a whole .docx"),
    "a Word file with a password": (
        "letter.docx",
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        "password",
    ),
    "a bomb": ("letter.docx", write_bomb, "too long to be a letter"),
    "a PDF that is none": ("letter.pdf", CANARY.encode, "not a whole .pdf file"),
    "a PDF cut short": ("letter.pdf", lambda: write_pdf(LETTER)[:600], "not a whole .pdf file"),
    "a PDF with a password": ("letter.pdf", write_protected_pdf, "password"),
    "a scan": ("letter.pdf", lambda: write_pages(2), "as a scan does"),
    "a PDF of many pages": ("letter.pdf", lambda: write_pages(201), "more than 200 pages"),
    "a mail without a head": ("letter.eml", lambda: b"", "not a whole .eml file"),
    "a mail in mails": ("letter.eml", lambda: nest_mails(7), "more than 5 deep"),
    "parts in parts": ("letter.eml", lambda: nest_parts(30), "nested deeper"),
    "parts in parts without end": ("letter.eml", lambda: nest_parts(1200), "nested deeper"),
    "a mail of Outlook that is none": ("letter.msg", CANARY.encode, "not a whole .msg"),
    "elements in elements": ("letter.eml", lambda: nest_html(5000), "nested deeper"),
    "a large file": ("letter.eml", lambda: b"a" * 41_000_000, "40 MB are read at most"),
}


def _zip(contents: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as package:
        for name, data in contents.items():
            package.writestr(name, data)
    return file.getvalue()


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_letter_is_one_message(kind: str, tmp_path: Path) -> None:
    name, make, expected = HOSTILE[kind]
    assert expected in fail(tmp_path, name, make())


def test_entities_of_entities_are_not_expanded(tmp_path: Path) -> None:
    message = fail(tmp_path, "letter.docx", write_entities())
    assert "holds no text" in message or "not a whole .docx" in message


def test_a_large_html_is_refused_quickly(tmp_path: Path) -> None:
    head = b"Subject: large\r\nContent-Type: text/html\r\n\r\n"
    html = f"<p>{CANARY}</p>\r\n".encode() * 500_000
    assert "too long" in fail(tmp_path, "letter.eml", head + html)


def test_pictures_files_and_objects_that_a_letter_names_are_not_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text(CANARY)
    html = (
        f'<p>Text</p><img src="file://{secret}"><iframe src="file://{secret}"></iframe>'
        f'<object data="file://{secret}"></object><link rel=stylesheet href="file://{secret}">'
    )
    letter = read(tmp_path, "letter.eml", make_mail("-", html).as_bytes())
    assert [block.text for block in letter.blocks] == ["Text"]


def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    os.mkfifo(path)
    with pytest.raises(LetterError, match="cannot be read"):
        read_letter(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(LetterError, match="No such file"):
        read_letter(tmp_path / "letter.txt")
    (tmp_path / "folder.txt").mkdir()
    with pytest.raises(LetterError, match=r"is a folder|Is a directory"):
        read_letter(tmp_path / "folder.txt")


def test_heads_that_the_standard_library_cannot_read_do_not_matter(tmp_path: Path) -> None:
    data = (
        b'From: =?utf-8?q?=00?= <a@[]>, "\r\nSubject: =?x?y?z?=\r\nDate: no\r\n'
        b'Content-Type: text/plain; charset="no such"; format\r\n'
        b"Content-Disposition: ;;=\r\n\r\nHow many?\r\n"
    )
    letter = read(tmp_path, "letter.eml", data)
    assert [block.text for block in letter.blocks] == ["How many?"]


def test_the_head_of_a_mail_has_only_characters_that_print(tmp_path: Path) -> None:
    """The subject becomes the title of a request, and the sender the first line of a letter."""
    mail = make_mail(
        "How many?", subject="Thefts\u202e \x1b[2J\x9b", sender='"I\u2066da\x1b" <a@b.example>'
    )
    letter = read(tmp_path, "letter.eml", mail.as_bytes())
    (message,) = letter.messages
    assert (message.subject, message.sender) == ("Thefts [2J", "Ida")


@pytest.mark.timeout(60)
def test_a_chain_of_very_many_mails_takes_no_longer_than_it_is(tmp_path: Path) -> None:
    heads = "From: a\nTo: b\nSent: c\nSubject: d\n" * 25_000
    letter = read(tmp_path, "letter.txt", f"{heads}How many?\n".encode())
    assert [block.text for block in letter.blocks] == ["How many?"]
    assert len(letter.messages) == 25_000


def test_an_attachment_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    mail: EmailMessage = make_mail("How many?")
    mail.add_attachment(write_pages(1), maintype="application", subtype="pdf", filename="scan.pdf")
    mail.add_attachment(b"{", maintype="application", subtype="rtf", filename="letter.rtf")
    letter = read(tmp_path, "letter.eml", mail.as_bytes())
    assert letter.unread_attachments == (".pdf", ".rtf")


def test_fields_and_links_of_word_are_text_and_nothing_more(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_paragraph("Before")
    relation = document.part.relate_to(
        "file:///etc/hostname",
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate",
        is_external=True,
    )
    assert relation
    letter = read(tmp_path, "letter.docx", save_word(document))
    assert [block.text for block in letter.blocks] == ["Before"]
    assert len(letter.sha256) == 64


@pytest.mark.parametrize(("name", "limit"), [("MAX_MEGABYTES", 60), ("MAX_SECONDS", 0.01)])
def test_a_letter_that_needs_too_much_ends_its_own_process(
    name: str, limit: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_letter, name, limit)
    assert "which no letter does" in fail(tmp_path, "letter.pdf", write_pdf(LETTER))


def test_a_library_that_is_not_installed_is_named_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "letter.msg").write_bytes(b"x")
    monkeypatch.setitem(LETTER_ENDINGS, ".msg", ("no_such_library",))
    with pytest.raises(ConfigurationError, match=r"pip install 'foidex\[letters\]'"):
        read_letter(tmp_path / "letter.msg")

"""Each kind of file is read into the same blocks, with what its own form adds."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn

from queries.drafting.letter_text import BlockKind, LetterBlock
from queries.drafting.readers.faults import LetterReading
from queries.drafting.readers.formats import read_letter_bytes
from queries.drafting.readers.word_file import INSERTED_FILE
from tests.support.letter_files import (
    add_word_list,
    add_word_num,
    make_mail,
    number_word_paragraph,
    save_word,
    write_outlook,
    write_pdf,
    write_word,
)


def texts(reading: LetterReading) -> list[str]:
    return [block.text for block in reading.blocks]


def read_mail(mail: EmailMessage) -> LetterReading:
    return read_letter_bytes(".eml", mail.as_bytes())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_text_is_read_in_any_usual_encoding(encoding: str) -> None:
    text = "Dear Sir \u2013\r\n\r\n1. The \u2018Snapchat\u2019 crimes of Renée\r\n"
    reading = read_letter_bytes(".txt", text.encode(encoding))
    assert texts(reading) == ["Dear Sir \u2013", "The \u2018Snapchat\u2019 crimes of Renée"]


def test_a_mail_is_its_html_form_where_that_says_as_much() -> None:
    mail = make_mail(
        "Q1. One line that the\nprogram broke.\n",
        "<p><b>Q1.</b> One line that the program broke.</p>",
    )
    assert texts(read_mail(mail)) == ["One line that the program broke."]


def test_a_mail_is_its_plain_form_where_the_html_one_says_less() -> None:
    mail = make_mail("Q1. How many crimes mention Twitch?\n", "<p>See the plain text.</p>")
    assert texts(read_mail(mail)) == ["How many crimes mention Twitch?"]


def test_html_lists_have_the_numbers_that_a_browser_prints() -> None:
    html = (
        "<ol start=3><li>Three<ol type=a><li>Three a<li>Three b</ol><li value=7>Seven</ol>"
        "<ul><li>Snapchat</ul><ol style='list-style-type: lower-roman'><li>One</ol>"
    )
    blocks = read_mail(make_mail("-", html)).blocks
    assert [(block.number, block.level, block.text) for block in blocks] == [
        ("3.", 0, "Three"),
        ("a.", 1, "Three a"),
        ("b.", 1, "Three b"),
        ("7.", 0, "Seven"),
        (None, 0, "Snapchat"),
        ("i.", 0, "One"),
    ]


def test_hidden_and_struck_out_text_scripts_and_styles_of_html_are_left_out() -> None:
    html = (
        "<style>p{}</style><script>var a</script><p>Seen<span style='display:none'> hidden</span>"
        "<p style='font-size:0'>nothing</p><!-- no --><p hidden>no</p>"
        "<p><s>no</s><del>no</del><span style='text-decoration: line-through'>no</span></p>"
    )
    assert texts(read_mail(make_mail("-", html))) == ["Seen"]


def test_html_tables_are_rows_and_tables_that_arrange_a_page_are_not() -> None:
    html = (
        "<table><tr><td><p>Dear Sir</p><table><tr><th>Code<th>Title<tr><td>88A<td>Grooming"
        "</table><p>1. How many?</p></table>"
    )
    blocks = read_mail(make_mail("-", html)).blocks
    assert [(block.kind, block.text) for block in blocks] == [
        (BlockKind.PARAGRAPH, "Dear Sir"),
        (BlockKind.ROW, "Code\tTitle"),
        (BlockKind.ROW, "88A\tGrooming"),
        (BlockKind.ITEM, "How many?"),
    ]


def test_lists_and_heads_as_outlook_writes_them() -> None:
    html = (
        "<p class=MsoListParagraph style='mso-list:l0 level1 lfo1'><![if !supportLists]><span>1."
        "<span style='font:7pt'>&nbsp;&nbsp;&nbsp; </span></span><![endif]>How many?</p>"
        "<p class=MsoListParagraph>\u00b7&nbsp;&nbsp; Snapchat</p>"
        "<div style='border-top:solid'><p><b>From:</b> Pell, Ida &lt;ida@post.example.org&gt;<br>"
        "<b>Sent:</b> 06 June 2023 08:02<br><b>To:</b> FOI<br><b>Subject:</b> FOI</p></div><p>First</p>"
    )
    mail = make_mail("-", html, date="Wed, 7 Jun 2023 09:00:00 +0100")
    reading = read_mail(mail)
    assert [(block.message, block.number, block.text) for block in reading.blocks] == [
        (0, "1.", "How many?"),
        (0, None, "Snapchat"),
        (1, None, "First"),
    ]
    assert reading.messages[1].sender == "Ida Pell"


def test_a_quotation_in_html_is_another_mail() -> None:
    html = (
        "<div>Only 2018-19.</div><div class=gmail_quote><div class=gmail_attr>On Fri, 29 Nov 2019 "
        "at 16:40, Ann Duty &lt;foi@x.example.org&gt; wrote:<br></div><blockquote "
        "class=gmail_quote><p>Which year?</p></blockquote></div>"
    )
    reading = read_mail(make_mail("-", html))
    assert [(block.message, block.text) for block in reading.blocks] == [
        (0, "Only 2018-19."),
        (1, "Which year?"),
    ]
    assert (reading.messages[1].sender, reading.messages[1].quoted) == ("Ann Duty", True)


def test_heads_in_any_encoding_name_the_sender() -> None:
    data = (
        b"From: =?windows-1252?Q?Castell=F3n=2C_Ren=E9e?= <renee@post.example.org>\r\n"
        b"Subject: =?utf-8?B?Rk9JIOKAkyByZXF1ZXN0?=\r\nDate: Mon, 19 Feb 2024 23:30:00 +0000\r\n"
        b"Content-Type: text/plain; charset=iso-8859-1\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\nThe =91Snapchat=92 crimes\r\n"
    )
    reading = read_letter_bytes(".eml", data)
    message = reading.messages[0]
    assert (message.sender, message.address) == ("Renée Castellón", "renee@post.example.org")
    assert (message.subject, str(message.sent)) == ("FOI \u2013 request", "2024-02-19")
    assert texts(reading) == ["The \u2018Snapchat\u2019 crimes"]


def test_a_flowed_text_says_itself_where_lines_go_on() -> None:
    mail = make_mail("-")
    mail.set_content("One \nsentence.\nAnother\n", params={"format": "flowed"})
    assert texts(read_mail(mail)) == ["One sentence.", "Another"]


def test_a_letter_attached_to_a_mail_follows_it() -> None:
    mail = make_mail("Please see the attached.\n")
    word = write_word([LetterBlock(text="How many?", kind=BlockKind.ITEM, number="1.")])
    mail.add_attachment(word, maintype="application", subtype="msword", filename="request.docx")
    mail.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="photo.png")
    reading = read_mail(mail)
    assert [(block.message, block.number, block.text) for block in reading.blocks] == [
        (0, None, "Please see the attached."),
        (0, "1.", "How many?"),
    ]
    assert reading.unread == (".png",)


def test_a_mail_attached_to_a_mail_is_another_mail() -> None:
    outer = make_mail("I forward this.\n", date="Wed, 7 Jun 2023 09:00:00 +0100")
    outer.add_attachment(make_mail("1. How many?\n", subject="FOI"))
    reading = read_mail(outer)
    assert [(block.message, block.text) for block in reading.blocks] == [
        (0, "I forward this."),
        (1, "How many?"),
    ]
    assert (reading.messages[1].subject, reading.messages[1].quoted) == ("FOI", True)


def test_a_mail_of_outlook_is_read_like_any_other() -> None:
    mail = make_mail("Dear team,\n\n1. How many?\n", sender='"Pell, Ida" <ida@post.example.org>')
    word = write_word([LetterBlock(text="And this", kind=BlockKind.ITEM, number="1.")])
    mail.add_attachment(word, maintype="application", subtype="msword", filename="more.docx")
    reading = read_letter_bytes(".msg", write_outlook(mail))
    assert texts(reading) == ["Dear team,", "How many?", "And this"]
    message = reading.messages[0]
    assert (message.sender, message.address) == ("Ida Pell", "ida@post.example.org")
    assert (message.subject, str(message.sent)) == ("Information request", "2023-06-06")


def test_numbers_that_word_makes_are_computed() -> None:
    document = docx.Document()
    number = add_word_list(document)
    for level, text in (
        (0, "One"),
        (1, "One a"),
        (1, "One b"),
        (2, "deep"),
        (0, "Two"),
        (1, "Two a"),
    ):
        number_word_paragraph(document.add_paragraph(text), number, level)
    blocks = read_letter_bytes(".docx", save_word(document)).blocks
    assert [(block.number, block.level, block.text) for block in blocks] == [
        ("1.", 0, "One"),
        ("(a)", 1, "One a"),
        ("(b)", 1, "One b"),
        ("(i)", 2, "deep"),
        ("2.", 0, "Two"),
        ("(a)", 1, "Two a"),
    ]


def test_a_second_number_of_a_list_goes_on_unless_it_starts_anew() -> None:
    document = docx.Document()
    first = add_word_list(document, [("decimal", "Q%1")])
    family = document.part.numbering_part.element.num_lst[-1].abstractNumId.val
    add_word_num(document, family, first + 1)
    start = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride>'
    add_word_num(document, family, first + 2, start)
    for number in (first, first, first + 1, first + 2, first + 2):
        number_word_paragraph(document.add_paragraph("text"), number)
    blocks = read_letter_bytes(".docx", save_word(document)).blocks
    assert [block.number for block in blocks] == ["Q1", "Q2", "Q3", "Q1", "Q2"]


def test_nested_formats_and_the_legal_style() -> None:
    document = docx.Document()
    number = add_word_list(document, [("upperRoman", "%1"), ("decimal", "%1.%2"), ("bullet", "o")])
    levels = list(document.part.numbering_part.element.iter(qn("w:lvl")))
    levels[-2].append(parse_xml(f"<w:isLgl {nsdecls('w')}/>"))
    for level in (0, 0, 1, 1, 2):
        number_word_paragraph(document.add_paragraph("text"), number, level)
    blocks = read_letter_bytes(".docx", save_word(document)).blocks
    assert [block.number for block in blocks] == ["I", "II", "2.1", "2.2", None]


def test_numbers_of_a_style_of_word() -> None:
    document = docx.Document()
    document.add_paragraph("Snapchat", style="List Bullet")
    document.add_paragraph("One", style="List Number")
    document.add_paragraph("Two", style="List Number")
    document.add_heading("Costs", level=1)
    blocks = read_letter_bytes(".docx", save_word(document)).blocks
    assert [(block.kind, block.number, block.text) for block in blocks] == [
        (BlockKind.ITEM, None, "Snapchat"),
        (BlockKind.ITEM, "1.", "One"),
        (BlockKind.ITEM, "2.", "Two"),
        (BlockKind.HEADING, None, "Costs"),
    ]


def test_tables_boxes_and_line_breaks_of_word() -> None:
    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = "Letterhead"
    document.add_paragraph("Ida Pell\n14 Quarry Rise")
    table = document.add_table(2, 2)
    for cell, text in zip(
        [cell for row in table.rows for cell in row.cells],
        ["Code", "Title", "88A", "Grooming"],
        strict=True,
    ):
        cell.text = text
    run: Any = document.add_paragraph("Before").add_run()
    box = "<w:txbxContent><w:p><w:r><w:t>In a box</w:t></w:r></w:p></w:txbxContent>"
    run.element.append(
        parse_xml(
            '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
            f"{nsdecls('w')}><mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback>"
            "</mc:AlternateContent>"
        )
    )
    hidden = document.add_paragraph("Seen").add_run(" hidden")
    hidden.font.hidden = True
    struck = document.paragraphs[-1].add_run(" struck")
    struck.font.strike = True
    struck_twice = document.paragraphs[-1].add_run(" twice")
    struck_twice.font.double_strike = True
    assert texts(read_letter_bytes(".docx", save_word(document))) == [
        "Ida Pell", "14 Quarry Rise", "Code\tTitle", "88A\tGrooming", "Before", "In a box", "Seen",
    ]  # fmt: skip


_MC = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'


def make_forms(*forms: str) -> str:
    """One content in several forms."""
    return f"<mc:AlternateContent {_MC}>{''.join(forms)}</mc:AlternateContent>"


TEXT = "<w:t>a moped</w:t>"
RUN = f"<w:r>{TEXT}</w:r>"
PARAGRAPH = f"<w:p>{RUN}</w:p>"


@pytest.mark.parametrize(
    "content",
    [
        f"<w:p>{make_forms(f'<mc:Choice>{RUN}</mc:Choice>', f'<mc:Fallback>{RUN}</mc:Fallback>')}</w:p>",
        f"<w:p>{make_forms(f'<mc:Fallback>{RUN}</mc:Fallback>')}</w:p>",
        f"<w:p><w:r>{make_forms(f'<mc:Choice>{TEXT}</mc:Choice>', '<mc:Fallback/>')}</w:r></w:p>",
        make_forms(
            f"<mc:Choice>{PARAGRAPH}</mc:Choice>", f"<mc:Fallback>{PARAGRAPH}</mc:Fallback>"
        ),
        "<w:p><w:r><w:ruby><w:rt><w:r><w:t>above</w:t></w:r></w:rt>"
        f"<w:rubyBase>{RUN}</w:rubyBase></w:ruby></w:r></w:p>",
        "<w:p><m:oMath><m:r><m:t>a </m:t></m:r><m:r><m:t>moped</m:t></m:r></m:oMath></w:p>",
        "<m:oMathPara><m:oMath><m:r><m:t>a moped</m:t></m:r></m:oMath></m:oMathPara>",
    ],
)
def test_text_of_word_in_other_elements_is_read_once(content: str) -> None:
    document = docx.Document()
    document.add_paragraph("Before")
    body = parse_xml(f"<w:body {nsdecls('w', 'm')}>{content}</w:body>")
    document.element.body[-1].addprevious(body[0])
    reading = read_letter_bytes(".docx", save_word(document))
    assert texts(reading) == ["Before", "a moped"]
    assert reading.unread == ()


def test_a_fraction_of_word_is_no_number_of_two_digits() -> None:
    document = docx.Document()
    parts = "".join(
        f"<m:{part}><m:r><m:t>{digit}</m:t></m:r></m:{part}>"
        for part, digit in (("num", 1), ("den", 2))
    )
    document.add_paragraph("Half: ")
    formula = parse_xml(f"<m:oMath {nsdecls('m')}><m:f>{parts}</m:f></m:oMath>")
    document.element.body[0].append(formula)
    assert texts(read_letter_bytes(".docx", save_word(document))) == ["Half: 1/2"]


def test_a_paragraph_in_two_forms_is_read_once_in_a_cell_of_word() -> None:
    document = docx.Document()
    table = document.add_table(1, 2)
    table.cell(0, 0).text = "Theft of"
    paragraphs = f"<mc:Choice>{PARAGRAPH}</mc:Choice>", f"<mc:Fallback>{PARAGRAPH}</mc:Fallback>"
    cell = parse_xml(f"<w:tc {nsdecls('w')}>{make_forms(*paragraphs)}</w:tc>")
    [*document.element.body.iter(qn("w:tc"))][-1].append(cell[0])
    assert texts(read_letter_bytes(".docx", save_word(document))) == ["Theft of\ta moped"]


def test_a_file_that_a_letter_of_word_inserts_is_said_to_be_unread() -> None:
    document = docx.Document()
    document.add_paragraph("Before")
    document.element.body[-1].addprevious(parse_xml(f"<w:altChunk {nsdecls('w')}/>"))
    letter = save_word(document)
    assert read_letter_bytes(".docx", letter).unread == (INSERTED_FILE,)
    mail = EmailMessage()
    mail["Subject"] = "Request"
    mail.set_content("Please see the letter.")
    mail.add_attachment(letter, "application", "octet-stream", filename="letter.docx")
    assert read_letter_bytes(".eml", mail.as_bytes()).unread == (INSERTED_FILE,)


LONG = (
    "Please tell us how many recorded crimes hold any of the words below in their free text, and "
    "give the figures for each of the last three complete financial years side by side."
)


def test_lines_of_a_pdf_are_joined_and_items_kept_apart() -> None:
    blocks = [
        LetterBlock(text="Dear team"),
        LetterBlock(text=LONG),
        LetterBlock(text=LONG, kind=BlockKind.ITEM, number="1."),
        LetterBlock(text="by month;", kind=BlockKind.ITEM, number="(a)", level=1),
        LetterBlock(text=LONG, kind=BlockKind.ITEM, number="(b)", level=1),
    ]
    assert list(read_letter_bytes(".pdf", write_pdf(blocks)).blocks) == blocks


def test_columns_of_a_pdf_are_read_one_after_the_other() -> None:
    blocks = [
        LetterBlock(text=f"Paragraph {number}: {LONG}", kind=BlockKind.PARAGRAPH)
        for number in range(6)
    ]
    pdf = write_pdf(blocks, "#set page(columns: 2, height: 120mm)")
    assert texts(read_letter_bytes(".pdf", pdf)) == [block.text for block in blocks]


def test_a_word_that_a_pdf_breaks_is_mended_and_a_hyphen_of_its_own_stays() -> None:
    text = (
        "We ask for information about live-streaming. The word live and the word streaming are "
        "common, and so is live-streaming. Live-streaming of unacceptable behaviour interests us. "
    )
    setup = (
        '#set page(width: 70mm)\n#set text(hyphenate: true, lang: "en")\n#set par(justify: true)'
    )
    data = write_pdf([LetterBlock(text=text * 3)], setup)
    assert " ".join(texts(read_letter_bytes(".pdf", data))) == (text * 3).strip()


def test_what_runs_along_the_edge_of_the_pages_is_left_out() -> None:
    setup = (
        "#set page(height: 100mm, header: [The Lantern Trust], footer: context [Page "
        "#counter(page).display() of 3])"
    )
    sentences = [[f"word{part}of{number}" for part in range(60)] for number in range(8)]
    blocks = [LetterBlock(text=" ".join(words)) for words in sentences]
    found = texts(read_letter_bytes(".pdf", write_pdf(blocks, setup)))
    assert found == [block.text for block in blocks]

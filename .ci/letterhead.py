"""Make the Word letter that ships with foidex, templates/letter.docx.

Run it after a change of the letter's words or shape: python .ci/letterhead.py
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_ALIGNMENT
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor

from queries.documents.formats.docx import TABLE_STYLE, save_docx

FILE: Final = Path(__file__).resolve().parent.parent / "templates" / "letter.docx"

_FONT: Final = "Arial"

_BLACK: Final = RGBColor(0, 0, 0)

_DRAFT_RED: Final = RGBColor(0x8B, 0, 0)

_TEMPLATE_COLUMNS: Final = 6

_MADE: Final = datetime(2026, 1, 1, tzinfo=UTC)

_TABLE_STYLE: Final = f"""
<w:style {nsdecls("w")} w:type="table" w:customStyle="1" w:styleId="{TABLE_STYLE}">
  <w:name w:val="{TABLE_STYLE}"/><w:basedOn w:val="TableNormal"/><w:uiPriority w:val="59"/><w:qFormat/>
  <w:tblPr><w:tblBorders>
    <w:top w:val="single" w:sz="8" w:color="000000"/>
    <w:bottom w:val="single" w:sz="8" w:color="000000"/>
    <w:insideH w:val="single" w:sz="4" w:color="999999"/>
  </w:tblBorders></w:tblPr>
  <w:tblStylePr w:type="firstRow"><w:tcPr><w:tcBorders>
    <w:bottom w:val="single" w:sz="8" w:color="000000"/></w:tcBorders></w:tcPr></w:tblStylePr>
  <w:tblStylePr w:type="lastRow"><w:tcPr><w:tcBorders>
    <w:top w:val="single" w:sz="8" w:color="000000"/></w:tcBorders></w:tcPr></w:tblStylePr>
</w:style>"""


def make() -> bytes:
    """The file's bytes; the same on every run."""
    document: Any = Document()
    _page(document)
    _styles(document)
    _sender(document)
    _opening(document)
    _questions(document)
    _caveats(document)
    _sections(document)
    _closing(document)
    _annex(document)
    about = document.core_properties
    about.title = "{{ force.name }}: {{ answer.reference }}"
    about.author = "{{ force.name }}"
    about.subject = about.comments = about.keywords = ""
    about.language = "en-GB"
    return save_docx(document, _MADE)


def _page(document: Any) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(24)
    section.top_margin = section.bottom_margin = Mm(22)
    header = section.header.paragraphs[0]
    header.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = header.add_run("{{ draft }}")
    run.bold, run.font.color.rgb = True, _DRAFT_RED
    footer = section.footer.paragraphs[0]
    footer.paragraph_format.tab_stops.add_tab_stop(Mm(162), WD_TAB_ALIGNMENT.RIGHT)
    footer.add_run("{{ answer.reference }}\tPage ")
    _field(footer, "PAGE")
    footer.add_run(" of ")
    _field(footer, "NUMPAGES")


def _field(paragraph: Any, name: str) -> None:
    paragraph._p.append(
        parse_xml(
            f'<w:fldSimple {nsdecls("w")} w:instr="{name}"><w:r><w:t>1</w:t></w:r></w:fldSimple>'
        )
    )


def _styles(document: Any) -> None:
    styles = document.styles
    for language in styles.element.iter(qn("w:lang")):
        language.set(qn("w:val"), "en-GB")
    _style(styles["Normal"], 11, before=3, after=4)
    _style(styles["Footer"], 9)
    for stop in list(styles["Footer"].element.iter(qn("w:tabs"))):
        stop.getparent().remove(stop)
    _style(styles["Heading 1"], 13, before=18, after=8, bold=True)
    _style(styles["Heading 2"], 11.5, before=14, after=4, bold=True)
    _style(styles["Caption"], 9.5, before=6, after=3, italic=True)
    styles["Caption"].paragraph_format.keep_with_next = True
    _style(styles["Quote"], 11, after=4)
    styles["Quote"].paragraph_format.left_indent = Mm(6)
    _style(styles["List Bullet"], 11, after=3)
    _style(styles.add_style("Sender", WD_STYLE_TYPE.PARAGRAPH), 11, after=0)
    styles["Sender"].paragraph_format.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    for name, before, bold in (("Note", 3, False), ("Cell", 1, False), ("Cell Head", 1, True)):
        style = styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        _style(style, 9.5, before=before, after=before, bold=bold)
        style.paragraph_format.line_spacing = 1
    styles.element.append(parse_xml(_TABLE_STYLE))


def _style(
    style: Any,
    size: float,
    *,
    before: float = 0,
    after: float = 0,
    bold: bool = False,
    italic: bool = False,
) -> None:
    font = style.font
    font.name, font.size = _FONT, Pt(size)
    font.bold, font.italic, font.color.rgb = bold, italic, _BLACK
    fonts = style.element.rPr.rFonts
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    for script in ("ascii", "hAnsi", "cs"):
        fonts.set(qn(f"w:{script}"), _FONT)
    layout = style.paragraph_format
    layout.space_before, layout.space_after, layout.line_spacing = Pt(before), Pt(after), 1.15


def _lines(document: Any, *texts: str, style: str = "Normal") -> None:
    for text in texts:
        document.add_paragraph(text, style=style)


def _sender(document: Any) -> None:
    document.add_paragraph(style="Sender").add_run("{{ force.name }}").bold = True
    _lines(
        document,
        "{{ force.unit }}",
        "{%p for line in force.address %}",
        "{{ line }}",
        "{%p endfor %}",
        style="Sender",
    )


def _opening(document: Any) -> None:
    _lines(
        document,
        "{{ day | day }}\nOur reference: {{ answer.reference }}",
        "{%p for line in recipient.lines %}",
        "{{ line }}",
    )
    address = document.paragraphs[-1].paragraph_format
    address.space_before = address.space_after = Pt(0)
    _lines(document, "{%p endfor %}", "{{ recipient.greeting }},")
    document.paragraphs[-1].paragraph_format.space_before = Pt(12)
    _lines(document, "Freedom of Information request: {{ answer.title }}", style="Heading 1")
    _lines(
        document,
        "{%p if received %}",
        "We received your request on {{ received }}.",
        "{%p endif %}",
    )
    for name, words in (("asked", "You asked:"), ("clarified", "You clarified:")):
        if name == "clarified":
            _lines(
                document,
                "{%p if clarified_on %}",
                "You clarified your request on {{ clarified_on }}.",
                "{%p endif %}",
            )
        _lines(document, f"{{%p if {name} %}}", words, f"{{%p for paragraph in {name} %}}")
        _lines(document, "{{ paragraph }}", style="Quote")
        _lines(document, "{%p endfor %}", "{%p endif %}")
    _lines(document, "{%p for block in body %}", "{{ block.text }}", "{%p endfor %}")
    _lines(document, "{%p if outcome_words %}", "{{ outcome_words }}", "{%p endif %}")
    _lines(document, "{%p if parts_covered %}", "{{ parts_covered }}", "{%p endif %}")
    _lines(
        document,
        "{%p if counted %}",
        "We searched the {{ noun.kind_of_record }} records that {{ force.name }} holds. The figures count "
        "{{ scope_words }}.",
    )
    _lines(document, "{%p if coverage %}", "{{ coverage | join(' ') }}", "{%p endif %}")
    for name in ("withheld", "rounded"):
        _lines(document, f"{{%p if {name} %}}", f"{{{{ {name} }}}}", "{%p endif %}")
    _lines(document, "{%p if overlap_note %}", "{{ overlap_note }}", "{%p endif %}")
    _lines(document, "{%p for line in set_aside %}", "{{ line }}", "{%p endfor %}")
    _lines(document, "{%p endif %}")


def _questions(document: Any) -> None:
    _lines(document, "{%p for question in questions %}")
    _lines(document, "{{ question.title }}", style="Heading 2")
    _lines(
        document,
        "{%p if question.answer.within %}",
        "This part counts only {{ noun.plural }} {{ question.answer.within }}.",
        "{%p endif %}",
        "{%p for line in question.prose %}",
        "{{ line }}",
        "{%p endfor %}",
        "{%p if question.tabled %}",
        "{%p for part in question.parts %}",
    )
    _lines(
        document,
        "{{ question.caption }}{% if question.parts | length > 1 %}: columns "
        "{{ part.first }} to {{ part.last }} of {{ question.full_table.last }}{% endif %}",
        style="Caption",
    )
    _table(document)
    _lines(document, "{%p endfor %}")
    for name in ("question.columns", "question.notes"):
        _lines(document, f"{{%p for line in {name} %}}")
        _lines(document, "{{ line }}", style="Note")
        _lines(document, "{%p endfor %}")
    _lines(document, "{%p endif %}")
    _lines(document, "{%p for line in question.note %}", "{{ line }}")
    document.paragraphs[-1].paragraph_format.space_before = Pt(6)  # from the table above it
    _lines(document, "{%p endfor %}")
    _lines(document, "{%p endfor %}")


def _cells(labels: str, figures: str) -> tuple[str, ...]:
    """A row with a cell for each label and for each figure."""
    return tuple(
        tag
        for name, values in (("label", labels), ("cell", figures))
        for tag in (f"{{%tc for {name} in {values} %}}", f"{{{{ {name} }}}}", "{%tc endfor %}")
    )


def _table(document: Any) -> None:
    blank = [""] * (_TEMPLATE_COLUMNS - 1)
    rows = (
        _cells("part.label_heads", "part.heads"),
        ("{%tr for line in part.body %}", *blank),
        _cells("line.labels", "line.cells"),
        ("{%tr endfor %}", *blank),
        _cells("part.total.labels", "part.total.cells"),
    )
    table = document.add_table(len(rows), _TEMPLATE_COLUMNS, style=document.styles[TABLE_STYLE])
    for number, (texts, row) in enumerate(zip(rows, table.rows, strict=True)):
        for place, (text, cell) in enumerate(zip(texts, row.cells, strict=True)):
            paragraph = cell.paragraphs[0]
            paragraph.text = text
            paragraph.style = "Cell Head" if number in {0, len(rows) - 1} else "Cell"
            if place > 2:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        row._tr.get_or_add_trPr().append(parse_xml(f"<w:cantSplit {nsdecls('w')}/>"))
    heading = table.rows[0]._tr.get_or_add_trPr()
    heading.append(parse_xml(f"<w:tblHeader {nsdecls('w')}/>"))
    properties = table._tbl.tblPr
    for old in properties.findall(qn("w:tblLook")):
        properties.remove(old)
    properties.append(
        parse_xml(
            f'<w:tblLook {nsdecls("w")} w:val="00E0" w:firstRow="1" w:lastRow="1" '
            'w:firstColumn="1" w:lastColumn="0" w:noHBand="1" w:noVBand="1"/>'
        )
    )
    properties.append(
        parse_xml(f'<w:tblCaption {nsdecls("w")} w:val="{{{{ question.caption }}}}"/>')
    )


def _sections(document: Any) -> None:
    _lines(document, "{%p if notice %}")
    _lines(document, "Refusal notice", style="Heading 2")
    _lines(document, "{%p endif %}")
    _lines(document, "{%p for block in notice %}", "{{ block.text }}", "{%p endfor %}")
    _section_texts(document, "sections")


def _section_texts(document: Any, name: str) -> None:
    _lines(document, f"{{%p for section in {name} %}}")
    _lines(document, "{{ section.heading }}", style="Heading 2")
    _lines(document, "{%p for block in section.blocks %}", "{%p if block.item %}")
    _lines(document, "{{ block.text }}", style="List Bullet")
    _lines(document, "{%p else %}", "{{ block.text }}", "{%p endif %}")
    _lines(document, "{%p endfor %}", "{%p endfor %}")


def _caveats(document: Any) -> None:
    _lines(document, "{%p if counted %}")
    _lines(document, "About the figures", style="Heading 2")
    _lines(document, "{%p if left_out %}", "{{ left_out }}", "{%p endif %}")
    _lines(document, "{%p for paragraph in force.caveat %}", "{{ paragraph }}", "{%p endfor %}")
    _lines(document, "{%p endif %}")


def _closing(document: Any) -> None:
    _lines(document, "{%p if sections %}")
    _lines(document, "Questions and complaints", style="Heading 2")
    _lines(document, "{%p endif %}")
    _lines(
        document,
        "If you have questions about this letter, please contact us: {{ force.contact }}.",
    )
    _lines(
        document,
        "{%p for paragraph in force.review[:-1] %}",
        "{{ paragraph }}",
        "{%p endfor %}",
        "{% if force.review %}{{ force.review[-1] }}\n\n{% endif %}{{ recipient.closing }},"
        "\n\n\n{{ force.signatory }}\n{{ force.unit }}",
    )
    # One paragraph, so that the signature never stands on a page by itself: LibreOffice does not
    # always keep a paragraph with the next.
    document.paragraphs[-1].paragraph_format.keep_together = True


def _annex(document: Any) -> None:
    _lines(document, "{%p if counted %}")
    _lines(document, "Annex: how the figures were made", style="Heading 1")
    document.paragraphs[-1].paragraph_format.page_break_before = True
    _section_texts(document, "letter_annex")
    _lines(document, "{%p endif %}")


if __name__ == "__main__":
    FILE.write_bytes(make())
    print(f"{FILE} written.", file=sys.stderr)

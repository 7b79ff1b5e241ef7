"""Write records as forces export them: in any format, encoding, order of columns, dates and layout.

Shares no code with foidex. What a person would answer to foidex's questions is known here.
"""

from __future__ import annotations

import csv
import io
import json
import random
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple
from xml.sax.saxutils import escape

import openpyxl

TEXT_FORMATS: Final = ("csv", "txt", "zip")

FORMATS: Final = (*TEXT_FORMATS, "xlsx", "ods", "json", "jsonl")

MONTHS: Final = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]

DATE_FORMS: Final = (
    "DD/MM/YYYY",
    "MM/DD/YYYY",
    "D/M/YY",
    "D Month YYYY",
    "DD-MON-YY",
    "YYYY-MM-DD",
    "DD.MM.YYYY hh:mm",
    "cells",
)

_STATUS_WORDS: Final = {
    "recorded": ("Crime Recorded", "RECORDED", "Confirmed"),
    "cancelled": ("Cancelled - no crime", "No Crime", "Held over"),
    "transferred": ("Transferred", "TRANSFERRED OUT", "Transfer"),
}

_SEX_WORDS: Final = {
    "F": ("Female", "F", "woman"),
    "M": ("Male", "M", "man"),
    "U": ("Unknown", "U", "N/K"),
}

_WORDS: Final = [
    "the",
    "caller",
    "was",
    "given",
    "a",
    "log",
    "number",
    "and",
    "device",
    "was",
    "not",
    "examined",
    "at",
    "this",
    "stage",
    "£20",
    "café",
    "live",
    "stream",
    "e-scooter",
    "Snapchat",
    "’quoted’",
    "“note”",
    "statement",
    "taken;",
    "form,",
    "filed",
]

_CODES: Final = ("86/2", "22B", "8N", "71/17", "88/10", "49")

_TITLES: Final = {
    "86/2": "8602 - Indecent photographs",
    "22B": "22B - Sexual activity",
    "8N": "8N - Assault",
    "71/17": "7117 - Communication",
    "88/10": "8810 - Voyeurism",
    "49": "49 - Other theft",
}


class Dialect(NamedTuple):
    """How a set of records is written."""

    format: str
    encoding: str
    delimiter: str
    dates: str
    codes: str
    rows: str
    status_word: int
    small_days: bool
    titles: int
    extras: bool
    seed: int


class Extract(NamedTuple):
    """A written file, its records in foidex's own fields, and the answers to its questions."""

    path: Path
    records: list[dict[str, Any]]
    answers: dict[str, Any]


def write_dialect(folder: Path, dialect: Dialect) -> Extract:
    """Write random records in a dialect."""
    chance = random.Random(dialect.seed)
    records = [_make_record(chance, number, dialect) for number in range(chance.randint(12, 40))]
    keyed = dialect.format in ("json", "jsonl")
    rows = [row for record in records for row in _make_rows(record, dialect, keyed=keyed)]
    header = list(rows[0])
    chance.shuffle(header)
    path = folder / f"extract.{dialect.format}"
    if keyed:
        _write_json(path, rows, dialect)
    else:
        table = _make_table(header, rows, dialect)
        {"xlsx": _write_xlsx, "ods": _write_ods}.get(dialect.format, _write_text)(
            path, table, dialect
        )
    return Extract(path, records, _list_answers(dialect))


def _list_answers(dialect: Dialect) -> dict[str, Any]:
    answers: dict[str, Any] = {"recorded_on.dates": [dialect.dates], "join": "space"}
    answers["values"] = {word: name for name, words in _STATUS_WORDS.items() for word in words} | {
        word: name for name, words in _SEX_WORDS.items() for word in words
    }
    return answers


def _make_record(chance: random.Random, number: int, dialect: Dialect) -> dict[str, Any]:
    day = date(2015, 1, 1) + timedelta(days=chance.randrange(1500))
    if dialect.small_days:
        day = day.replace(day=chance.randint(1, 12))
    elif number < 3:
        day = day.replace(day=13 + number)
    record: dict[str, Any] = {
        "crime_ref": f"{chance.randint(41, 43)}/{number:07}/17",
        "recorded_on": day.isoformat(),
        "offence_code": chance.choice(_CODES),
        "narrative": [_make_text(chance), _make_text(chance)][
            : 1 if dialect.rows == "continued" else 2
        ],
        "status": chance.choice(list(_STATUS_WORDS)),
    }
    if chance.random() < 0.8:
        record["outcome"] = chance.randint(1, 22)
    if number < 6 or chance.random() < 0.7:
        size = chance.randint(1, 3) if dialect.rows == "victims" else 1
        record["victims"] = [_make_victim(chance, number * 10 + place) for place in range(size)]
    if number % 3 == 0:
        record["linked"] = [
            {"crime_ref": f"41/{chance.randrange(9999):07}/16"} for _ in range(chance.randint(1, 3))
        ]
    return record


def _make_victim(chance: random.Random, number: int) -> dict[str, Any]:
    victim: dict[str, Any] = {"victim_ref": f"P{number:06}", "sex": chance.choice("FMU")}
    if chance.random() < 0.85:
        victim["age"] = chance.randint(0, 95)
    return victim


def _make_text(chance: random.Random) -> str:
    words = [chance.choice(_WORDS) for _ in range(chance.randint(14, 40))]
    if chance.random() < 0.3:
        words.insert(7, "line\nbreak")
    return " ".join(words)


def format_day(day: date, form: str) -> Any:
    """A day as a form writes it; "cells" are dates of a spreadsheet."""
    month = MONTHS[day.month - 1]
    return {
        "DD/MM/YYYY": f"{day:%d/%m/%Y}",
        "MM/DD/YYYY": f"{day:%m/%d/%Y}",
        "D/M/YY": f"{day.day}/{day.month}/{day.year % 100:02}",
        "D Month YYYY": f"{day.day} {month} {day.year}",
        "DD-MON-YY": f"{day.day:02}-{month[:3]}-{day.year % 100:02}",
        "YYYY-MM-DD": day.isoformat(),
        "DD.MM.YYYY hh:mm": f"{day:%d.%m.%Y} 09:14",
        "cells": day,
    }[form]


def _make_rows(record: dict[str, Any], dialect: Dialect, *, keyed: bool) -> list[dict[str, Any]]:
    form = "YYYY-MM-DD" if keyed and dialect.dates == "cells" else dialect.dates
    row: dict[str, Any] = {
        "Crime No": record["crime_ref"],
        "Date Recorded": format_day(date.fromisoformat(record["recorded_on"]), form),
        **_make_code_cells(record["offence_code"], dialect.codes),
        "MO Text": record["narrative"][0],
    }
    if len(record["narrative"]) > 1:
        row["Summary"] = record["narrative"][1]
    row["Crime Status"] = _STATUS_WORDS[record["status"]][dialect.status_word]
    row["Outcome Code"] = record.get("outcome", "")
    row["Linked Crimes"] = "; ".join(link["crime_ref"] for link in record.get("linked", ()))
    if dialect.extras:
        row["Team"] = "North"
    rows = []
    for victim in record.get("victims") or [{}]:
        people = {"Victim ID": victim.get("victim_ref", ""), "Victim Age": "", "Victim Gender": ""}
        if victim:
            people["Victim Age"] = victim.get("age", "Not known")
            people["Victim Gender"] = _SEX_WORDS[victim["sex"]][dialect.status_word]
        rows.append({**row, **people})
    if dialect.rows == "continued":
        words = row["MO Text"].split(" ")
        rows[0]["MO Text"] = " ".join(words[:9])
        rows += [
            dict.fromkeys(rows[0], "") | {"MO Text": " ".join(words[start : start + 9])}
            for start in range(9, len(words), 9)
        ]
    return rows


def _make_code_cells(code: str, layout: str) -> dict[str, str]:
    if layout == "titled":
        return {"Offence": _TITLES[code]}
    if layout == "pair":
        category, _, sub = code.partition("/")
        return {"HO Class": category.zfill(3), "HO Subclass": sub.zfill(2) if sub else ""}
    return {"HO Code": code}


def _make_table(header: list[str], rows: list[dict[str, Any]], dialect: Dialect) -> list[list[Any]]:
    width = len(header)
    table: list[list[Any]] = [
        [f"Extract {number}", *[""] * (width - 1)] for number in range(dialect.titles)
    ]
    table.append([name.replace(" ", "\u00a0") if dialect.extras else name for name in header])
    for number, row in enumerate(rows):
        table.append([row[name] for name in header])
        if dialect.extras and number in (4, 9) and dialect.rows != "continued":
            table.append([""] * width)
    if dialect.extras:
        table += [[""] * width, [f"Total: {len(rows)}", *[""] * (width - 1)]]
    return table


def _write_text(path: Path, table: list[list[Any]], dialect: Dialect) -> None:
    text = io.StringIO()
    if dialect.delimiter == ";" and dialect.extras and dialect.format != "zip":
        text.write("sep=;\r\n")
    csv.writer(text, delimiter=dialect.delimiter).writerows(table)
    data = text.getvalue().encode(dialect.encoding)
    if dialect.format == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
            package.writestr("extract.csv", data)
    else:
        path.write_bytes(data)


def _write_xlsx(path: Path, table: list[list[Any]], dialect: Dialect) -> None:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.title = "Data"
    for row in table:
        sheet.append([None if cell == "" else cell for cell in row])
    if dialect.extras:
        notes: Any = book.create_sheet("Notes")
        notes.sheet_state = "hidden"
        notes.append(["Criteria", "all"])
    book.save(path)


def _write_ods(path: Path, table: list[list[Any]], dialect: Dialect) -> None:
    del dialect
    rows = "".join(
        f"<table:table-row>{''.join(map(_make_ods_cell, row))}</table:table-row>" for row in table
    )
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {names}><office:body>'
        f'<office:spreadsheet><table:table table:name="Data">{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr("content.xml", content)
        package.writestr("META-INF/manifest.xml", '<?xml version="1.0"?><manifest/>')


def _make_ods_cell(cell: Any) -> str:
    if isinstance(cell, date):
        return f'<table:table-cell office:value-type="date" office:date-value="{cell}"/>'
    if isinstance(cell, int):
        return f'<table:table-cell office:value-type="float" office:value="{cell}"/>'
    if cell == "":
        return "<table:table-cell/>"
    paragraphs = "".join(f"<text:p>{escape(line)}</text:p>" for line in cell.split("\n"))
    return f'<table:table-cell office:value-type="string">{paragraphs}</table:table-cell>'


def _write_json(path: Path, rows: list[dict[str, Any]], dialect: Dialect) -> None:
    objects = [{name: cell for name, cell in row.items() if cell != ""} for row in rows]
    indent = 2 if dialect.extras else None
    text = (
        json.dumps(objects, indent=indent)
        if dialect.format == "json"
        else "\n".join(map(json.dumps, objects))
    )
    path.write_text(text, encoding="utf-8")

"""Which part of an XLSX each of its sheets is, in the order of its list of sheets."""

from __future__ import annotations

import posixpath
from typing import Final
from xml.etree.ElementTree import Element, fromstring
from zipfile import ZipFile

_WORKBOOK_PART: Final = "xl/workbook.xml"

_RELATIONS_PART: Final = "xl/_rels/workbook.xml.rels"


def list_sheet_parts(package: ZipFile) -> list[str]:
    """The names of the parts; empty where the package does not say them as most programs do."""
    if {_WORKBOOK_PART, _RELATIONS_PART} - set(package.namelist()):
        return []
    targets = {
        relation.get("Id"): _resolve_target(relation.get("Target", ""))
        for relation in _find_elements(package, _RELATIONS_PART, "Relationship")
    }
    return [
        targets.get(_read_relation(sheet), "")
        for sheet in _find_elements(package, _WORKBOOK_PART, "sheet")
    ]


def _find_elements(package: ZipFile, part: str, name: str) -> list[Element]:
    """The elements of a name, whatever their namespace, which differs in strict files."""
    root = fromstring(package.read(part))  # noqa: S314 - in a process with limits
    return [element for element in root.iter() if element.tag.rpartition("}")[2] == name]


def _read_relation(sheet: Element) -> str | None:
    names = [key for key in sheet.keys() if key.endswith("relationships}id")]  # noqa: SIM118
    return sheet.get(names[0]) if len(names) == 1 else None


def _resolve_target(target: str) -> str:
    return target[1:] if target.startswith("/") else posixpath.normpath(f"xl/{target}")

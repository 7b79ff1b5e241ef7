"""The mapping: strict all the way down, described field by field."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from indexer.errors import ConfigurationError
from indexer.index.mapping import load_index_schema
from indexer.records.model import CrimeDocument
from tests.support.paths import ROOT


def fields(properties: dict[str, Any], prefix: str = "") -> set[str]:
    found = set()
    for name, mapping in properties.items():
        found.add(prefix + name)
        found |= fields(mapping.get("properties", {}), f"{prefix}{name}.")
    return found


def test_every_field_is_described() -> None:
    text = (ROOT / "mappings" / "README.md").read_text(encoding="utf-8")
    described = set(re.findall(r"^\| `([a-z_.]+)` \|", text, re.MULTILINE))
    assert described == fields(load_index_schema().mappings["properties"])


def test_the_document_has_the_fields_of_the_mapping() -> None:
    mapped = set(load_index_schema().mappings["properties"])
    assert set(CrimeDocument.__struct_encode_fields__) == mapped


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda body: body["mappings"].pop("dynamic"), 'the mapping must be "dynamic": "strict"'),
        (
            lambda body: body["mappings"]["properties"]["victims"].update(dynamic=True),
            '"victims" must be "dynamic": "strict"',
        ),
        (lambda body: body.update(alias="x"), 'has an unknown key "alias"'),
        (lambda body: body.pop("settings"), 'lacks "settings"'),
    ],
)
def test_a_mapping_that_is_not_strict_is_refused(tmp_path: Path, change: Any, message: str) -> None:
    body = json.loads((ROOT / "mappings" / "crimes.json").read_text(encoding="utf-8"))
    change(body)
    (tmp_path / "crimes.json").write_text(json.dumps(body), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=message):
        load_index_schema(tmp_path)


def test_the_hash_is_of_the_content_and_not_of_its_order(tmp_path: Path) -> None:
    body = json.loads((ROOT / "mappings" / "crimes.json").read_text(encoding="utf-8"))
    turned = {key: body[key] for key in reversed(body)}
    (tmp_path / "crimes.json").write_text(json.dumps(turned), encoding="utf-8")
    assert load_index_schema(tmp_path).hash == load_index_schema().hash


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"settings": {}, "mappings": {}', r"crimes\.json: is not JSON\. Correct the file\.$"),
        (b'{"settings": x}', r"crimes\.json: is not JSON \(at byte 13\)\. Correct the file\.$"),
        (b'{"settings": {"a": "\xff"}, "mappings": {}}', r"crimes\.json: is not JSON\b.*Correct the file\.$"),
        (b'{"settings": {"a": ' + b"[" * 100_000, r"crimes\.json: is not JSON\b.*Correct the file\.$"),
        (b'{"settings": 1, "mappings": {}}', r'crimes\.json: "settings": expected keys and values, not a whole number\.'),
        (b"[]", r'crimes\.json: "the whole file": expected keys and values, not a list\.'),
        (b'{"settings": {}, "mapping": {}}', r'crimes\.json: "the whole file": has an unknown key "mapping"\.'),
    ],
)  # fmt: skip
def test_a_mapping_that_cannot_be_read_is_explained(
    tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "crimes.json").write_bytes(content)
    with pytest.raises(ConfigurationError, match=message):
        load_index_schema(tmp_path)

"""Input that is made to exhaust memory, disk or patience is refused in words, and soon."""

from __future__ import annotations

import gzip
import sqlite3
import tempfile
from pathlib import Path

import pytest

from indexer.config.field_map import EMPTY_FIELD_MAP
from indexer.errors import RequestError, SourceError
from indexer.sources import read_tombstones
from indexer.sources.base import MAX_RECORD_BYTES
from indexer.sources.csv_tables import read_csv_tables
from indexer.sources.jsonl import read_json_lines
from indexer.sources.temporary_store import open_store
from queries.answer.answer_file import read_answer_file
from queries.request.reader import parse_request
from queries.spec.yaml_text import MAX_YAML_BYTES, parse_yaml, read_yaml

HEAD = "reference: R\ntitle: T\nperiod: 2017/18\n"

CSV_HEAD = b"crime_ref,recorded_on,offence_code,narrative\n"

CSV_ROW = b"41/1/17,2017-04-01,8L,text\n"

QUESTIONS = "questions:\n  - {id: Q1, kind: offences}\n"


def bomb(path: Path, line: bytes, megabytes: int) -> Path:
    block = line * (2**20 // len(line))
    with gzip.open(path, "wb", 9) as file:
        for _ in range(megabytes):
            file.write(block)
    return path


@pytest.mark.parametrize(
    "line", [b"\n", b"{}\n", b'{"crime_ref": "A", "narrative": "' + b"a" * 4_000 + b'"}\n']
)
def test_gzip_data_that_grows_as_no_records_do_is_refused_early(
    tmp_path: Path, line: bytes
) -> None:
    path = bomb(tmp_path / "bomb.jsonl.gz", line, 64)
    assert path.stat().st_size < 2**20
    taken: list[int] = []
    with pytest.raises(SourceError, match="expands to more than 200 times its size"):
        taken.extend(len(raw.raw) for raw in read_json_lines(path))
    assert sum(taken) < 32 * 2**20


def test_a_line_without_an_end_is_refused_at_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "endless.jsonl"
    path.write_bytes(b"a" * (MAX_RECORD_BYTES + 1))
    with pytest.raises(SourceError, match="the line is longer than 32 MB"):
        list(read_json_lines(path))


def write_hole(path: Path, start: bytes = b"") -> Path:
    """A file of 64 GB that takes no room: zeros after its start, without a line end."""
    with path.open("wb") as file:
        file.write(start)
        file.truncate(64 * 2**30)
    return path


@pytest.mark.parametrize(
    ("start", "place"),
    [(b"", "1"), (b"crime_ref,", "1"), (CSV_HEAD, "2"), (CSV_HEAD + CSV_ROW, "3")],
    ids=["nothing", "half a header", "header", "row"],
)
def test_a_table_without_an_end_is_refused_at_its_limit(
    tmp_path: Path, start: bytes, place: str
) -> None:
    path = write_hole(tmp_path / "crimes.csv", start)
    with pytest.raises(SourceError, match=rf"crimes\.csv:{place}: .*the row is over 32 MB"):
        list(read_csv_tables(path, EMPTY_FIELD_MAP))


def test_a_row_of_very_many_short_lines_is_refused_at_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "crimes.csv"
    path.write_bytes(CSV_HEAD + CSV_ROW + b'"a\n",' * (MAX_RECORD_BYTES // 5 + 2_000))
    with pytest.raises(SourceError, match=r"crimes\.csv:3: .*the row is over 32 MB"):
        list(read_csv_tables(path, EMPTY_FIELD_MAP))


def test_a_long_table_of_short_rows_is_read(tmp_path: Path) -> None:
    path = tmp_path / "crimes.csv"
    text = b"x" * 2**20
    rows = [b"41/%d/17,2017-04-01,8L,%b\n" % (number, text) for number in range(40)]
    path.write_bytes(CSV_HEAD + b"".join(rows))
    assert sum(1 for _ in read_csv_tables(path, EMPTY_FIELD_MAP)) == 40


def test_an_answer_without_an_end_is_not_read_whole(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="is larger than 200,000,000 bytes"):
        read_answer_file(write_hole(tmp_path / "answer.json"))


def test_tombstones_without_an_end_are_refused_at_their_limit(tmp_path: Path) -> None:
    path = write_hole(tmp_path / "gone.txt", b"41/1/17\n")
    with pytest.raises(SourceError, match=r"gone\.txt:2: the line is longer than 32 MB"):
        list(read_tombstones(path))


def test_records_that_pack_well_are_read(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl.gz"
    with gzip.open(path, "wb", 9) as file:
        for number in range(30_000):
            file.write(
                b'{"crime_ref": "%d", "narrative": "%b"}\n' % (number, b"The same text. " * 30)
            )
    assert sum(1 for _ in read_json_lines(path)) == 30_000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", ":1: has an anchor or alias"),
        ("[" * 900_000, "nested too deeply"),
        ("{a: " * 200_000, "nested too deeply"),
        ("".join(" " * depth + "-\n" for depth in range(1_000)), "nested too deeply"),
        ("".join(f"k{number}: v\n" for number in range(90_000)), "more than 20,000 values"),
        ("[" + "1," * 100_000 + "]", "more than 20,000 values"),
    ],
    ids=["aliases", "flow lists", "flow maps", "block lists", "keys", "values"],
)
def test_yaml_that_is_too_much_is_refused(text: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        parse_yaml(text, "request.yaml")


def test_a_file_over_its_size_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "request.yaml"
    path.write_text("# " + "a" * MAX_YAML_BYTES)
    with pytest.raises(RequestError, match="larger than 1,000,000 bytes"):
        read_yaml(path)


@pytest.mark.parametrize(
    ("mentions", "message"),
    [
        (
            ", ".join(f"term{number}" for number in range(10_000)),
            '"mentions": expected at most 500 entries',
        ),
        ("a" * 900_000, "has 900,000 characters; the most is 100"),
        ("ab " * 200_000, "characters; the most is 100"),
    ],
    ids=["many", "long", "many words"],
)
def test_a_request_of_too_many_or_too_long_terms_is_refused_in_words(
    mentions: str, message: str
) -> None:
    with pytest.raises(RequestError, match=message) as refused:
        parse_request(f"{HEAD}mentions: [{mentions}]\n{QUESTIONS}")
    assert len(str(refused.value)) < 500


def test_of_very_many_mistakes_the_first_are_told() -> None:
    keys = "".join(f"k{number}: v\n" for number in range(1_000))
    with pytest.raises(RequestError) as refused:
        parse_request(HEAD + QUESTIONS + keys)
    lines = str(refused.value).splitlines()
    assert (len(lines), lines[-1]) == (51, "... and 950 more.")


def test_tables_are_put_together_in_a_file_that_has_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is killed in the midst leaves no text behind."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("SQLITE_TMPDIR", str(scratch))
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    (tmp_path / "crimes.csv").write_text("crime_ref,recorded_on,offence_code\nA,2019-06-01,22B\n")
    rows = "".join(f"A,{'a text ' * 100}\n" for _ in range(20_000))
    (tmp_path / "narratives.csv").write_text(f"crime_ref,narrative\n{rows}")
    reading = read_csv_tables(tmp_path, EMPTY_FIELD_MAP)
    first = next(reading)
    assert isinstance(first.raw, dict)
    assert len(first.raw["narrative"]) == 20_000
    assert list(scratch.iterdir()) == []
    reading.close()  # type: ignore[attr-defined]


def test_a_full_disk_of_the_tables_is_called_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python looks for another temporary folder if a disk is full, but SQLite does not."""
    monkeypatch.delenv("SQLITE_TMPDIR", raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", "/elsewhere")
    with pytest.raises(SourceError) as refusal, open_store():
        raise sqlite3.OperationalError("database or disk is full")
    assert str(refusal.value).startswith(f"{tmp_path}: the tables cannot be joined there (database")

"""Bad input at the command line: one clear message, the documented exit code, and nothing lost.

Every narrative and every value of a bad file holds a canary, and so does every password: no message
may repeat one. Most cases call the program within this process, which is several times quicker; one
of every family runs it as users do.
"""

from __future__ import annotations

import gzip
import http.server
import json
import os
import secrets
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from elasticsearch import Elasticsearch

from indexer.config.model import IndexSettings
from indexer.errors import (
    ConfigurationError,
    GenerationError,
    NoIndexError,
    OutputError,
    RequestError,
    ServerError,
    SourceError,
)
from indexer.index.generations import (
    Generation,
    count_documents,
    create_generation,
    find_live_name,
    mark_verified,
    read_live_generation,
    seal_generation,
)
from indexer.jobs.refresh import load_files
from tests.support.command_line import (
    CANARY,
    PASSWORD,
    PROGRAM,
    CommandLine,
    Outcome,
    nodes_reply,
    require_refusal,
)
from tests.support.server import SILENT

USAGE = 2

BIG = 5 * 1024 * 1024


def record(reference: str = "41/1/17", **changes: Any) -> dict[str, Any]:
    """A good record; a field given as ... is left out."""
    whole = {
        "crime_ref": reference,
        "recorded_on": "2017-06-03",
        "offence_code": "22B",
        "narrative": f"The log of {CANARY} names a livestream.",
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not ...}


def line(reference: str = "41/1/17", **changes: Any) -> bytes:
    """A record as its JSON line, without the line's end."""
    return msgspec.json.encode(record(reference, **changes))


def lines(*given: bytes) -> bytes:
    return b"".join(one + b"\n" for one in given)


GOOD = line("41/100/17")

CRIMES = "crime_ref,recorded_on,offence_code,narrative\n"

ROW = f'41/100/17,2017-06-03,22B,"{CANARY}, a livestream"\n'


class Standing(NamedTuple):
    """An alias with a live generation, and all that is behind it."""

    client: Elasticsearch
    alias: str
    generation: str

    def unchanged(self) -> bool:
        """Whether the alias points where it pointed, and nothing was left beside it."""
        every = self.client.indices.get(index=f"{self.alias}-*", expand_wildcards="all").body
        return find_live_name(self.client, self.alias) == self.generation and list(every) == [
            self.generation
        ]


@pytest.fixture(scope="module")
def loaded(client: Elasticsearch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """A generation of one record that no bad input may touch, loaded once."""
    folder = tmp_path_factory.mktemp("standing")
    path = folder / "records.jsonl"
    path.write_bytes(lines(line("41/999/17")))
    alias = f"test-{secrets.token_hex(4)}"
    done = load_files(client, IndexSettings(alias=alias), [path], folder, SILENT)
    yield Standing(client, alias, done.generation.name)
    for name in client.indices.get(index=f"{alias}*", expand_wildcards="all").body:
        client.indices.delete(index=name)


@pytest.fixture
def standing(loaded: Standing, foidex: CommandLine) -> Iterator[Standing]:
    """The generation that is live while bad input comes, and must stay so."""
    foidex.environment["FOIDEX_INDEX"] = loaded.alias
    yield loaded
    assert loaded.unchanged()


def live(client: Elasticsearch, alias: str) -> Generation:
    """The live generation, once its numbers add up and the server holds so many records."""
    found = read_live_generation(client, alias)
    assert found.read == found.indexed + found.rejected + found.skipped
    assert count_documents(client, found.name) == (found.indexed, 0)
    return found


# -- files that are not read ---------------------------------------------------------------------

PACKED = gzip.compress(lines(*(line(f"41/{n}/17", outcome=n % 22 + 1) for n in range(400))))

FILES = [
    pytest.param("no.jsonl", None, ("no.jsonl: there is no such file", "Check the path."), id="missing"),
    pytest.param("n" * 300 + ".jsonl", None, ("cannot be read (File name too long)", "Check the path."), id="name too long"),
    pytest.param("records.pdf", lines(GOOD), ("records.pdf: is not a kind of file that foidex reads", "It reads .csv"), id="unknown kind"),
    pytest.param("records.txt", lines(GOOD), ("records.txt: has columns of its own, so foidex needs a profile to read it", '--write" to write one.'), id="a table without a profile"),
    pytest.param("empty.jsonl", b"", ("empty.jsonl: there are no records", "Check the path."), id="empty"),
    pytest.param("blank.jsonl", b"\n  \n\r\n", ("blank.jsonl: there are no records", "Check the path."), id="blank lines"),
    pytest.param("mark.jsonl", b"\xef\xbb\xbf", ("mark.jsonl: there are no records", "Check the path."), id="only a byte order mark"),
    pytest.param("none.jsonl.gz", gzip.compress(b""), ("none.jsonl.gz: there are no records",), id="empty gzip"),
    pytest.param("wide.jsonl", lines(GOOD).decode().encode("utf-16"), ("wide.jsonl: is UTF-16 text", "Save it as UTF-8."), id="UTF-16"),
    pytest.param("cut.jsonl.gz", PACKED[: len(PACKED) // 2], ("cut.jsonl.gz: the gzip data is cut short or damaged", "Copy the file again."), id="truncated gzip"),
    pytest.param("hurt.jsonl.gz", PACKED[:300] + bytes(200) + PACKED[500:], ("hurt.jsonl.gz: the gzip data is cut short or damaged",), id="damaged gzip"),
    pytest.param("crimes.csv", b"", ("crimes.csv: is empty", "Its first line must name the columns."), id="empty CSV"),
    pytest.param("crimes.csv", CRIMES.encode(), ("crimes.csv: there are no records",), id="CSV of a header alone"),
    pytest.param("crimes.csv", (CRIMES + ROW).encode("utf-16"), ("crimes.csv: is not UTF-8 text", "Or export it as UTF-8."), id="UTF-16 CSV"),
    pytest.param("crimes.csv", (CRIMES + ROW + ROW.replace("stream", "caf\xe9")).encode("latin-1"), ("crimes.csv: is not UTF-8 text", "Or export it as UTF-8."), id="Latin-1 CSV"),
    pytest.param("crimes.csv", (CRIMES.replace("narrative", "narative") + ROW).encode(), ('crimes.csv:1: has an unknown column "narative"', 'Did you mean "narrative"?'), id="unknown column"),
    pytest.param("crimes.csv", (CRIMES.replace("recorded_on,", "") + ROW).encode(), ('crimes.csv:1: lacks the column "recorded_on"', "Add it."), id="missing column"),
    pytest.param("crimes.csv", (CRIMES.replace("narrative", "crime_ref") + ROW).encode(), ('crimes.csv:1: names the column "crime_ref" twice', "Remove one."), id="column named twice"),
    pytest.param("crimes.csv", f"{CANARY},2017-06-03,22B,{CANARY}\n".encode(), ("crimes.csv:1: names no column that foidex knows", "The first line must name the columns"), id="CSV without a header"),
    pytest.param("crimes.csv", (CRIMES + ROW).replace(",", ";").encode(), ("crimes.csv:1: names no column that foidex knows", "separated by commas: crime_ref, recorded_on", 'crimes.csv --write" to write a profile'), id="CSV with semicolons"),
    pytest.param("crimes.csv", (CRIMES + ROW + ROW.replace('stream"', "stream") + ROW.replace('"', "")).encode(), ("crimes.csv:3: is not CSV: a quote is not closed", "Correct the row."), id="unclosed quote"),
]  # fmt: skip


@pytest.mark.usefixtures("standing")
@pytest.mark.parametrize(("name", "content", "told"), FILES)
def test_a_file_that_cannot_be_read_changes_nothing(
    foidex: CommandLine, name: str, content: bytes | None, told: tuple[str, ...]
) -> None:
    path = foidex.folder / name
    if content is not None:
        foidex.write(name, content)
    require_refusal(foidex("load", path), SourceError, str(path), *told)
    (folder,) = Path(foidex.environment["FOIDEX_HOME"]).iterdir()
    assert folder.name == "audit"


@pytest.mark.usefixtures("standing")
def test_a_folder_is_no_file_of_records(foidex: CommandLine) -> None:
    folder = foidex.folder / "records.jsonl"
    folder.mkdir()
    told = f"{folder}: is a folder without crimes.csv. Give the files"
    require_refusal(foidex.program("load", folder), SourceError, told)


@pytest.mark.usefixtures("standing")
def test_a_link_to_nothing_and_a_path_through_a_file_are_told(foidex: CommandLine) -> None:
    link = foidex.folder / "link.jsonl"
    link.symlink_to(foidex.folder / "gone.jsonl")
    require_refusal(
        foidex("load", link), SourceError, f"{link}: there is no such file. Check the path."
    )
    inside = foidex.write("file.jsonl", GOOD) / "inside.jsonl"
    require_refusal(
        foidex("load", inside), SourceError, f"{inside}: cannot be read (Not a directory)."
    )


@pytest.mark.usefixtures("standing")
def test_a_good_file_beside_a_bad_one_is_not_loaded_alone(foidex: CommandLine) -> None:
    good = foidex.write("good.jsonl", lines(GOOD))
    bad = foidex.write("cut.jsonl.gz", PACKED[: len(PACKED) // 2])
    require_refusal(foidex("load", good, bad, "--reject-invalid"), SourceError, str(bad))


@pytest.mark.usefixtures("standing")
@pytest.mark.parametrize(
    ("child", "content", "told"),
    [
        ("victims.csv", f"crime_ref,victim_ref,age\n41/100/17,{CANARY}\n", "victims.csv:2: has 2 columns where the header has 3. Quote the fields"),
        ("victims.csv", f"crime_ref,victim_ref,aeg\n41/100/17,{CANARY},15\n", 'victims.csv:1: has an unknown column "aeg". Did you mean "age"?'),
        ("links.csv", f"linked_crime_ref\n{CANARY}\n", 'links.csv:1: lacks the column "crime_ref". Add it.'),
        ("links.csv", f"crime_ref,linked_crime_ref\n{CANARY},41/1/17\ncrime_ref,linked_crime_ref\n", "links.csv:3: repeats the first line with the names of the columns. Remove the row."),
        ("narratives.csv", f'crime_ref,narrative\n41/100/17,"{CANARY}\n', "narratives.csv:2: is not CSV: a quote is not closed"),
        ("narratives.csv", f"{CANARY},{CANARY}\n", "narratives.csv:1: names no column that foidex knows. The first line must name the columns, separated by commas: crime_ref, narrative."),
    ],
    ids=["row of wrong length", "unknown column", "no key", "header twice", "unclosed quote", "no header"],
)  # fmt: skip
def test_a_bad_table_beside_crimes_csv_changes_nothing(
    foidex: CommandLine, child: str, content: str, told: str
) -> None:
    header, row = CRIMES, ROW
    if child == "narratives.csv":
        header, row = header.replace(",narrative", ""), "41/100/17,2017-06-03,22B\n"
    folder = foidex.write("tables/crimes.csv", (header + row).encode()).parent
    foidex.write(f"tables/{child}", content.encode())
    require_refusal(foidex("load", folder), SourceError, f"{folder}/{told}")


# -- records that are rejected -------------------------------------------------------------------

RECORDS = [
    pytest.param(line(narrative="caf\xe9 " + CANARY).decode().encode("latin-1"), "is not UTF-8 text", "Save the file as UTF-8.", id="Latin-1"),
    pytest.param(b"[" + GOOD + b"]", "is a list of 1, not an object", "A record is one JSON object a line.", id="list"),
    pytest.param(f'"{CANARY}"'.encode(), "is text of the shape aaaaaaaaa, not an object", "A record is one JSON object a line.", id="text"),
    pytest.param(line()[:-20], "is cut short", "Send the whole line.", id="cut short"),
    pytest.param(f"{CANARY},2017-06-03".encode(), "is not JSON (at byte 0)", "A record is one JSON object a line.", id="not JSON"),
    pytest.param(line().replace(b"log", b"\\ud800"), "is not JSON (at byte", "A record is one JSON object a line.", id="half a character"),
    pytest.param(b"[" * 5000 + CANARY.encode(), "is nested too deeply", "Correct the line.", id="too deep"),
    pytest.param(line(district=CANARY), 'has an unknown field "district"', "Rename it or remove it.", id="unknown field"),
    pytest.param(msgspec.json.encode({**record(), f"{CANARY}: a log": 1}), "has an unknown field, whose name may hold content", "Remove it.", id="a field named by text"),
    pytest.param(line(victims=[{"name": CANARY}]), 'has an unknown field "name" in "victims[0]"', "Rename it or remove it.", id="unknown field of a victim"),
    pytest.param(line(recorded_on=...), 'lacks the field "recorded_on"', "Add it.", id="missing field"),
    pytest.param(line(narrative=...), 'lacks the field "narrative"', "Add it.", id="missing narrative"),
    pytest.param(line(recorded_on="2017-02-30"), '"recorded_on" is text of the shape 9999-99-99, not a date', "Correct it.", id="impossible date"),
    pytest.param(line(recorded_on=CANARY), '"recorded_on" is text of the shape aaaaaaaaa, not a date', "Correct it.", id="text for a date"),
    pytest.param(line(victims=[{"victim_ref": CANARY, "age": -1}]), '"victims[0].age" is a number below 0, not whole years from 0 to 120', "Correct it.", id="age -1"),
    pytest.param(line(victims=[{}, {"victim_ref": CANARY, "age": 300}]), '"victims[1].age" is a number over 120, not whole years', "Correct it.", id="age 300"),
    pytest.param(line(status=CANARY), '"status" is text of the shape aaaaaaaaa, not recorded, cancelled, transferred or deleted', "Correct it.", id="status"),
    pytest.param(line(suspects=[{"age": 300}]), '"suspects[0].age" is a number over 120, not whole years', "Correct it.", id="age of a suspect"),
    pytest.param(line(suspects=[{"victim_ref": CANARY}]), 'has an unknown field "victim_ref" in "suspects[0]"', "Rename it or remove it.", id="field of another list"),
    pytest.param(line(victims=[{"sex": CANARY}]), '"victims[0].sex" is text of the shape aaaaaaaaa, not F, M, X, U', "Correct it.", id="sex"),
    pytest.param(line(outcome=23), '"outcome" is a number of 2 characters, not an outcome type', "Correct it.", id="outcome 23"),
    pytest.param(line(outcome=CANARY), '"outcome" is text of the shape aaaaaaaaa, not an outcome type', "Correct it.", id="outcome as text"),
    pytest.param(line(linked=[{}]), '"linked[0]" names neither a crime_ref nor an offence_code', "Give one, or leave the link out.", id="empty link"),
    pytest.param(line("41/100/17"), '"crime_ref" is already that of the record at records.jsonl:1', "Keep one of the two.", id="a reference twice"),
]  # fmt: skip


@pytest.mark.usefixtures("standing")
@pytest.mark.parametrize(("bad", "what", "fix"), RECORDS)
def test_a_bad_record_stops_the_load_and_is_kept_whole(
    foidex: CommandLine, bad: bytes, what: str, fix: str
) -> None:
    path = foidex.write("records.jsonl", lines(GOOD, bad))
    outcome = foidex("load", path)
    require_refusal(
        outcome, SourceError, f"foidex: records.jsonl:2: {what}", "1 of 2 records were rejected"
    )
    first, last = outcome.message.splitlines()
    assert first.endswith(fix)
    assert f"They are in {foidex.rejects}, each with its reason in" in last
    assert "run the same command again; to set them aside, add --reject-invalid." in last
    assert foidex.rejects.read_bytes() == lines(bad)
    assert f"{foidex.rejects.with_suffix('.reasons.txt').read_text()}" == first[8:] + "\n"
    for file in foidex.rejects.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


CSV_ROWS = [
    pytest.param(f"41/2/17,2017-06-03,{CANARY}\n", {}, "crimes.csv:3: has 3 columns where the header has 4. Quote the fields", {"crime_ref": "41/2/17", "recorded_on": "2017-06-03", "offence_code": CANARY}, id="row too short"),
    pytest.param(f"41/2/17,2017-06-03,22B,{CANARY}, and {CANARY}\n", {}, "crimes.csv:3: has 5 columns where the header has 4. Quote the fields", record("41/2/17", narrative=CANARY, extra_1=f" and {CANARY}"), id="row too long"),
    pytest.param(CRIMES, {}, "crimes.csv:3: repeats the first line with the names of the columns. Remove the row.", {name: name for name in CRIMES.strip().split(",")}, id="header twice"),
    pytest.param(f"41/2/17,31/02/2018,22B,{CANARY}\n", {}, 'crimes.csv:3: "recorded_on" is text of the shape 99/99/9999, not a date', record("41/2/17", recorded_on="31/02/2018", narrative=CANARY), id="impossible date"),
    pytest.param(f",2017-06-03,22B,{CANARY}\n", {}, 'crimes.csv:3: "crime_ref" is empty, and every record needs it. Fill it in.', record("", narrative=CANARY), id="no reference"),
    pytest.param("", {"victims.csv": f"crime_ref,victim_ref,age\n41/2/17,{CANARY},15\n"}, "victims.csv:2: its crime_ref is in no row of crimes.csv. Add the row, or remove this one.", {"crime_ref": "41/2/17", "victims": [{"victim_ref": CANARY, "age": 15}]}, id="victim without its crime"),
    pytest.param("", {"links.csv": f"crime_ref,linked_crime_ref\n{CANARY},41/1/17\n"}, "links.csv:2: its crime_ref is in no row of crimes.csv. Add the row", {"crime_ref": CANARY, "linked": [{"crime_ref": "41/1/17"}]}, id="link without its crime"),
    pytest.param(f"41/2/17,2017-06-03,22B,{CANARY}\n", {"victims.csv": "crime_ref,age\n41/2/17,1_5\n41/2/17,-1\n"}, 'crimes.csv:3: "victims[0].age" is text of the shape 9_9, not whole years', record("41/2/17", narrative=CANARY, victims=[{"age": "1_5"}, {"age": -1}]), id="age no number"),
    pytest.param(ROW, {}, 'crimes.csv:3: "crime_ref" is already that of the record at crimes.csv:2. Keep one of the two.', record("41/100/17", narrative=f"{CANARY}, a livestream"), id="a reference twice"),
]  # fmt: skip


@pytest.mark.usefixtures("standing")
@pytest.mark.parametrize(("row", "tables", "told", "kept"), CSV_ROWS)
def test_a_bad_row_stops_the_load_and_is_kept_whole(
    foidex: CommandLine,
    row: str,
    tables: dict[str, str],
    told: str,
    kept: dict[str, Any],
) -> None:
    path = foidex.write("tables/crimes.csv", (CRIMES + ROW + row).encode())
    for name, content in tables.items():
        foidex.write(f"tables/{name}", content.encode())
    require_refusal(
        foidex("load", path), SourceError, f"foidex: {told}", "1 of 2 records were rejected"
    )
    assert [json.loads(one) for one in foidex.rejects.read_bytes().splitlines()] == [kept]


def test_bad_records_set_aside_are_corrected_and_load_again(
    foidex: CommandLine, client: Elasticsearch
) -> None:
    """Every bad record above in one file: all but the good one set aside, none lost."""
    bad = [bytes(case.values[0]) for case in RECORDS if isinstance(case.values[0], bytes)]
    path = foidex.write("records.jsonl", lines(GOOD, *bad))
    outcome = foidex.program("load", path, "--reject-invalid")
    assert outcome.code == 0, outcome.err
    assert f"{len(bad) + 1} records read, 1 indexed, {len(bad)} rejected." in outcome.out
    assert f"Rejected records are in {foidex.rejects}" in outcome.out
    alias = foidex.environment["FOIDEX_INDEX"]
    assert live(client, alias).rejected == len(bad) == len(RECORDS)
    rejects = foidex.rejects
    # By number: they may come in another order, as those the server refuses come later.
    assert sorted(rejects.read_bytes().splitlines()) == sorted(bad)
    rejects.write_bytes(lines(*(line(f"41/{number}/17") for number in range(len(bad)))))
    outcome = foidex.program("load", path, rejects, "--reject-invalid", "--rejects", "left.jsonl")
    assert outcome.code == 0, outcome.err
    found = live(client, alias)
    assert (found.indexed, found.rejected) == (len(bad) + 1, len(bad))
    assert (foidex.folder / "left.jsonl").read_bytes().count(b"\n") == len(bad)
    assert foidex("find", "livestream", "--refs-only").out.count("\n") == len(bad) + 1


def test_a_csv_row_set_aside_is_corrected_as_json(
    foidex: CommandLine, client: Elasticsearch
) -> None:
    path = foidex.write(
        "crimes.csv", (CRIMES + ROW + f"41/2/17,2017-06-03,22B,{CANARY},too\n").encode()
    )
    assert foidex("load", path, "--reject-invalid").code == 0
    raw = json.loads(foidex.rejects.read_bytes())
    raw["narrative"] += "," + raw.pop("extra_1")
    foidex.rejects.write_bytes(json.dumps(raw).encode())
    assert foidex("load", foidex.rejects).code == 0
    assert live(client, foidex.environment["FOIDEX_INDEX"]).indexed == 1
    assert foidex("find", CANARY.lower(), "too", "--refs-only").out == "41/2/17\n"


@pytest.mark.usefixtures("standing")
def test_more_bad_records_than_a_message_holds_are_counted(foidex: CommandLine) -> None:
    bad = [line(f"41/{number}/17", status=CANARY) for number in range(30)]
    outcome = foidex("load", foidex.write("records.jsonl", lines(*bad)))
    require_refusal(outcome, SourceError, "... and 20 more", "30 of 30 records were rejected")
    assert foidex.rejects.read_bytes() == lines(*bad)


@pytest.mark.usefixtures("standing")
def test_nothing_is_promoted_where_every_record_is_set_aside(foidex: CommandLine) -> None:
    path = foidex.write("records.jsonl", lines(line(status=CANARY)))
    outcome = foidex("load", path, "--reject-invalid")
    require_refusal(outcome, SourceError, "every record was rejected", str(foidex.rejects))


# -- one reference twice -------------------------------------------------------------------------


def test_of_two_records_far_apart_the_first_stays(
    foidex: CommandLine, client: Elasticsearch
) -> None:
    between = [line(f"41/{number}/17", narrative="") for number in range(1000, 7000)]
    again = line("41/1/17", narrative=f"{CANARY}, a podcast")
    path = foidex.write("records.jsonl", lines(line("41/1/17"), *between, again))
    outcome = foidex("load", path, "--reject-invalid", "--rejects", "again.jsonl")
    assert outcome.code == 0, outcome.err
    assert (foidex.folder / "again.jsonl").read_bytes() == lines(again)
    assert (foidex.folder / "again.reasons.txt").read_text() == (
        'records.jsonl:6002: "crime_ref" is already that of the record at records.jsonl:1. '
        "Keep one of the two.\n"
    )
    assert live(client, foidex.environment["FOIDEX_INDEX"]).rejected == 1
    assert foidex("find", "livestream", "--refs-only").out == "41/1/17\n"
    assert foidex("find", "podcast").out == ""


def test_of_two_records_in_neighbouring_requests_the_first_stays(
    foidex: CommandLine, client: Elasticsearch
) -> None:
    """The first fills a request that takes far longer than the next one."""
    long = line("41/1/17", narrative="a log, a livestream. " * 250_000)
    again = line("41/1/17", narrative=f"{CANARY}, a podcast")
    path = foidex.write("records.jsonl", lines(long, again))
    outcome = foidex("load", path, "--reject-invalid")
    assert outcome.code == 0, outcome.err
    assert foidex.rejects.read_bytes() == lines(again)
    assert live(client, foidex.environment["FOIDEX_INDEX"]).rejected == 1


@pytest.mark.usefixtures("standing")
@pytest.mark.parametrize("again", ["records.jsonl", "./records.jsonl", "link.jsonl"])
def test_a_file_given_twice_is_refused(foidex: CommandLine, again: str) -> None:
    foidex.write("records.jsonl", lines(GOOD))
    (foidex.folder / "link.jsonl").symlink_to("records.jsonl")
    outcome = foidex("load", "records.jsonl", again, "--reject-invalid")
    require_refusal(outcome, SourceError, f"{Path(again)}: is given twice. Give it once.")


@pytest.mark.usefixtures("standing")
def test_a_folder_and_its_crimes_csv_are_one_file(foidex: CommandLine) -> None:
    path = foidex.write("tables/crimes.csv", (CRIMES + ROW).encode())
    told = f"{path}: is given twice. Give it once."
    require_refusal(foidex("load", path.parent, path), SourceError, told)


@pytest.mark.usefixtures("standing")
@pytest.mark.parametrize(
    ("name", "content"),
    [("records.jsonl", lines(GOOD)), ("crimes.csv", (CRIMES + ROW).encode())],
    ids=["JSON Lines", "CSV"],
)
def test_files_of_one_name_are_told_apart(foidex: CommandLine, name: str, content: bytes) -> None:
    """Their places would be the same without their folders, and the second record lost."""
    for folder in ("old", "new"):
        foidex.write(f"{folder}/{name}", content)
    given = ("old", "new") if name == "crimes.csv" else (f"old/{name}", f"new/{name}")
    number = content.count(b"\n")
    require_refusal(
        foidex("load", *given),
        SourceError,
        f'foidex: new/{name}:{number}: "crime_ref" is already that of the record at '
        f"old/{name}:{number}. Keep one of the two.",
        "1 of 2 records were rejected",
    )


# -- where rejected records go -------------------------------------------------------------------


@pytest.mark.usefixtures("standing")
@pytest.mark.parametrize("name", ["records.jsonl", "./records.jsonl", "link.jsonl"])
def test_rejected_records_are_never_written_over_those_to_load(
    foidex: CommandLine, name: str
) -> None:
    content = lines(line(status=CANARY), *(line(f"41/{number}/17") for number in range(2, 9)))
    path = foidex.write("records.jsonl", content)
    (foidex.folder / "link.jsonl").symlink_to("records.jsonl")
    outcome = foidex("load", "records.jsonl", "--rejects", name, "--reject-invalid")
    require_refusal(
        outcome, SourceError, f"{Path(name)}: is read by this load", "Choose another file"
    )
    assert path.read_bytes() == content


@pytest.mark.usefixtures("standing")
def test_rejected_records_are_never_written_over_a_table(foidex: CommandLine) -> None:
    foidex.write("crimes.csv", (CRIMES + ROW.replace("22B", "")).encode())
    content = f"crime_ref,victim_ref\n41/100/17,{CANARY}\n".encode()
    victims = foidex.write("victims.csv", content)
    outcome = foidex("load", "crimes.csv", "--rejects", "victims.csv")
    require_refusal(
        outcome, SourceError, "victims.csv: is read by this load", "Choose another file"
    )
    assert victims.read_bytes() == content


@pytest.mark.usefixtures("standing")
@pytest.mark.parametrize("name", ["extract.jsonl", "extract", "extract.txt"])
def test_rejected_rows_are_never_written_over_the_table_they_are_from(
    foidex: CommandLine, name: str
) -> None:
    """Rejected rows go into a file that ends in .csv, whatever name was given."""
    content = f"no;day;code;text\n41/1/17;31/02/2018;22B;{CANARY}\n".encode()
    path = foidex.write("extract.csv", content)
    fields = 'crime_ref = "no"\noffence_code = "code"\nnarrative = "text"\n'
    fields += 'recorded_on = {column = "day", dates = ["DD/MM/YYYY"]}\n'
    foidex.write("foidex.toml", f"[source.profile.fields]\n{fields}".encode())
    outcome = foidex("load", "extract.csv", "--rejects", name, "--reject-invalid")
    require_refusal(
        outcome, SourceError, "extract.csv: is read by this load", "Choose another file"
    )
    assert path.read_bytes() == content


@pytest.mark.usefixtures("standing")
@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("records.jsonl.count", "is read by this load"),
        ("foidex.toml", "is the settings themselves"),
        ("terms.yaml", "is the file of [terms] book"),
        ("report.json", "is the file of [refresh] report"),
    ],
)
def test_rejected_records_are_never_written_over_another_file_of_foidex(
    foidex: CommandLine, name: str, use: str
) -> None:
    foidex.write("records.jsonl", lines(line(status=CANARY)))
    foidex.write("records.jsonl.count", b"1\n")
    foidex.write("terms.yaml", b"{}\n")
    foidex.write("report.json", b"{}\n")
    settings = f'terms.book = "terms.yaml"\nrefresh.report = "{foidex.folder}/report.json"\n'
    foidex.write("foidex.toml", settings.encode())
    content = (foidex.folder / name).read_bytes()
    outcome = foidex("load", "records.jsonl", "--rejects", name)
    require_refusal(outcome, SourceError, f"{name}: {use}", "Choose another file")
    assert (foidex.folder / name).read_bytes() == content


@pytest.mark.usefixtures("standing")
@pytest.mark.parametrize("name", ["/", "folder"])
def test_a_folder_is_no_file_for_rejects(foidex: CommandLine, name: str) -> None:
    (foidex.folder / "folder").mkdir()
    path = foidex.write("records.jsonl", lines(line(status=CANARY)))
    told = f"{Path(name)}: is a folder. Choose a file with --rejects."
    require_refusal(foidex("load", path, "--rejects", name), SourceError, told)


@pytest.mark.usefixtures("standing")
def test_rejects_that_cannot_be_written_stop_the_load(foidex: CommandLine) -> None:
    path = foidex.write("records.jsonl", lines(GOOD, line(status=CANARY)))
    foidex.write("home/rejects", b"")
    outcome = foidex("load", path, FOIDEX_HOME=str(foidex.folder / "home"))
    told = "rejected records cannot be written (Not a directory)"
    require_refusal(outcome, SourceError, told, "choose another folder with FOIDEX_HOME.")


@pytest.mark.usefixtures("standing")
def test_an_older_file_of_rejects_becomes_private(foidex: CommandLine) -> None:
    old = foidex.write("left.jsonl", b"{}\n")
    old.chmod(0o644)
    path = foidex.write("records.jsonl", lines(line(status=CANARY)))
    assert foidex("load", path, "--rejects", old).code == SourceError.exit_code
    assert old.read_bytes() == lines(line(status=CANARY))
    assert stat.S_IMODE(old.stat().st_mode) == 0o600


@pytest.mark.usefixtures("standing")
def test_the_rejects_of_two_loads_in_one_second_are_both_kept(
    foidex: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A generation that was given up leaves its name to the next."""
    create = create_generation

    def named(*given: Any, **options: Any) -> Generation:
        made = create(*given, **options)
        fixed = f"{made.name[:-6]}000000"
        given[0].indices.delete(index=made.name)
        renamed = msgspec.structs.replace(made, name=fixed)
        meta = {"foidex": msgspec.to_builtins(renamed)}
        given[0].indices.create(index=fixed, mappings={"_meta": meta})
        return renamed

    monkeypatch.setattr("indexer.jobs.refresh.create_generation", named)
    for number in (1, 2):
        path = foidex.write("records.jsonl", lines(line(f"41/{number}/17", status=CANARY)))
        assert foidex("load", path).code == SourceError.exit_code
    folder = Path(foidex.environment["FOIDEX_HOME"], "rejects")
    kept = b"".join(file.read_bytes() for file in sorted(folder.glob("*.jsonl")))
    assert sorted(kept.splitlines()) == [line(f"41/{n}/17", status=CANARY) for n in (1, 2)]


# -- what looks wrong and is right ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("records.jsonl", b"\xef\xbb\xbf" + lines(GOOD, line())),
        ("records.jsonl", lines(GOOD, line()).replace(b"\n", b"\r\n")),
        ("records.jsonl", lines(GOOD, b"", b"  ", line()).strip()),
        ("records.jsonl", gzip.compress(lines(GOOD, line()))),
        ("crimes.csv", b"\xef\xbb\xbf" + (CRIMES + ROW + ROW.replace("100", "1")).encode()),
        ("crimes.csv", (CRIMES + ROW + ROW.replace("100", "1")).replace("\n", "\r\n").encode()),
    ],
    ids=["byte order mark", "CRLF", "blank lines, no last end", "gzip by its bytes",
         "CSV with a byte order mark", "CSV with CRLF"],
)  # fmt: skip
def test_it_loads_all_the_same(
    foidex: CommandLine, client: Elasticsearch, name: str, content: bytes
) -> None:
    outcome = foidex("load", foidex.write(name, content))
    assert outcome.code == 0, outcome.err
    assert live(client, foidex.environment["FOIDEX_INDEX"]).indexed == 2
    assert foidex("find", "livestream", "--refs-only").out == "41/1/17\n41/100/17\n"


def test_a_pipe_with_a_name_is_read(foidex: CommandLine, client: Elasticsearch) -> None:
    """Records that are decrypted on the way need not lie on the disk."""
    pipe = foidex.folder / "pipe.jsonl"
    os.mkfifo(pipe)
    content = gzip.compress(lines(GOOD))
    threading.Thread(target=pipe.write_bytes, args=(content,), daemon=True).start()
    outcome = foidex("load", pipe)
    assert outcome.code == 0, outcome.err
    assert live(client, foidex.environment["FOIDEX_INDEX"]).indexed == 1


def test_narratives_of_five_megabytes_load_and_count(
    foidex: CommandLine, client: Elasticsearch
) -> None:
    sentence = f"{CANARY} wrote a log. "
    long = sentence * (BIG // len(sentence)) + "At the end a live-stream."
    path = foidex.write(
        "records.jsonl",
        lines(
            line("41/1/17", narrative=long),
            line("41/2/17", narrative="x" * BIG),
            line("41/3/17", narrative="\u00e9" * BIG + " livestream"),
        ),
    )
    outcome = foidex.program("load", path)
    assert outcome.code == 0, outcome.err
    assert live(client, foidex.environment["FOIDEX_INDEX"]).indexed == 3
    assert foidex("find", "livestream", "--refs-only").out == "41/1/17\n41/3/17\n"
    counted = json.loads(foidex("count", "livestream", "--format", "json").out)
    assert counted["records"] == 2


def test_a_record_with_an_unknown_code_loads_and_is_reported(
    foidex: CommandLine, client: Elasticsearch
) -> None:
    path = foidex.write(
        "records.jsonl",
        lines(
            line("41/1/17", offence_code="99Z"),
            line("41/2/17", offence_code="99Z"),
            line("41/3/17", offence_code=f"{CANARY} log"),
        ),
    )
    outcome = foidex("load", path)
    assert outcome.code == 0, outcome.err
    told = "Offence codes not in the table: 99Z (2), text of the shape aaaaaaaaa aaa (1)."
    assert told in outcome.out
    assert live(client, foidex.environment["FOIDEX_INDEX"]).unknown_codes["99Z"] == 2
    assert foidex("find", "livestream", "--refs-only").out.count("\n") == 3


# -- requests ------------------------------------------------------------------------------------

HEAD = f"reference: R1\ntitle: {CANARY}\nletter: {{asked: {CANARY}}}\n"

ASKS = "questions: [{id: Q1, kind: offences}]\n"

BANDS = HEAD + "questions: [{id: Q1, kind: victims, bands: [%s]}]"

BOMB = "a: &a [x, x]\n" + "".join(f"{n}: &{n} [*a, *a]\n" for n in "bcdefghij")

REQUESTS = [
    pytest.param(HEAD + "mention: [x]\n" + ASKS, ':4: "mention" is not a key here. Did you mean "mentions"?', id="unknown key"),
    pytest.param(HEAD + "questions: [{id: Q1, kind: keyword}]", ':4: there is no kind of question "keyword". Did you mean "keywords"?', id="unknown kind"),
    pytest.param(HEAD + "questions:\n- {id: Q1, kind: offences}\n- {id: Q1, kind: offences}", ':6: the id "Q1" is used twice. Change one.', id="id twice"),
    pytest.param(BANDS % "{from: 15, to: 12}", ":4: the band runs from 15 to 12. Swap the two ages.", id="inverted band"),
    pytest.param(HEAD + "period: {from: 2018-04-01, to: 2017-03-31}\n" + ASKS, ":4: the period ends (2017-03-31) before it starts. Swap the two days.", id="inverted period"),
    pytest.param(HEAD + "period: {from: 2018-02-30, to: 2018-03-31}\n" + ASKS, ':4: "from": "2018-02-30" is not a date (expected YYYY-MM-DD)', id="impossible day"),
    pytest.param(HEAD + "questions: [\n}", ":5: is not YAML", id="not YAML"),
    pytest.param(HEAD + '"\\UFFFFFFFF": x', ": is not YAML: it holds a character YAML does not allow. Remove it.", id="an escape that is no character"),
    pytest.param(HEAD + 'mentions: ["\\ud800"]\n' + ASKS, ":4: contains half a character (an unpaired surrogate). Remove it.", id="half a character"),
    pytest.param(HEAD + "\x00", ": is not YAML: it holds a character YAML does not allow. Remove it.", id="binary"),
    pytest.param(BOMB, ":1: has an anchor or alias. Write the value out.", id="alias bomb"),
    pytest.param(HEAD + "x: " + "[" * 99, ":4: is nested too deeply. Check that it is the right file.", id="too deep"),
    pytest.param("", ": is empty. Fill it in, or copy an example from docs/request-file.md.", id="empty"),
    pytest.param(f"# {CANARY}\n", ": is empty. Fill it in, or copy an example from docs/request-file.md.", id="only a comment"),
    pytest.param(f"- {CANARY}\n", ":1: is not a request. It starts with reference:, title: and questions:.", id="a list"),
    pytest.param(HEAD + "# " + CANARY * 240_000, ": is larger than 1,000,000 bytes, the most that is read. Check that it is the right file.", id="2 MB"),
    pytest.param(HEAD + "offences: [{codes: [22F]}]\n" + ASKS, ':4: offence code "22F" is not known. Nearest: 22 (All offences of category 22); 22A (', id="unknown code"),
    pytest.param(HEAD + "questions: [{id: Q1, kind: linked, codes: [86/99]}]", ':4: offence code "86/99" is not known. Nearest: 86/9 (', id="unknown linked code"),
    pytest.param(HEAD + "mentions: [x, '']\n" + ASKS, ':4: term "" has no letter or digit, so it would match nothing. Give a word.', id="empty term"),
    pytest.param(HEAD + "mentions: ['...', '\u2014']\n" + ASKS, ':4: term "..." has no letter or digit, so it would match nothing. Give a word.', id="term of punctuation"),
    pytest.param(f"{HEAD}mentions: [{'x' * 1_000_000}]\n{ASKS}", ": is larger than 1,000,000 bytes", id="term of a million"),
    pytest.param(f"{HEAD}mentions: [{'x' * 999_800}]\n{ASKS}", f':4: term "{"x" * 100}..." has 999,800 characters; the most is 100. Ask for its distinctive words.', id="term of nearly a million"),
    pytest.param(f"{HEAD}mentions: [a b c d e f g h i]\n{ASKS}", ':4: term "a b c d e f g h i" has 9 words; the most is 8. Ask for its distinctive words', id="term of many words"),
]  # fmt: skip


@pytest.mark.parametrize("command", ["lint", "answer"])
@pytest.mark.parametrize(("text", "told"), REQUESTS)
def test_a_bad_request_is_told_and_nothing_is_asked(
    foidex: CommandLine, command: str, text: str, told: str
) -> None:
    path = foidex.write("request.yaml", text.encode())
    outcome = foidex(command, path, FOIDEX_URL="http://127.0.0.1:9", FOIDEX_PASSWORD=PASSWORD)
    require_refusal(outcome, RequestError, f"{path}{told}")
    assert len(outcome.message) < 1000


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read (No such file or directory). Check the path."),
        ((HEAD + ASKS).encode("utf-16"), "is not UTF-8 text. Save it as UTF-8."),
        ((HEAD + "# caf\xe9\n" + ASKS).encode("latin-1"), "is not UTF-8 text. Save it as UTF-8."),
    ],
    ids=["missing", "UTF-16", "Latin-1"],
)
def test_a_request_file_that_cannot_be_read_is_told(
    foidex: CommandLine, content: bytes | None, told: str
) -> None:
    path = foidex.folder / "request.yaml"
    if content is not None:
        path.write_bytes(content)
    require_refusal(foidex.program("lint", path), RequestError, f"{path}: {told}")
    require_refusal(foidex("answer", path), RequestError, f"{path}: {told}")
    require_refusal(foidex("lint", path.parent), RequestError, f"{path.parent}: is a folder")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((""), 'term "" has no letter or digit, so it would match nothing. Give a word.'),
        (("...", "\u2014"), 'term "..." has no letter or digit, so it would match nothing. Give a word.'),
        (("x" * 100_000), '..." has 100,000 characters; the most is 100. Ask for its distinctive words.'),
        (("x", "--offence", "22F"), 'offence code "22F" is not known. Nearest: 22 (All offences of category 22); 22A ('),
        (("x", "--offence", "nonsense"), 'offence code "nonsense" is not known. Codes look like 21, 22B or 86/2.'),
        (("x", "--offence", ""), 'offence code "" is not known. Codes look like 21, 22B or 86/2.'),
        (("x", "--from", "2018-01-01", "--to", "2017-12-31"), "--to (2017-12-31) is before --from (2018-01-01). Swap the two days."),
    ],
    ids=["empty term", "punctuation", "long term", "unknown code", "no code", "empty code", "inverted period"],
)  # fmt: skip
@pytest.mark.parametrize("command", ["count", "find"])
def test_a_bad_term_code_or_period_is_told_and_nothing_is_asked(
    foidex: CommandLine, command: str, arguments: tuple[str, ...] | str, told: str
) -> None:
    given = (arguments,) if isinstance(arguments, str) else arguments
    outcome = foidex(command, *given, FOIDEX_URL="http://127.0.0.1:9")
    require_refusal(outcome, RequestError, told)
    assert len(outcome.message) < 1000


def test_bytes_that_are_no_text_are_told(foidex: CommandLine) -> None:
    """A term typed in a terminal that is not UTF-8."""
    require_refusal(
        foidex.program("count", "caf\udce9"),
        RequestError,
        'term "caf',
        "contains half a character",
        "Remove it",
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("answer",), ("load",), ("conut", "x"), ("count", "x", "--form", "json"),
        ("count", "x", "--from", "2018-02-30"), ("count", "x", "--count", "age"), ("sample", "0"),
        ("status", "--max-age", "99999999999999h"), ("audit", "show", "--last", "9" * 30),
    ],
    ids=["no request", "no path", "no such command", "no such option", "impossible day", "no such choice",
         "too small", "too old", "too many"],
)  # fmt: skip
def test_a_wrong_command_line_is_told(foidex: CommandLine, arguments: tuple[str, ...]) -> None:
    outcome = foidex(*arguments)
    assert outcome.code == USAGE
    assert outcome.out == ""
    assert outcome.err.startswith("Usage: ")
    assert "Error" in outcome.err


# -- servers -------------------------------------------------------------------------------------


@contextmanager
def replying(
    content: bytes, status: int = 200, kind: str = "application/json", *, ours: bool = True
) -> Iterator[str]:
    """The address of a server that answers everything alike."""

    class Reply(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            if ours:
                self.send_header("X-Elastic-Product", "Elasticsearch")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Reply) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


PAGE = f"<html>{CANARY}</html>".encode()

OTHER = "answers, but is not Elasticsearch. Correct FOIDEX_URL."

NEEDS = "foidex needs 9.x. Point FOIDEX_URL at a 9.x server."

OLD_TYPE = (
    b'{"error":{"root_cause":[],"type":"media_type_header_exception","reason":"Invalid media-type '
    b'value on headers [Accept]"},"status":400}'
)


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        ({"content": nodes_reply("8.15.0")}, f"is Elasticsearch 8.15.0; {NEEDS}"),
        ({"content": nodes_reply("10.0.0")}, f"is Elasticsearch 10.0.0; {NEEDS}"),
        ({"content": nodes_reply("9.1.10", "8.19.0")}, f"is Elasticsearch 8.19.0 and 9.1.10; {NEEDS}"),
        ({"content": OLD_TYPE, "status": 400}, f"is an older Elasticsearch; {NEEDS}"),
        ({"content": PAGE, "kind": "text/html", "ours": False}, OTHER),
        ({"content": PAGE, "kind": "text/html", "ours": False, "status": 404}, OTHER),
        ({"content": PAGE, "kind": "text/html", "ours": False, "status": 500}, OTHER),
        ({"content": nodes_reply("9.1.10"), "ours": False}, OTHER),
        ({"content": b"{}"}, OTHER),
        ({"content": PAGE}, OTHER),
        ({"content": PAGE, "kind": "text/plain"}, OTHER),
        ({"content": b"{}", "status": 403, "ours": False}, "does not let this user do that (403)."),
        ({"content": PAGE, "kind": "text/html", "status": 503, "ours": False}, "is overloaded or unavailable (503, error)"),
    ],
    ids=["version 8.15", "version 10", "two versions", "version 8 as it says so", "a page", "page not found",
         "a failing page", "no mark of Elasticsearch", "no nodes", "no JSON", "plain text", "forbidden", "a proxy"],
)  # fmt: skip
def test_a_server_foidex_cannot_use_is_told(
    foidex: CommandLine, reply: dict[str, Any], told: str
) -> None:
    with replying(**reply) as url:
        outcome = foidex("count", "livestream", FOIDEX_URL=url, FOIDEX_PASSWORD=PASSWORD)
        require_refusal(outcome, ServerError, f"{url} {told}")
        path = foidex.write("records.jsonl", lines(GOOD))
        require_refusal(foidex("load", path, FOIDEX_URL=url), ServerError, f"{url} {told}")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9",
        f"http://elastic:{PASSWORD}@127.0.0.1:9",
        f"https://{PASSWORD}@127.0.0.1:9/",
    ],
    ids=["plain", "with a password", "with a user"],
)
def test_no_server_is_told_without_what_the_address_hides(foidex: CommandLine, url: str) -> None:
    outcome = foidex.program("count", "livestream", FOIDEX_URL=url, FOIDEX_PASSWORD=PASSWORD)
    shown = url.replace(f"elastic:{PASSWORD}@", "").replace(f"{PASSWORD}@", "").rstrip("/")
    told = f"{shown} cannot be reached. Is it running, and is FOIDEX_URL right?"
    require_refusal(outcome, ServerError, told)


@pytest.mark.usefixtures("standing")
def test_a_wrong_password_is_told_but_not_shown(foidex: CommandLine) -> None:
    if not foidex.environment["FOIDEX_PASSWORD"]:
        pytest.skip("the server under test has no password")
    told = (
        "refused the user name or password (401). Set FOIDEX_USER and FOIDEX_PASSWORD, or correct"
    )
    require_refusal(foidex("count", "x", FOIDEX_PASSWORD=PASSWORD), ServerError, told)
    path = foidex.write("records.jsonl", lines(GOOD))
    require_refusal(foidex.program("load", path, FOIDEX_PASSWORD=PASSWORD), ServerError, told)
    require_refusal(foidex("status", FOIDEX_USER=PASSWORD), ServerError, told)


def test_a_request_that_cannot_be_read_is_told_like_one_that_is_not_there(
    foidex: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not as a wrong command line, whoever asks: root may read all."""
    request = foidex.write("request.yaml", (HEAD + ASKS).encode())
    opened = os.open

    def denied(path: Any, *arguments: Any, **options: Any) -> int:
        if Path(os.fsdecode(path)).name == "request.yaml":
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **options)

    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    monkeypatch.setattr(os, "open", denied)
    require_refusal(foidex("lint", "--offline", request), RequestError, "(Permission denied)")


# -- aliases -------------------------------------------------------------------------------------

ASKED = (("count", "livestream"), ("find", "livestream"))


def test_an_alias_that_points_nowhere_is_told(foidex: CommandLine) -> None:
    alias = foidex.environment["FOIDEX_INDEX"]
    told = (
        f'there is no live generation behind "{alias}". Load records first: foidex refresh (from the '
        "source in foidex.toml) or foidex load PATH."
    )
    request = foidex.write("request.yaml", (HEAD + ASKS).encode())
    for asked in (*ASKED, ("answer", request)):
        require_refusal(foidex(*asked), NoIndexError, told)
    require_refusal(foidex.program("count", "livestream"), NoIndexError, told)
    status = foidex("status")
    assert status.code == NoIndexError.exit_code
    assert status.out.startswith("Server ")
    assert status.out.count("\n") == 1
    assert status.message == f"foidex: {told}"


@pytest.fixture
def indices(client: Elasticsearch, index: IndexSettings) -> Callable[[], list[str]]:
    """All that is there under the alias's name, but for the lock of its refresh."""
    return lambda: sorted(
        name
        for name in client.indices.get(index=f"{index.alias}*", expand_wildcards="all").body
        if name != f"{index.alias}.lock"
    )


def test_an_alias_at_two_indices_is_told(
    foidex: CommandLine,
    client: Elasticsearch,
    index: IndexSettings,
    indices: Callable[[], list[str]],
) -> None:
    for name in ("one", "two"):
        client.indices.create(index=f"{index.alias}-{name}", aliases={index.alias: {}})
    for asked in ASKED:
        told = f'alias "{index.alias}" points at 2 indices', "live with foidex rollback NAME."
        require_refusal(foidex(*asked), GenerationError, *told)
    path = foidex.write("records.jsonl", lines(GOOD))
    outcome = foidex("load", path)
    require_refusal(outcome, GenerationError, *told)
    assert "Loading" not in outcome.err  # which may take an hour
    assert indices() == [f"{index.alias}-one", f"{index.alias}-two"]
    assert sorted(client.indices.get_alias(name=index.alias).body) == indices()


def test_an_index_in_the_place_of_the_alias_is_told(
    foidex: CommandLine,
    client: Elasticsearch,
    index: IndexSettings,
    indices: Callable[[], list[str]],
) -> None:
    client.indices.create(index=index.alias)
    try:
        path = foidex.write("records.jsonl", lines(GOOD))
        told = f'"{index.alias}" is an index, not an alias of generations. Delete it, or choose'
        for asked in (*ASKED, ("load", path), ("rollback",)):
            require_refusal(foidex(*asked), GenerationError, told)
        assert indices() == [index.alias]
    finally:
        client.indices.delete(index=index.alias)


REQUEST = b"reference: R/1\ntitle: T\nquestions:\n  - {id: Q1, kind: offences}\n"

NO_ZONE = {"name": "x", "built_at": "2020-01-01T00:00:00", "version": "0", "mapping_hash": "0"}


@pytest.mark.parametrize(
    "meta",
    [{}, {"foidex": {}}, {"foidex": "1"}, {"foidex": NO_ZONE}],
    ids=["none", "empty", "text", "a time without a zone"],
)
def test_an_index_that_does_not_say_what_it_is_built_from_is_told(
    foidex: CommandLine, client: Elasticsearch, index: IndexSettings, meta: dict[str, Any]
) -> None:
    name = f"{index.alias}-other"
    client.indices.create(index=name, aliases={index.alias: {}}, mappings={"_meta": meta})
    for asked in ASKED:
        told = f"{name} was not built by this foidex: it does not record its sources. Load"
        require_refusal(foidex(*asked), GenerationError, told)


def test_a_name_of_a_source_changes_no_terminal(
    foidex: CommandLine, client: Elasticsearch, index: IndexSettings
) -> None:
    """Whoever may write in the folder of an extract chooses the names of its files."""
    path = foidex.write("rec\x1b[2J\u202e\nServer forged.jsonl", lines(GOOD))
    assert foidex("load", path).code == 0
    live = read_live_generation(client, index.alias)
    assert live.sources[0].startswith(r"rec\x1b[2J\u202e\nServer forged.jsonl (")
    raw = msgspec.structs.replace(live, sources=("\x1b[2J\u202e",))  # as versions before wrote it
    mark_verified(client, raw)
    for command in (("status",), ("generations",), ("answer", foidex.write("r.yaml", REQUEST))):
        outcome = foidex(*command)
        assert outcome.code == 0, outcome.err
        assert outcome.out.replace("\n", "").isprintable()
        assert r"\x1b[2J\u202e" in outcome.out


def test_a_load_that_fails_after_the_alias_went_wrong_leaves_nothing(
    foidex: CommandLine,
    client: Elasticsearch,
    index: IndexSettings,
    indices: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seal = seal_generation

    def interfere(*given: Any) -> Generation:
        for name in ("one", "two"):
            client.indices.create(index=f"{index.alias}-{name}", aliases={index.alias: {}})
        return seal(*given)

    monkeypatch.setattr("indexer.jobs.refresh.seal_generation", interfere)
    path = foidex.write("records.jsonl", lines(GOOD))
    require_refusal(foidex("load", path), GenerationError, "points at 2 indices")
    assert indices() == [f"{index.alias}-one", f"{index.alias}-two"]


# -- configuration -------------------------------------------------------------------------------


@pytest.mark.usefixtures("standing")
@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f'[server]\npasword = "{PASSWORD}"', '2: [server] has an unknown key "pasword". Did you mean "password"?'),
        (f'[sever]\npassword = "{PASSWORD}"', '1: has an unknown key "sever". Did you mean "server"?'),
        (f"[server]\npassword = {PASSWORD}", "2: is not TOML. This line must be a section in brackets"),
        (f"[server\npassword = '{PASSWORD}'", "1: is not TOML. This line must be"),
        (f"[server]\npassword = ['{PASSWORD}']", '2: "server.password": expected'),
        (f"[server]\nuser = '{PASSWORD}'\ntimeout = 0", '3: "server.timeout": expected a whole number of 1 or more. Correct the value.'),
        (f"[index]\nalias = '{CANARY} x'", '2: "index.alias": expected a letter from a to z, and then up to 79 of'),
        ("\ufeff\udcff", " is not UTF-8 text. Save it as UTF-8."),
    ],
    ids=["unknown key", "unknown section", "no quotes", "no bracket", "wrong type", "too small", "wrong alias",
         "no text"],
)  # fmt: skip
def test_a_wrong_foidex_toml_is_told(foidex: CommandLine, text: str, told: str) -> None:
    foidex.write("foidex.toml", text.encode(errors="surrogateescape"))
    named = foidex.write("other.toml", text.encode(errors="surrogateescape"))
    records = foidex.write("records.jsonl", lines(GOOD))
    require_refusal(foidex("load", records), ConfigurationError, f"foidex.toml:{told}")
    outcome = foidex("--config", named, "count", "x")
    require_refusal(outcome, ConfigurationError, f"{named}:{told}")


def test_a_missing_foidex_toml_is_told_where_it_is_named(foidex: CommandLine) -> None:
    told = "gone.toml: cannot be read (No such file or directory). Name another file with --config."
    require_refusal(foidex.program("--config", "gone.toml", "count", "x"), ConfigurationError, told)
    require_refusal(foidex("count", "x", FOIDEX_CONFIG="gone.toml"), ConfigurationError, told)


@pytest.mark.parametrize(
    "url",
    ["", PASSWORD, "localhost:9200", "http://", "ftp://host:9200", f"http://u:{PASSWORD}@host:99999",
     f"http://u:{PASSWORD}@[::1"],
    ids=["empty", "a word", "no scheme", "no host", "wrong scheme", "wrong port", "wrong host"],
)  # fmt: skip
def test_an_address_that_is_none_is_told(foidex: CommandLine, url: str) -> None:
    told = "FOIDEX_URL (or server.url) is not an address. It looks like https://host:9200."
    require_refusal(foidex("count", "x", FOIDEX_URL=url), ConfigurationError, told)


def test_an_address_the_client_cannot_use_is_told(foidex: CommandLine) -> None:
    outcome = foidex("count", "x", FOIDEX_URL=f"http://u:{PASSWORD}@a b:9200")
    require_refusal(outcome, ServerError, "the connection cannot be set up", "Check FOIDEX_URL")


@pytest.mark.parametrize(
    ("variable", "told"),
    [
        ({"FOIDEX_PASWORD": PASSWORD}, "environment variable FOIDEX_PASWORD is not one foidex reads. The nearest is FOIDEX_PASSWORD"),
        ({"FOIDEX_INDEX": f"{CANARY} x"}, "environment variable FOIDEX_INDEX: expected a letter from a to z"),
        ({"FOIDEX_PORT": CANARY}, "environment variable FOIDEX_PORT: expected a whole number"),
    ],
    ids=["unknown", "wrong alias", "wrong port"],
)  # fmt: skip
def test_a_wrong_variable_is_told(foidex: CommandLine, variable: dict[str, str], told: str) -> None:
    require_refusal(foidex("count", "x", **variable), ConfigurationError, told)


# -- standard output -----------------------------------------------------------------------------

PRINTS = pytest.mark.parametrize(
    ("arguments", "unbuffered"),
    [
        (("find", "livestream"), ""),
        (("find", "livestream"), "1"),
        (("count", "livestream"), ""),
        (("sample", "2000"), "1"),
        (("--version",), ""),
        (("--version",), "1"),
    ],
    ids=["find", "find unbuffered", "count", "sample", "version", "version unbuffered"],
)


@pytest.mark.usefixtures("standing")
@PRINTS
def test_a_reader_who_has_enough_is_no_fault(
    foidex: CommandLine, arguments: tuple[str, ...], unbuffered: str
) -> None:
    """What follows a pipe has gone before the first line comes."""
    reader, writer = os.pipe()
    os.close(reader)
    with closing(os.fdopen(writer, "wb")) as output:
        done = subprocess.run(
            [PROGRAM, *arguments],
            env={**foidex.environment, "PYTHONUNBUFFERED": unbuffered},
            stdout=output,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.stderr == b""
    assert done.returncode == OutputError.exit_code


@pytest.mark.usefixtures("standing")
def test_head_takes_one_line_of_many(foidex: CommandLine) -> None:
    for command in ('"$0" sample 20000 | head -1', '"$0" find livestream | head -1'):
        done = subprocess.run(
            ["sh", "-c", command, PROGRAM], env=foidex.environment, capture_output=True, check=True
        )
        assert done.stderr == b""
        assert done.stdout.count(b"\n") == 1


@pytest.mark.usefixtures("standing")
@PRINTS
def test_a_full_disk_is_told(
    foidex: CommandLine, arguments: tuple[str, ...], unbuffered: str
) -> None:
    with open("/dev/full", "wb") as output:  # noqa: PTH123
        done = subprocess.run(
            [PROGRAM, *arguments],
            env={**foidex.environment, "PYTHONUNBUFFERED": unbuffered},
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    told = "the result cannot be written (No space left on device)"
    require_refusal(Outcome(done.returncode, "", done.stderr), OutputError, told)


@pytest.mark.parametrize("arguments", [("count", "livestream"), ("sample", "3")], ids=" ".join)
def test_a_closed_output_is_told_before_anything_is_asked(
    foidex: CommandLine, arguments: tuple[str, ...]
) -> None:
    done = subprocess.run(
        ["sh", "-c", '"$0" "$@" >&-', PROGRAM, *arguments],
        env=foidex.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    told = "standard output is closed, so no result can be written."
    require_refusal(Outcome(done.returncode, done.stdout, done.stderr), OutputError, told)


def test_messages_never_take_the_place_of_results(foidex: CommandLine) -> None:
    """Where standard error is closed, they are lost; the exit code tells."""
    done = subprocess.run(
        ["sh", "-c", '"$0" count x --offence 22F 2>&-', PROGRAM],
        env=foidex.environment,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (RequestError.exit_code, b"")

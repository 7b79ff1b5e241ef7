"""The demonstration on sample data: loads records, answers two requests, and writes the letters.

It uses the embedded server and an alias of its own, so it never touches a real index.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

import msgspec

from indexer.config.loader import CONFIG_FILE_NAME
from indexer.errors import ConfigurationError, OutputError
from indexer.files import PUBLIC, open_file, open_folder, read_file, write_file
from indexer.index.generations import discard_generation, list_verified
from indexer.jobs.refresh import load_files
from indexer.jobs.summary import summarise_refresh
from indexer.records.sample import generate_practice_records
from indexer.resources import find_data_folder
from indexer.session import Session
from queries.answer.types import format_json
from queries.answering.service import answer_request
from queries.documents.content.context import DocumentSettings, build_document_context
from queries.documents.formats.letter import render_letter_html, render_letter_text
from queries.documents.formats.report import render_report_text
from queries.request.reader import read_configured_request

DEMO_RECORD_COUNT: Final = 20_000

_DEMO_REQUESTS: Final = ("reference", "five-years")

_RECORD_FILES: Final = ("reference.jsonl", "sample.jsonl")

_DEMO_CONFIG: Final = """\
# The demonstration's own index, and a force that does not exist.
[index]
alias = "foidex-demo"

[force]
name = "Example Constabulary"
unit = "Information Rights"
address = ["Police Headquarters", "1 Example Street", "Exampleton EX1 1EX"]
contact = "information.rights@example.org"
signatory = "Information Rights Officer"
exemption = "We rely on section 40(2) of the Freedom of Information Act 2000."

# The requests are beside this file.
[workbench]
folder = "."
"""


def run_demo(session: Session, folder: Path) -> Iterator[str]:
    """Load the sample data, answer the two requests, and write their files into ``folder``.

    Yields the report on each answer. The session uses the configuration in ``folder`` from then on.
    Raises ConfigurationError where a server or an index is set, and OutputError where ``folder``
    cannot be written.
    """
    _require_embedded_server(session)
    config = folder / CONFIG_FILE_NAME
    _require_free_folder(folder, config)
    paths = _write_demo_inputs(folder, config)
    session.config = config
    session.reset()
    _load_demo_records(session, paths)
    for name in _DEMO_REQUESTS:
        yield answer_demo_request(session, folder, name)


def _require_embedded_server(session: Session) -> None:
    if session.settings.server.url is not None:
        raise ConfigurationError(
            "the demonstration runs on the embedded server only. Unset FOIDEX_URL (server.url)."
        )
    if "FOIDEX_INDEX" in os.environ:
        raise ConfigurationError(
            "the demonstration has an index of its own, so that it never touches a real one. "
            "Unset FOIDEX_INDEX."
        )


def _require_free_folder(folder: Path, config: Path) -> None:
    """Raise OutputError for a folder with files that are not those of a demonstration: a
    foidex.toml of another, or other files without one."""
    try:
        if read_file(config) == _DEMO_CONFIG.encode():
            return
        existing_name = config.name
    except OSError:
        names = (config.name, *_RECORD_FILES, *(f"{name}.yaml" for name in _DEMO_REQUESTS))
        existing_name = next((name for name in names if os.path.lexists(folder / name)), "")
    if existing_name:
        raise OutputError(
            f"{folder / existing_name}: is not as a demonstration wrote it, and would be replaced. "
            "Choose another folder with --out, or move the file away."
        )


def _load_demo_records(session: Session, paths: list[Path]) -> None:
    """Load the records, and delete the generations of earlier demonstrations."""
    alias = session.settings.index.alias
    with session.client() as client:
        result = load_files(
            client,
            session.settings.index,
            paths,
            session.settings.home / "rejects",
            session.progress,
        )
        for generation in list_verified(client, alias):
            if generation.name != result.generation.name:
                discard_generation(client, alias, generation.name)
    for line in summarise_refresh(msgspec.structs.replace(result, previous=None)):
        session.progress.say(line)


def _write_demo_inputs(folder: Path, config: Path) -> list[Path]:
    shipped = find_data_folder("demo")
    records = [folder / name for name in _RECORD_FILES]
    try:
        with open_folder(folder, create=PUBLIC):
            pass
        write_file(config, _DEMO_CONFIG.encode())
        write_file(records[0], (shipped / "reference.jsonl").read_bytes())
        for name in _DEMO_REQUESTS:
            request = (shipped / "requests" / f"{name}.yaml").read_bytes()
            write_file(folder / f"{name}.yaml", request)
        with open(records[1], "wb", opener=open_file) as file:
            file.writelines(
                msgspec.json.encode(record) + b"\n"
                for record in generate_practice_records(DEMO_RECORD_COUNT)
            )
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be written ({error.strerror}). Choose another folder with --out."
        ) from None
    return records


def answer_demo_request(session: Session, folder: Path, name: str) -> str:
    """Answer a request, write the letters and the answer, and return the report."""
    demo_answer = answer_request(
        session,
        lambda: read_configured_request(folder / f"{name}.yaml", session.settings),
        command="demo",
    )
    today = date.today()  # noqa: DTZ011 - a letter has the date of the office it is sent from
    context = build_document_context(demo_answer, DocumentSettings(session.settings.force, today))
    _write_demo_file(folder / f"{name}.answer.json", format_json(demo_answer) + "\n")
    _write_demo_file(folder / f"{name}.letter.txt", render_letter_text(context))
    _write_demo_file(folder / f"{name}.letter.html", render_letter_html(context))
    return render_report_text(context)


def _write_demo_file(path: Path, text: str) -> None:
    try:
        write_file(path, text.encode())
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}).") from None

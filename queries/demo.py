"""The whole job on sample data, from nothing: records in, two requests answered, letters out.

It uses the embedded server and an alias of its own, so it never touches a real index.
"""

from __future__ import annotations

import os
import shutil
import sys
from datetime import date
from pathlib import Path
from typing import Final

import msgspec

from indexer import generations, refresh, resources, sample, settings
from indexer.errors import ConfigurationError, OutputError
from indexer.session import Session
from queries import asking, render
from queries import request as requests
from queries.answer import Answer, to_json

RECORDS: Final = 20_000
_REQUESTS: Final = ("reference", "five-years")

_CONFIG: Final = """\
# The demonstration's own index, and a force that does not exist.
[index]
alias = "foidex-demo"

[force]
name = "Example Constabulary"
unit = "Information Rights"
address = ["Police Headquarters", "1 Example Street", "Exampleton EX1 1EX"]
contact = "information.rights@example.org"
signatory = "Information Rights Officer"
"""


def run(session: Session, folder: Path) -> None:
    """Run the demonstration, leaving its files in ``folder``."""
    if session.settings.server.url is not None:
        raise ConfigurationError(
            "the demonstration runs on the embedded server only. Unset FOIDEX_URL (server.url)."
        )
    if "FOIDEX_INDEX" in os.environ:
        raise ConfigurationError(
            "the demonstration has an index of its own, so that it never touches a real one. "
            "Unset FOIDEX_INDEX."
        )
    config = folder / settings.FILE_NAME
    paths = _prepare(folder, config)
    session.config = config
    session.reset()
    alias = session.settings.index.alias
    with session.client() as client:
        loaded = refresh.load(
            client,
            session.settings.index,
            paths,
            session.settings.home / "rejects",
            session.progress,
        )
        for old in generations.everything(client, alias):
            if old.name != loaded.generation.name:
                generations.discard(client, alias, old.name)
        for line in refresh.summary(msgspec.structs.replace(loaded, previous=None)):
            session.progress.say(line)
    for name in _REQUESTS:
        _answer(session, folder, name)
    _farewell(folder, config)


def _prepare(folder: Path, config: Path) -> list[Path]:
    shipped = resources.folder("demo")
    records = [folder / "reference.jsonl", folder / "sample.jsonl"]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        config.write_text(_CONFIG, encoding="utf-8")
        shutil.copyfile(shipped / "reference.jsonl", records[0])
        for name in _REQUESTS:
            shutil.copyfile(shipped / "requests" / f"{name}.yaml", folder / f"{name}.yaml")
        with records[1].open("wb") as file:
            for record in sample.generate(RECORDS):
                file.write(msgspec.json.encode(record) + b"\n")
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be written ({error.strerror}). Name another folder with --out."
        ) from None
    return records


def _answer(session: Session, folder: Path, name: str) -> None:
    answered = asking.answer(
        session,
        lambda: requests.of_force(folder / f"{name}.yaml", session.settings),
        command="demo",
    )
    force = session.settings.force
    today = date.today()  # noqa: DTZ011 - a letter bears the day of the desk
    _write(folder / f"{name}.answer.json", to_json(answered) + "\n")
    _write(folder / f"{name}.letter.txt", render.letter_text(answered, force, today))
    _write(folder / f"{name}.letter.html", render.letter_html(answered, force, today))
    _print(answered, session)


def _print(answered: Answer, session: Session) -> None:
    line = "=" * render.WIDTH
    print(f"{line}\n{render.report_text(answered, session.settings.force, date.today())}")  # noqa: DTZ011


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}).") from None


def _farewell(folder: Path, config: Path) -> None:
    program = os.path.relpath(sys.argv[0]) if os.path.sep in sys.argv[0] else sys.argv[0]
    line = "=" * render.WIDTH
    print(line)
    print(f"Everything lies in {folder}/:")
    print("  reference.yaml, five-years.yaml   the two requests")
    print("  *.letter.txt, *.letter.html       the letters")
    print("  *.answer.json                     the numbers, with where they come from")
    print("\nTry next:")
    print(f'  {program} --config {config} count "live stream" Snapchat --by offence')
    print(f"  {program} --config {config} find livestream --offence 22B --refs-only")
    print(f"  {program} --config {config} answer {folder}/reference.yaml --format letter")
    print(f"\nThe server goes on running; stop it with: {program} down")

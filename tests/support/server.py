"""Homes and settings of the servers that tests start, and what may not be left in them.

What the sample's records say is looked for in all that a run leaves where no text belongs: logs,
temporary files and whatever else is in a home, and what is said on standard error.
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
from datetime import date
from pathlib import Path

from indexer.config.loader import load_settings
from indexer.config.model import Settings
from indexer.progress import Progress
from indexer.records.coverage import CoverageSettings
from indexer.records.sample import SAMPLE_WORDINGS

SILENT = Progress(quiet=True)

#: What the records of a test cover if it is not about coverage; up to the day of the load.
EVERY_DAY = CoverageSettings(date(1990, 1, 1), date(2100, 1, 1))

#: What is there to hold records' text, or the password, for their owner's eyes only.
PRIVATE = ("data", "rejects", "backups", "server", "config", "password")

_SENTENCES = tuple(one for one in SAMPLE_WORDINGS if "\n" not in one)


#: A server of a test lives for seconds, so the later stage of its compiler costs more than it gives:
#: a start takes about a third less processor time without it.
_JVM_OPTIONS = "-XX:TieredStopAtLevel=1\n"


def new_home() -> Path:
    """A home the server's own user can reach, even if root runs the tests."""
    home = Path(tempfile.mkdtemp(prefix="foidex-test-"))
    home.chmod(0o755)
    write_jvm_options(home / "config")
    return home


def write_jvm_options(config: Path) -> None:
    """Let the server that has this folder of configuration start quickly."""
    folder = config / "jvm.options.d"
    folder.mkdir(parents=True)
    for path in (config, folder):
        path.chmod(0o755)
    (folder / "tests.options").write_text(_JVM_OPTIONS)


def end_home(home: Path) -> None:
    """Remove a home. Fails where text of a record stands in it where none belongs."""
    leaks = find_leaks(home)
    shutil.rmtree(home, ignore_errors=True)
    assert leaks == []


def find_leaks(home: Path) -> list[str]:
    """The files of a home that hold text of a record where none belongs."""
    return [
        str(path)
        for path in home.rglob("*")
        if path.is_file()
        and (path.suffix != ".jsonl" or path.parent.name == "audit")  # others were loaded
        and not {*path.relative_to(home).parts}.intersection(PRIVATE)
        and tells(_text_of(path))
    ]


def _text_of(path: Path) -> str:
    content = path.read_bytes()
    unpacked = gzip.decompress(content) if path.suffix == ".gz" else content
    return unpacked.decode("utf-8", "replace")


def tells(said: str) -> bool:
    """Whether a text holds a sentence of the sample's records."""
    return any(sentence in said for sentence in _SENTENCES)


def settings_for(home: Path, **environment: str) -> Settings:
    return load_settings({"FOIDEX_HOME": str(home), "FOIDEX_HEAP": "512m", **environment})

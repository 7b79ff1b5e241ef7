"""A foidex.toml that lets foidex write over what it reads is refused before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.config.loader import load_settings
from indexer.config.model import Settings
from indexer.config.output_paths import find_file_use
from indexer.errors import ConfigurationError
from indexer.sources.csv_tables import list_child_files
from indexer.sources.extract import list_sidecars


def read_settings(folder: Path, text: str, home: str = "") -> Settings:
    path = folder / "foidex.toml"
    path.write_text(text, encoding="utf-8")
    return load_settings({"FOIDEX_HOME": home} if home else {}, path)


@pytest.mark.parametrize(
    "key", ["refresh.report", "refresh.metrics", "disclosure.ledger", "review.store"]
)
@pytest.mark.parametrize(
    ("output", "rest", "use"),
    [
        ("foidex.toml", "", "the settings themselves"),
        ("./deep/../foidex.toml", "", "the settings themselves"),
        ("crimes.jsonl", 'source.paths = ["crimes.jsonl"]', "a file of [source] paths"),
        ("in/a.jsonl", 'source.paths = ["in/*.jsonl"]', "a file of [source] paths"),
        ("in/b/c/a.jsonl", 'source.paths = ["in/**/*.jsonl"]', "a file of [source] paths"),
        ("in/a.jsonl.count", 'source.paths = ["in/*.jsonl"]', "a file of [source] paths"),
        ("in/victims.csv", 'source.paths = ["in/crimes.csv"]', "a file of [source] paths"),
        ("in/victims.csv", 'source.paths = ["in"]', "a file of [source] paths"),
        ("in/victims.csv.sha256", 'source.paths = ["*"]', "a file of [source] paths"),
        ("gone.txt", 'source.tombstones = ["gone.txt"]', "a file of [source] tombstones"),
        ("codes.csv", 'offences.table = "codes.csv"', "the file of [offences] table"),
        ("terms.yaml", 'terms.book = "terms.yaml"', "the file of [terms] book"),
        ("key", 'server.password_file = "key"', "the file of [server] password_file"),
        ("old.jsonl", 'disclosure.ledger_files = ["old.jsonl"]', "a file of [disclosure] ledger_f"),
        ("own/letter.txt", 'templates.folder = "own"', "a file of [templates] folder"),
        ("requests/a.YAML", "", "a request of [workbench] folder"),
    ],
)  # fmt: skip
def test_no_output_is_written_over_what_is_read(
    tmp_path: Path, key: str, output: str, rest: str, use: str
) -> None:
    (tmp_path / "deep").mkdir()
    with pytest.raises(ConfigurationError) as refusal:
        read_settings(tmp_path, f'{key} = "{output}"\n{rest}\n')
    section, name = key.split(".")
    beginning = f"{tmp_path}/foidex.toml: [{section}] {name} ("
    assert str(refusal.value).startswith(beginning)
    assert f"would be written over {use}" in str(refusal.value)
    assert str(refusal.value).endswith("Name another file.")
    assert list(tmp_path.iterdir()) != []


@pytest.mark.parametrize(
    "text",
    [
        'refresh = {report = "one", metrics = "./one"}',
        'refresh.report = "one"\ndisclosure.ledger = "one"',
        'refresh.metrics = "one"\nreview.store = "one"',
        'refresh.report = "log/audit.jsonl"\naudit.folder = "log"',
        'refresh.report = "log/audit.key"\naudit.folder = "log"',
    ],
)
def test_no_file_is_written_for_two_settings(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"are one file .* Name another file for one"):
        read_settings(tmp_path, text)


def test_a_link_and_a_home_lead_to_the_same_file(tmp_path: Path) -> None:
    (tmp_path / "crimes.jsonl").touch()
    (tmp_path / "link").symlink_to("crimes.jsonl")
    source = 'source.paths = ["crimes.jsonl"]\n'
    with pytest.raises(ConfigurationError, match=r"over a file of .source. paths"):
        read_settings(tmp_path, source + 'refresh.report = "link"')
    with pytest.raises(ConfigurationError, match="over the settings themselves"):
        read_settings(tmp_path, 'refresh.metrics = "foidex.toml"', home=str(tmp_path))
    read_settings(tmp_path, 'refresh.metrics = "foidex.toml"', home=str(tmp_path / "home"))


def test_an_audit_log_that_would_be_read_as_records_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"audit.jsonl of the audit log .* over a file of"):
        read_settings(tmp_path, 'source.paths = ["*.jsonl"]\naudit.folder = "."')


def test_the_documented_files_are_apart(tmp_path: Path) -> None:
    """What is beside the source without being read is nobody's input."""
    settings = read_settings(
        tmp_path,
        'source.paths = ["in/*.jsonl", "tables/crimes.csv", "tables"]\nterms.book = "terms.yaml"\n'
        'disclosure.ledger = "ledger.jsonl"\nreview.store = "postgresql://host/reviews"\n'
        'refresh = {report = "in/report.json", metrics = "tables/rejects.csv"}\n',
    )
    assert find_file_use(settings, tmp_path / "tables" / "others.csv") == ""
    assert find_file_use(settings, tmp_path / "ledger.jsonl") == "the file of [disclosure] ledger"


def test_every_table_and_small_file_that_is_read_is_known(tmp_path: Path) -> None:
    """The settings know them by name, and the readers are what they must know."""
    settings = read_settings(tmp_path, 'source.paths = ["in/crimes.csv"]')
    crimes = tmp_path / "in" / "crimes.csv"
    files = [crimes, *(file for _, file in list_child_files(crimes))]
    files += [sidecar for table in files for sidecar in list_sidecars(table)]
    for file in files:
        assert find_file_use(settings, file).startswith("a file of [source] paths"), file


@pytest.mark.parametrize(
    ("report", "refusal"),
    [
        ("password", "over a file of the embedded server"),
        ("backups/index.latest", "over a file of the embedded server"),
        ("reviews/reviews.sqlite", r"\[review\] store, which is not set are one file"),
    ],
)
def test_nor_is_an_output_what_foidex_keeps_in_the_home(
    tmp_path: Path, report: str, refusal: str
) -> None:
    with pytest.raises(ConfigurationError, match=refusal):
        read_settings(tmp_path, f'refresh.report = "{report}"', home=str(tmp_path / "home"))
    settings = read_settings(tmp_path, "", home=str(tmp_path / "home"))
    assert find_file_use(settings, tmp_path / "home" / report)
    assert find_file_use(settings, tmp_path / "home" / "report.json") == ""


def test_without_an_embedded_server_its_folders_of_the_home_are_free(tmp_path: Path) -> None:
    text = 'refresh.report = "data/report.json"\nserver.url = "https://search.example.org"\n'
    read_settings(tmp_path, text, home=str(tmp_path / "home"))


def test_a_source_whose_name_has_brackets_is_not_written_over(tmp_path: Path) -> None:
    source = tmp_path / "crimes[1].jsonl"
    settings = read_settings(tmp_path, 'source.paths = ["crimes[1].jsonl"]')
    assert not find_file_use(settings, source)  # still a pattern
    source.touch()
    assert find_file_use(settings, source).startswith("a file of [source] paths")

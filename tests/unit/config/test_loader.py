"""Settings: strict, in their order, and silent about secrets."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from indexer.config.loader import load_settings
from indexer.config.model import Settings
from indexer.errors import ConfigurationError
from indexer.server.address import ServerAddress


def from_file(tmp_path: Path, text: str, **environment: str) -> Settings:
    path = tmp_path / "foidex.toml"
    path.write_text(text, encoding="utf-8")
    return load_settings(environment, path)


def test_the_environment_comes_before_the_file_and_the_file_before_defaults(tmp_path: Path) -> None:
    found = from_file(
        tmp_path,
        '[server]\nurl = "http://file:9200"\nuser = "file"\n[index]\nalias = "mine"\n',
        FOIDEX_URL="https://env:9200",
    )
    assert (found.server.url, found.server.user) == ("https://env:9200", "file")
    assert (found.index.alias, found.index.shards) == ("mine", 1)


def test_the_homes_are_where_they_are_told_to_be(tmp_path: Path) -> None:
    found = load_settings({"FOIDEX_HOME": str(tmp_path / "h"), "FOIDEX_DOWNLOADS": str(tmp_path)})
    assert (found.home, found.downloads) == (tmp_path / "h", tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[index]\nalas = 1", r'\[index\] has an unknown key "alas". Did you mean "alias"'),
        ("[indx]\n", 'has an unknown key "indx". Did you mean "index"'),
        ("[index]\nshards = 0", '"index.shards": expected a whole number of 1 or more'),
        ("[index]\nalias = 'Upper Case'", '"index.alias"'),
        ("[index", "is not TOML"),
        pytest.param("x = " + "[" * 100_000, "is nested too deeply", id="deep list"),
        pytest.param("x = " + "{a=" * 100_000, "is nested too deeply", id="deep table"),
        pytest.param("#" * 1_000_001, "is larger than 1,000,000 bytes", id="too large"),
        ('[source]\npaths = ["a.jsonl", "b\\u0000.jsonl"]', '"source.paths": has a null character'),
        ('[refresh]\nreport = "a\\u0000"', '"refresh.report": has a null character'),
        ('[server]\nurl = "localhost"', "is not an address"),
    ],
)
def test_a_wrong_file_is_told_by_section_and_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        from_file(tmp_path, text)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("FOIDEX_PASSWRD", "x", "The nearest is FOIDEX_PASSWORD"),
        ("FOIDEX_PORT", "high", "FOIDEX_PORT: expected a whole number, not text"),
        (
            "FOIDEX_HEAP",
            "much",
            "FOIDEX_HEAP: expected a whole number with m or g, such as 512m or 1g",
        ),
        ("FOIDEX_URL", "ftp://host", "is not an address"),
        ("FOIDEX_URL", ",".join(["http://host"] * 101), "names 101 addresses, and 100 are tried"),
        ("FOIDEX_CONFIG", "nowhere.toml", "nowhere.toml: cannot be read"),
    ],
)
def test_a_wrong_variable_is_told(name: str, value: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        load_settings({name: value})


def test_an_address_is_shown_without_its_secrets() -> None:
    address = ServerAddress("https://someone:hunter2@host:9200/x", "someone", "hunter2")
    assert address.redacted_urls == "https://host:9200"
    assert "hunter2" not in repr(address)


def test_days_are_not_covered_before_any_record_may_be(tmp_path: Path) -> None:
    config = tmp_path / "foidex.toml"
    config.write_text("[records]\ncovers = {from = 0018-04-01}\n")
    with pytest.raises(ConfigurationError, match="no record may be of a day before 1950-01-01"):
        load_settings({}, config)
    config.write_text("[records]\nearliest = 1921-01-01\ncovers = {from = 1921-01-01}\n")
    assert load_settings({}, config).records.earliest == date(1921, 1, 1)

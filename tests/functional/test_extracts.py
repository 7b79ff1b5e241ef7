"""A shortened, changing or unexpected extract is never promoted silently."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from elasticsearch import Elasticsearch

from indexer.config.field_map import FieldMap
from indexer.config.model import IndexSettings, RefreshSettings
from indexer.errors import GenerationError, NoIndexError, SourceError
from indexer.index.generations import find_live_name, read_live_generation
from indexer.jobs import shrinkage
from indexer.jobs.overrides import CheckOverride
from indexer.jobs.refresh import (
    LoadOptions,
    RefreshMode,
    RefreshOptions,
    RefreshPlan,
    RefreshResult,
    check_plan,
    load_files,
    refresh_index,
)
from indexer.jobs.summary import summarise_refresh
from indexer.loading.tally import LASTING_CONTENTS, UNKNOWN_DELETION
from indexer.records.categories import Category
from indexer.records.coverage import CoverageSettings
from indexer.sources import jsonl
from tests.support.index_content import write_records
from tests.support.server import SILENT

Records = list[dict[str, Any]]

Refresh = Callable[..., RefreshResult]


def make_records(number: int = 2_000, start: date = date(2022, 1, 1)) -> Records:
    """Five records a day, in order; each fifth of another offence, and one day in 40 of a third."""
    return [
        {
            "crime_ref": f"R{index}",
            "recorded_on": str(start + timedelta(days=index // 5)),
            "offence_code": "86/2" if index // 5 % 40 == 0 else ("22B" if index % 5 else "8/1"),
            "narrative": "Report taken.",
        }
        for index in range(number)
    ]


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    return write_records(tmp_path / "crimes.jsonl", make_records())


@pytest.fixture
def refresh(client: Elasticsearch, index: IndexSettings, tmp_path: Path) -> Refresh:
    def go(
        path: Path, *allowed: CheckOverride, mode: RefreshMode = "full", **plan: Any
    ) -> RefreshResult:
        settings = RefreshSettings(lease_seconds=10, **plan.pop("settings", {}))
        return refresh_index(
            client,
            index,
            RefreshPlan((path,), tmp_path / "rejects", **plan),
            RefreshOptions(settings, lambda _: {}, mode=mode, overrides=frozenset(allowed)),
            SILENT,
        )

    return go


def expect_refusal(
    refresh: Refresh, path: Path, allowed: CheckOverride, message: str, **plan: Any
) -> None:
    """It is refused with the message unless the check is set aside, which is recorded."""
    others = set(CheckOverride) - {allowed}
    with pytest.raises((SourceError, GenerationError), match=message) as refusal:
        refresh(path, *others, **plan)
    assert f"--allow {allowed}" in str(refusal.value)
    assert str(allowed) in refresh(path, *CheckOverride, **plan).generation.overrides


# -- compared with the last refresh ----------------------------------------------------------------


def test_a_shorter_extract_is_refused_for_its_total_and_its_last_month(
    client: Elasticsearch, index: IndexSettings, refresh: Refresh, extract: Path
) -> None:
    """1,940 of 2,000 lines: the last month loses a third of its records."""
    before = refresh(extract).generation.name
    write_records(extract, make_records()[:1_940])
    with pytest.raises(GenerationError) as refusal:
        refresh(extract)
    total, month = str(refusal.value).splitlines()
    assert "holds 1,940 records, more than 1% fewer than the 2,000" in total
    assert "too few records of 2023-01 (115, not 155), 2023-02 (0, not 20)" in month
    assert find_live_name(client, index.alias) == before


@pytest.mark.parametrize(
    ("cut", "override", "message"),
    [
        (lambda records: records[:-25], CheckOverride.MONTHS, r"2023-02 \(0, not 20\)"),
        (
            lambda records: [one for one in records if one["offence_code"] != "86/2"],
            CheckOverride.OFFENCES,
            r"the offence code 86/2 \(0, not 50\); a code may lose 20%",
        ),
    ],
)
def test_a_gap_is_found_even_if_the_total_is_nearly_the_same(
    refresh: Refresh,
    extract: Path,
    cut: Callable[[Records], Records],
    override: CheckOverride,
    message: str,
) -> None:
    refresh(extract)
    write_records(extract, cut(make_records()))
    loose = {"settings": {"max_shrink_percent": 5}}
    expect_refusal(refresh, extract, override, message, **loose)


def test_a_smaller_loss_than_the_limits_is_promoted_and_reported(
    refresh: Refresh, extract: Path
) -> None:
    previous = refresh(extract).generation.name
    write_records(extract, make_records()[:-9])
    lines = summarise_refresh(refresh(extract))
    assert any(f"It holds 9 records fewer than {previous}." in line for line in lines)


@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_a_record_that_the_source_deletes_is_not_missing(
    refresh: Refresh, extract: Path, mode: RefreshMode
) -> None:
    """The last month has 20 records, and one offence 50: deletions do not count as their loss."""
    records = make_records()
    refresh(extract)
    deleted = [one for one in records if one["offence_code"] == "86/2"][:11] + records[-12:]
    deletions = [{"crime_ref": one["crime_ref"], "status": "deleted"} for one in deleted]
    left = [one for one in records if one not in deleted] if mode == "full" else []
    write_records(extract, [*left, *deletions])
    with pytest.raises(GenerationError) as refusal:
        refresh(extract, mode=mode)
    assert str(refusal.value).endswith(
        "holds 1,977 records, more than 1% fewer than the 2,000 of "
        f"{str(refusal.value).split(' of ')[1].split(',')[0]}, so it was not promoted. The source "
        "deletes 23 explicitly, which count here, too. Check that the source is whole; if it is, "
        "rerun with --allow shrink. If it is another extract, give it an index of its own: alias "
        "under [index]."
    )
    loose = {"max_shrink_percent": 5}
    assert refresh(extract, settings=loose, mode=mode).generation.overrides == ()


def test_what_is_missing_beside_deletions_is_found(refresh: Refresh, extract: Path) -> None:
    records = make_records()
    refresh(extract)
    deletions = [{"crime_ref": one["crime_ref"], "status": "deleted"} for one in records[-20:-11]]
    write_records(extract, [*records[:-20], *records[-1:], *deletions])
    expect_refusal(refresh, extract, CheckOverride.MONTHS, r"2023-02 \(1, not 11\)")


CONTENTS = {
    "victims": [{"age": 15, "sex": "F"}],
    "suspects": [{"age": 30, "sex": "M"}],
    "linked": [{"crime_ref": "R1"}],
    "narrative": "Report taken.",
    "outcome": 18,
    "district": "North",
    "status": "cancelled",
}

DISTRICTS = FieldMap(categories={"district": Category()})


@pytest.mark.parametrize(
    ("field", "empty", "content"),
    [
        ("victims", [], "victims"),
        ("victims", [{"sex": "F"}], "victims with an age"),
        ("victims", [{"age": 15}], "victims with a sex"),
        ("suspects", [], "suspects"),
        ("suspects", [{"sex": "M"}], "suspects with an age"),
        ("linked", [], "links"),
        ("narrative", "", "records with text"),
        ("outcome", None, "records with an outcome"),
        ("district", None, 'records with a "district"'),
        ("status", "recorded", "cancelled or transferred records"),
    ],
)
def test_records_that_lost_what_they_contain_are_refused(
    refresh: Refresh, extract: Path, field: str, empty: Any, content: str
) -> None:
    whole = [one | CONTENTS for one in make_records()]
    plan = {"fields": DISTRICTS}
    write_records(extract, whole)
    refresh(extract, **plan)
    few = [one | {field: empty} if at % 11 == 0 else one for at, one in enumerate(whole)]
    write_records(extract, few)
    assert refresh(extract, **plan).generation.overrides == ()
    write_records(extract, [one | {field: empty} for one in whole])
    message = f" has .*0 {content}, where the live one has 1,818"
    expect_refusal(refresh, extract, CheckOverride.CONTENTS, message, **plan)


@pytest.mark.parametrize("mode", get_args(RefreshMode))
def test_records_that_were_added_without_their_text_are_refused(
    refresh: Refresh, extract: Path, mode: RefreshMode
) -> None:
    """As with the table of narratives of the night before: 51 of 2,000 records is little."""
    write_records(extract, make_records()[:1_940])
    refresh(extract)
    without_text = [one | {"narrative": ""} for one in make_records(2_000)[1_940:]]
    write_records(extract, [*make_records()[:1_940], *without_text[:9]])
    assert refresh(extract, mode=mode).generation.overrides == ()
    write_records(extract, [*make_records()[:1_940], *without_text])
    message = r" has 51 records more than the live one, but 0 more records with text, so it was"
    expect_refusal(refresh, extract, CheckOverride.CONTENTS, message, mode=mode)
    write_records(extract, make_records(2_100))
    assert refresh(extract, mode=mode).generation.overrides == ()


@pytest.mark.parametrize(
    ("field", "content"),
    [("narrative", "text"), ("victims", "victims"), ("suspects", "suspects"), ("linked", "links")],
)
def test_months_whose_records_lost_what_a_table_holds_are_refused(
    refresh: Refresh, extract: Path, field: str, content: str
) -> None:
    """As where the end of narratives.csv is cut off between two rows: no record is gone."""
    whole = [one | CONTENTS for one in make_records()]
    plan = {"fields": DISTRICTS}
    nothing: Any = "" if field == "narrative" else []
    write_records(extract, whole)
    previous = refresh(extract, **plan).generation.name
    write_records(extract, [*whole[:-9], *(one | {field: nothing} for one in whole[-9:])])
    lines = summarise_refresh(refresh(extract, **plan))
    told = f"Fewer than in {previous}, besides those that are gone: 9 records with {content}."
    assert any(told in line for line in lines) is (content in LASTING_CONTENTS)
    write_records(extract, [*whole[:-30], *(one | {field: nothing} for one in whole[-30:])])
    message = rf"too few records with {content} of 2023-02 \(0, not 11\); a month may lose 10%"
    expect_refusal(refresh, extract, CheckOverride.MONTHS, message, **plan)
    loose = {"settings": {"max_month_shrink_percent": 100}}
    write_records(extract, [*whole[:-60], *(one | {field: nothing} for one in whole[-60:])])
    lines = summarise_refresh(refresh(extract, **plan, **loose))
    assert any(f": 30 records with {content}." in line for line in lines)


def test_months_and_what_they_hold_are_counted_in_one_search_of_each_index(
    client: Elasticsearch, refresh: Refresh, extract: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    previous = refresh(extract).generation.name
    searches: list[dict[str, Any]] = []
    search = client.search

    def watch(**arguments: Any) -> Any:
        searches.append(arguments)
        return search(**arguments)

    monkeypatch.setattr(client, "search", watch)
    generation = refresh(extract).generation.name
    compared = [search for search in searches if "date_histogram" in str(search.get("aggs"))]
    by_month = [search["index"] for search in compared if "nested" in str(search["aggs"])]
    assert by_month == [previous, generation]
    assert len([search for search in searches if search["index"] == previous]) == 5


def test_records_of_another_force_in_place_of_a_month_are_refused(
    refresh: Refresh, extract: Path
) -> None:
    """As many, of the same days and offences: no total, month or code is smaller."""
    refresh(extract)
    earlier, last_month = make_records()[:-20], make_records()[-20:]
    others = [one | {"crime_ref": f"52/{one['crime_ref']}"} for one in last_month]
    write_records(extract, [*earlier, *others[:9], *last_month[9:]])
    assert refresh(extract).generation.overrides == ()
    write_records(extract, make_records())
    refresh(extract)
    write_records(extract, [*earlier, *others])
    message = r"too few of the same references of 2023-02 \(0, not 20\); a month may lose 10%"
    expect_refusal(refresh, extract, CheckOverride.MONTHS, message)
    assert refresh(extract).generation.overrides == ()


def add_to_month(month: str, number: int) -> Records:
    """So many records in addition, of one day of a month, with references of their own."""
    (record, *_) = make_records(1)
    return [
        record | {"crime_ref": f"52/{index}", "recorded_on": f"{month}-10"}
        for index in range(number)
    ]


@pytest.mark.parametrize(
    ("month", "fits", "too_many"),
    [
        ("2022-05", 155, 156),  # which has 155 records and is over
        ("2023-02", 290, 291),  # which has 20, and may have twice the 155 of the largest
        ("2023-03", 310, 311),  # which is new
    ],
)
def test_a_month_with_a_file_too_many_is_refused(
    refresh: Refresh, extract: Path, month: str, fits: int, too_many: int
) -> None:
    refresh(extract)
    before = {"2022-05": 155, "2023-02": 20}.get(month, 0)
    write_records(extract, [*make_records(), *add_to_month(month, too_many)])
    message = (
        rf"many more records of {month} \({before + too_many}, not {before}\); a month may have"
    )
    with pytest.raises(GenerationError, match=message):
        refresh(extract)
    write_records(extract, [*make_records(), *add_to_month(month, fits)])
    result = refresh(extract)
    assert result.generation.overrides == ()
    told = f"It holds {fits:,} records more than {result.previous}."
    assert told in "\n".join(summarise_refresh(result))


def test_growth_is_set_aside_by_its_name(refresh: Refresh, extract: Path) -> None:
    refresh(extract)
    write_records(extract, [*make_records(), *add_to_month("2022-05", 200)])
    expect_refusal(refresh, extract, CheckOverride.GROWTH, r"2022-05 \(355, not 155\)")


@pytest.mark.parametrize("people", ["victims", "suspects", "linked"])
def test_people_that_are_there_twice_are_refused(
    refresh: Refresh, extract: Path, people: str
) -> None:
    """Without a reference of their own they look like others of the same age and sex."""
    person = {"crime_ref": "R1"} if people == "linked" else {"age": 12, "sex": "F"}
    write_records(extract, [one | {people: [person]} for one in make_records()])
    refresh(extract)
    half = [one | {people: [person] * (1 + index % 2)} for index, one in enumerate(make_records())]
    write_records(extract, half)
    assert refresh(extract).generation.overrides == ()
    write_records(extract, [one | {people: [person] * 3} for one in make_records()])
    words = people.replace("linked", "links")
    message = rf"has many more {words} \(6,000, not 3,000\) than as many records of the live one"
    expect_refusal(refresh, extract, CheckOverride.GROWTH, message)


def test_the_first_months_of_an_index_may_grow(refresh: Refresh, extract: Path) -> None:
    """With few other months, and while a month goes on, there is nothing to compare with."""
    write_records(extract, make_records(300))
    refresh(extract)
    write_records(extract, make_records())
    assert refresh(extract).generation.overrides == ()


def test_records_that_are_deleted_or_corrected_are_not_replaced(
    refresh: Refresh, extract: Path
) -> None:
    refresh(extract)
    earlier, last_month = make_records()[:-20], make_records()[-20:]
    deletions = [{"crime_ref": one["crime_ref"], "status": "deleted"} for one in last_month[:10]]
    moved = [one | {"recorded_on": "2022-06-01"} for one in last_month[10:]]
    others = [one | {"crime_ref": f"N{one['crime_ref']}"} for one in last_month]
    write_records(extract, [*earlier, *deletions, *moved, *others])
    assert refresh(extract).generation.overrides == ()


def test_a_sample_of_a_large_generation_shows_what_was_replaced(
    refresh: Refresh, extract: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shrinkage, "SAMPLE_RECORDS", 1_000)
    refresh(extract)
    earlier, last_months = make_records()[:-200], make_records()[-200:]
    write_records(
        extract, [*earlier, *(one | {"crime_ref": f"N{one['crime_ref']}"} for one in last_months)]
    )
    message = r"same references of 2023-01 \(0, not \d+\).*, of 1,000 that were looked for; a month"
    expect_refusal(refresh, extract, CheckOverride.MONTHS, message)


def test_text_that_is_gone_with_its_record_is_not_said_twice(
    refresh: Refresh, extract: Path
) -> None:
    refresh(extract)
    write_records(extract, make_records()[:-5])
    result = refresh(extract)
    assert (result.gained, result.lost_contents) == (-5, {})


def test_an_extract_that_did_not_come_is_said(refresh: Refresh, extract: Path) -> None:
    previous = refresh(extract).generation.name
    lines = summarise_refresh(refresh(extract))
    assert any(f"those of {previous}, without any change" in line for line in lines)
    changed = make_records()[0] | {"narrative": "Another."}
    write_records(extract, [changed, *make_records()[1:]])
    assert not any("without any change" in line for line in summarise_refresh(refresh(extract)))


def test_an_increment_without_any_change_is_said(refresh: Refresh, extract: Path) -> None:
    previous = refresh(extract).generation.name
    told = (
        f"Its records are those of {previous}, without any change. If changes were due, check that "
        "the source has them."
    )
    unchanged = refresh(extract, mode="incremental")
    assert told in summarise_refresh(unchanged)
    changed = make_records()[0] | {"narrative": "Another."}
    write_records(extract, [changed])
    lines = summarise_refresh(refresh(extract, mode="incremental"))
    assert not any("without any change" in line for line in lines)


@pytest.mark.parametrize("written", ["r7", "R-7"])
def test_a_deletion_of_no_record_is_said(refresh: Refresh, extract: Path, written: str) -> None:
    """The references of a list of deletions may be written in another way: nothing is deleted."""
    refresh(extract)
    deletions = [{"crime_ref": reference, "status": "deleted"} for reference in ("R7", written)]
    write_records(extract, deletions)
    generation = refresh(extract, mode="incremental").generation
    assert (generation.records, generation.notes) == (1_999, {UNKNOWN_DELETION: 1})
    again = refresh(extract, mode="incremental").generation
    assert (again.records, again.notes) == (1_999, {})


def test_what_fewer_records_contain_is_no_loss(refresh: Refresh, extract: Path) -> None:
    whole = [one | CONTENTS for one in make_records()]
    write_records(extract, whole)
    refresh(extract, fields=DISTRICTS)
    write_records(extract, whole[:1_000])
    others = set(CheckOverride) - {CheckOverride.CONTENTS}
    assert refresh(extract, *others, fields=DISTRICTS).generation.records == 1_000


def test_an_extract_of_the_last_years_may_lose_its_oldest_days(
    refresh: Refresh, extract: Path
) -> None:
    """20 days leave January, which would be far more than a month may lose."""
    refresh(extract)
    write_records(extract, make_records()[100:])
    loose = {"max_shrink_percent": 10}
    assert refresh(extract, settings=loose).generation.overrides == ()


def test_the_limits_are_settings(refresh: Refresh, extract: Path) -> None:
    refresh(extract)
    write_records(extract, make_records()[:1_000])
    loose = {
        "max_shrink_percent": 100,
        "max_month_shrink_percent": 100,
        "max_offence_shrink_percent": 100,
    }
    assert refresh(extract, settings=loose).generation.overrides == ()


# -- compared with the refreshes before ------------------------------------------------------------


def test_a_slow_decline_over_nights_is_refused_and_allowed_once(
    client: Elasticsearch, index: IndexSettings, refresh: Refresh, extract: Path
) -> None:
    """Each night is within the limit of one night; 2 % together are not."""
    slow = {"settings": {"max_decline_percent": 2, "keep": 1}}

    def keep(number: int, *allowed: CheckOverride) -> RefreshResult:
        write_records(extract, make_records()[-number:])
        return refresh(extract, *allowed, **slow)

    for number in (2_000, 1_985, 1_970):
        assert keep(number).generation.overrides == ()
    live = find_live_name(client, index.alias)
    with pytest.raises(
        GenerationError, match="1,955 records, more than 2% fewer than the 2,000 of"
    ) as refusal:
        keep(1_955)
    assert "the most in the last 3 refreshes" in str(refusal.value)
    assert "--allow decline" in str(refusal.value)
    assert find_live_name(client, index.alias) == live
    allowed = keep(1_955, CheckOverride.DECLINE).generation
    assert (allowed.overrides, allowed.earlier_sizes) == (("decline",), ())
    for number in (1_940, 1_925):
        assert keep(number).generation.overrides == ()
    with pytest.raises(GenerationError, match="fewer than the 1,955 of"):
        keep(1_910)


def test_a_fall_that_was_allowed_is_not_refused_again_as_a_decline(
    refresh: Refresh, extract: Path
) -> None:
    refresh(extract)
    write_records(extract, make_records()[:1_000])
    everything = [one for one in CheckOverride if one is not CheckOverride.DECLINE]
    fallen = refresh(extract, *everything).generation
    assert "shrink" in fallen.overrides
    assert "decline" not in fallen.overrides
    assert refresh(extract).generation.overrides == ()


# -- files that change while they are read ---------------------------------------------------------


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b'{"crime_ref": "LATE"}\n')


def shrink(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def rotate(path: Path) -> None:
    path.rename(path.with_name("old.jsonl"))
    write_records(path, make_records(100))


def rewrite(path: Path) -> None:
    """The same size, another content."""
    path.write_bytes(path.read_bytes().replace(b"R1", b"Q1"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (grow, "crimes.jsonl: grew from .* bytes while"),
        (shrink, "crimes.jsonl: shrank from .* bytes while"),
        (rotate, "crimes.jsonl: shrank from .* bytes while"),
        (rewrite, "crimes.jsonl: was written to or replaced while"),
        (Path.unlink, "crimes.jsonl: was removed while"),
        (
            lambda path: path.with_name("crimes.jsonl.count").write_text("2000"),
            "crimes.jsonl.count: appeared while",
        ),
    ],
    ids=["grows", "shrinks", "rotates", "is rewritten", "vanishes", "gets its count"],
)
def test_a_file_that_changes_while_it_is_read_is_not_promoted(
    client: Elasticsearch,
    index: IndexSettings,
    refresh: Refresh,
    extract: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path], Any],
    message: str,
) -> None:
    read_whole = jsonl.read_json_lines
    changes: list[int] = []

    def read_and_change(path: Path) -> Iterator[Any]:
        for number, raw in enumerate(read_whole(path), start=1):
            if number == 700:
                change(path)
                changes.append(number)
            yield raw

    monkeypatch.setattr("indexer.sources.read_json_lines", read_and_change)
    with pytest.raises(SourceError, match=message):
        refresh(extract, *(set(CheckOverride) - {CheckOverride.CHANGED}))
    assert changes == [700]
    with pytest.raises(NoIndexError):
        read_live_generation(client, index.alias)


def test_a_packed_file_that_is_cut_while_it_is_read_is_not_called_damaged(
    refresh: Refresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "crimes.jsonl.gz"
    plain = write_records(tmp_path / "plain.jsonl", make_records()).read_bytes()
    path.write_bytes(gzip.compress(plain))

    def open_and_cut(file: Path) -> io.BufferedReader:
        reader = file.open("rb")
        os.truncate(file, file.stat().st_size // 2)
        return reader

    monkeypatch.setattr(jsonl, "open_input", open_and_cut)
    with pytest.raises(SourceError, match=r"crimes.jsonl.gz: shrank from"):
        refresh(path)


# -- what is expected ------------------------------------------------------------------------------


def checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("ending", "content", "message"),
    [
        ("count", "2000\n", ""),
        ("count", "2001\n", r"holds 2,000 records, but crimes.jsonl.count says 2,001"),
        ("count", "many\n", r"crimes.jsonl.count: is not a number of records"),
        ("sha256", "{sum}  crimes.jsonl\n", ""),
        ("sha256", "{sum} *out/crimes.jsonl\n", ""),
        ("sha256", "{sum}\n", ""),
        ("sha256", "{other}  other.jsonl\n{sum}  crimes.jsonl\n", ""),
        ("sha256", "{other}  crimes.jsonl\n", "its SHA-256 is not the one in crimes.jsonl.sha256"),
        ("sha256", "{sum}  other.jsonl\n", "has no SHA-256 of crimes.jsonl"),
        ("sha256", "\xff\n", "has no SHA-256 of crimes.jsonl"),
    ],
)
def test_a_file_must_be_what_the_files_beside_it_say(
    refresh: Refresh, extract: Path, ending: str, content: str, message: str
) -> None:
    text = content.replace("{sum}", checksum(extract)).replace("{other}", "0" * 64)
    extract.with_name(f"crimes.jsonl.{ending}").write_text(text, encoding="latin-1")
    if message:
        with pytest.raises(SourceError, match=message):
            check_plan(RefreshPlan((extract,), extract.parent))
        expect_refusal(refresh, extract, CheckOverride.EXPECTED, message)
    else:
        assert refresh(extract, require=(ending,)).generation.records == 2_000


def test_files_beside_the_extract_can_be_required(refresh: Refresh, extract: Path) -> None:
    message = r"crimes.jsonl.count: there is no such file, and \[source\] require asks for it"
    expect_refusal(refresh, extract, CheckOverride.EXPECTED, message, require=("count",))


def test_each_table_of_a_folder_has_its_own_count(
    client: Elasticsearch, index: IndexSettings, tmp_path: Path
) -> None:
    folder = tmp_path / "extract"
    folder.mkdir()
    (folder / "crimes.csv").write_text(
        "crime_ref,recorded_on,offence_code,narrative\nA,2022-01-01,22B,Report.\n"
    )
    (folder / "victims.csv").write_text("crime_ref,age\nA,20\nA,30\n")
    (folder / "crimes.csv.count").write_text("1")
    (folder / "victims.csv.count").write_text("3")
    options = LoadOptions(lease_seconds=10, covers=CoverageSettings())
    with pytest.raises(SourceError, match=r"victims.csv: holds 2 records, but .* says 3"):
        load_files(client, index, [folder], tmp_path, SILENT, options)
    (folder / "victims.csv.count").write_text("2")
    assert load_files(client, index, [folder], tmp_path, SILENT, options).generation.records == 1
    (folder / "victims.csv").unlink()
    with pytest.raises(SourceError, match=r"victims.csv: there is no such file, but victims.csv.c"):
        load_files(client, index, [folder], tmp_path, SILENT, options)
    allowed = msgspec.structs.replace(options, overrides=frozenset({CheckOverride.EXPECTED}))
    loaded = load_files(client, index, [folder], tmp_path, SILENT, allowed)
    assert loaded.generation.overrides == ("expected",)


def test_a_record_may_have_as_many_victims_and_links_as_the_limit(
    refresh: Refresh, tmp_path: Path
) -> None:
    """The server takes what foidex lets through, and --check says the same as the load."""
    (whole,) = make_records(1)
    whole |= {"victims": [{"age": 20}] * 4_000, "linked": [{"offence_code": "22B"}] * 6_000}
    path = write_records(tmp_path / "crimes.jsonl", [whole])
    assert refresh(path).generation.indexed == 1
    whole["victims"].append({"age": 20})
    write_records(path, [whole])
    assert check_plan(RefreshPlan((path,), tmp_path)).rejected == 1
    with pytest.raises(SourceError, match="10,000 together"):
        refresh(path)

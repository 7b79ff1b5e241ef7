"""The record: what it may hold, and what is said of one that breaks the contract."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.records.contract import DEFAULT_EARLIEST_DAY, DayLimits, RecordContract
from indexer.records.document import build_document
from indexer.records.model import CrimeRecord, Deletion, RecordError
from indexer.records.offences import load_offence_table
from indexer.records.parse import parse_record_line, parse_record_mapping
from indexer.records.validation_messages import describe_shape

GOOD: dict[str, Any] = {
    "crime_ref": "41/0012345/17",
    "recorded_on": "2017-06-03",
    "offence_code": "022B",
    "status": "recorded",
    "outcome": 14,
    "narrative": ["First entry. A live-stream.", "Second entry."],
    "victims": [{"victim_ref": "V-881", "age": 15, "sex": "F"}],
    "linked": [{"crime_ref": "41/0012399/17", "offence_code": "086/02"}, {"crime_ref": "41/1/17"}],
    "updated_at": "2018-04-02T03:11:00Z",
}

SECRET = "ZQXSECRET"


CLOCK = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)

LIMITED = RecordContract(days=DayLimits(CLOCK))


def read(**changes: Any) -> CrimeRecord | Deletion:
    raw = {name: value for name, value in {**GOOD, **changes}.items() if value is not ...}
    return parse_record_line(msgspec.json.encode(raw))


def find_day_fault(contract: RecordContract = LIMITED, **changes: Any) -> str:
    """The kind of fault, which must be the same for a line and for a mapping; empty if none."""
    raw = {**GOOD, **changes}
    errors: list[RecordError | None] = []
    for is_line in (True, False):
        try:
            if is_line:
                parse_record_line(msgspec.json.encode(raw), contract)
            else:
                parse_record_mapping(raw, contract)
            errors.append(None)
        except RecordError as error:
            errors.append(error)
    kinds = [error.kind if error else "" for error in errors]
    assert all(str(error).startswith(f"{error.kind}. Correct it, or ") for error in errors if error)
    assert kinds[0] == kinds[1]
    return kinds[0]


def test_a_whole_record_becomes_its_document() -> None:
    whole = read()
    assert isinstance(whole, CrimeRecord)
    document = build_document(whole, load_offence_table(), "crimes.jsonl:41")
    assert msgspec.to_builtins(document) == {
        "crime_ref": "41/0012345/17",
        "recorded_on": "2017-06-03",
        "offence_code": "22B",
        "offence_path": ("22B", "22"),
        "status": "recorded",
        "narrative": ["First entry. ", "A live-stream.\n\n", "Second entry."],
        "place": "crimes.jsonl:41",
        "outcome": 14,
        "victims": [{"victim_ref": "V-881", "age": 15, "sex": "F"}],
        "linked": [
            {"crime_ref": "41/0012399/17", "offence_code": "86/2", "offence_path": ("86/2", "86")},
            {"crime_ref": "41/1/17"},
        ],
        "updated_at": "2018-04-02T03:11:00Z",
    }


def test_json_and_mappings_are_read_alike() -> None:
    assert parse_record_mapping(GOOD) == read()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"crime_ref": ...}, 'lacks the field "crime_ref", which must be a reference'),
        (
            {"recorded_on": "31/02/2018"},
            '"recorded_on" is text of the shape 99/99/9999, not a date',
        ),
        (
            {"recorded_on": "2017-02-31"},
            '"recorded_on" is text of the shape 9999-99-99, not a date',
        ),
        ({"offence_code": 22}, '"offence_code" is a number of 2 characters, not an offence code'),
        ({"narrative": None}, '"narrative" is null, not text'),
        ({"narrative": ["a", 3]}, r'"narrative[1]" is a number of 1 characters'),
        ({"status": SECRET}, '"status" is text of the shape aaaaaaaaa, not recorded, cancelled'),
        ({"outcome": 23}, '"outcome" is a number of 2 characters, not an outcome type'),
        ({"victims": [{"age": -1}]}, '"victims[0].age" is a number below 0, not whole years'),
        ({"victims": [{"age": 300}]}, '"victims[0].age" is a number over 120'),
        ({"victims": [{"age": 15.5}]}, '"victims[0].age" is a number of 4 characters'),
        ({"victims": [{"sex": SECRET}]}, '"victims[0].sex" is text of the shape'),
        ({"victims": [{"name": SECRET}]}, 'has an unknown field "name" in "victims[0]"'),
        ({"linked": [{}]}, '"linked[0]" names neither a crime_ref nor an offence_code'),
        ({"updated_at": "2018-04-02T03:11:00"}, '"updated_at" is text of the shape'),
        ({"updated_at": "2018-04-02T03:11:00+19:00"}, "more than 18 hours from UTC"),
        ({"updated_at": "2018-04-02T03:11:00-18:01"}, "more than 18 hours from UTC"),
        ({"district": SECRET}, 'has an unknown field "district"'),
        ({f"{SECRET}: he said 'no'": 1}, "has an unknown field, whose name may hold content"),
    ],
)
def test_a_broken_record_is_told_by_field_shape_and_remedy(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(RecordError) as refused:
        read(**changes)
    assert message in str(refused.value)
    assert SECRET not in str(refused.value)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"[]", "is a list of 0, not an object"),
        (b'"text"', "is text of the shape aaaa, not an object"),
        (b'{"crime_ref": "1"', "is cut short"),
        (b"crime_ref,recorded_on", "is not JSON"),
        (b'{"narrative": "caf\xe9"}', "is not UTF-8"),
        (b"[" * 100_000, "is nested too deeply"),
    ],
)
def test_a_line_that_is_no_record_is_told(line: bytes, message: str) -> None:
    with pytest.raises(RecordError, match=message):
        parse_record_line(line)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_a_shape_never_says_what_a_value_says(value: Any) -> None:
    told = describe_shape({"text": value}["text"])
    if isinstance(value, str):
        letters = {c for c in value if c.isalpha()} - set("atextofheshp")
        assert not letters & set(told)


@given(st.dictionaries(st.text(), st.none() | st.integers() | st.text() | st.lists(st.text())))
def test_any_object_is_a_record_or_refused(raw: dict[str, Any]) -> None:
    with pytest.raises(RecordError):
        parse_record_line(msgspec.json.encode(raw))


def test_word_of_a_deletion_needs_only_the_reference() -> None:
    line = b'{"crime_ref": "41/1/17", "status": "deleted", "updated_at": "2018-04-02T03:11:00Z"}'
    gone = parse_record_line(line)
    assert isinstance(gone, Deletion)
    assert gone.crime_ref == "41/1/17"
    whole = read(status="deleted")
    assert isinstance(whole, Deletion)
    with pytest.raises(RecordError, match='unknown field "name"'):
        parse_record_line(b'{"crime_ref": "41/1/17", "status": "deleted", "name": 1}')
    with pytest.raises(RecordError, match='lacks the field "crime_ref"'):
        parse_record_line(b'{"status": "deleted"}')


def test_entries_are_cut_as_one_text_with_blank_lines_between_is() -> None:
    entries = ["Seen at Paul's", "on Paul's", "live", "", "stream's end. Then"]
    apart = parse_record_mapping(GOOD | {"narrative": entries})
    whole = parse_record_mapping(GOOD | {"narrative": "\n\n".join(filter(None, entries))})
    assert isinstance(apart, CrimeRecord)
    assert isinstance(whole, CrimeRecord)
    one, other = (build_document(r, load_offence_table(), "x:1") for r in (apart, whole))
    assert (one.narrative, one.possessives) == (other.narrative, other.possessives)


# -- days ------------------------------------------------------------------------------------------


EARLY = "is before 1950-01-01, the earliest day that a record may name"


@pytest.mark.parametrize(
    ("day", "fault"),
    [
        ("0001-01-01", EARLY),
        ("1753-01-01", EARLY),
        ("1899-12-30", EARLY),
        ("1900-01-01", EARLY),
        ("1949-12-31", EARLY),
        ("1950-01-01", ""),
        ("2026-03-31", ""),
        ("2026-04-01", ""),
        ("2026-04-02", "is after 2026-04-01, tomorrow by the clock of this machine"),
        ("2062-03-31", "is after 2026-04-01, tomorrow by the clock of this machine"),
        ("9999-12-31", "is after 2026-04-01, tomorrow by the clock of this machine"),
    ],
)
def test_a_record_names_no_day_before_the_earliest_or_after_tomorrow(day: str, fault: str) -> None:
    assert find_day_fault(recorded_on=day) == (f'"recorded_on" {fault}' if fault else "")


@pytest.mark.parametrize(
    ("moment", "fault"),
    [
        ("0001-01-01T00:00:00+14:00", EARLY),
        ("1949-12-31T23:59:59Z", EARLY),
        ("1950-01-01T00:00:00Z", ""),
        ("2026-04-01T23:30:00Z", ""),
        ("2026-04-02T00:30:00+01:00", ""),
        ("2026-04-01T23:30:01Z", "is after 2026-04-01T23:30Z, a day ahead of the clock of this machine"),
        ("9999-12-31T23:59:59Z", "is after 2026-04-01T23:30Z, a day ahead of the clock of this machine"),
        ("9999-12-31T23:59:59-14:00", "is after 2026-04-01T23:30Z, a day ahead of the clock of this machine"),
    ],
)  # fmt: skip
def test_a_record_changed_at_no_time_outside_these_days(moment: str, fault: str) -> None:
    expected = f'"updated_at" {fault}' if fault else ""
    assert find_day_fault(updated_at=moment) == expected
    deletion = {"crime_ref": "A", "status": "deleted", "updated_at": moment}
    if fault:
        with pytest.raises(RecordError, match="updated_at") as wrong:
            parse_record_mapping(deletion, LIMITED)
        assert wrong.value.kind == expected
    else:
        assert isinstance(parse_record_mapping(deletion, LIMITED), Deletion)


def test_a_force_may_have_records_of_earlier_days() -> None:
    contract = RecordContract(days=DayLimits(CLOCK, date(1890, 6, 1)))
    assert find_day_fault(contract, recorded_on="1890-06-01") == ""
    assert "before 1890-06-01" in find_day_fault(contract, recorded_on="1890-05-31")
    assert date(1950, 1, 1) == DEFAULT_EARLIEST_DAY


def test_no_message_about_a_day_shows_it() -> None:
    for day in ("1234-05-06", "5678-09-10"):
        with pytest.raises(RecordError) as wrong:
            parse_record_mapping({**GOOD, "recorded_on": day}, LIMITED)
        assert day not in str(wrong.value)

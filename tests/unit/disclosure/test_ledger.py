"""The ledger of releases: one release less another gives nothing away."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import msgspec
import pytest
from filelock import FileLock
from typer.testing import CliRunner

from indexer.errors import ConfigurationError, DisclosureError, OutputError
from indexer.records.offences import load_offence_table
from queries.answer.condition import build_offence_condition
from queries.answer.condition_text import parse_conditions
from queries.answer.types import Answer, Count, Row, RuleOverride
from queries.cli import app
from queries.disclosure.attack.constraints import make_population
from queries.disclosure.ledger import PublishedAnswer, prepare_release, publish_release
from queries.documents.document_set import write_document_set
from queries.documents.formats.letter import render_letter_text
from queries.tables.period import format_long_date
from tests.support.paths import ROOT
from tests.support.rendered import rendered
from tests.support.tables import DESK, FIVE, answer, answer_by_code, offences

CODES = ("21", "22B", "46")

#: More codes than a message names.
MANY = tuple(code for code in sorted(load_offence_table().titles) if code.isdigit())[:40]

YEAR = (date(2017, 4, 1), date(2018, 3, 31))


def number(
    count: int,
    codes: Sequence[str] = CODES,
    period: tuple[date, date] = YEAR,
    *,
    reference: str = "FOI/1",
    generation: str = "crimes-1",
) -> Answer:
    """One number: the offences of a few codes in a period."""
    whole = answer([], reference=reference, generation=generation)
    row = Row(
        "0", "All", (count,), codes=tuple(codes), means=(build_offence_condition(codes).text,)
    )
    scope = msgspec.structs.replace(
        whole.scope, records=count, offences=(row,), period_from=period[0], period_to=period[1]
    )
    return msgspec.structs.replace(whole, scope=scope)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return tmp_path / "releases.jsonl"


def counts(outcome: PublishedAnswer) -> list[Count]:
    table = outcome.answer.questions[0].table
    return [row.counts[0] for row in (*table.rows, table.total)]


def documents(folder: Path) -> list[str]:
    """The documents in their place."""
    every = folder.rglob("*") if folder.is_dir() else ()
    return sorted(path.name for path in every if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts))  # fmt: skip


def lines(book: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in book.read_text("utf-8").splitlines()]


def test_a_release_is_recorded_once_without_what_it_withheld(book: Path) -> None:
    for _ in range(2):  # the letter, and then the same in another format
        assert counts(publish_release(answer_by_code(46, 4, 3), FIVE, book)) == [46, None, None, 53]
    (line,) = lines(book)
    assert (line["reference"], line["generation"], line["threshold"]) == ("FOI/1", "crimes-1", 5)
    figures = line["figures"]
    assert isinstance(figures, list)
    period = "period:2017-04-01/2018-03-31"
    assert ["offences", ["offence:22B", period], None, 1] in figures
    assert ["offences", ["offence:21", period], 46, 1] in figures


def test_without_a_ledger_nothing_is_recorded(tmp_path: Path) -> None:
    assert counts(publish_release(answer_by_code(9, 9, 9), FIVE, None)) == [9, 9, 9, 27]
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("generation", ["crimes-1", "crimes-2"], ids=["same", "later"])
def test_a_code_less_gives_the_missing_one_away(book: Path, generation: str) -> None:
    """52 for three codes, then 50 for two of them: the third has 2."""
    publish_release(number(52), FIVE, book)
    fewer = number(50, ("21", "22B"), reference="FOI/2", generation=generation)
    with pytest.raises(
        DisclosureError,
        match=r"(?s)FOI/1.* gives 52 .*this release gives 50 .* 2 are in the first .*--over",
    ):
        publish_release(fewer, FIVE, book)
    assert len(lines(book)) == 1
    publish_release(number(47, ("21", "22B"), reference="FOI/2", generation=generation), FIVE, book)
    assert len(lines(book)) == 2


def test_a_month_less_gives_the_month_away(book: Path) -> None:
    publish_release(number(52), FIVE, book)
    eleven_months = (date(2017, 4, 1), date(2018, 2, 28))
    with pytest.raises(DisclosureError, match=" 2 are in the first number and not in the second"):
        publish_release(number(50, period=eleven_months, reference="FOI/2"), FIVE, book)
    publish_release(
        number(52, period=eleven_months, reference="FOI/2"), FIVE, book
    )  # a month of none


def test_three_releases_together_give_a_month_away(book: Path) -> None:
    """The year has 60, its first half 30, its second half without March 27: March has 3."""
    first, second = (date(2017, 4, 1), date(2017, 9, 30)), (date(2017, 10, 1), date(2018, 2, 28))
    publish_release(number(60), FIVE, book)
    publish_release(number(30, period=first, reference="FOI/2"), FIVE, book)
    with pytest.raises(DisclosureError, match="FOI/"):
        publish_release(number(27, period=second, reference="FOI/3"), FIVE, book)


def test_what_was_withheld_is_not_printed_by_a_later_table(book: Path) -> None:
    """53 = 46 + [c] + [c]; then 21 and 22B alone, 50: together they would tell 46's 3."""
    publish_release(answer_by_code(46, 4, 3), FIVE, book)
    with pytest.raises(
        DisclosureError, match=r"offences of 46, .*: FOI/1.* withholds this number.* is 3"
    ):
        publish_release(number(50, ("21", "22B"), reference="FOI/2"), FIVE, book)


def test_what_was_withheld_stays_withheld(book: Path) -> None:
    """46 was hidden to guard 2 and 2; a request for it alone gets it not."""
    assert counts(publish_release(answer_by_code(46, 2, 2), FIVE, book))[:3] == [None, None, None]
    outcome = publish_release(answer_by_code(46, codes="21", reference="FOI/2"), FIVE, book)
    assert counts(outcome) == [None, None]
    with_reason = publish_release(
        answer_by_code(46, codes="21", reference="FOI/2"), FIVE, book, "told in court"
    )
    assert counts(with_reason) == [46, 46]


def test_what_is_public_is_not_chosen_to_be_withheld(book: Path) -> None:
    """2 wants a second row: 20 is public, so 30 it is."""
    publish_release(answer_by_code(20, codes="22B"), FIVE, book)
    outcome = publish_release(answer_by_code(2, 20, 30, reference="FOI/2"), FIVE, book)
    assert 20 in counts(outcome)


def test_printed_before_and_small_now_is_refused_unless_it_was_none(book: Path) -> None:
    publish_release(answer_by_code(46, 0, 6), FIVE, book)
    later = answer_by_code(46, 3, 2, reference="FOI/2", generation="crimes-2")
    with pytest.raises(
        DisclosureError, match=r"offences of 46.*FOI/1.* gives 6\. This release would withhold"
    ):
        publish_release(later, FIVE, book)
    fresh = answer_by_code(40, 3, 6, reference="FOI/3", generation="crimes-2")
    assert counts(publish_release(fresh, FIVE, book)) == [None, None, 6, 49]


def test_an_override_publishes_and_is_recorded(book: Path) -> None:
    publish_release(number(52), FIVE, book)
    fewer = number(50, ("21", "22B"), reference="FOI/2")
    outcome = publish_release(fewer, FIVE, book, "in the annual report")
    assert outcome.answer.disclosure is not None
    override = RuleOverride(
        "together with earlier answers, 1 number can be worked out that is usually withheld",
        "in the annual report",
    )
    assert outcome.answer.disclosure.overrides == (override,)
    assert lines(book)[1]["overrides"] == [{"rule": override.rule, "reason": override.reason}]


def test_a_reason_that_sets_nothing_aside_is_told(book: Path) -> None:
    """Small numbers stay withheld, which an officer who gave a reason does not expect."""
    fewer = number(50, ("21", "22B"), reference="FOI/2")
    for policy_ledger in (book, None):
        with prepare_release(number(52), FIVE, policy_ledger, "agreed") as release:
            assert any("--override is not used" in line for line in release.summary)
    publish_release(number(52), FIVE, book)
    with prepare_release(fewer, FIVE, book, "agreed") as release:
        assert not any("--override is not used" in line for line in release.summary)


@pytest.mark.parametrize(
    ("reason", "told"),
    [("", "is blank"), ("  ", "is blank"), ("\n\t", "is blank"), ("\u3000", "is blank"),
     ("agreed\udcff", "is not valid UTF-8")],
)  # fmt: skip
def test_a_reason_that_says_nothing_is_a_wrong_command_line(reason: str, told: str) -> None:
    """Whether a rule is set aside or not: nobody would see that it was taken for none."""
    done = CliRunner().invoke(app, ["answer", "request.yaml", "--publish", "--override", reason])
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"Invalid value for '--override': {told}" in done.stderr


def test_numbers_that_moved_between_generations_are_told_and_not_refused(book: Path) -> None:
    publish_release(number(12), FIVE, book)
    outcome = publish_release(number(13, generation="crimes-2"), FIVE, book)
    (change,) = outcome.changes
    assert re.search(r": 12 in FOI/1 of \d+ \w+ \d{4}, 13 now$", change)


def test_releases_that_have_nothing_in_common_do_not_meet(book: Path) -> None:
    publish_release(number(52, ("21",)), FIVE, book)
    other = (date(2019, 4, 1), date(2020, 3, 31))
    publish_release(number(50, ("22B",), other, reference="FOI/2"), FIVE, book)
    assert len(lines(book)) == 2


def test_contradicting_numbers_of_another_generation_are_left_out(book: Path) -> None:
    """Two of three codes had 52 then; all three have 50 now: no difference can be told."""
    publish_release(number(52, ("21", "22B")), FIVE, book)
    publish_release(number(50, reference="FOI/2", generation="crimes-2"), FIVE, book)
    assert len(lines(book)) == 2


@pytest.mark.parametrize(
    "line", ["{}", '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}"], ids=["empty", "deep"]
)
def test_a_line_that_is_no_release_stops_every_release(book: Path, line: str) -> None:
    publish_release(number(52), FIVE, book)
    with book.open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(DisclosureError, match=r"releases\.jsonl:2: is not a release"):
        publish_release(number(60), FIVE, book)


def test_a_ledger_that_cannot_be_written_stops_the_release(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        publish_release(number(52), FIVE, tmp_path / "file" / "releases.jsonl")


def test_a_release_is_recorded_when_all_of_it_is_ready_and_before_it_is_in_its_place(
    book: Path, tmp_path: Path
) -> None:
    """Whatever fails before leaves neither a line nor a document."""
    out = tmp_path / "out"
    seen: list[list[str]] = []
    with prepare_release(answer_by_code(9, 9, 9), FIVE, book) as ready:

        def record() -> None:
            seen.append(documents(out))
            ready.record()

        assert not book.exists()
        write_document_set(ready.answer, out, DESK, record=record)
    assert seen == [[]]
    assert len(lines(book)) == 1
    assert "FOI-1.letter.docx" in documents(out)


def test_documents_that_cannot_be_written_leave_no_release(book: Path, tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with (
        pytest.raises(OutputError, match="out: cannot be written"),
        prepare_release(answer_by_code(9, 9, 9), FIVE, book) as ready,
    ):
        write_document_set(ready.answer, tmp_path / "out", DESK, record=ready.record)
    assert not book.exists()


def test_a_broken_template_leaves_no_release(book: Path, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "letter.txt.j2").write_text("{{ nothing }}")
    desk = msgspec.structs.replace(DESK, templates=tmp_path / "own")
    with (
        pytest.raises(ConfigurationError, match="nothing"),
        prepare_release(answer_by_code(9, 9, 9), FIVE, book) as ready,
    ):
        write_document_set(ready.answer, tmp_path / "out", desk, record=ready.record)
    assert not book.exists()


def test_a_ledger_that_cannot_be_written_leaves_no_document(book: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with prepare_release(answer_by_code(9, 9, 9), FIVE, book) as ready:
        book.mkdir()
        with pytest.raises(OutputError, match="ledger of releases cannot be written"):
            write_document_set(ready.answer, out, DESK, record=ready.record)
    assert documents(out) == []
    assert not (out / ".foidex-new").exists()


@pytest.mark.parametrize("room", [0, 20_000, 10_000_000])
def test_on_a_full_disk_there_is_no_document_without_its_line(room: int, tmp_path: Path) -> None:
    """A process that may write no file longer than so many bytes, over a ledger that is long."""
    book, out = tmp_path / "releases.jsonl", tmp_path / "out"
    publish_release(number(52), FIVE, book)
    before = book.read_bytes()
    ran = subprocess.run(
        [sys.executable, "-c", FULL, str(book), str(out), str(room)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    recorded, given = len(lines(book)) == 2, documents(out) != []
    assert book.read_bytes().startswith(before)
    assert (ran.returncode == 0) == given == recorded, ran.stderr
    assert given == (room == 10_000_000)
    assert ran.returncode in (0, OutputError.exit_code), ran.stderr


#: A release for publication under a limit of room; exits as the program does.
FULL = """
import resource, sys
from pathlib import Path
from indexer.errors import FoidexError
from queries.disclosure.ledger import prepare_release
from queries.documents.document_set import write_document_set
from tests.support.tables import DESK, FIVE, answer_by_code

book, out, room = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
with prepare_release(answer_by_code(9, 9, 9, reference="FOI/2"), FIVE, book) as ready:
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    try:
        write_document_set(ready.answer, out, DESK, record=ready.record)
    except FoidexError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
"""


@pytest.mark.parametrize("written", [0, 7])
def test_a_line_that_the_disk_has_no_room_for_leaves_nothing_of_itself(
    written: int, book: Path
) -> None:
    publish_release(number(52), FIVE, book)
    before = book.read_bytes()
    ran = subprocess.run(
        [sys.executable, "-c", FULL.replace("write_document_set(", "(lambda *_, record: record())("),
         str(book), "", str(len(before) + written)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == OutputError.exit_code
    assert "ledger of releases cannot be written" in ran.stderr
    assert book.read_bytes() == before


def test_a_line_that_was_cut_short_is_told_with_its_remedy(book: Path) -> None:
    publish_release(number(52), FIVE, book)
    book.write_bytes(book.read_bytes() + b'{"reference": "FOI/2"')
    with pytest.raises(
        DisclosureError, match=r"jsonl:2: .*its release was never published: remove"
    ):
        publish_release(number(60), FIVE, book)


def test_a_last_line_without_an_end_stays_a_line_of_its_own(book: Path) -> None:
    """As an editor leaves it, or a copy by hand."""
    publish_release(number(52), FIVE, book)
    book.write_bytes(book.read_bytes().rstrip(b"\n"))
    publish_release(number(60), FIVE, book)
    publish_release(number(70), FIVE, book)
    assert len(lines(book)) == 3
    assert book.read_bytes().count(b"\n") == 3


def test_one_release_is_recorded_at_a_time(book: Path) -> None:
    with (
        FileLock(f"{book}.lock"),
        pytest.raises(DisclosureError, match="another release has been recording"),
        prepare_release(number(52), FIVE, book, lock_seconds=0),
    ):
        pass


@pytest.mark.parametrize(
    ("conditions_of", "words"),
    [
        (("period:2017-04-01/2018-03-31", "offence:22B,88/1"), "offences of 22B, 88/1, recorded from 1 April 2017 to 31 March 2018"),
        (("offence:1,2,3,4,5,6,7,8",), "offences of 1, 2, 3, 4, 5, 6, 7, 8"),
        (("offence:1,2,3,4,5,6,7,8,9,10",), "offences of 1, 2, 3, 4, 5, 6, 7, 8 and 2 more"),
        (("no linked:1,2,3,4,5,6,7,8,9",), "offences not linked to 1, 2, 3, 4, 5, 6, 7, 8 and 1 more"),
        (("period:/2018-03-31",), "offences recorded up to 31 March 2018"),
        (("term:alpha~2f75735f|a%7Cb~1",), 'offences mentioning "a|b" or "alpha"'),
        (("no outcome:5", "victim sex:F"), "offences not with outcome 5, with a victim with sex F"),
        (("category district:%none|A~B",), "offences with district not recorded or A~B"),
        (("period:",), "offences recorded on no day"),
        (("offence group:Theft",), "offences of the group Theft"),
        (("offence code:71",), "offences of 71 itself"),
        ((), "offences of any kind"),
    ],
)  # fmt: skip
def test_a_population_is_said_in_words(conditions_of: tuple[str, ...], words: str) -> None:
    assert make_population("offences", parse_conditions(conditions_of)).words == words


def test_of_many_codes_a_refusal_says_those_that_tell_two_releases_apart(book: Path) -> None:
    """And how many more there are, so that what is given away is in the line, too."""
    publish_release(number(500, MANY), FIVE, book)
    with pytest.raises(DisclosureError) as told:
        publish_release(number(497, MANY[:-1], reference="FOI/2"), FIVE, book)
    (line,) = [one for one in str(told.value).splitlines() if "FOI/1" in one]
    outer, inner = line.split("; ")
    assert f" gives 500 for those of {MANY[-1]}, {MANY[0]}, " in outer
    assert outer.endswith(" and 32 more")
    assert f"this release gives 497 for those of {MANY[0]}, " in inner
    assert " and 31 more. Together they show that 3 are in the first number" in inner


def test_a_refusal_names_both_numbers_with_their_releases_and_what_they_give_away(
    book: Path,
) -> None:
    publish_release(number(30), FIVE, book)
    with pytest.raises(DisclosureError) as told:
        publish_release(number(28, CODES[:-1], reference="FOI/2"), FIVE, book)
    released = format_long_date(datetime.fromisoformat(str(lines(book)[0]["released_at"])))
    assert str(told.value).splitlines() == [
        "somebody who has this release and earlier ones could work out small numbers, so nothing "
        "is published.",
        "  - offences recorded from 1 April 2017 to 31 March 2018: "
        f"FOI/1 of {released} gives 30 for those of 21, 22B, 46; "
        "this release gives 28 for those of 21, 22B. "
        "Together they show that 2 are in the first number and not in the second.",
        "You can:",
        "  - ask for the same periods, offences and words as the earlier release, so that both "
        "give the same numbers;",
        "  - leave out the question or the rows that these numbers come from;",
        "  - publish all the same, if the small numbers may be known: --override REASON. The "
        "published answer states the reason.",
    ]


def test_documents_name_every_code() -> None:
    found = msgspec.structs.replace(number(500, MANY), questions=(offences([], ["22B"]),))
    letter = rendered(render_letter_text, found, DESK.force, DESK.day, None)
    said = " ".join(letter.split())
    assert "more" not in said.partition("under the codes")[2].partition(".")[0]
    assert all(code in said for code in MANY)

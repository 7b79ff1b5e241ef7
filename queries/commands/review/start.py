"""The commands ``review start`` and ``review extend``: draw a sample, and draw more of it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Final

import typer

from indexer.session import get_session
from queries.commands.options import ColumnOption, RequestArgument, load_request
from queries.commands.review.options import (
    NameArgument,
    describe_records,
    find_review,
    make_audit_arguments,
    make_audit_fields,
    open_session_store,
    require_reviewing_user,
    warn_of_single_reviewer,
)
from queries.reviewing.strata_kind import RecordsKind, StrataKind

if TYPE_CHECKING:
    from queries.review.types import DrawnRecord, Review

start_app = typer.Typer()

NumberOption = Annotated[
    str,
    typer.Option(
        metavar="QUESTION:ROW",
        help="Which number: Q2:Snapchat for a row, Q1 for the total of Q1.",
    ),
]


def _check_criterion(text: str) -> str:
    if not text.strip() or not text.isprintable() or len(text) > 1_000:
        raise typer.BadParameter(
            "is blank, has a line break, or is too long. Write one sentence that says when a "
            "record is relevant."
        )
    return text.strip()


CriterionOption = Annotated[
    str | None,
    typer.Option(
        parser=_check_criterion,
        metavar="SENTENCE",
        help='When a record is relevant: "The app was used to make contact." Without it, the '
        "criterion that the request states under review:.",
    ),
]

SampleOption = Annotated[
    int | None,
    typer.Option(min=1, max=100_000, help="How many records to read. Without it, all of them."),
]

LargerSampleOption = Annotated[
    int, typer.Option("--sample", min=1, max=100_000, help="How many records to read in all.")
]

StrataOption = Annotated[
    StrataKind | None,
    typer.Option("--by", help="Draw from each of these by itself, in proportion."),
]


RecordsOption = Annotated[
    RecordsKind | None,
    typer.Option(
        "--of",
        help="Instead of the records that the number counts, those beside it that fit in all but "
        "the words: with wording near them, or without any. It bounds what the words miss.",
    ),
]


def _check_share(text: str) -> str:
    digits = text.strip().removesuffix("%").strip()
    if not digits.isascii() or not digits.isdecimal() or int(digits) > 100:
        raise typer.BadParameter(f'"{text[:20]}" is not a percentage from 0% to 100%, such as 20%.')
    return digits


SecondOption = Annotated[
    str,
    typer.Option(
        "--second",
        parser=_check_share,
        metavar="PERCENT",
        help="The share of the sample that a second person reads too.",
    ),
]


def _check_line(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise typer.BadParameter("is blank, or has a line break. Write it on one line.")
    if len(text) > 200:
        raise typer.BadParameter("has over 200 characters. Write a shorter one.")
    return text.strip()


SeedOption = Annotated[
    str | None,
    typer.Option(
        parser=_check_line,
        metavar="TEXT",
        help="The seed of the draw, if it was agreed beforehand. Without it, one is made.",
    ),
]

ReasonOption = Annotated[
    str,
    typer.Option(parser=_check_line, metavar="SENTENCE", help="Why. It is kept with the review."),
]

ReviewNameOption = Annotated[
    str | None,
    typer.Option(
        "--name",
        parser=_check_line,
        metavar="NAME",
        help="What to call the review. Without it: the reference and the question.",
    ),
]


@start_app.command("start")
def start_review(
    request: RequestArgument,
    number: NumberOption,
    criterion: CriterionOption = None,
    column: ColumnOption = "",
    sample: SampleOption = None,
    by: StrataOption = None,
    records: RecordsOption = None,
    second: SecondOption = "20%",
    seed: SeedOption = None,
    name: ReviewNameOption = None,
) -> None:
    """Begin a review of the records behind a number: all of them, or a random sample.

    Example: foidex review start request.yaml --number Q1 --criterion "It was used" --sample 360

    Example: foidex review start request.yaml --number Q1 --of no-mention --sample 300
    """
    from queries.answering.audit_fields import request_fields
    from queries.request.criteria import choose_criterion
    from queries.review.types import ReviewedRecords
    from queries.reviewing.prepare import ReviewOptions, prepare_review

    user = require_reviewing_user()
    with open_session_store(create=True) as store, get_session().run("review start") as run:
        parsed_request = load_request(request)
        options = ReviewOptions(
            number=number,
            column=column,
            criterion=choose_criterion(parsed_request.review, number, column, criterion),
            sample=sample,
            by=by,
            records=(
                ReviewedRecords(_RECORD_KINDS[records]) if records else ReviewedRecords.MENTIONS
            ),
            second_share=Fraction(int(second.removesuffix("%")), 100),
            seed=seed,
            name=name,
        )
        arguments = {"row": number, "column": column}
        run.add_fields(**request_fields(parsed_request), arguments=arguments)
        with get_session().client() as client:
            alias = get_session().settings.index.alias
            stored, drawn = prepare_review(client, alias, parsed_request, options, user)
        run.write(generation=stored.review.generation, records=len(drawn))
        store.create(stored, drawn)
    _print_sample(stored.review, drawn)


@start_app.command("end-second-readings")
def end_second_readings(reason: ReasonOption, name: NameArgument = None) -> None:
    """Have no further second reading made, if nobody is there to make it. This is for good.

    What was read twice stays; the answer says how many records were to be read twice and were not.

    Example: foidex review end-second-readings FOI2018-03922-Q1 --reason "There is one reader only."
    """
    user = require_reviewing_user()
    with open_session_store() as store, get_session().run("review end-second-readings") as run:
        stored = find_review(store, name)
        run.add_fields(**make_audit_fields(stored), arguments=make_audit_arguments(stored))
        run.write()
        missing = store.end_second_readings(stored.review.name, user, reason)
    records = "record is" if missing == 1 else "records are"
    print(f"{missing:,} {records} not read a second time, and the answer will say so.")
    print(f"See what is left: foidex review status {shlex.quote(stored.review.name)}")


@start_app.command("extend")
def extend_review(sample: LargerSampleOption, name: NameArgument = None) -> None:
    """Read more records than the sample had. What was read stays part of it.

    Example: foidex review extend FOI2018-03922-Q1 --sample 500
    """
    from queries.reviewing.start import extend_strata

    user = require_reviewing_user()
    with open_session_store() as store, get_session().run("review extend") as run:
        stored = find_review(store, name)
        run.add_fields(
            **make_audit_fields(stored),
            arguments={**make_audit_arguments(stored), "sample": sample},
        )
        strata = extend_strata(stored.review.strata, sample)
        run.write()
        state = store.extend(stored.review.name, strata, user)
        population = store.list_population(stored.review.name)
    _print_sample(state.review, population)


_RECORD_KINDS: Final = {
    RecordsKind.NEAR_MISSES: "near misses",
    RecordsKind.NO_MENTION: "without a mention",
}


def _print_sample(review: Review, population: Sequence[DrawnRecord]) -> None:
    """What is to be read, and how to begin."""
    from queries.reviewing.start import count_second_readings, warn_of_small_counts

    sample = sum(stratum.sample for stratum in review.strata)
    seconds = count_second_readings(population, review.strata)
    number = f"{review.number} {review.column}".rstrip()
    print(f"Review {review.name} of {describe_records(review, number)}.")
    total = sum(stratum.population for stratum in review.strata)
    print(f"{sample:,} of {total:,} records are to be read, {seconds:,} of them twice.")
    if review.by:
        for stratum in review.strata:
            print(f"  {stratum.name}: {stratum.sample:,} of {stratum.population:,}")
    print(f"Seed: {review.seed}")
    print(f"Criterion: {review.criterion}")
    warning = warn_of_small_counts(get_session().settings.disclosure.minimum_group)
    if warning and sample < total:
        print(warning)
    print(f"\nRead them: foidex review next {shlex.quote(review.name)}")
    if seconds:
        warn_of_single_reviewer()

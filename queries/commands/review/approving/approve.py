"""The commands ``review approve`` and ``review approvals``: texts for release, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from indexer.commands.shared import print_json
from indexer.session import get_session
from queries.commands.options import (
    ReportFormat,
    ReportFormatOption,
    RequestArgument,
    load_request,
)
from queries.commands.review.options import open_session_store, require_reviewing_user

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.audit.log import AuditRun
    from queries.answering.texts.release_texts import ReleaseTexts
    from queries.request.reader import Request

approving_app = typer.Typer()

QuestionNamesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--question",
        metavar="ID",
        help="Only the texts of this list. Repeatable; without it, those of every list.",
    ),
]

AgainOption = Annotated[
    bool, typer.Option("--again", help="Show texts that are decided already, too.")
]


@approving_app.command("approve")
def approve_texts(
    request: RequestArgument,
    question: QuestionNamesOption = None,
    include_decided: AgainOption = False,
) -> None:
    """Read each text that a list would show, masked, and decide: a approve, r refuse, h hide more
    words, b back, q quit.

    One key is a decision. Without a terminal, each line of the input is one.

    Example: foidex review approve request.yaml --question Q1
    """
    from queries.commands.review.approving.loop import (
        ApprovalLoop,
        ApprovalOptions,
        describe_state,
    )
    from queries.commands.review.screen import Screen
    from queries.reviewing.approvals import ApprovalKey

    user = require_reviewing_user()
    with open_session_store(create=True) as store:
        with get_session().run("review approve") as run:
            parsed_request, releases = _read_releases(run, request, question)
        screen = Screen(mask=True)
        for name, release in releases.items():
            key = ApprovalKey(get_session().settings.index.alias, parsed_request.reference, name)
            loop = ApprovalLoop(
                store.approvals,
                parsed_request,
                release,
                screen,
                ApprovalOptions(user, key, include_decided),
            )
            has_ended = loop.run()
            screen.say(f"\n{describe_state(key, loop.read_state())}")
            if not has_ended:
                break


@approving_app.command("approvals")
def show_approvals(
    request: RequestArgument,
    question: QuestionNamesOption = None,
    form: ReportFormatOption = ReportFormat.TEXT,
) -> None:
    """Show how many texts of a list are approved, refused and open; as JSON, each decision.

    Example: foidex review approvals request.yaml
    """
    from queries.commands.review.approving.loop import describe_state
    from queries.reviewing.approvals import ApprovalKey, choose_holding

    reports = []
    with open_session_store(create=True) as store, get_session().run("review approvals") as run:
        parsed_request, releases = _read_releases(run, request, question)
        for name, release in releases.items():
            key = ApprovalKey(get_session().settings.index.alias, parsed_request.reference, name)
            state = choose_holding(release.texts, store.approvals.read_last(key))
            if form is ReportFormat.TEXT:
                print(describe_state(key, state))
            reports.append(
                {
                    "question": name,
                    "texts": len(state.texts),
                    "approved": state.approved,
                    "refused": state.refused,
                    "open": [text.reference for text in state.list_open()],
                    "decisions": [
                        _format_decision(decision) for decision in state.decisions.values()
                    ],
                }
            )
    if form is ReportFormat.JSON:
        print_json(reports)


def _format_decision(decision: Any) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(decision)
    del values["number"]
    return values


def _read_releases(
    run: AuditRun, path: Path, names: list[str] | None
) -> tuple[Request, dict[str, ReleaseTexts]]:
    """The request, and the texts of its lists by their ids; the run's line is written."""
    from queries.answering.audit_fields import request_fields
    from queries.answering.texts.release_texts import (
        find_least_records,
        list_text_questions,
        read_release_texts,
    )

    settings = get_session().settings
    request = load_request(path)
    questions = list_text_questions(request, tuple(names or ()))
    run.add_fields(
        **request_fields(request),
        arguments={"questions": [question.id for question in questions]},
    )
    min_records = find_least_records(settings, request)
    with get_session().client() as client:
        releases = {
            question.id: read_release_texts(
                client, settings.index.alias, request, question, min_records
            )
            for question in questions
        }
    run.write(
        generation=next(iter(releases.values())).generation,
        records=sum(len(release.texts) for release in releases.values()),
    )
    return request, releases

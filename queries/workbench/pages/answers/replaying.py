"""The page that replays an old answer: whether it would be the same today, and what differs."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from msgspec import Struct
from starlette.responses import Response

from indexer.session import Session
from queries.replay.logged_replay import replay_logged_answer
from queries.replay.text import ReplayPart, list_replay_parts
from queries.workbench.error_text import adapt_advice
from queries.workbench.files.counted_answers import (
    CountedAnswer,
    find_counted_answer,
    list_counted_answers,
)
from queries.workbench.tasks import Task
from queries.workbench.visit import Visit, redirect


class ReplayResult(Struct, frozen=True):
    """What a replay found: a heading, and its parts in order."""

    heading: str
    parts: tuple[ReplayPart, ...]


class ShownAnswer(Struct, frozen=True):
    """An answer that can be replayed, and the replay that was last asked for."""

    counted: CountedAnswer
    task: Task | None


def show_replays(visit: Visit) -> Response:
    """The answers of a request that can be replayed, and what their replays found."""
    file = visit.open_file()
    answers = [
        ShownAnswer(counted, visit.workbench.tasks.find(_name_task(file.name, counted)))
        for counted in list_counted_answers(visit.workbench.requests, file.name)
    ]
    return visit.render("replay.html", file=file, answers=answers)


def start_replay(visit: Visit) -> Response:
    """Replay an answer, as ``foidex replay`` does."""
    file = visit.open_file()
    name = visit.form.get("answer", "")
    counted = find_counted_answer(visit.workbench.requests, file.name, name)
    work = partial(_replay_answer, visit.session, counted.path)
    visit.workbench.tasks.start(_name_task(file.name, counted), visit.person.name, work)
    return redirect(f"/requests/{file.name}/replay")


def _name_task(file_name: str, counted: CountedAnswer) -> str:
    return f"replay {file_name} {counted.name}"


def _replay_answer(session: Session, path: Path) -> ReplayResult:
    with replay_logged_answer(session, path) as replay:
        heading = (
            str(replay.error)
            if replay.error
            else f"{replay.reference}: the numbers would be the same today."
        )
        return ReplayResult(heading, tuple(map(_adapt_part, list_replay_parts(replay))))


def _adapt_part(part: ReplayPart) -> ReplayPart:
    return adapt_advice(part) if isinstance(part, str) else part

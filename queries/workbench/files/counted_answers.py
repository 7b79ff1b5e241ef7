"""The answers of a request as they were counted, with every number, each to be replayed later.

What was counted to be published is kept for good, beside the newest of your own: the documents of a
later count take the place of those before, and a published answer has numbers withheld.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, cast

from msgspec import Struct

from indexer.errors import OutputError, UnreadableError
from indexer.files import DOCUMENT_PERMISSIONS, PRIVATE, Folder, open_folder
from queries.answer.types import Answer, format_json
from queries.workbench.files.answer_sets import AnswerKind, find_answer_folder, find_answer_set
from queries.workbench.files.request_files import MissingError, RequestFolder

#: How many of your own answers are kept for each request.
KEPT_ANSWERS: Final = 20

_COUNTED: Final = "counted"

_TIME: Final = "%Y%m%dT%H%M%S%fZ"

_NAME: Final = re.compile(r"(?P<time>[0-9]{8}T[0-9]{12}Z)\.(?P<kind>answer|published)\.json")

#: The name of the answer of the own documents, where it was not kept for itself.
_OF_DOCUMENTS: Final = "documents"


class CountedAnswer(Struct, frozen=True):
    """An answer that can be replayed: its name in addresses, why and when it was counted."""

    name: str
    kind: AnswerKind
    run_at: datetime
    path: Path


def make_keeper(
    requests: RequestFolder, file_name: str, kind: AnswerKind
) -> Callable[[Answer], None]:
    """What keeps an answer of a request file. It raises OutputError, and UnreadableError if
    the folder of requests is gone."""
    folder_path = find_answer_folder(requests, file_name, kind).parent / _COUNTED

    def keep_answer(answer: Answer) -> None:
        requests.require_there()
        _keep_answer(folder_path, kind, answer)

    return keep_answer


def _keep_answer(folder_path: Path, kind: AnswerKind, answer: Answer) -> None:
    run_at = answer.provenance.run_at.astimezone(UTC)
    name = f"{run_at.strftime(_TIME)}.{kind}.json"
    try:
        with open_folder(folder_path, create=DOCUMENT_PERMISSIONS) as folder:
            folder.write_file(name, format_json(answer).encode() + b"\n", PRIVATE)
            # What a clock that was ahead has dated must not take the place of this one.
            others = [
                candidate.name
                for candidate in _list_answers(folder)
                if candidate.kind == "answer" and candidate.name != name
            ]
            for old in others[: 1 - KEPT_ANSWERS]:
                folder.remove_file(old)
    except OSError as error:
        raise OutputError(
            f"{folder_path}: cannot be written ({error.strerror}), so no answer is given."
        ) from None


def list_counted_answers(requests: RequestFolder, file_name: str) -> list[CountedAnswer]:
    """The answers of a request file that can be replayed, newest first. Raises UnreadableError."""
    folder_path = find_answer_folder(requests, file_name, "answer").parent / _COUNTED
    try:
        with open_folder(folder_path) as folder:
            answers = _list_answers(folder)
    except FileNotFoundError:
        answers = []
    except OSError as error:
        raise UnreadableError(f"{folder_path}: cannot be read ({error.strerror}).") from None
    if (documents := _find_documents(requests, file_name)) and all(
        (answer.kind, answer.run_at) != (documents.kind, documents.run_at) for answer in answers
    ):
        answers.append(documents)
    # Times are whole seconds: what was counted to be published was counted after your own.
    return sorted(answers, key=lambda answer: (answer.run_at, answer.kind), reverse=True)


def find_counted_answer(requests: RequestFolder, file_name: str, name: str) -> CountedAnswer:
    """An answer of a request file by its name. Raises MissingError, and as for the list."""
    for answer in list_counted_answers(requests, file_name):
        if answer.name == name:
            return answer
    raise MissingError("There is no such answer.")


def _list_answers(folder: Folder) -> list[CountedAnswer]:
    """The answers in a folder, the oldest first; what else somebody put there is left alone."""
    answers = (_parse_name(folder.path, name) for name in folder.list_names())
    return [answer for answer in answers if answer is not None]


def _parse_name(folder_path: Path, name: str) -> CountedAnswer | None:
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    try:
        run_at = datetime.strptime(match["time"], _TIME).replace(tzinfo=UTC)
    except ValueError:  # no such day
        return None
    return CountedAnswer(name, cast("AnswerKind", match["kind"]), run_at, folder_path / name)


def _find_documents(requests: RequestFolder, file_name: str) -> CountedAnswer | None:
    """The answer of the own documents, which the command line or an earlier version wrote."""
    answer_set = find_answer_set(requests, file_name, "answer")
    if answer_set is None:
        return None
    path = answer_set.folder / answer_set.answer_name
    return CountedAnswer(_OF_DOCUMENTS, "answer", answer_set.run_at, path)

"""The letters before and after the answer: what they need, and the letters themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct
from starlette.responses import Response

from indexer.errors import FoidexError, RequestError
from queries.documents.content.context import make_document_settings
from queries.documents.content.letter.notices import (
    NOTICE_KINDS,
    NoticeKind,
    find_notice_obstacle,
    list_missing_keys,
)
from queries.documents.notice_files import NOTICE_ENDINGS, name_notice_file, render_notice
from queries.layout.prose import join_list
from queries.request.reader import Request
from queries.spec.yaml_text import parse_yaml
from queries.workbench.error_text import describe_error
from queries.workbench.files.answer_sets import find_answer_set
from queries.workbench.files.request_files import EditConflictError, MissingError, RequestFile
from queries.workbench.forms.file_text import change_text
from queries.workbench.pages.answers.documents import send_file
from queries.workbench.pages.requests.notice_form import (
    KIND_WORDS,
    NEEDED_FIELDS,
    REVIEW_OUTCOMES,
    change_letter,
    fill_notice_fields,
    find_problems,
    show_notice_fields,
)
from queries.workbench.saving import save_file
from queries.workbench.visit import Visit, redirect

_CONFLICT: Final = (
    "Someone else saved this request since you opened it. What you typed is below and not saved: "
    "look at their request, then save again."
)


class ShownLetter(Struct, frozen=True):
    """A kind of letter: what it is called and says, and what keeps it from being written, if so."""

    kind: NoticeKind
    title: str
    words: str
    problem: str = ""

    @property
    def comes_after(self) -> bool:
        """Whether it comes after the answer to the request."""
        return self.kind == "review"


class NoticeFormOutcome(Struct, frozen=True):
    """What came of the form: what was typed, and why it was not saved, by field or in all."""

    values: Mapping[str, str] | None = None
    problem: str = ""
    status: int = 200
    problems: Mapping[str, str] = {}


_OPENED: Final = NoticeFormOutcome()


def show_other_letters(visit: Visit) -> Response:
    """Each letter with its files, or what it still needs, and the fields for that."""
    file = visit.open_file()
    try:
        visit.read_request(file.name)
    except RequestError:
        return redirect(f"/requests/{file.name}")  # it says what is wrong
    return _render(visit, file, _OPENED)


def save_other_letters(visit: Visit) -> Response:
    """Write the fields into the request. What is wrong is said, and then nothing is saved."""
    file = visit.open_file()
    letter = _read_letter(file)
    values = fill_notice_fields(show_notice_fields(letter), visit.form)
    if problems := find_problems(values):
        return _render(visit, file, NoticeFormOutcome(values, status=422, problems=problems))
    try:
        text = change_text(file.text, {"letter": change_letter(letter, values)}, {})
        request = visit.parse_request(text, file.name)
        save_file(visit, file.name, text, visit.form.get("version", ""), request.reference)
    except MissingError:
        raise
    except EditConflictError as error:
        return _render(visit, error.current, NoticeFormOutcome(values, _CONFLICT, 409))
    except FoidexError as error:
        return _render(visit, file, NoticeFormOutcome(values, describe_error(error), 422))
    return redirect(f"/requests/{file.name}/letters")


def send_other_letter(visit: Visit) -> Response:
    """A letter of a kind in a format; the text is shown, and every other format is saved."""
    kind, ending = visit.parameters["kind"], visit.parameters["format"]
    if kind not in NOTICE_KINDS or ending not in NOTICE_ENDINGS:
        raise MissingError("There is no such letter.")
    file = visit.open_file()
    request = visit.parse_request(file.text, file.name)
    settings = make_document_settings(visit.session.settings)
    content = render_notice(request, kind, settings, ending)
    return send_file(name_notice_file(request.reference, kind, ending), content)


def _render(visit: Visit, file: RequestFile, outcome: NoticeFormOutcome) -> Response:
    answer_set = find_answer_set(visit.workbench.requests, file.name, "published")
    letters = _list_letters(visit.read_request(file.name))
    if answer_set:
        letters.sort(key=lambda letter: not letter.comes_after)
    return visit.render(
        "other_letters.html",
        outcome.status,
        file=file,
        answered_on=answer_set.manifest.run_at if answer_set else "",
        letters=letters,
        formats={"txt": "read it", "docx": "Word", "pdf": "PDF", "html": "HTML"},
        values=outcome.values or show_notice_fields(_read_letter(file)),
        problem=outcome.problem,
        problems=outcome.problems,
        outcomes=REVIEW_OUTCOMES,
    )


def _list_letters(request: Request) -> list[ShownLetter]:
    letters = []
    for kind in NOTICE_KINDS:
        missing = [NEEDED_FIELDS[key] for key in list_missing_keys(request, kind)]
        problem = f"To write it, fill in {join_list(missing)} below." if missing else ""
        obstacle = find_notice_obstacle(request, kind)
        letters.append(ShownLetter(kind, *KIND_WORDS[kind], obstacle or problem))
    return letters


def _read_letter(file: RequestFile) -> Mapping[str, Any]:
    written = parse_yaml(file.text, file.name).value
    letter = written.get("letter") if isinstance(written, dict) else None
    return letter if isinstance(letter, dict) else {}

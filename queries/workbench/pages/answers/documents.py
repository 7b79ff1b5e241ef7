"""The documents of an answer, sent as files."""

from __future__ import annotations

import mimetypes
from typing import Final, cast

from starlette.responses import Response

from queries.workbench.audit_lines import log_refused_role
from queries.workbench.files.answer_sets import (
    AnswerKind,
    find_answer_folder,
    find_answer_set,
    read_document,
)
from queries.workbench.visit import Visit, redirect

#: The address of a document.
DOCUMENT_PATH: Final = "/requests/{file}/documents/{kind}/{document:path}"

_OFFICE: Final = "application/vnd.openxmlformats-officedocument"

#: What files are, by their ending, where Python alone does not know it.
_MEDIA_TYPES: Final = {
    "docx": f"{_OFFICE}.wordprocessingml.document",
    "xlsx": f"{_OFFICE}.spreadsheetml.sheet",
}

#: The ending of files that a browser shows; every other one is saved.
_SHOWN: Final = "txt"


def send_document(visit: Visit) -> Response:
    """A document of an answer."""
    kind = visit.parameters["kind"]
    if kind == "answer" and (refusal := visit.refuse("reviewer")):  # before it is looked up
        visit.workbench.metrics.count_refused_role()
        log_refused_role(visit.session, DOCUMENT_PATH, "reviewer")
        return refusal
    file = visit.open_file()
    find_answer_folder(visit.workbench.requests, file.name, kind)
    answer_set = find_answer_set(visit.workbench.requests, file.name, cast("AnswerKind", kind))
    name = visit.parameters["document"]
    if answer_set is None:
        return redirect(f"/requests/{file.name}")
    return send_file(name.rpartition("/")[2], read_document(answer_set, name))


def send_file(name: str, content: bytes) -> Response:
    """A file to save, or a text to read. A page of it is never shown as one of ours."""
    ending = name.rpartition(".")[2]
    media_type = _MEDIA_TYPES.get(ending) or mimetypes.guess_type(name)[0]
    disposition = "inline" if ending == _SHOWN else "attachment"
    return Response(
        content,
        media_type=media_type or "application/octet-stream",
        headers={"Content-Disposition": f'{disposition}; filename="{name}"'},
    )

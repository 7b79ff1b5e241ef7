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

#: Documents that a browser shows; every other one is saved.
_SHOWN: Final = {".txt": "text/plain; charset=utf-8"}


def send_document(visit: Visit) -> Response:
    """A document to save. A page of it is never shown as one of ours."""
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
    content = read_document(answer_set, name)
    ending = "." + name.rpartition(".")[2]
    shown = _SHOWN.get(ending)
    media_type = shown or mimetypes.guess_type(name)[0] or "application/octet-stream"
    disposition = "inline" if shown else "attachment"
    file_name = name.rpartition("/")[2]
    return Response(
        content,
        media_type=media_type,
        headers={"Content-Disposition": f'{disposition}; filename="{file_name}"'},
    )

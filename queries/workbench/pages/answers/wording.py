"""The page of the wording check: what it found, and near misses that are to be counted."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from msgspec import Struct
from starlette.responses import Response

from indexer.session import Session
from queries.answering.audit_fields import request_fields
from queries.lint.check import check_wording
from queries.lint.findings import (
    NearMiss,
    TermCheck,
    format_offence_changes,
    format_wording_check,
)
from queries.request.reader import Request
from queries.spec.term_book import load_configured_term_book
from queries.spec.yaml_text import parse_yaml
from queries.workbench.files.request_files import EditConflictError
from queries.workbench.forms.file_text import change_text
from queries.workbench.forms.near_misses import add_names
from queries.workbench.forms.value_lines import write_term_line
from queries.workbench.saving import save_file
from queries.workbench.visit import Visit, redirect


class WordingResult(Struct, frozen=True):
    """What the check of a version of a request found: in lines, and term by term."""

    version: str
    lines: tuple[str, ...]
    terms: tuple[TermCheck, ...]

    def list_near_misses(self) -> Iterator[tuple[str, TermCheck, NearMiss]]:
        """Each near miss, with the name of its box and its term. A term that another requires has
        no other names, so its near misses have no box."""
        for number, term in enumerate(self.terms):
            if term.required is not None:
                continue
            for position, near_miss in enumerate(term.near_misses):
                yield f"count-{number}-{position}", term, near_miss


def show_wording(visit: Visit) -> Response:
    """What the wording check found, or that it runs."""
    file = visit.open_file()
    task = visit.workbench.tasks.find(f"wording {file.name}")
    result = task.result if task else None
    return visit.render(
        "wording.html",
        file=file,
        task=task,
        result=result,
        near_misses=[*result.list_near_misses()] if result else [],
        is_changed=result is not None and result.version != file.version,
    )


def check_wording_again(visit: Visit) -> Response:
    """Start the wording check; before it, write the ticked near misses into the request."""
    file = visit.open_file()
    if visit.form.get("do") == "count" and (refusal := _count_near_misses(visit, file.name)):
        return refusal
    start_wording_check(visit, file.name)
    return redirect(f"/requests/{file.name}/wording")


def start_wording_check(visit: Visit, name: str) -> None:
    """Check the wording of a request file in the background. Raises RequestError."""
    file = visit.workbench.requests.read(name)
    request = visit.parse_request(file.text, name)
    work = partial(_check_wording, visit.session, request, file.version)
    visit.workbench.tasks.start(f"wording {name}", visit.person.name, work)


def _count_near_misses(visit: Visit, name: str) -> Response | None:
    """Add the ticked near misses to their terms; the page that says why not, if it cannot be."""
    task = visit.workbench.tasks.find(f"wording {name}")
    result = task.result if task else None
    file, version = visit.workbench.requests.read(name), visit.form.get("version", "")
    if result is None or result.version != version:
        return _say_changed(visit)
    names: dict[str, list[str]] = {}
    for box, term, near_miss in result.list_near_misses():
        if box in visit.form:
            names.setdefault(term.term, []).append(near_miss.wording)
    added = add_names(parse_yaml(file.text, name).value, names)
    try:
        text = change_text(file.text, added.keys, added.questions)
        save_file(visit, name, text, version, visit.find_reference(name))
    except EditConflictError:
        return _say_changed(visit)
    if not added.missing:
        return None
    return visit.render(
        "message.html",
        422,
        heading="Not all of it could be added",
        message=f"{', '.join(added.missing)}: this word stands outside the request, such as in a "
        "list of the force. Write it into the request by form, with the other names in brackets.",
    )


def _say_changed(visit: Visit) -> Response:
    return visit.render(
        "message.html",
        409,
        heading="Nothing was changed",
        message="The request, or its check, is another one than when you opened the page. Open "
        "the check of its wording again.",
    )


def _check_wording(session: Session, request: Request, version: str) -> WordingResult:
    book = load_configured_term_book(session.settings)
    alias = session.settings.index.alias
    with session.run("lint") as run, session.client() as client:
        run.add_fields(**request_fields(request))
        check = check_wording(client, alias, request, book, contexts=False)
        run.write(generation=check.generation, records=None)
    text = (
        f"{format_offence_changes(request)}\n{format_wording_check(check, write_term_line)}".strip()
    )
    return WordingResult(version, tuple(text.split("\n")), check.terms)

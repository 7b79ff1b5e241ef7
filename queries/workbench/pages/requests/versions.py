"""The earlier versions of a request: listed, shown, and put back by the form that saves a text."""

from __future__ import annotations

from msgspec import Struct
from starlette.responses import Response

from indexer.errors import RequestError
from queries.workbench.audit_lines import LoggedChange, list_request_changes
from queries.workbench.visit import Visit


class ShownVersion(Struct, frozen=True):
    """An earlier version, by its number, and the change that replaced it, if the log has it."""

    number: str
    change: LoggedChange | None


def show_versions(visit: Visit) -> Response:
    """The earlier versions that are kept, the newest first."""
    file = visit.open_file()
    requests = visit.workbench.requests
    changes = list_request_changes(visit.session, file.name)
    versions = []
    for name in requests.list_versions(file.name):
        number = _find_number(name)
        try:
            text_hash = requests.read_version(file.name, number).version
        except RequestError:  # damaged, or it is not kept any more by now
            text_hash = ""
        replacing = changes.get(text_hash)
        versions.append(ShownVersion(number, replacing.pop() if replacing else None))
    return visit.render("versions.html", file=file, versions=versions)


def show_version(visit: Visit) -> Response:
    """The text of an earlier version. Raises MissingError where it is not kept."""
    file = visit.open_file()
    number = visit.parameters["version"]
    earlier = visit.workbench.requests.read_version(file.name, number)
    return visit.render("version.html", file=file, number=number, text=earlier.text)


def _find_number(version: str) -> str:
    return version.rpartition(".")[2]

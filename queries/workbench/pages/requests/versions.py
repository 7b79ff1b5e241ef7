"""The earlier versions of a request: listed, shown, and put back by the form that saves a text."""

from __future__ import annotations

from starlette.responses import Response

from queries.workbench.visit import Visit


def show_versions(visit: Visit) -> Response:
    """The earlier versions that are kept, the newest first."""
    file = visit.open_file()
    versions = visit.workbench.requests.list_versions(file.name)
    return visit.render("versions.html", file=file, numbers=map(_find_number, versions))


def show_version(visit: Visit) -> Response:
    """The text of an earlier version. Raises MissingError where it is not kept."""
    file = visit.open_file()
    number = visit.parameters["version"]
    earlier = visit.workbench.requests.read_version(file.name, number)
    return visit.render("version.html", file=file, number=number, text=earlier.text)


def _find_number(version: str) -> str:
    return version.rpartition(".")[2]

"""The templates: a force's own first, ours after; they cannot run code, and know no unknown names.

Four environments, one for each way to write text safely: plain, HTML, Typst and Word's XML.
"""

from __future__ import annotations

import difflib
import shutil
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from jinja2.sandbox import SandboxedEnvironment
from jinja2.utils import missing

from indexer import resources
from indexer.errors import ConfigurationError, OutputError
from queries.render import phrases, text, typst
from queries.scope import in_words


class Form(Enum):
    """How text is written so that it stays text."""

    TEXT = "text"
    MARKUP = "markup"  # HTML, and the XML of a Word file
    TYPST = "typst"


class _Unknown(jinja2.StrictUndefined):
    """A name that is not there. It says which there are."""

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:  # the sandbox refuses it
            return f"{self._undefined_hint}"
        name = str(self._undefined_name)
        if self._undefined_obj is missing:
            return f'there is no "{name}".'
        known = _members(self._undefined_obj)
        near = difflib.get_close_matches(name, known, n=1)
        hint = f' Did you mean "{near[0]}"?' if near else ""
        return f'there is no "{name}" here.{hint} There are {", ".join(known) or "no names"}.'


def _members(owner: Any) -> list[str]:
    if isinstance(owner, Mapping):
        return sorted(map(str, owner))
    return [name for name in dir(owner) if not name.startswith("_")]


def folders(own: Path | None) -> list[Path]:
    """Where templates are looked for. Raises ConfigurationError."""
    return [*([own] if own else []), resources.folder("templates")]


def find(name: str, own: Path | None) -> Path:
    """The file of a template. Raises ConfigurationError."""
    for folder in folders(own):
        if (folder / name).is_file():
            return folder / name
    raise ConfigurationError(f"the template {name} is missing. Install foidex again.")


def copy(folder: Path, *, force: bool = False) -> list[Path]:
    """Copy the templates that ship with foidex into a folder, and list the copies.

    Raises OutputError; without ``force`` also where one would replace a file.
    """
    source = resources.folder("templates")
    files = sorted(path.relative_to(source) for path in source.rglob("*") if path.is_file())
    there = [str(file) for file in files if (folder / file).exists()]
    if there and not force:
        raise OutputError(
            f"{folder}: already has {', '.join(there[:3])}{' and more' if len(there) > 3 else ''}. "
            "Name another folder, or replace them with --force."
        )
    try:
        for file in files:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / file, folder / file)
    except OSError as error:
        raise OutputError(
            f"{error.filename or folder}: cannot be written ({error.strerror}). "
            "Name another folder."
        ) from None
    return [folder / file for file in files]


def environment(form: Form, own: Path | None = None) -> SandboxedEnvironment:
    """The environment of a form. Raises ConfigurationError."""
    return _environment(form, tuple(folders(own)))


@cache
def _environment(form: Form, searched: tuple[Path, ...]) -> SandboxedEnvironment:
    made = SandboxedEnvironment(
        loader=jinja2.FileSystemLoader(searched),
        undefined=_Unknown,
        autoescape=form is Form.MARKUP,
        finalize=typst.literal if form is Form.TYPST else None,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {
        "number": phrases.number,
        "words": phrases.words,
        "counted": phrases.counted,
        "day": in_words,
        "moment": phrases.moment,
        "sentence": phrases.sentence,
        "listed": phrases.listed,
        "wrapped": text.wrapped,
        "text_table": text.text_table,
        "code": typst.code,
        "quoted": typst.quoted,
    }
    return made


def render(name: str, form: Form, own: Path | None, names: Mapping[str, Any]) -> str:
    """Print a template. Raises ConfigurationError for one that is wrong: file, line, names."""
    with explained(name, names):
        return environment(form, own).get_template(name).render(names)


@contextmanager
def explained(name: str, names: Mapping[str, Any]) -> Iterator[None]:
    """Say what is wrong with a template. Raises ConfigurationError."""
    try:
        yield
    except jinja2.TemplateSyntaxError as error:
        where = f"{error.filename or name}:{error.lineno}"
        raise ConfigurationError(f"{where}: {error.message}. Correct the template.") from None
    except jinja2.TemplateNotFound as error:
        raise ConfigurationError(
            f"{_where(error) or name}: there is no template {error.name}. Correct the name."
        ) from None
    except Exception as error:
        place = _where(error)
        if place is None and not isinstance(error, jinja2.TemplateError):
            raise  # not in a template
        raise ConfigurationError(f"{place or name}: {told(error, names)}") from None


def told(error: Exception, names: Mapping[str, Any]) -> str:
    """What went wrong in a template, with the names it may use."""
    message = str(error) or type(error).__name__
    ended = message if message.endswith(".") else f"{message}."
    return f"{ended} Correct the template; its names are {', '.join(sorted(names))}."


def _where(error: Exception) -> str | None:
    """File and line of the innermost template the error came through."""
    frames = traceback.extract_tb(error.__traceback__)
    found = [frame for frame in frames if frame.filename.endswith(".j2")]
    return f"{found[-1].filename}:{found[-1].lineno}" if found else None

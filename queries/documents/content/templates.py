"""The templates, a force's own before ours. They run no code, and end; an unknown name is an error.

Four environments, one for each way to write text safely: plain, HTML, Typst and Word's XML.
"""

from __future__ import annotations

import calendar
import re
import stat
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import jinja2
from jinja2.loaders import split_template_path
from jinja2.utils import missing
from markupsafe import Markup

from indexer.errors import ConfigurationError, OutputError
from indexer.files import PUBLIC, open_folder, read_file
from indexer.resources import find_data_folder
from indexer.suggestions import suggest_name
from queries.documents.content.render_limits import LimitedEnvironment
from queries.documents.content.typst_escape import (
    escape_typst_text,
    format_typst_number,
    quote_typst_string,
)
from queries.layout.prose import (
    capitalise_sentence,
    format_count,
    format_number,
    format_timestamp,
    join_list,
    spell_number,
)
from queries.layout.text_table import format_text_table, wrap_paragraph
from queries.tables.period import format_long_date

# The folder of the workbench's pages, which are no documents of a force.
_PAGES: Final = "workbench"


_DAY_AND_MONTH: Final = re.compile(rf"\b(\d{{1,2}}) ({'|'.join(calendar.month_name[1:])})\b")


class EscapeMode(Enum):
    """How text is escaped, so that it stays text."""

    TEXT = "text"
    MARKUP = "markup"  # HTML, and the XML of a Word file
    TYPST = "typst"


class _UndefinedName(jinja2.StrictUndefined):
    """An unknown name; its message lists the known ones."""

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:  # the sandbox refuses it
            return f"{self._undefined_hint}"
        name = str(self._undefined_name)
        if self._undefined_obj is missing:
            return f'there is no "{name}".'
        members = _list_members(self._undefined_obj)
        hint = suggest_name(name, members)
        return f'there is no "{name}" here.{hint} There are {", ".join(members) or "no names"}.'


def _list_members(owner: Any) -> list[str]:
    if isinstance(owner, Mapping):
        return sorted(map(str, owner))
    return [name for name in dir(owner) if not name.startswith("_")]


def list_template_folders(template_folder: Path | None) -> list[Path]:
    """Where templates are looked for. Raises ConfigurationError."""
    return [*([template_folder] if template_folder else []), find_data_folder("templates")]


def find_template(name: str, template_folder: Path | None) -> Path:
    """The file of a template. Raises ConfigurationError."""
    for folder in list_template_folders(template_folder):
        if has_template(folder, name):
            return folder / name
    raise ConfigurationError(f"the template {name} is missing. Install foidex again.")


def has_template(folder: Path, name: str) -> bool:
    """Whether a folder has a template of a name.

    Raises ConfigurationError for one that is there and cannot be read, such as a link to a disk
    that is not mounted: with ours in its place the letter would have other words.
    """
    file = Path(name)
    for part in (*reversed(file.parents), file):
        path = folder / part
        try:
            path.lstat()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _explain_unreadable(path, str(error.strerror)) from None
        try:
            mode = path.stat().st_mode
        except OSError as error:
            raise _explain_unreadable(path, str(error.strerror)) from None
        if not (stat.S_ISREG(mode) if part == file else stat.S_ISDIR(mode)):
            kind = "an ordinary file" if part == file else "a folder"
            raise _explain_unreadable(path, f"it is not {kind}")
    return True


def _explain_unreadable(path: Path, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"{path}: cannot be read ({reason}). Put a file of your own in its place, or remove it."
    )


def copy_templates(folder: Path, *, force: bool = False) -> list[Path]:
    """Copy the templates that ship with foidex into a folder, and list the copies.

    Raises OutputError; without ``force``, also if a file would be replaced.
    """
    source = find_data_folder("templates")
    files = sorted(
        path.relative_to(source)
        for path in source.rglob("*")
        if path.is_file() and not path.is_relative_to(source / _PAGES)
    )
    try:
        existing_files = [str(file) for file in files if (folder / file).exists()]
    except OSError as error:
        raise _explain_unwritable(folder, error) from None
    if existing_files and not force:
        raise OutputError(
            f"{folder}: already has {', '.join(existing_files[:3])}"
            f"{' and more' if len(existing_files) > 3 else ''}. "
            "Choose another folder, or replace them with --force."
        )
    try:
        for file in files:
            with open_folder((folder / file).parent, create=PUBLIC) as opened:
                opened.write_file(file.name, (source / file).read_bytes())
    except OSError as error:
        raise _explain_unwritable(folder, error) from None
    return [folder / file for file in files]


def _explain_unwritable(folder: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{error.filename or folder}: cannot be written ({error.strerror}). Choose another folder."
    )


class _TemplateLoader(jinja2.FileSystemLoader):
    """Reads templates, but not through a link that leads to a file of another user."""

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        del environment
        for folder in self.searchpath:
            name = str(Path(*split_template_path(template)))
            path = Path(folder, name)
            if has_template(Path(folder), name):
                is_current = partial(_has_change_time, path, path.stat().st_mtime_ns)
                return _decode_template(path), str(path), is_current
        raise jinja2.TemplateNotFound(template)


def _has_change_time(path: Path, change_time: int) -> bool:
    return path.exists() and path.stat().st_mtime_ns == change_time


def _decode_template(path: Path) -> str:
    content = read_template(path)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(
            f"{path}:{line}: is not UTF-8 text. Save the file as UTF-8."
        ) from None


def read_template(path: Path) -> bytes:
    """The content of a template. Raises ConfigurationError."""
    try:
        return read_file(path)
    except OSError as error:
        raise _explain_unreadable(path, str(error.strerror)) from None


def _keep_days_whole(value: Any) -> Any:
    """A text in which no line ends between a day and its month; anything else as it is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return _DAY_AND_MONTH.sub("\\1\u00a0\\2", value)


_FINALIZERS: Final[Mapping[EscapeMode, Callable[[Any], Any]]] = {
    EscapeMode.MARKUP: _keep_days_whole,
    EscapeMode.TYPST: escape_typst_text,
}


def get_environment(mode: EscapeMode, template_folder: Path | None = None) -> LimitedEnvironment:
    """The environment for an escape mode. Raises ConfigurationError."""
    return _build_environment(mode, tuple(list_template_folders(template_folder)))


@cache
def _build_environment(mode: EscapeMode, search_path: tuple[Path, ...]) -> LimitedEnvironment:
    environment = LimitedEnvironment(
        loader=_TemplateLoader(search_path),
        undefined=_UndefinedName,
        autoescape=mode is EscapeMode.MARKUP,
        finalize=_FINALIZERS.get(mode),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "number": format_number,
        "words": spell_number,
        "counted": format_count,
        "day": format_long_date,
        "moment": format_timestamp,
        "sentence": capitalise_sentence,
        "listed": join_list,
        "wrapped": wrap_paragraph,
        "text_table": format_text_table,
        "code": format_typst_number,
        "quoted": quote_typst_string,
    }
    return environment


def render_template(
    name: str, mode: EscapeMode, template_folder: Path | None, context: Mapping[str, Any]
) -> str:
    """Fill in a template. Raises ConfigurationError with file, line and names if it is wrong."""
    with explain_template_errors(name, context):
        return get_environment(mode, template_folder).get_template(name).render(context)


@contextmanager
def explain_template_errors(name: str, context: Mapping[str, Any]) -> Iterator[None]:
    """Give an error inside a template its location. Raises ConfigurationError."""
    try:
        yield
    except jinja2.TemplateSyntaxError as error:
        location = f"{error.filename or name}:{error.lineno}"
        raise ConfigurationError(f"{location}: {error.message}. Correct the template.") from None
    except jinja2.TemplateNotFound as error:
        raise ConfigurationError(
            f"{_find_template_line(error) or name}: there is no template {error.name}. "
            "Correct the name."
        ) from None
    except (ConfigurationError, OutputError):
        raise  # a template that cannot be read
    except Exception as error:
        template_location = _find_template_line(error)
        in_template = isinstance(error, jinja2.TemplateError | RecursionError | MemoryError)
        if template_location is None and not in_template:
            raise
        raise ConfigurationError(
            f"{template_location or name}: {describe_template_error(error, context)}"
        ) from None


def describe_template_error(error: Exception, context: Mapping[str, Any]) -> str:
    """What went wrong in a template, with the names it may use."""
    message = str(error) or type(error).__name__
    if isinstance(error, RecursionError):
        message = "a macro, a block or an include in it calls itself and does not end, or is nested"
        message += " too deep"
    elif isinstance(error, MemoryError):
        message = "it needs more memory than there is"
    ended = message if message.endswith(".") else f"{message}."
    return f"{ended} Correct the template; its names are {', '.join(sorted(context))}."


def _find_template_line(error: Exception) -> str | None:
    """File and line of the innermost template the error came through."""
    frames = traceback.extract_tb(error.__traceback__)
    template_frames = [frame for frame in frames if frame.filename.endswith(".j2")]
    return (
        f"{template_frames[-1].filename}:{template_frames[-1].lineno}" if template_frames else None
    )

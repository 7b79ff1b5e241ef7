"""The templates: where they lie, and the environment that prints them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import jinja2

from indexer import resources
from indexer.errors import ConfigurationError
from queries.render import phrases, text
from queries.scope import in_words


def environment() -> jinja2.Environment:
    """The environment of the templates that ship with foidex."""
    return _environment(resources.folder("templates"))


@cache
def _environment(folder: Path) -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        autoescape=jinja2.select_autoescape(enabled_extensions=("html.j2",), default=False),
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
    }
    return made


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Say what is wrong with a template. Raises ConfigurationError."""
    try:
        yield
    except jinja2.TemplateSyntaxError as error:
        raise ConfigurationError(
            f"{error.filename}:{error.lineno}: {error.message}. Correct the template."
        ) from None
    except jinja2.TemplateError as error:
        raise ConfigurationError(f"{name}: {error.message}. Correct the template.") from None

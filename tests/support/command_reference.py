"""The parts of docs/command-line.md that are generated from the program.

``python -m tests.support.command_reference`` writes them; a test compares them.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

import typer
from typer.models import ArgumentInfo, OptionInfo

from indexer.errors import list_exit_codes
from queries.command_table import COMMANDS, add_command
from tests.support.paths import ROOT

REFERENCE_PAGE = ROOT / "docs" / "command-line.md"

WIDTH = 120


def render_reference(page: str) -> str:
    """The page with its generated parts written again."""
    for name, text in (
        ("exit codes", render_exit_codes()),
        ("commands", render_commands()),
    ):
        start, end = f"<!-- generated: {name} -->", f"<!-- end generated: {name} -->"
        before, found_start, rest = page.partition(start)
        _, found_end, after = rest.partition(end)
        assert found_start, f"the page has no {start}"
        assert found_end, f"the page has no {end}"
        page = f"{before}{start}\n\n{text}\n{end}{after}"
    return page


def render_exit_codes() -> str:
    """A table of every exit code."""
    rows = [f"| {code} | {meaning} |" for code, meaning in list_exit_codes()]
    return "\n".join(["| code | meaning |", "| --- | --- |", *rows]) + "\n"


def render_commands() -> str:
    """A section for each panel of ``foidex --help``, with a part for each command."""
    lines: list[str] = []
    panel = ""
    for name, command in list_commands():
        if command.panel != panel:
            panel = command.panel
            lines += [f"## {panel}", ""]
        lines += _render_command(name, command)
    return "\n".join(lines)


class DocumentedCommand(NamedTuple):
    """A command as it is declared; a group of commands has no parameters."""

    panel: str
    help: str
    parameters: list[DocumentedParameter]
    is_group: bool = False


class DocumentedParameter(NamedTuple):
    """An argument or option as it is declared: its type, its metadata, and its default."""

    name: str
    kind: Any
    info: ArgumentInfo | OptionInfo
    default: Any

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is inspect.Parameter.empty


def list_commands() -> Iterator[tuple[str, DocumentedCommand]]:
    """Every command that is not hidden, with its full name, in the order of the help text."""
    for name, entry in COMMANDS.items():
        if not entry.hidden:
            program = typer.Typer()
            add_command(program, name)
            yield from _list_commands_of(program, "foidex", entry.panel)


def _list_commands_of(
    program: typer.Typer, prefix: str, panel: str
) -> Iterator[tuple[str, DocumentedCommand]]:
    for info in program.registered_commands:
        assert info.callback
        help_text = inspect.getdoc(info.callback) or ""
        yield (
            f"{prefix} {info.name}",
            DocumentedCommand(panel, help_text, _list_parameters(info.callback)),
        )
    for group in program.registered_groups:
        assert group.typer_instance
        if not isinstance(group.name, str):
            yield from _list_commands_of(group.typer_instance, prefix, panel)
            continue
        name = f"{prefix} {group.name}"
        help_text = str(group.typer_instance.info.help)
        yield name, DocumentedCommand(panel, help_text, [], is_group=True)
        yield from _list_commands_of(group.typer_instance, name, panel)


def _list_parameters(function: Callable[..., Any]) -> list[DocumentedParameter]:
    hints = get_type_hints(function, include_extras=True)
    parameters = []
    for name, parameter in inspect.signature(function).parameters.items():
        kind, info = get_args(hints[name])
        parameters.append(DocumentedParameter(name, kind, info, parameter.default))
    return parameters


def _render_command(name: str, command: DocumentedCommand) -> Iterator[str]:
    paragraphs = command.help.split("\n\n")
    examples = [text for text in paragraphs if text.startswith("Example:")]
    yield from (f"### {name}", "")
    for paragraph in paragraphs:
        if paragraph not in examples:
            yield from (textwrap.fill(" ".join(paragraph.split()), WIDTH), "")
    yield from ("```text", _format_usage(name, command), "```", "")
    if command.parameters:
        yield from ("| argument or option | value | meaning |", "| --- | --- | --- |")
        yield from map(_format_parameter, command.parameters)
        yield ""
    if examples:
        lines = [text.removeprefix("Example:").strip() for text in examples]
        yield from ("```", *lines, "```", "")


def _format_usage(name: str, command: DocumentedCommand) -> str:
    if command.is_group:
        return f"{name} COMMAND"
    parts = [name]
    if any(isinstance(parameter.info, OptionInfo) for parameter in command.parameters):
        parts.append("[OPTIONS]")
    for parameter in command.parameters:
        if isinstance(parameter.info, ArgumentInfo):
            argument = _format_argument(parameter)
            parts.append(argument if parameter.required else f"[{argument}]")
    return " ".join(parts)


def _format_argument(parameter: DocumentedParameter) -> str:
    return f"{parameter.name.upper()}{'...' if _is_list(parameter.kind) else ''}"


def _format_parameter(parameter: DocumentedParameter) -> str:
    if isinstance(parameter.info, ArgumentInfo):
        names = f"`{_format_argument(parameter)}`"
    else:
        names = ", ".join(f"`{name}`" for name in _option_names(parameter))
    meaning = f"{' '.join((parameter.info.help or '').split())}{_format_default(parameter)}"
    return f"| {names} | {_format_value(parameter)} | {meaning} |"


def _option_names(parameter: DocumentedParameter) -> list[str]:
    info = parameter.info
    first = [info.default] if isinstance(info.default, str) else []  # where Typer keeps it
    declared = [*first, *(info.param_decls or ())] or [f"--{parameter.name.replace('_', '-')}"]
    return [name for text in declared for name in text.split("/")]


def _format_value(parameter: DocumentedParameter) -> str:
    kind, info = _inner_type(parameter.kind), parameter.info
    if kind is bool:
        return ""
    if issubclass(kind, Enum):
        return ", ".join(f"`{choice.value}`" for choice in kind)
    default_word = {Path: "PATH", int: "NUMBER", float: "NUMBER"}.get(kind, "TEXT")
    word = f"`{info.metavar or default_word}`"
    if info.min is None:
        return word
    limits = f"at least {info.min:,}" if info.max is None else f"{info.min:,} to {info.max:,}"
    return f"{word}, {limits}"


def _format_default(parameter: DocumentedParameter) -> str:
    if parameter.required:
        return " Required."
    if parameter.kind is bool and len(names := _option_names(parameter)) == 2:
        return f" Default: `{names[0 if parameter.default else 1]}`."
    if parameter.default is None or parameter.default is False or parameter.default == "":
        return ""
    return f" Default: {getattr(parameter.default, 'value', parameter.default)}."


def _inner_type(kind: Any) -> Any:
    """The type of one value: of ``list[str] | None`` it is ``str``."""
    while arguments := [one for one in get_args(kind) if one is not NoneType]:
        kind = arguments[0]
    return kind


def _is_list(kind: Any) -> bool:
    return get_origin(kind) is list or any(get_origin(one) is list for one in get_args(kind))


def write_reference() -> None:
    """Write the generated parts of the page again."""
    page = REFERENCE_PAGE.read_text(encoding="utf-8")
    REFERENCE_PAGE.write_text(render_reference(page), encoding="utf-8")


if __name__ == "__main__":
    write_reference()

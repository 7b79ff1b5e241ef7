"""What filling in a template may take: a force's own may have a loop or a macro that never ends.

Steps and characters are counted, so that the same template gets the same verdict on any machine;
processor time is limited too, for steps that are long.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from contextvars import ContextVar
from functools import wraps
from typing import Any, Final

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment, safe_range

#: A letter or a report of the largest tables takes a hundredth of these.
MAX_STEPS: Final = 5_000_000

MAX_CHARACTERS: Final = 100_000_000

MAX_SECONDS: Final = 60

#: How long one text or list may be: what is done with it in one step takes seconds at most.
MAX_LENGTH: Final = 10_000_000

#: How wide text may be padded, indented or cut.
_MAX_WIDTH: Final = 10_000

#: No force's template can name it.
_LOOP_FILTER: Final = "limited loop"

#: Patterns for % and for str.format that pad to a great width, or to one given beside them.
_WIDE_PERCENT: Final = re.compile(r"%[^a-zA-Z%]*(?:[0-9]{5}|\*)")

_WIDE_BRACES: Final = re.compile(r"\{[^{}]*:[^{}]*(?:[0-9]{5}|\{)")

_WIDTH_FILTERS: Final = ("batch", "center", "indent", "slice", "wordwrap")

_WIDTH_METHODS: Final = ("center", "expandtabs", "ljust", "rjust", "zfill")

_STEPS_BETWEEN_CLOCKS: Final = 1_000


class TemplateLimitError(jinja2.TemplateRuntimeError):
    """Filling in a template takes too much."""


class _Budget:
    """What is left for filling in one template."""

    def __init__(self) -> None:
        self._steps = MAX_STEPS
        self._characters = MAX_CHARACTERS
        self._end = time.thread_time() + MAX_SECONDS

    def spend_steps(self, count: int) -> None:
        self._steps -= count
        if self._steps < 0:
            raise TemplateLimitError(
                f"it takes more than {MAX_STEPS:,} steps, so a loop or a macro in it may never end."
            )
        if self._steps % _STEPS_BETWEEN_CLOCKS == 0 or count > 1:
            self.check_time()

    def spend_characters(self, count: int) -> None:
        self._characters -= count
        if self._characters < 0:
            raise TemplateLimitError(
                f"it makes more than {MAX_CHARACTERS:,} characters, so a loop or a macro in it may "
                "never end."
            )
        if count > MAX_LENGTH:
            raise TemplateLimitError(f"it makes a value of more than {MAX_LENGTH:,} characters.")

    def check_time(self) -> None:
        """Raise TemplateLimitError once it takes too long."""
        if time.thread_time() > self._end:
            raise TemplateLimitError(
                f"it takes more than {MAX_SECONDS} seconds, so a loop or a macro in it may never "
                "end."
            )


_BUDGET: ContextVar[_Budget | None] = ContextVar("budget", default=None)


def _spend_steps(count: int) -> None:
    if budget := _BUDGET.get():
        budget.spend_steps(count)


def _spend_value(value: Any) -> Any:
    """The value of a filter, a call or a calculation, which may have taken long and be long."""
    if budget := _BUDGET.get():
        budget.check_time()
        if isinstance(value, str | bytes | list | tuple | dict):
            budget.spend_characters(len(value))
        elif isinstance(value, int):
            budget.spend_characters(value.bit_length() // 8)
    return value


class _LimitedTemplate(jinja2.Template):
    """A template with a budget for each time that it is filled in."""

    def render(self, *arguments: Any, **names: Any) -> str:
        token = _BUDGET.set(_Budget())
        try:
            return super().render(*arguments, **names)
        finally:
            _BUDGET.reset(token)


class _LimitedGenerator(CodeGenerator):
    """Writes code that counts the steps of loops, and the characters of what is put together."""

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802
        for loop in node.find_all(nodes.For):
            loop.iter = nodes.Filter(
                loop.iter, _LOOP_FILTER, [], [], None, None, lineno=loop.lineno
            ).set_environment(self.environment)
        super().visit_Template(node, frame)

    def visit_Filter(self, node: nodes.Filter, frame: Frame) -> None:  # noqa: N802
        self.write("environment.spend(")
        super().visit_Filter(node, frame)
        self.write(")")

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802
        self.write("environment.spend(")
        super().visit_Concat(node, frame)
        self.write(")")


class LimitedEnvironment(SandboxedEnvironment):
    """An environment whose templates cannot run code, and end."""

    template_class = _LimitedTemplate
    code_generator_class = _LimitedGenerator
    intercepted_binops = frozenset({"+", "*", "**", "%"})
    spend = staticmethod(_spend_value)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        del self.globals["lipsum"]  # made-up text of any length
        self.globals["range"] = _make_range
        self.filters[_LOOP_FILTER] = _iter_steps
        for name in _WIDTH_FILTERS:
            self.filters[name] = _limit_widths(self.filters[name])
        self.filters["format"] = _limit_pattern(self.filters["format"])

    @staticmethod
    def concat(parts: Iterable[str]) -> str:
        """Text put together."""
        budget = _BUDGET.get() or _Budget()
        texts = []
        for part in parts:
            budget.spend_characters(len(part))
            texts.append(part)
        return "".join(texts)

    def get_template(self, *arguments: Any, **options: Any) -> jinja2.Template:
        """A template, which another one may include: a step."""
        _spend_steps(1)
        return super().get_template(*arguments, **options)

    def call(self, context: Context, function: Any, /, *arguments: Any, **options: Any) -> Any:
        """Call a macro, or a method of a value."""
        _spend_steps(1)
        if getattr(function, "__name__", "") in _WIDTH_METHODS:
            _check_widths(*arguments, *options.values())
        return _spend_value(super().call(context, function, *arguments, **options))

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """The safe form of str.format, or None for anything else."""
        if getattr(value, "__name__", "") in ("format", "format_map"):
            _check_pattern(_WIDE_BRACES, getattr(value, "__self__", None))
        return super().wrap_str_format(value)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Calculate, unless the result is too long."""
        if operator in ("*", "**") and _is_too_long(operator, left, right):
            raise TemplateLimitError(f"{operator} makes a value that is too long.")
        if operator == "%":
            _check_pattern(_WIDE_PERCENT, left)
        return _spend_value(super().call_binop(context, operator, left, right))


def _is_too_long(operator: str, left: Any, right: Any) -> bool:
    """Whether a product or power would be a long text or list, or a number of many digits."""
    if isinstance(left, int) and isinstance(right, int):
        size = left.bit_length() * abs(right) if operator == "**" else left.bit_length()
        return max(size, right.bit_length()) > 8 * _MAX_WIDTH
    return any(
        isinstance(value, Sized) and isinstance(count, int) and len(value) * count > MAX_LENGTH
        for value, count in ((left, right), (right, left))
    )


def _make_range(*arguments: int) -> range:
    numbers = safe_range(*arguments)
    _spend_steps(len(numbers))
    return numbers


@jinja2.pass_context  # so that it is never called while the template is compiled
def _iter_steps(context: Context, values: Iterable[Any]) -> Iterator[Any]:
    del context
    return _iter_counted(iter(values))


def _iter_counted(values: Iterator[Any]) -> Iterator[Any]:
    budget = _BUDGET.get() or _Budget()
    for value in values:
        budget.spend_steps(1)
        yield value


def _limit_widths(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def limited(*arguments: Any, **options: Any) -> Any:
        _check_widths(*arguments, *options.values())
        return function(*arguments, **options)

    return limited


def _limit_pattern(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def limited(pattern: Any, *arguments: Any, **options: Any) -> Any:
        _check_pattern(_WIDE_PERCENT, pattern)
        return function(pattern, *arguments, **options)

    return limited


def _check_widths(*values: Any) -> None:
    """Raise TemplateLimitError for a width that is too large."""
    if any(isinstance(value, int) and value > _MAX_WIDTH for value in values):
        raise _make_width_error()


def _check_pattern(wide: re.Pattern[str], pattern: Any) -> None:
    """Raise TemplateLimitError for a pattern with a width that is too large, or not in it."""
    if isinstance(pattern, str) and wide.search(pattern):
        raise _make_width_error()


def _make_width_error() -> TemplateLimitError:
    return TemplateLimitError(f"text can be made {_MAX_WIDTH:,} characters wide at most.")

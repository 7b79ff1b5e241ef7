"""A table as a bar chart in SVG, drawn by pygal, for a page that has its styles.

A table beside the chart has all its figures, so a screen reader only needs the chart's name.
"""

from __future__ import annotations

import sys
import textwrap
from typing import Any, Final

from queries.answer.types import NOT_COVERED, Count, Row, Table, count_or_zero
from queries.documents.formats.optional_imports import require_extra
from queries.layout.prose import WITHHELD_SIGN, format_number
from queries.review.result import ReviewedPart, ReviewResult

#: How many columns are drawn beside each other, and how many bars in all. With more columns only
#: the first is drawn: a chart with some of the years would seem to end too early.
_MAX_COLUMNS: Final = 4

_MAX_BARS: Final = 40

_LABEL_LENGTH: Final = 38

_CHART_WIDTH: Final = 720

_BAR_HEIGHT: Final = 18

_CHART_PADDING: Final = 40

_VALUE_GAP: Final = 3.0

_STANDALONE_TAGS: Final = {"defs", "desc", "title", "style", "script"}


def select_drawn_columns(table: Table) -> range:
    """The columns that are drawn, by index: the parts without their total, or the total alone.

    A first column that counts all others together would dwarf them.
    """
    parts = range(1 if table.across else 0, len(table.columns))
    return parts if 0 < len(parts) <= _MAX_COLUMNS else range(1)


def count_drawn_columns(table: Table) -> int:
    """How many columns are drawn."""
    return len(select_drawn_columns(table))


def select_drawn_rows(table: Table) -> tuple[Row, ...]:
    """The rows that are drawn: all, or the largest of the first column, in their order.

    The row of records that are in none of the others is not: its bar would dwarf theirs. A list is
    not drawn.
    """
    if table.fields:
        return ()
    room = _MAX_BARS // count_drawn_columns(table)
    rows = [row for row in table.rows if row.kind != "none"]
    indexes = sorted(range(len(rows)), key=lambda index: -count_or_zero(rows[index].counts[0]))
    return tuple(rows[index] for index in sorted(indexes[:room]))


def draw_bars(table: Table, title: str, key: str) -> str:
    """The rows as bars, as SVG; empty if there is nothing to draw.

    ``title`` is its name; ``key`` keeps its ids apart from those of other charts.
    """
    rows = select_drawn_rows(table)
    columns = select_drawn_columns(table)
    largest_count = max(
        (count_or_zero(row.counts[index]) for row in rows for index in columns), default=0
    )
    if len(rows) < 2 or not largest_count:
        return ""
    pygal = _import_pygal()
    chart = pygal.HorizontalBar(
        width=_CHART_WIDTH,
        height=_CHART_PADDING + len(rows) * (8 + _BAR_HEIGHT * len(columns)),
        explicit_size=False,
        js=(),
        classes=("chart",),
        style=pygal.style.Style(label_font_size=12, value_font_size=12, legend_font_size=12),
        show_legend=len(columns) > 1,
        legend_at_bottom=True,
        legend_box_size=12,
        truncate_label=-1,
        truncate_legend=-1,
        print_values=True,
        print_values_position="top",
        print_zeroes=True,
        show_x_guides=False,
        show_y_guides=False,
        show_x_labels=False,
        range=(0, largest_count * 1.1),  # room for the last number
        value_formatter=format_number,
        margin=0,
    )
    chart.x_labels = [_format_bar_label(row, columns) for row in reversed(rows)]
    for index in columns:
        chart.add(
            table.columns[index].label,
            [_get_bar_length(row.counts[index]) for row in reversed(rows)],
        )
    return _prepare_inline_svg(chart.render_tree(), title, key)


def draw_ranges(review: ReviewResult, title: str, key: str) -> str:
    """How many records a number counts and how many of them are relevant, as SVG.

    The bar of the relevant ones ends at what the sample gives, and a line across its end shows the
    range; the label has both ends of it. Empty if a range is not given, or nothing is counted.
    """
    parts = [part for part in (review.total, *review.strata) if part.range and part.mentioned]
    if len(parts) <= len(review.strata):
        return ""
    pygal = _import_pygal()
    bars = [_make_range_bar(part) for part in parts]
    counted = review.total.mentioned
    chart = pygal.HorizontalBar(
        width=_CHART_WIDTH,
        height=_CHART_PADDING + (1 + len(bars)) * (8 + _BAR_HEIGHT),
        explicit_size=False,
        js=(),
        classes=("chart",),
        style=pygal.style.Style(label_font_size=12, value_font_size=12),
        show_legend=False,
        truncate_label=-1,
        print_values=False,
        show_x_guides=False,
        show_y_guides=False,
        show_x_labels=False,
        range=(0, counted),
        value_formatter=format_number,
        margin=0,
    )
    labels, values = zip(*((f"Counted: {format_number(counted)}", counted), *bars), strict=True)
    chart.x_labels = [*reversed(labels)]
    chart.add("", [*reversed(values)])
    return _prepare_inline_svg(chart.render_tree(), title, key)


def _make_range_bar(part: ReviewedPart) -> tuple[str, dict[str, Any]]:
    """The label of a part of a review, and its bar: as long as the share of those decided."""
    assert part.range is not None
    low, high = part.range.low, part.range.high
    estimate = (part.mentioned or 0) * (part.relevant or 0) // max(1, part.decided)
    name = textwrap.shorten(part.label, _LABEL_LENGTH, placeholder=" ...") or "Relevant"
    label = format_number(low) if low == high else f"{format_number(low)} to {format_number(high)}"
    return f"{name}: {label}", {
        "value": min(max(estimate, low), high),
        "ci": {"low": low, "high": high},
    }


def _import_pygal() -> Any:
    with require_extra("A chart"):
        import pygal
        import pygal.style
    # Its hook for plug-ins uses a deprecated interface and makes every later import warn.
    hook = pygal.PluginImportFixer
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, hook)]
    return pygal


def _format_bar_label(row: Row, columns: range) -> str:
    codes = f" ({', '.join(row.codes)})" if row.codes else ""
    codes = codes if len(codes) <= _LABEL_LENGTH // 2 else ""
    room = _LABEL_LENGTH - len(codes)
    label = textwrap.shorten(row.label, room, placeholder=" ...") or row.label[:room]
    label += codes  # they distinguish labels that begin alike
    drawn = [row.counts[index] for index in columns]
    signs = [
        *([WITHHELD_SIGN] if None in drawn else []),
        *([f"({NOT_COVERED})"] if NOT_COVERED in drawn else []),
    ]
    return " ".join([label, *signs])


def _get_bar_length(count: Count) -> int | None:
    """The length of a bar; None draws none, for a count that is withheld or not covered."""
    return count if isinstance(count, int) else None


def _prepare_inline_svg(tree: Any, title: str, key: str) -> str:
    """The chart without the styles, scripts and tooltips that only a file of its own needs."""
    from lxml import etree

    namespace = f"{{{tree.nsmap[None]}}}" if None in tree.nsmap else ""
    for node in [*tree.iter()]:
        classes = node.get("class", "").split() if isinstance(node.tag, str) else []
        if (
            not isinstance(node.tag, str)  # a comment, which has the date
            or etree.QName(node).localname in _STANDALONE_TAGS
            or "tooltip-overlay" in classes
            or "background" in classes
        ):
            if node.getparent() is not None:
                node.getparent().remove(node)
            continue
        node.attrib.pop("id", None)
        if "value" in classes and etree.QName(node).localname == "text":
            node.set("text-anchor", "start")
            node.set("x", str(float(node.get("x")) - _VALUE_GAP))
    named = etree.Element(f"{namespace}title", {"id": f"chart-{key}"})
    named.text = title
    tree.insert(0, named)
    tree.set("role", "img")
    tree.set("aria-labelledby", f"chart-{key}")
    etree.cleanup_namespaces(tree)
    return str(etree.tostring(tree, encoding="unicode"))

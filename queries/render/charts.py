"""A table as a bar chart in SVG, drawn by pygal, to stand inside a page that has its styles.

The page says everything the chart does in a table beside it, so a screen reader gets one name.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from typing import Any, Final

from queries.answer import Row, Table
from queries.render import extras, phrases

#: How many columns are drawn beside each other, and how many bars in all. Of more columns the first
#: is drawn alone: with some of the others a chart of years would end too early.
_MOST_COLUMNS: Final = 4
_MOST_BARS: Final = 40
_LABEL: Final = 38
_WIDTH: Final = 720
_BAR: Final = 18
_AROUND: Final = 40
_VALUE_GAP: Final = 3.0
_ALONE: Final = {"defs", "desc", "title", "style", "script"}


def columns_drawn(table: Table) -> int:
    """How many columns are drawn: all, or the first."""
    return len(table.columns) if len(table.columns) <= _MOST_COLUMNS else 1


def drawn(table: Table) -> tuple[Row, ...]:
    """The rows that are drawn: all, or the largest of the first column, in their order."""
    room = _MOST_BARS // columns_drawn(table)
    places = sorted(range(len(table.rows)), key=lambda place: -(table.rows[place].counts[0] or 0))
    return tuple(table.rows[place] for place in sorted(places[:room]))


def bars(table: Table, title: str, key: str) -> str:
    """The rows as bars, as SVG; empty where there is nothing to draw.

    ``title`` is its name; ``key`` makes its ids differ from another chart's.
    """
    rows = drawn(table)
    columns = table.columns[: columns_drawn(table)]
    most = max((count or 0 for row in rows for count in row.counts[: len(columns)]), default=0)
    if len(rows) < 2 or not most:
        return ""
    pygal = _library()
    chart = pygal.HorizontalBar(
        width=_WIDTH,
        height=_AROUND + len(rows) * (8 + _BAR * len(columns)),
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
        range=(0, most * 1.1),  # room for the last number
        value_formatter=phrases.number,
        margin=0,
    )
    chart.x_labels = [_label(row, len(columns)) for row in reversed(rows)]
    for place, column in enumerate(columns):
        chart.add(column.label, [row.counts[place] for row in reversed(rows)])
    return _inline(chart.render_tree(), title, key)


def _library() -> Any:
    with extras.needed("A chart"):
        import pygal
        import pygal.style
    # Its hook for plug-ins is of a kind Python gives up, and makes every later import warn.
    hook = pygal.PluginImportFixer
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, hook)]
    return pygal


def _label(row: Row, columns: int) -> str:
    codes = f" ({', '.join(row.codes)})" if row.codes else ""
    codes = codes if len(codes) <= _LABEL // 2 else ""
    room = _LABEL - len(codes)
    label = textwrap.shorten(row.label, room, placeholder=" ...") or row.label[:room]
    label += codes  # which tell labels of one beginning apart
    hidden: Sequence[int | None] = row.counts[:columns]
    return f"{label} {phrases.HIDDEN}" if None in hidden else label


def _inline(tree: Any, title: str, key: str) -> str:
    """The chart without what only a chart that stands alone needs: styles, scripts, tooltips."""
    from lxml import etree

    namespace = f"{{{tree.nsmap[None]}}}" if None in tree.nsmap else ""
    for node in [*tree.iter()]:
        classes = node.get("class", "").split() if isinstance(node.tag, str) else []
        if (
            not isinstance(node.tag, str)  # a comment, which has the date
            or etree.QName(node).localname in _ALONE
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

"""The results as Markdown, with each target beside what was measured, and as a chart."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any

from tests.bench.rig import exponent


def markdown(found: dict[str, Any]) -> str:
    """The tables."""
    about = found["machine"]
    lines = [
        f"Measured on {found['date']} with `{found['command']}`: {about['processors']} processors, "
        f"{about['memory_gb']} GB, {about['system']}, Python {about['python']}, Elasticsearch core "
        f"{about['server']}, client {about['elasticsearch']}, foidex {about['foidex']}.",
        "",
    ]
    if targets := list(_targets(found)):
        lines += ["| what | target | measured |", "| --- | --- | --- |"]
        lines += [f"| {what} | {target} | {measured} |" for what, target, measured in targets]
        lines.append("")
    for name, write in (
        ("loading", _loading), ("asking", _asking), ("shingles", _shingles), ("growth", _growth),
        ("damage", _damage), ("scripts", _scripts), ("tables", _tables), ("startup", _startup),
    ):  # fmt: skip
        if name in found:
            lines += [*write(found), ""]
    return "\n".join(lines)


def _median(runs: list[dict[str, Any]], name: str) -> float:
    return float(statistics.median(run[name] for run in runs))


def _ratio(found: dict[str, Any], one: str, other: str, name: str) -> float:
    """The median of the ratios, round by round: what disturbs a round disturbs both."""
    pairs = zip(found["loading"][one], found["loading"][other], strict=True)
    return float(statistics.median(a[name] / b[name] for a, b in pairs))


def _targets(found: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    if "loading" in found:
        floor = _ratio(found, "foidex", "curl", "wall")
        yield "load, wall time against the floor", "at most 1.10", f"{floor:.2f}"
        faster = _ratio(found, "bulk", "foidex", "wall")
        yield "load, faster than `helpers.bulk`", "at least 1.8 times", f"{faster:.2f}"
        cpu = _ratio(found, "foidex", "streaming_bulk", "client_cpu")
        yield "client CPU against `streaming_bulk`", "at most 0.40", f"{cpu:.2f}"
    if "growth" in found:
        figures, sizes = found["growth"]["figures"], found["growth"]["sizes"]
        memory = figures["load, client memory, MB"]
        said = f"{memory[0]:.0f} to {memory[-1]:.0f} MB"
        yield "client memory, smallest to largest load", "flat, under 200 MB", said
    if "asking" in found:
        first = next(iter(found["asking"].values()))["reference"]
        each, one = first["a search a number"], first["one search"]
        new, kept, cold = (f"{each[way] / one[way]:.1f}" for way in ("uncached", "median", "cold"))
        said = f"{new}; {kept} from the server's cache, {cold} with all its caches empty"
        yield "reference request against a search a number", "at least 8 times", said
    if "growth" in found:
        grows = exponent(sizes, figures["reference request, ms"])
        yield "reference request, exponent in records", "under 0.6", f"{grows:.2f}"
        ratio = figures["refresh of 1%, s"][-1] / figures["load, s"][-1]
        yield "refresh of 1% against a full load, largest size", "at most 0.10", f"{ratio:.3f}"
    if "scripts" in found:
        figures = found["scripts"]
        dearest = max(figures, key=figures.__getitem__)
        ratio = f"{figures[dearest] / figures['English, ASCII']:.1f} ({dearest})"
        yield "cleaning and cutting, the dearest script against ASCII", "at most 3", ratio
    if "startup" in found:
        cpu = found["startup"]["foidex --help"]["cpu_s"]
        yield "`foidex --help`, CPU", "under 0.25 s", f"{cpu:.2f} s"


def _loading(found: dict[str, Any]) -> Iterator[str]:
    yield f"Loading {found['records']:,} records, medians (lowest to highest):"
    yield ""
    yield "| contender | wall, s | client CPU, s | server CPU, s | client memory, MB |"
    yield "| --- | --- | --- | --- | --- |"
    for name, runs in found["loading"].items():
        walls = [run["wall"] for run in runs]
        yield (
            f"| {name} | {_median(runs, 'wall'):.1f} ({min(walls):.1f} to {max(walls):.1f}) | "
            f"{_median(runs, 'client_cpu'):.1f} | {_median(runs, 'server_cpu'):.1f} | "
            f"{'-' if name == 'curl' else round(_median(runs, 'peak_mb'))} |"
        )


def _asking(found: dict[str, Any]) -> Iterator[str]:
    yield "Asking, milliseconds:"
    yield ""
    yield "| index | request | way | searches | cold | no cache | cached | client CPU | server |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for index, requests in found["asking"].items():
        for request, ways in requests.items():
            if request == "answers a second":
                continue
            for way, one in ways.items():
                yield (
                    f"| {index} | {request} | {way} | {one['searches']} | {one['cold']:.0f} | "
                    f"{one['uncached']:.0f} | {one['median']:.0f} | {one['client_cpu']:.0f} | "
                    f"{one['server_took']:.0f} |"
                )
    yield ""
    for index, requests in found["asking"].items():
        for way, each in requests["answers a second"].items():
            said = " and ".join(f"{rate:.1f} with {askers}" for askers, rate in each.items())
            yield f"- Answers a second to the reference request, {index}, {way}: {said} asking."


def _shingles(found: dict[str, Any]) -> Iterator[str]:
    one = found["shingles"]
    cpu = one["shingles_server_cpu_s"] / one["plain_server_cpu_s"]
    store = one["shingles_store_mb"] / one["plain_store_mb"]
    yield (
        f"Joining neighbours at index time (shingles) instead: {cpu:.1f} times the server's CPU and "
        f"{store:.1f} times the store of plain text, and counting 23 terms in one search "
        f"{one['shingles_ask_ms']:.1f} ms where plain text takes {one['plain_ask_ms']:.1f}."
    )


def _growth(found: dict[str, Any]) -> Iterator[str]:
    sizes = found["growth"]["sizes"]
    yield f"| figure | {' | '.join(f'{size:,}' for size in sizes)} | exponent |"
    yield f"| --- |{' --- |' * (len(sizes) + 1)}"
    for name, figures in found["growth"]["figures"].items():
        cells = " | ".join(f"{figure:,.1f}" for figure in figures)
        yield f"| {name} | {cells} | {exponent(sizes, figures):.2f} |"


def _damage(found: dict[str, Any]) -> Iterator[str]:
    ways = list(next(iter(found["damage"].values())))
    yield "Damaged text, nanoseconds of CPU a character:"
    yield ""
    yield f"| narratives | {' | '.join(ways)} |"
    yield f"| --- |{' --- |' * len(ways)}"
    for name, one in found["damage"].items():
        yield f"| {name} | {' | '.join(f'{one[way]:.1f}' for way in ways)} |"


def _tables(found: dict[str, Any]) -> Iterator[str]:
    ways = list(next(iter(found["tables"].values())))
    yield "Files as they come, seconds of CPU, and as a multiple of the reader alone:"
    yield ""
    yield f"| file | {' | '.join(ways)} |"
    yield f"| --- |{' --- |' * len(ways)}"
    for name, one in found["tables"].items():
        cells = [f"{one[way]:.2f} ({one[way] / one['reader alone']:.1f})" for way in ways]
        yield f"| {name} | {' | '.join(cells)} |"


def _scripts(found: dict[str, Any]) -> Iterator[str]:
    yield "| cleaning and cutting | ns a character | against ASCII |"
    yield "| --- | --- | --- |"
    floor = found["scripts"]["English, ASCII"]
    for name, figure in found["scripts"].items():
        yield f"| {name} | {figure:.0f} | {figure / floor:.1f} |"


def _startup(found: dict[str, Any]) -> Iterator[str]:
    yield "| command | CPU, s | wall, s |"
    yield "| --- | --- | --- |"
    for name, one in found["startup"].items():
        yield f"| `{name}` | {one['cpu_s']:.2f} | {one['wall_s']:.2f} |"


def charts(found: dict[str, Any]) -> dict[str, str]:
    """The medians as bars, by the name of the file: loading in seconds, asking in milliseconds."""
    drawn = {}
    if "loading" in found:
        drawn["loading.svg"] = _bars(
            f"Seconds to load {found['records']:,} records",
            {name: _median(runs, "wall") for name, runs in found["loading"].items()},
        )
    if "asking" in found:
        drawn["asking.svg"] = _bars(
            "Milliseconds to answer the reference request",
            {
                f"{way}, {index}": one["uncached"]
                for index, requests in found["asking"].items()
                for way, one in requests["reference"].items()
            },
        )
    return drawn


def _bars(title: str, figures: dict[str, float]) -> str:
    import pygal

    chart = pygal.HorizontalBar(
        title=title,
        show_legend=False,
        disable_xml_declaration=True,
        js=[],
        print_values=True,
        value_formatter=lambda value: f"{value:,.1f}" if value else "",
    )
    # The first at the top.
    chart.x_labels = [*reversed(figures)]
    chart.add("", [*reversed(figures.values())])
    return str(chart.render(is_unicode=True))

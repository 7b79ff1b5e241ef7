"""The results as Markdown, with each target beside what was measured, and as a chart."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any

from tests.bench.rig import exponent
from tests.bench.startup import FLOORS


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
        ("loading", _loading), ("long", _long), ("asking", _asking), ("scanning", _scanning), ("shingles", _shingles), ("growth", _growth),
        ("damage", _damage), ("scripts", _scripts), ("tables", _tables), ("startup", _startup),
    ):  # fmt: skip
        if name in found:
            lines += [*write(found), ""]
    return "\n".join(lines)


def _median(runs: list[dict[str, Any]], name: str) -> float:
    figures = (run[name] if name in run else run["more"][name] for run in runs)
    return float(statistics.median(figures))


def _ratio(runs: dict[str, list[dict[str, Any]]], one: str, other: str, name: str) -> float:
    """The median of the ratios, round by round: what disturbs a round disturbs both."""
    pairs = zip(runs[one], runs[other], strict=True)
    return float(statistics.median(a[name] / b[name] for a, b in pairs))


def _targets(found: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    if "scripts" in found:
        figures = found["scripts"]
        dearest = max(figures, key=figures.__getitem__)
        ratio = f"{figures[dearest] / figures['English, ASCII']:.1f} ({dearest})"
        yield "cleaning and cutting, the dearest script against ASCII", "at most 3", ratio
    if "long" in found:
        floor = _ratio(found["long"]["runs"], "foidex", "curl", "wall")
        yield "load of long mixed text, wall time against curl", "at most 1.25", f"{floor:.2f}"
        store = _median(found["long"]["runs"]["foidex"], "store_mb") / found["long"]["text_mb"]
        yield "store against text, long mixed text", "at most 0.9", f"{store:.2f}"
    if "loading" in found:
        runs = found["loading"]
        floor = _ratio(runs, "foidex", "curl", "wall")
        yield "load of short records, wall time against curl", "at most 1.30", f"{floor:.2f}"
        for helper, target in (("bulk", "2.2"), ("parallel_bulk", "1.3")):
            faster = _ratio(runs, helper, "foidex", "wall")
            yield f"... faster than `{helper}`", f"at least {target} times", f"{faster:.2f}"
        cpu = _ratio(runs, "foidex", "streaming_bulk", "client_cpu")
        yield "... client CPU against `streaming_bulk`", "at most 0.70", f"{cpu:.2f}"
    if "growth" in found:
        figures, sizes = found["growth"]["figures"], found["growth"]["sizes"]
        memory = figures["load, client memory, MB"]
        said = f"{memory[0]:.0f} to {memory[-1]:.0f} MB"
        yield "client memory, smallest to largest load", "flat, under 150 MB", said
    if "asking" in found:
        yield from _asking_targets(found["asking"])
    if "growth" in found:
        grows = exponent(sizes, figures["reference request, ms"])
        yield "reference request, exponent in records", "at most 0.5", f"{grows:.2f}"
        ratio = figures["refresh of 1%, s"][-1] / figures["load, s"][-1]
        yield "refresh of 1% against a full load, largest size", "at most 0.05", f"{ratio:.3f}"
    if "startup" in found:
        yield from _command_targets(found["startup"])


def _asking_targets(asked: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    first, largest = next(iter(asked.values())), _largest(asked)
    each, one = first["reference"]["a search a number"], first["reference"]["one search"]
    new, kept, cold = (f"{each[way] / one[way]:.1f}" for way in ("uncached", "median", "cold"))
    said = f"{new}; {kept} from the server's cache, {cold} with all its caches empty"
    yield "reference request against a search a number", "8 times faster", said
    together, one = largest["reference"]["_msearch"], largest["reference"]["one search"]
    ratio = f"{one['uncached'] / together['uncached']:.2f}"
    yield "... against `_msearch`, most records", "at most 1.0", ratio
    rates = largest["answers a second"]
    ratio = f"{rates['one search']['8'] / rates['_msearch']['8']:.2f}"
    yield "... answers a second with 8 asking, of those of `_msearch`", "at least 1.0", ratio


def _largest(asked: dict[str, Any]) -> Any:
    """What was measured with the most records in one shard."""
    return [one for name, one in asked.items() if name.endswith(" 1 shards")][-1]


def _command_targets(commands: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    targets = {
        "foidex --help": "1.5",
        "foidex count Snapchat --explain": "1.5",
        "foidex answer --out": "1.3",
    }
    for name, target in targets.items():
        if name in commands:
            ratio = commands[name]["cpu_s"] / commands[FLOORS[name]]["cpu_s"]
            yield f"`{name}`, CPU against {FLOORS[name]}", f"at most {target}", f"{ratio:.2f}"


def _loading(found: dict[str, Any]) -> Iterator[str]:
    yield f"Loading {found['records']:,} records, medians (lowest to highest):"
    yield ""
    yield from _loads(found["loading"])


def _long(found: dict[str, Any]) -> Iterator[str]:
    yield f"Loading {found['long']['text_mb']:.1f} MB of long mixed text:"
    yield ""
    yield from _loads(found["long"]["runs"])


def _loads(loads: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    yield "| contender | wall, s | client CPU, s | server CPU, s | client memory, MB | store, MB |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for name, runs in loads.items():
        walls = [run["wall"] for run in runs]
        yield (
            f"| {name} | {_median(runs, 'wall'):.1f} ({min(walls):.1f} to {max(walls):.1f}) | "
            f"{_median(runs, 'client_cpu'):.1f} | {_median(runs, 'server_cpu'):.1f} | "
            f"{'-' if name == 'curl' else round(_median(runs, 'peak_mb'))} | "
            f"{_median(runs, 'store_mb'):.1f} |"
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


def _scanning(found: dict[str, Any]) -> Iterator[str]:
    said = ", ".join(f"{name} {figure:.0f} ms" for name, figure in found["scanning"].items())
    yield f"Counting 23 terms in {found['records']:,} records: {said}."


def _startup(found: dict[str, Any]) -> Iterator[str]:
    commands = found["startup"]
    yield "| command | CPU, s | wall, s | CPU against |"
    yield "| --- | --- | --- | --- |"
    for name, one in commands.items():
        floor = FLOORS.get(name)
        said = (
            f"{one['cpu_s'] / commands[floor]['cpu_s']:.2f} of {floor}" if floor in commands else ""
        )
        yield f"| {name} | {one['cpu_s']:.2f} | {one['wall_s']:.2f} | {said} |"


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

"""Compares a sealed generation with the live one: in total, by month, by offence and by contents;
and in total with the largest of the refreshes before.

A shortened extract often loses the end of a month, or one offence, and little of the total. A
record that the source deletes explicitly is not missing from its month or its offence. A file too
many, such as that of another force, makes a month larger than a month can be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from datetime import date, timedelta
from typing import Any, Final, TypeAlias

from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer.errors import GenerationError
from indexer.index.generations import Generation
from indexer.index.paging import search_pages
from indexer.loading.tally import LASTING_CONTENTS
from indexer.records.categories import CATEGORIES_FIELD
from indexer.records.model import DELETED, PEOPLE_LISTS
from indexer.records.validation_messages import describe_offence_code

_DELETED_RECORDS: Final[dict[str, Any]] = {"term": {"status": DELETED}}

_MONTHS: Final[dict[str, Any]] = {
    "date_histogram": {
        "field": "recorded_on",
        "calendar_interval": "month",
        "format": "yyyy-MM",
        "min_doc_count": 1,
    }
}

_EVERYTHING: Final[dict[str, Any]] = {"match_all": {}}

_WITH_TEXT: Final = "records with text"

#: What records, their people and their links contain, in words of a message.
_RECORD_CONTENTS: Final[dict[str, dict[str, Any]]] = {
    _WITH_TEXT: {"exists": {"field": "narrative"}},
    "records with an outcome": {"exists": {"field": "outcome"}},
    "cancelled or transferred records": {"terms": {"status": ["cancelled", "transferred"]}},
}

#: What records contain that comes from tables that can be cut off between two rows.
_TABLE_CONTENTS: Final[dict[str, dict[str, Any]]] = {
    _WITH_TEXT: _RECORD_CONTENTS[_WITH_TEXT],
    **{
        f"records with {words}": {
            # A generation of an earlier version may not know the list.
            "nested": {"path": path, "query": _EVERYTHING, "ignore_unmapped": True}
        }
        for path, words in {
            **{people: people for people in PEOPLE_LISTS},
            "linked": "links",
        }.items()
    },
}

_CONTENTS_BY_TABLE: Final[dict[str, Any]] = {"contents": {"filters": {"filters": _TABLE_CONTENTS}}}

_INNER_CONTENTS: Final[dict[str, dict[str, dict[str, Any]]]] = {
    **{
        name: {
            name: _EVERYTHING,
            f"{name} with an age": {"exists": {"field": f"{name}.age"}},
            f"{name} with a sex": {"exists": {"field": f"{name}.sex"}},
        }
        for name in PEOPLE_LISTS
    },
    "linked": {"links": _EVERYTHING},
}

#: From how many changed records on that lost all their text or victims this is no coincidence, if
#: they are more than this share of those that had any.
_MIN_EMPTIED: Final = 3

_MAX_FEW_EMPTIED_PERCENT: Final = 50

_MAX_CODES: Final = 10_000

#: How many deleted references are looked up in the live generation at once.
_PAGE_RECORDS: Final = 5_000

#: How many records of the live generation are looked for in the new one: of ten years, about 80 of
#: each month. It is what one search may return.
SAMPLE_RECORDS: Final = 10_000

_MAX_LISTED: Final = 6

#: A month that gained fewer is not looked at, nor are months beside fewer others.
_MIN_GAINED: Final = 20

_MIN_OTHER_MONTHS: Final = 6

#: So many more victims, suspects or links as many records may have.
_MAX_PEOPLE_GROWTH_PERCENT: Final = 50

#: An extract of the last years may begin this much later than the one before.
_MAX_START_MOVE: Final = timedelta(days=31)


class ShrinkLimits(Struct, frozen=True):
    """How many per cent fewer records than the live generation there may be: in total, in any
    month, with any offence code, and of what they contain; None compares nothing. Losses below
    ``min_lost_records``, except in total, are not looked at. ``decline_percent`` is how many fewer
    there may be in total than in the largest generation of the refreshes before, and
    ``growth_percent`` how many more in a month than there were once it was over, or than in any
    other month."""

    total_percent: float | None = None
    month_percent: float | None = None
    offence_percent: float | None = None
    content_percent: float | None = None
    min_lost_records: int = 10
    decline_percent: float | None = None
    growth_percent: float | None = None


#: How many records each month has, and how many of them contain what, by content and month.
MonthlyContents: TypeAlias = dict[str, dict[str, int]]


def count_months(
    client: Elasticsearch, generation: Generation, live: Generation
) -> tuple[MonthlyContents, MonthlyContents]:
    """The months of the live generation and of the new one, each in one search. Raises
    GenerationError."""
    previous, current = (
        _count_monthly_contents(client, name) for name in (live.name, generation.name)
    )
    return previous, current


def describe_total_shrinkage(generation: Generation, live: Generation, limits: ShrinkLimits) -> str:
    """Why the new generation is too small; empty if it is not."""
    if limits.total_percent is None:
        return ""
    if generation.records >= live.records * (1 - limits.total_percent / 100):
        return ""
    deleted = (
        f" The source deletes {generation.deleted:,} explicitly, which count here, too."
        if generation.deleted
        else ""
    )
    return (
        f"{generation.name} holds {generation.records:,} records, more than "
        f"{limits.total_percent:g}% fewer than the {live.records:,} of {live.name}, so it was not "
        f"promoted.{deleted} Check that the source is whole; if it is, rerun with --allow shrink. "
        "If it is another extract, give it an index of its own: alias under [index]."
    )


def describe_decline(generation: Generation, limits: ShrinkLimits) -> str:
    """Why the new generation is too small beside the largest of the refreshes before; empty if it
    is not. A little less each night is within the limit of one night, and adds up."""
    if limits.decline_percent is None or not generation.earlier_sizes:
        return ""
    largest = max(generation.earlier_sizes, key=lambda size: (size.records, size.built_at))
    lost = largest.records - generation.records
    if lost < limits.min_lost_records:
        return ""
    if generation.records >= largest.records * (1 - limits.decline_percent / 100):
        return ""
    return (
        f"{generation.name} holds {generation.records:,} records, more than "
        f"{limits.decline_percent:g}% fewer than the {largest.records:,} of "
        f"{largest.built_at:%Y-%m-%d}, the most in the last {len(generation.earlier_sizes):,} "
        "refreshes, so it was not promoted. Check that the source does not lose records night by "
        "night; if it is whole, rerun with --allow decline, from which on only later ones are "
        "compared."
    )


def describe_month_shrinkage(
    client: Elasticsearch,
    generation: Generation,
    live: Generation,
    months: tuple[MonthlyContents, MonthlyContents],
    limits: ShrinkLimits,
) -> str:
    """Which months lost too many records, or too many with text, people or links, as they do where
    the end of such a table is cut off; empty if none did. ``months`` are those of the live one and
    of the new one. Raises GenerationError."""
    if limits.month_percent is None:
        return ""
    first_month = _find_first_compared_month(generation, live)
    previous, current = months
    for content, counts in previous.items():
        losses = _find_undeleted_losses(
            {month: count for month, count in counts.items() if month >= first_month},
            current[content],
            limits.month_percent,
            limits.min_lost_records,
            lambda _: _count_deleted(client, generation, live, _MONTHS),
        )
        if losses:
            return (
                f"{generation.name} holds too few {content} of {_list_changes(losses)}; a month "
                f"may lose {limits.month_percent:g}%, so it was not promoted. Check that the "
                "source is whole; if it is, rerun with --allow months."
            )
    return ""


def describe_month_growth(
    generation: Generation, months: tuple[MonthlyContents, MonthlyContents], limits: ShrinkLimits
) -> str:
    """Which months have many more records than they had once they were over, or than any other
    month has, as they do with a file too many; empty if none does. ``months`` are those of the live
    one and of the new one."""
    if limits.growth_percent is None:
        return ""
    previous, current = (contents["records"] for contents in months)
    factor = 1 + limits.growth_percent / 100
    # The newest month goes on, and the one before it gets late records.
    closed_months = sorted(previous)[:-2]
    gains = {}
    for month, count in current.items():
        before = previous.get(month, 0)
        other_counts = [size for other, size in previous.items() if other != month]
        if count - before < _MIN_GAINED:
            continue
        if (month in closed_months and count > before * factor) or (
            len(other_counts) >= _MIN_OTHER_MONTHS and count > max(other_counts) * factor
        ):
            gains[month] = (count, before)
    if not gains:
        return ""
    return (
        f"{generation.name} holds many more records of {_list_changes(gains)}; a month may have "
        f"{limits.growth_percent:g}% more than it had once it was over, and than any other month, "
        "so it was not promoted. Check that no file is there twice under other references, or is "
        "of another force or system; if all is right, rerun with --allow growth."
    )


def describe_replacement(
    client: Elasticsearch, generation: Generation, live: Generation, limits: ShrinkLimits
) -> str:
    """Which months lost too many of their own records though others are in their place, as they do
    where a file is that of another force; empty if none did. Only a sample of a large generation
    is looked at. Raises GenerationError."""
    if limits.month_percent is None or generation.mode == "incremental":
        return ""
    first_month = _find_first_compared_month(generation, live)
    sample = {"function_score": {"random_score": {"seed": 1, "field": "crime_ref"}}}
    months = _find_months(client, live.name, sample, [_DELETED_RECORDS])
    same_months = _find_months(client, generation.name, {"terms": {"crime_ref": [*months]}}, [])
    compared = {ref: month for ref, month in months.items() if month >= first_month}
    losses = _find_losses(
        Counter(compared.values()),
        Counter(month for ref, month in compared.items() if ref in same_months),
        limits.month_percent,
        limits.min_lost_records,
    )
    if not losses:
        return ""
    extent = "" if len(months) >= live.records else f", of {len(months):,} that were looked for"
    return (
        f"{generation.name} lacks records that {live.name} holds, and has others in their place: "
        f"it has too few of the same references of {_list_changes(losses)}{extent}; a month may "
        f"lose {limits.month_percent:g}%, so it was not promoted. Check that no file is of another "
        "force or system; if records were given new references, rerun with --allow months."
    )


def count_lost_contents(
    client: Elasticsearch, generation: Generation, live: Generation | None, limits: ShrinkLimits
) -> dict[str, int]:
    """How many records fewer than in the live generation have text, people or links, besides those
    that the new one does not hold. Few without suspects or links are left out, because those are
    withdrawn every day. Raises GenerationError."""
    if live is None:
        return {}
    before, now = (
        _aggregate_held_records(client, name, _CONTENTS_BY_TABLE)["contents"]["buckets"]
        for name in (live.name, generation.name)
    )
    gone = max(live.records - generation.records, 0)
    lost = {
        content: before[content]["doc_count"] - now[content]["doc_count"] - gone
        for content in _TABLE_CONTENTS
    }
    lasting = {f"records with {content}" for content in LASTING_CONTENTS}
    return {
        content: count
        for content, count in lost.items()
        if count >= (1 if content in lasting else max(limits.min_lost_records, 1))
    }


def describe_offence_shrinkage(
    client: Elasticsearch, generation: Generation, live: Generation, limits: ShrinkLimits
) -> str:
    """Which offence codes lost too many records; empty if none did. Raises GenerationError."""
    if limits.offence_percent is None:
        return ""
    previous = _count_groups(client, live.name, _request_codes(None))
    large_codes = {
        code: count for code, count in previous.items() if count >= limits.min_lost_records
    }
    if not large_codes:
        return ""
    losses = _find_undeleted_losses(
        large_codes,
        _count_groups(client, generation.name, _request_codes([*large_codes])),
        limits.offence_percent,
        limits.min_lost_records,
        lambda codes: _count_deleted(client, generation, live, _request_codes(codes)),
    )
    if not losses:
        return ""
    named_losses = {describe_offence_code(code): counts for code, counts in losses.items()}
    return (
        f"{generation.name} holds too few records with the offence code "
        f"{_list_changes(named_losses)}; a code may lose {limits.offence_percent:g}%, so it was "
        "not promoted. Check that the source is whole; if it is, rerun with --allow offences."
    )


def count_contents(
    client: Elasticsearch, generation: Generation, live: Generation
) -> tuple[dict[str, int], dict[str, int]]:
    """How many records, people and links of the live generation and of the new one contain what,
    in words of a message. Raises GenerationError."""
    categories = {*live.categories} & {*generation.categories}
    previous, current = (
        _count_contents(client, name, categories) for name in (live.name, generation.name)
    )
    return previous, current


def describe_people_growth(
    generation: Generation,
    live: Generation,
    contents: tuple[dict[str, int], dict[str, int]],
    limits: ShrinkLimits,
) -> str:
    """Whether as many records have many more victims, suspects or links, as they do if a join
    repeats rows or a table is there twice; empty if not. ``contents`` are those of the live
    generation and of the new one."""
    if limits.growth_percent is None or not live.records:
        return ""
    previous, current = contents
    gains = {
        content: (current[content], expected)
        for content in (*PEOPLE_LISTS, "links")
        if (expected := previous[content] * generation.records // live.records)
        and current[content] > expected * (1 + _MAX_PEOPLE_GROWTH_PERCENT / 100)
        and current[content] - expected >= _MIN_GAINED
    }
    if not gains:
        return ""
    return (
        f"{generation.name} has many more {_list_changes(gains)} than as many records of the live "
        f"one have; {_MAX_PEOPLE_GROWTH_PERCENT}% more are allowed, so it was not promoted. Check "
        "that no table is there twice, and that no join repeats its rows; if all is right, rerun "
        "with --allow growth."
    )


def describe_content_shrinkage(
    generation: Generation,
    live: Generation,
    contents: tuple[dict[str, int], dict[str, int]],
    limits: ShrinkLimits,
) -> str:
    """Whether the records lost people, text or other values, as they do if a table is left out or
    a column is empty; empty if not. What fewer records had counts for less. ``contents`` are those
    of the live generation and of the new one."""
    if limits.content_percent is None or not live.records:
        return ""
    previous, current = contents
    expected = {
        content: count * generation.records // live.records for content, count in previous.items()
    }
    losses = _find_losses(expected, current, limits.content_percent, limits.min_lost_records)
    if not losses:
        return _describe_added_without_text(generation, live, (previous, current), limits)
    texts = [
        f"{now:,} {content}, where the live one has {previous[content]:,}"
        for content, (now, _) in losses.items()
    ]
    return (
        f"{generation.name} has {'; '.join(texts)}. For as many records, "
        f"{limits.content_percent:g}% may be missing, so it was not promoted. Check that every "
        "table or column of the source is there and whole; if it is, rerun with --allow contents."
    )


def describe_emptied_changes(
    had: Mapping[str, int], lost: Mapping[str, int], limits: ShrinkLimits
) -> str:
    """Whether the records that an increment changed lost all their people, text or other contents,
    as they do if a table is empty; empty if not. Among all records, one night's are few, and on a
    quiet night only some: of what records hardly ever lose, few are looked at, too."""
    if limits.content_percent is None:
        return ""
    kept = {content: count - lost.get(content, 0) for content, count in had.items()}
    losses = _find_losses(had, kept, limits.content_percent, limits.min_lost_records)
    lasting = {content: had[content] for content in had.keys() & LASTING_CONTENTS}
    few_percent = max(limits.content_percent, _MAX_FEW_EMPTIED_PERCENT)
    losses |= _find_losses(lasting, kept, few_percent, min(_MIN_EMPTIED, limits.min_lost_records))
    if not losses:
        return ""
    texts = [
        f"of {count:,} that had {content}, {lost[content]:,} have none now"
        for content, (_, count) in sorted(losses.items())
    ]
    return (
        f"Of the records that changed, {'; '.join(texts)}. At most {limits.content_percent:g}% "
        f"may lose them (of text and victims, if fewer than {limits.min_lost_records:,} are lost, "
        f"{few_percent:g}%), so nothing was promoted. Check that every table or column of the "
        "source is there and whole; if it is, rerun with --allow contents."
    )


def _describe_added_without_text(
    generation: Generation,
    live: Generation,
    contents: tuple[Mapping[str, int], Mapping[str, int]],
    limits: ShrinkLimits,
) -> str:
    """Whether the records that were added lack the text that the others have, as they do where the
    table of narratives is that of the night before; empty if not. Among all records, one night's
    are few. ``contents`` are those of the live generation and of the new one."""
    previous, current = (counts[_WITH_TEXT] for counts in contents)
    added = max(generation.records - live.records, 0)
    expected = {_WITH_TEXT: previous * added // live.records}
    found = {_WITH_TEXT: max(current - previous, 0)}
    if not _find_losses(expected, found, limits.content_percent or 0, limits.min_lost_records):
        return ""
    return (
        f"{generation.name} has {added:,} records more than the live one, but "
        f"{found[_WITH_TEXT]:,} more {_WITH_TEXT}, so it was not promoted. Check that "
        "every table of the source is of the same night; if it is, rerun with --allow contents."
    )


def _find_undeleted_losses(
    previous: Mapping[str, int],
    current: Mapping[str, int],
    percent: float,
    min_lost: int,
    count_deleted: Callable[[list[str]], Mapping[str, int]],
) -> dict[str, tuple[int, int]]:
    """The groups that lost too many records besides those that the source deletes explicitly.

    ``count_deleted`` counts these in some groups; it is asked only where there is a loss.
    """
    losses = _find_losses(previous, current, percent, min_lost)
    if not losses:
        return losses
    deleted = count_deleted([*losses])
    undeleted_counts = {group: previous[group] - deleted.get(group, 0) for group in losses}
    return _find_losses(undeleted_counts, current, percent, min_lost)


def _find_losses(
    previous: Mapping[str, int], current: Mapping[str, int], percent: float, min_lost: int
) -> dict[str, tuple[int, int]]:
    """Where too many records are missing: the number now, and the number before."""
    return {
        key: (current.get(key, 0), count)
        for key, count in previous.items()
        if count - current.get(key, 0) >= max(min_lost, 1)
        and current.get(key, 0) < count * (1 - percent / 100)
    }


def _list_changes(changes: Mapping[str, tuple[int, int]]) -> str:
    """The largest changes: "2024-03 (23, not 83)"."""
    largest = sorted(changes.items(), key=lambda change: -abs(change[1][0] - change[1][1]))
    texts = [f"{key} ({now:,}, not {before:,})" for key, (now, before) in largest[:_MAX_LISTED]]
    rest = f" and {len(largest) - _MAX_LISTED:,} more" if len(largest) > _MAX_LISTED else ""
    return f"{', '.join(texts)}{rest}"


def _find_first_compared_month(generation: Generation, live: Generation) -> str:
    """The first month to compare: an extract of the last years loses its oldest days each time."""
    if generation.coverage is None or live.coverage is None:
        return ""
    start, previous_start = generation.coverage.start, live.coverage.start
    if not previous_start < start <= previous_start + _MAX_START_MOVE:
        return ""
    following_month = date(start.year + start.month // 12, start.month % 12 + 1, 1)
    return f"{following_month:%Y-%m}"


def _request_codes(codes: list[str] | None) -> dict[str, Any]:
    """The aggregation by offence code: of these, or of the most frequent."""
    terms: dict[str, Any] = {"field": "offence_code", "size": _MAX_CODES}
    if codes is not None:
        terms["include"] = codes  # so that no code is left out for being rare
    return {"terms": terms}


def _count_deleted(
    client: Elasticsearch, generation: Generation, live: Generation, groups: dict[str, Any]
) -> Counter[str]:
    """The records of the live generation that the new one holds the deletion of, by group."""
    counts: Counter[str] = Counter()
    for page in search_pages(
        client, generation.name, query=_DELETED_RECORDS, size=_PAGE_RECORDS, source=["crime_ref"]
    ):
        references = [hit["_source"]["crime_ref"] for hit in page["hits"]["hits"]]
        if references:
            counts.update(
                _count_groups(client, live.name, groups, {"terms": {"crime_ref": references}})
            )
    return counts


def _count_groups(
    client: Elasticsearch,
    name: str,
    groups: dict[str, Any],
    restriction: dict[str, Any] | None = None,
) -> dict[str, int]:
    """The records that are held, by group. Raises GenerationError unless every shard answered."""
    aggregations = _aggregate_held_records(client, name, {"groups": groups}, restriction)
    return {
        bucket.get("key_as_string", bucket["key"]): bucket["doc_count"]
        for bucket in aggregations["groups"]["buckets"]
    }


def _count_monthly_contents(client: Elasticsearch, name: str) -> MonthlyContents:
    """How many records each month has, and how many of them contain what, in one search."""
    groups = {"groups": {**_MONTHS, "aggs": _CONTENTS_BY_TABLE}}
    buckets = _aggregate_held_records(client, name, groups)["groups"]["buckets"]
    months = {bucket["key_as_string"]: bucket for bucket in buckets}
    return {
        "records": {month: bucket["doc_count"] for month, bucket in months.items()},
        **{
            content: {
                month: bucket["contents"]["buckets"][content]["doc_count"]
                for month, bucket in months.items()
            }
            for content in _TABLE_CONTENTS
        },
    }


def _find_months(
    client: Elasticsearch, name: str, query: dict[str, Any], excluded: list[dict[str, Any]]
) -> dict[str, str]:
    """The month of each record that matches, the best first. Raises GenerationError unless every
    shard answered."""
    response = client.search(
        index=name,
        query={"bool": {"must": query, "must_not": excluded}},
        size=SAMPLE_RECORDS,
        source=False,
        docvalue_fields=[{"field": "crime_ref"}, {"field": "recorded_on", "format": "yyyy-MM"}],
        allow_partial_search_results=False,
    ).body
    _require_every_shard(response, name)
    records = [hit["fields"] for hit in response["hits"]["hits"]]
    # A deletion may have no day.
    return {record["crime_ref"][0]: record.get("recorded_on", [""])[0] for record in records}


def _count_contents(
    client: Elasticsearch, name: str, categories: Collection[str]
) -> dict[str, int]:
    """How many records, people and links contain what, in words of a message."""
    category_contents = {
        f'records with a "{category}"': {"exists": {"field": f"{CATEGORIES_FIELD}.{category}"}}
        for category in sorted(categories)
    }
    aggregations = {
        "records": {"filters": {"filters": {**_RECORD_CONTENTS, **category_contents}}},
        **{
            path: {
                "nested": {"path": path},
                "aggs": {"contents": {"filters": {"filters": contents}}},
            }
            for path, contents in _INNER_CONTENTS.items()
        },
    }
    answer = _aggregate_held_records(client, name, aggregations)
    filter_lists = [answer["records"], *(answer[path]["contents"] for path in _INNER_CONTENTS)]
    return {
        content: bucket["doc_count"]
        for filters in filter_lists
        for content, bucket in filters["buckets"].items()
    }


def _aggregate_held_records(
    client: Elasticsearch,
    name: str,
    aggregations: dict[str, Any],
    restriction: dict[str, Any] | None = None,
) -> dict[str, Any]:
    response = client.search(
        index=name,
        query={"bool": {"must_not": _DELETED_RECORDS, "filter": restriction or []}},
        size=0,
        aggs=aggregations,
        allow_partial_search_results=False,
    ).body
    _require_every_shard(response, name)
    answer: dict[str, Any] = response["aggregations"]
    return answer


def _require_every_shard(response: dict[str, Any], name: str) -> None:
    if response["timed_out"] or response["_shards"]["failed"]:
        raise GenerationError(f"{name}: not every shard answered. Run the command again.")

"""Finds the periods that a text asks about: ranges of days, years of each kind, "since", "last"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from queries.drafting.phrases.date_tokens import (
    DateToken,
    find_date_tokens,
    find_financial_days,
    find_tax_days,
)
from queries.drafting.phrases.plain_text import NUMBER_PATTERN, look_around, read_number

_RANGE_LINK: Final = re.compile(
    r"\s*(?:\([^)]*\)\s*)?,?\s*(?:to and including|up to and including|up to|up until|until|till|"
    r"through to|through|to|-|and)\s*(?:the\s+)?(?:end of\s+|present\s+)?(?:the year\s+)?",
    re.IGNORECASE,
)

#: "On or after 1 June 2018 and on or before 31 May 2019".
_ON_OR_AFTER: Final = re.compile(r"\bon or after\s+(?:the\s+)?$", re.IGNORECASE)

_ON_OR_BEFORE: Final = re.compile(
    r",?\s*(?:and|but)\s+(?:\w+\s+){0,2}on or before\s+(?:the\s+)?", re.IGNORECASE
)

_MONTHS_FROM: Final = re.compile(
    r"\b(?:year|12 months|twelve months)\s+(?:from|beginning|starting)\s+(?:in\s+|on\s+)?(?:the\s+)?$",
    re.IGNORECASE,
)

_LIST_LINK: Final = re.compile(r"\s*(?:,|;|/|&|\band\b|\bor\b|\s)+\s*(?:the\s+)?", re.IGNORECASE)

_MONTH_LIST_LINK: Final = re.compile(r"\s*(?:,|/|&|\band\b)+\s*", re.IGNORECASE)

#: What makes a year that follows only a part of it.
_PART_OF_YEAR: Final = re.compile(
    r"\b(?:quarters?|halves|half|q[1-4]|h[12]|spring|summer|autumn|winter|christmas|easter|ramadan|start|beginning|end|"
    r"early|mid|late|rest|part|parts|months?|weeks?|term|months)(?:\s+(?:of|in))?(?:\s+(?:the|calendar|year))*\s*$",
    re.IGNORECASE,
)

_BETWEEN: Final = re.compile(r"\b(?:between|from)\s+(?:the\s+)?$", re.IGNORECASE)

_SINCE: Final = re.compile(
    r"\b(?:since|starting(?: from| on| in)?|as of|onwards? from)\s+(?:the\s+)?(?:start of\s+|"
    r"beginning of\s+)?(?:calendar year\s+|financial year\s+)?$",
    re.IGNORECASE,
)

_FROM: Final = re.compile(r"\b(?:from|period)\s+(?:the\s+)?$", re.IGNORECASE)

_TO_DATE: Final = re.compile(
    r"\s*(?:\(?\s*(?:and\s+)?(?:up\s+)?(?:to|until|till)\s+(?:and including\s+)?(?:the\s+)?(?:date|present"
    r"|now|today|day|this day|current date|date of this)|onwards?\b)",
    re.IGNORECASE,
)

_YEAR_ENDING: Final = re.compile(
    r"\b(?:year|12 months|twelve months)\s+(?:to|ending|ended|up to|ending on)\s+(?:the\s+)?(?:end of\s+)?$",
    re.IGNORECASE,
)

_FINANCIAL_WORDS: Final = re.compile(
    r"\bfinancial|\bfiscal|\bf/?y\b|\baccounting year", re.IGNORECASE
)

_TAX_WORDS: Final = re.compile(r"\btax years?\b", re.IGNORECASE)

_SHORT_LEAD: Final = re.compile(r"(?:\bf/?y|\byears?|\bfinancial years?)\s*:?\s*$", re.IGNORECASE)

_YEAR_LEAD: Final = re.compile(
    r"\b(?:in|during|for|throughout|year|years|calendar year|calendar years|calender years?|of|from|"
    r"within|only|just|since|between|(?:limit|restrict|narrow|reduc|confin)\w*\b[^.;]{0,40}?\bto)\s+(?:just\s+|only\s+)?(?:the\s+)?"
    r"(?:whole of\s+|calendar\s+|calender\s+|years?\s+)*$"
    r"|\b(?:last|previous|past|this|calend[ae]r|complete|full) years?\s*[(,:-]\s*(?:i\.e\.,?\s*|that is,?\s*)?$",
    re.IGNORECASE,
)

_ACT_TAIL: Final = re.compile(r"(?:Act|Acts|Regulations?|Order|Rules|Bill|Code)\s*$")

_DAY_LEAD: Final = re.compile(r"\b(?:recorded|reported|committed|occurred) on\s+$", re.IGNORECASE)

_MONTH_LEAD: Final = re.compile(
    r"\b(?:in|during|for|month of|throughout)\s+(?:the\s+month\s+of\s+)?$", re.IGNORECASE
)

_LAST: Final = re.compile(
    rf"\b(?:last|past|previous|preceding|most recent|latest)\s+(?P<count>{NUMBER_PATTERN})?\s*"
    r"(?P<full>(?:complete|completed|full|whole)\s+)?(?P<kind>financial|fiscal|calendar|calender|tax)?\s*"
    r"(?P<unit>years?|months?)\b",
    re.IGNORECASE,
)

_COMPLETE_YEARS: Final = 50


class PeriodPhrase(Struct, frozen=True):
    """Days that a text names, from ``begin`` to ``stop``: first and last day, and their name.

    ``doubt`` says in a sentence what is not certain, and ``alternatives`` are the days if it is meant
    otherwise.
    """

    begin: int
    stop: int
    first: date
    last: date
    label: str = ""
    doubt: str = ""
    alternatives: tuple[tuple[date, date], ...] = ()


def find_periods(text: str, request_day: date | None) -> list[PeriodPhrase]:
    """The periods of a text in their order, each once.

    ``request_day`` is the day of the request, to which "since" and "the last five years" look
    back; without it these are left out.
    """
    phrases = [*_find_dated(text, request_day), *_find_last(text, request_day)]
    distinct: dict[tuple[date, date], PeriodPhrase] = {}
    for phrase in sorted(phrases, key=lambda phrase: phrase.begin):
        days = (phrase.first, phrase.last)
        if days not in distinct or (distinct[days].doubt and not phrase.doubt):
            distinct[days] = phrase
    return list(distinct.values())


def find_unread_days(text: str, phrases: Sequence[PeriodPhrase]) -> list[str]:
    """The days and months that a text names and that are no part of its periods."""
    return [
        text[token.begin : token.stop].rstrip(".")
        for token in find_date_tokens(text)
        if token.kind in ("day", "month")
        and not any(phrase.begin <= token.begin and token.stop <= phrase.stop for phrase in phrases)
    ]


def find_open_start(text: str) -> date | None:
    """The day from which a text asks for everything up to now: "since the start of 2022"."""
    for token in find_date_tokens(text):
        before, after = look_around(text, token.begin, token.stop)
        is_open = _SINCE.search(before) or (_FROM.search(before) and _TO_DATE.match(after))
        if is_open and not token.is_yearless:
            return token.first
    return None


def list_years(start: int, end: int, *, kind: str) -> list[tuple[date, date, str]]:
    """The years of a kind ("financial", "tax", "calendar") from one to another, with their names."""
    years = range(start, min(end, start + _COMPLETE_YEARS) + 1)
    if kind == "financial":
        return [(*find_financial_days(year), name_year(year)) for year in years]
    if kind == "tax":
        return [(*find_tax_days(year), "") for year in years]
    return [(date(year, 1, 1), date(year, 12, 31), str(year)) for year in years]


def name_year(start_year: int) -> str:
    """What a financial year is called: 2017/18."""
    return f"{start_year}/{(start_year + 1) % 100:02}"


def _find_dated(text: str, request_day: date | None) -> Iterator[PeriodPhrase]:
    tokens = _complete_month_lists(
        text, [token for token in find_date_tokens(text) if not _is_of_act(text, token)]
    )
    is_tax = bool(_TAX_WORDS.search(text))
    number = 0
    accepted_until = -1  # where the last year of a list ends
    is_part = False  # whether that is one of months or days
    while number < len(tokens):
        token = tokens[number]
        following = tokens[number + 1] if number + 1 < len(tokens) else None
        if following and _is_range(text, token, following):
            phrases = _read_range(token, following, is_tax=is_tax)
            if phrases:
                yield from phrases
                is_part = token.kind in ("day", "month")
                accepted_until = following.stop
                number += 2
                continue
        phrases = _read_single(text, token, request_day, accepted_until)
        if phrases:
            is_same_part = is_part and _is_in_list(text, token, accepted_until)
            if token.kind == "year" and is_same_part:
                doubt = f"The letter may mean the same part of {token.first.year}."
                phrases = [replace(phrase, doubt=doubt) for phrase in phrases]
            else:
                is_part = token.kind in ("day", "month")
            yield from (_mark_tax(text, phrase, is_tax=is_tax) for phrase in phrases)
            accepted_until = token.stop
        number += 1


def _complete_month_lists(text: str, tokens: list[DateToken]) -> list[DateToken]:
    """The tokens, with the year of the last of "May, June and July 2023" for each of the months."""
    completed: list[DateToken] = []
    for token in reversed(tokens):
        following = completed[-1] if completed else None
        dated = None
        if (
            following
            and token.kind == following.kind == "month"
            and token.is_yearless
            and not following.is_yearless
            and _MONTH_LIST_LINK.fullmatch(text[token.stop : following.begin])
            and not _BETWEEN.search(look_around(text, token.begin, token.stop)[0])
        ):
            dated = token.with_year(following.first.year)
        completed.append(dated or token)
    return completed[::-1]


def _is_of_act(text: str, token: DateToken) -> bool:
    """Whether a year is that of an Act, or of an amount of money."""
    if token.kind != "year":
        return False
    before, after = look_around(text, token.begin, token.stop)
    return bool(
        _ACT_TAIL.search(before)
        or re.search(r"[\u00a3$#]\s*$|\bno\.?\s*$|\bref\S*\s*$", before, re.IGNORECASE)
        or re.match(r"\s+(?:[A-Z]\w+\s+){0,3}(?:Act|Regulations?|Order|Rules)\b", after)
    )


def _is_range(text: str, start: DateToken, end: DateToken) -> bool:
    """Whether what stands between two dates makes them a range."""
    link = text[start.stop : end.begin]
    if _ON_OR_BEFORE.fullmatch(link):
        return bool(_ON_OR_AFTER.search(look_around(text, start.begin, start.stop)[0]))
    if not _RANGE_LINK.fullmatch(link) or start.kind == "years" or end.kind == "years":
        return False
    is_and = link.strip(" ,").casefold().startswith("and")
    if is_and:
        return bool(
            re.search(
                r"\bbetween\s+(?:the\s+)?(?:(?:start|beginning)\s+of\s+)?(?:\w+\s+years?\s+)?$",
                look_around(text, start.begin, start.stop)[0],
                re.IGNORECASE,
            )
        )
    return True


def _read_range(start: DateToken, end: DateToken, *, is_tax: bool) -> list[PeriodPhrase]:
    """The one period of a range of days, or each year of a range of years."""
    begin, stop = start.begin, end.stop
    kinds = {start.kind, end.kind}
    if kinds <= {"financial", "short", "ending"}:
        kind = "tax" if is_tax else "financial"
        years = list_years(start.first.year, end.first.year, kind=kind)
        return [PeriodPhrase(begin, stop, first, last, label) for first, last, label in years]
    if kinds == {"year"}:
        years = list_years(start.first.year, end.first.year, kind="calendar")
        return [PeriodPhrase(begin, stop, first, last, label) for first, last, label in years]
    if start.is_yearless and not end.is_yearless:
        start_token = start.with_year(end.first.year)
        if start_token and start_token.first > end.last:
            start_token = start.with_year(end.first.year - 1)
        if not start_token:
            return []
        start = start_token
    if start.is_yearless or end.is_yearless or start.first > end.last:
        return []
    return [PeriodPhrase(begin, stop, start.first, end.last)]


def _read_single(
    text: str, token: DateToken, request_day: date | None, accepted_until: int
) -> list[PeriodPhrase]:
    """The periods of a date that is no end of a range; none for a day that is only mentioned."""
    before, after = look_around(text, token.begin, token.stop)
    if token.is_yearless:
        return []
    is_to_date = bool(_TO_DATE.match(after))
    if _SINCE.search(before) or (_FROM.search(before) and is_to_date):
        return _read_open(token, request_day)
    if token.kind in ("day", "month") and _YEAR_ENDING.search(before):
        return [PeriodPhrase(token.begin, token.stop, _year_before(token.last), token.last)]
    if token.kind in ("day", "month") and _MONTHS_FROM.search(before):
        last = token.first.replace(year=token.first.year + 1, day=min(token.first.day, 28))
        last += timedelta(days=token.first.day - last.day - 1)
        return [PeriodPhrase(token.begin, token.stop, token.first, last)]
    if token.kind in ("day", "month"):
        lead = _DAY_LEAD if token.kind == "day" else _MONTH_LEAD
        in_list = token.kind == "month" and _is_in_list(text, token, accepted_until)
        is_several = token.kind == "day" and token.first < token.last
        is_period = is_several or bool(lead.search(before)) or in_list
        days = PeriodPhrase(token.begin, token.stop, token.first, token.last)
        return [days] if is_period else []
    return _read_single_year(text, token, request_day if is_to_date else None, accepted_until)


def _read_open(token: DateToken, request_day: date | None) -> list[PeriodPhrase]:
    """From a date up to the day of the request, if that is known and not before it."""
    if request_day is None or token.first > request_day:
        return []
    return [PeriodPhrase(token.begin, token.stop, token.first, request_day)]


def _read_single_year(
    text: str, token: DateToken, end_day: date | None, accepted_until: int
) -> list[PeriodPhrase]:
    """A year of any kind, or the years of "2018-2022"; ``end_day`` if it is asked for "to date"."""
    before, _ = look_around(text, token.begin, token.stop)
    in_list = _is_in_list(text, token, accepted_until)
    lead = {"short": _SHORT_LEAD, "year": _YEAR_LEAD}.get(token.kind)
    if lead and not (in_list or lead.search(before)):
        return []
    if token.kind == "years":
        is_financial = bool(_FINANCIAL_WORDS.search(before))
        end = token.last.year - is_financial
        return _list_phrases(
            token,
            list_years(token.first.year, end, kind="financial" if is_financial else "calendar"),
        )
    is_calendar = token.kind == "year" and (in_list or not _FINANCIAL_WORDS.search(before[-40:]))
    if token.kind in ("year", "ending") and not is_calendar:
        return [_read_ending_year(token)]
    label = str(token.first.year) if is_calendar else name_year(token.first.year)
    if end_day and token.first <= end_day < token.last:
        return [
            PeriodPhrase(
                token.begin,
                token.stop,
                token.first,
                end_day,
                f"{label} to date",
                "The year had not ended when the request was made.",
                ((token.first, token.last),),
            )
        ]
    if is_calendar and _PART_OF_YEAR.search(before):
        doubt = f"The letter may name only a part of {label}."
        return [PeriodPhrase(token.begin, token.stop, token.first, token.last, label, doubt)]
    return _list_phrases(token, [(token.first, token.last, label)])


def _list_phrases(token: DateToken, years: list[tuple[date, date, str]]) -> list[PeriodPhrase]:
    return [
        PeriodPhrase(token.begin, token.stop, first, last, label) for first, last, label in years
    ]


def _read_ending_year(token: DateToken) -> PeriodPhrase:
    """A financial year that one year names: "financial year 2023", "FY24"."""
    start = token.first.year - (token.kind == "year")
    doubt = "A financial year named by one year may begin or end in it."
    first, last = find_financial_days(start)
    alternatives = find_financial_days(start + 1)
    return PeriodPhrase(
        token.begin, token.stop, first, last, name_year(start), doubt, (alternatives,)
    )


def _mark_tax(text: str, phrase: PeriodPhrase, *, is_tax: bool) -> PeriodPhrase:
    """A financial year that the text calls a tax year: from 6 April."""
    if not is_tax or (phrase.first.month, phrase.first.day) != (4, 1):
        return phrase
    if _FINANCIAL_WORDS.search(text[max(phrase.begin - 20, 0) : phrase.begin]):
        return phrase
    first, last = find_tax_days(phrase.first.year)
    alternatives = ((phrase.first, phrase.last),)
    doubt = "A tax year is from 6 April to 5 April; the years of the police are from 1 April."
    return PeriodPhrase(phrase.begin, phrase.stop, first, last, "", doubt, alternatives)


def _is_in_list(text: str, token: DateToken, accepted_until: int) -> bool:
    """Whether a date follows an accepted one as the next of a list: "2021, 2022 and 2023"."""
    return 0 <= accepted_until <= token.begin and bool(
        _LIST_LINK.fullmatch(text[accepted_until : token.begin])
    )


def _find_last(text: str, request_day: date | None) -> Iterator[PeriodPhrase]:
    """Years or months before the day of the request: "the last five complete financial years"."""
    if request_day is None:
        return
    for match in _LAST.finditer(text):
        count = read_number(match["count"]) if match["count"] else 1
        kind = (match["kind"] or "").casefold().replace("calender", "calendar")
        if not 0 < count <= _COMPLETE_YEARS or (not match["count"] and not kind):
            continue
        if not kind:
            yield _read_rolling(match, count, request_day)
            continue
        yield from _read_last_years(
            match, count, "financial" if kind == "fiscal" else kind, request_day
        )


def _read_last_years(
    match: re.Match[str], count: int, kind: str, request_day: date
) -> Iterator[PeriodPhrase]:
    """The last complete years of a kind; in doubt if the text does not say complete."""
    begin, stop = match.span()
    start = request_day.year
    while list_years(start, start, kind=kind)[0][1] >= request_day:
        start -= 1
    is_running = list_years(start + 1, start + 1, kind=kind)[0][0] <= request_day
    doubt = (
        ""
        if match["full"] or not is_running
        else "The year in which the request was made may be one of them."
    )
    for first, last, label in list_years(start - count + 1, start, kind=kind):
        yield PeriodPhrase(begin, stop, first, last, label, doubt)


def _read_rolling(match: re.Match[str], count: int, request_day: date) -> PeriodPhrase:
    """The years or months up to the request; in doubt, because whole years may be meant."""
    months = count if match["unit"].casefold().startswith("month") else count * 12
    month_number = request_day.year * 12 + request_day.month - 1 - months
    year, month = divmod(month_number, 12)
    day = min(request_day.day, 28)
    first = date(max(year, 1), month + 1, day)
    doubt = "The letter does not say which days: those up to the request, or whole years."
    return PeriodPhrase(*match.span(), first, request_day, "", doubt)


def _year_before(last: date) -> date:
    """The first day of the year that ends with a day."""
    following = last + timedelta(days=1)
    return following.replace(year=following.year - 1, day=min(following.day, 28))

"""Letters together with what they mean, written by chance: Hypothesis strategies.

A meaning is drawn first and then written in one of many wordings, numberings and kinds of file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, TypeVar

import docx
from hypothesis import strategies as st

from tests.support import letter_wordings as wordings
from tests.support.letter_files import make_mail, save_word
from tests.support.meanings import MeantLetter, MeantPart, Population, join_terms, merge_days

Draw = Callable[[st.SearchStrategy[Any]], Any]

_Choice = TypeVar("_Choice")

HEAD = "From: Ada Example <ada@post.example.org>\nSent: {sent}\nTo: FOI <foi@northshire.example.org>\nSubject: {subject}\n\n"

SUBJECT = "FOI request FOI/2023/0417"

_ROMAN = ["", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii"]

#: The marks of parts on two levels, and how their numbers are joined in a draft.
NUMBERINGS: dict[str, tuple[Callable[[int], str], Callable[[int], str]]] = {
    "1. (a)": (lambda n: f"{n}.", lambda n: f"({chr(96 + n)})"),
    "1) a)": (lambda n: f"{n})", lambda n: f"{chr(96 + n)})"),
    "(1) (i)": (lambda n: f"({n})", lambda n: f"({_ROMAN[n]})"),
    "Q1 a.": (lambda n: f"Q{n}.", lambda n: f"{chr(96 + n)}."),
    "Question 1: i)": (lambda n: f"Question {n}:", lambda n: f"{_ROMAN[n]})"),
    "a) i.": (lambda n: f"{chr(96 + n)})", lambda n: f"{_ROMAN[n]}."),
    "A. 1.": (lambda n: f"{chr(64 + n)}.", lambda n: f"{n}."),
    "Part 1 -": (lambda n: f"Part {n} -", lambda n: f"({chr(96 + n)})"),
    "1 (a)": (lambda n: f"{n}", lambda n: f"({chr(96 + n)})"),
    "bullets": (lambda _: "-", lambda _: "o"),
    "none": (lambda _: "", lambda _: "-"),
}


@dataclass
class Scope:
    """What holds for the whole request, and the clauses that say it."""

    population: Population
    clauses: dict[str, str]
    term_names: list[str]
    codes: list[str]
    year: int | None = None
    is_unclear: bool = False


@dataclass
class Page:
    """A letter while it is written: paragraphs, parts, and how both were chosen."""

    lines: list[str] = field(default_factory=list)
    parts: list[MeantPart] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)


def pick(draw: Draw, choices: Sequence[_Choice]) -> _Choice:
    """One of some choices."""
    chosen: _Choice = draw(st.sampled_from(choices))
    return chosen


def draw_days(draw: Draw) -> tuple[Population, str, int | None]:
    """A period, with its words, and its year if it is one calendar year."""
    year = draw(st.integers(2018, 2021))
    kind = pick(draw, ["year", "financial", "span", "years"])
    if kind == "year":
        days = [(date(year, 1, 1), date(year, 12, 31))]
        return Population(merge_days(days)), pick(draw, wordings.list_year_wordings(year)), year
    if kind == "financial":
        days = [(date(year, 4, 1), date(year + 1, 3, 31))]
        return (
            Population(merge_days(days)),
            pick(draw, wordings.list_financial_wordings(year)),
            None,
        )
    if kind == "span":
        first, last = date(year, 6, 1), date(year + 1, 10, 31)
        words = pick(draw, wordings.list_span_wordings(first, last))
        return Population(merge_days([(first, last)])), words, None
    days = [(date(one, 1, 1), date(one, 12, 31)) for one in (year, year + 1)]
    words = pick(
        draw,
        [
            f"in {year} and {year + 1}",
            f"in the years {year} and {year + 1}",
            f"from {year} to {year + 1} inclusive",
            f"in each of the calendar years {year} and {year + 1}",
            f"between the beginning of {year} and the end of {year + 1}",
        ],
    )
    return Population(merge_days(days)), words, None


@st.composite
def draw_scope(draw: Draw) -> Scope:
    """What a whole request is about."""
    population, days, year = draw_days(draw)
    clauses = {"days": days}
    names: list[str] = []
    codes: list[str] = []
    limits = pick(draw, ["terms", "codes", "terms codes", "terms victim", "codes victim"]).split()
    if "terms" in limits:
        names = draw(st.lists(st.sampled_from(wordings.TERMS), min_size=1, max_size=3, unique=True))
        clauses["terms"] = pick(draw, wordings.list_term_wordings(names)[:-1])
        terms = join_terms([name.casefold() for name in names])
        population = replace(population, terms=terms)
    if "codes" in limits:
        codes = draw(
            st.lists(st.sampled_from(list(wordings.CODES)), min_size=1, max_size=2, unique=True)
        )
        clauses["codes"] = pick(draw, wordings.list_code_wordings(codes))
        population = replace(population, codes=frozenset(codes))
    if "victim" in limits:
        condition = pick(draw, list(wordings.VICTIMS))
        clauses["victim"] = pick(draw, wordings.VICTIMS[condition])
        population = replace(population, victim=frozenset(condition))
    is_unclear = draw(st.integers(0, 9)) == 0
    if is_unclear:
        clauses["limit"] = pick(draw, wordings.UNREAD_LIMITS)
    return Scope(population, clauses, names, codes, year, is_unclear)


def write_scope(draw: Draw, scope: Scope, page: Page) -> list[str]:
    """What holds for all parts, in one sentence or several; returns what stands after the parts."""
    layout = pick(draw, ["sentence", "sentences", "lines", "after"])
    page.tags.append(f"scope {layout}")
    page.tags += list(scope.clauses.values())
    order = [
        scope.clauses[key]
        for key in ("codes", "days", "terms", "victim", "limit")
        if key in scope.clauses
    ]
    if layout == "lines":
        headings = {
            "days": "Period",
            "codes": "Offences",
            "terms": "Only records",
            "victim": "Only records",
            "limit": "Only crimes",
        }
        page.lines += ["Under the FOI Act please answer the questions below."]
        page.lines += [f"{headings[key]}: {words}" for key, words in scope.clauses.items()]
        return []
    if layout == "sentence":
        page.lines.append(f"Please send me the following about crimes {' '.join(order)}:")
        return []
    sentences = [f"I am asking about crimes {words}." for words in order]
    if layout == "sentences":
        page.lines.append(" ".join(["I make a request under the FOI Act.", *sentences]))
        return []
    page.lines.append("Please could you answer these questions under the FOI Act:")
    return [f"All of my questions are about crimes {' '.join(order)}."]


def draw_part(draw: Draw, scope: Scope, number: str, earlier: Sequence[MeantPart]) -> MeantPart:
    """A part that says itself what it asks for."""
    population = scope.population
    kinds = ["total", "by", "by", "by", "bands", "uncounted", "limited", "term", "victim"]
    kinds += ["code"] * bool(scope.codes)
    kinds += ["each"] * (len(scope.term_names) > 1) + ["days"] * (
        len(population.days) == 1 and scope.year is None
    )
    kinds += ["of"] * bool(earlier)
    kind = pick(draw, kinds)
    if kind == "uncounted":
        return MeantPart(number, pick(draw, wordings.UNCOUNTED), None)
    if kind == "limited":
        return MeantPart(number, pick(draw, wordings.LIMITED), population, unclear=True)
    plain: dict[str, dict[str, list[str]]] = {
        "by": wordings.BREAKDOWNS,
        "bands": {f"victims {bands}": words for bands, words in wordings.BANDS.items()},
        "each": {"each term": wordings.EACH_TERM},
        "total": {"": wordings.TOTALS},
    }
    if kind in plain:
        breakdown = pick(draw, list(plain[kind]))
        return MeantPart(number, pick(draw, plain[kind][breakdown]), population, breakdown)
    if kind == "of":
        return draw_reference(draw, number, pick(draw, earlier))
    return draw_narrower(draw, scope, number, kind)


def draw_narrower(draw: Draw, scope: Scope, number: str, kind: str) -> MeantPart:
    """A part held to one term, code, year or kind of victim."""
    population = scope.population
    if kind == "term":
        name = pick(draw, [name for name in wordings.TERMS if name not in scope.term_names])
        words = pick(
            draw,
            [
                f'How many of the crimes also mention "{name}"?',
                f'The number of crimes where the word "{name}" appears as well.',
                f'How many contain "{name}"?',
                f'Number mentioning "{name}", by month',
            ],
        )
        terms = join_terms(*population.terms, [name.casefold()])
        breakdown = "month" if words.endswith("month") else ""
        return MeantPart(number, words, replace(population, terms=terms), breakdown)
    if kind == "code":
        code = pick(draw, scope.codes)
        words = pick(
            draw,
            [
                f"How many crimes had the code {code}?",
                f"The number recorded under code {code} alone.",
                f"For code {code}, the number of crimes by month.",
                f"How many were {wordings.CODES[code]} ({code})?",
            ],
        )
        breakdown = "month" if "by month" in words else ""
        return MeantPart(number, words, replace(population, codes=frozenset([code])), breakdown)
    if kind == "victim":
        condition = pick(draw, list(wordings.VICTIMS))
        clause = pick(draw, wordings.VICTIMS[condition])
        words = pick(
            draw,
            [
                f"The number of crimes {clause}.",
                f"How many crimes were there {clause}?",
                f"The number of crimes {clause}, by month.",
            ],
        )
        is_sure = not scope.population.victim
        breakdown = "month" if "by month" in words else ""
        narrowed = replace(population, victim=frozenset(condition))
        return MeantPart(number, words, narrowed, breakdown, unclear=not is_sure)
    ((first, last),) = population.days
    year = last.year
    if first.month == 4:
        first, last = date(year, 1, 1), date(year, 1, 31)
        words = f"How many crimes were recorded in January {year}?"
    else:
        first = max(first, date(year, 1, 1))
        words = pick(
            draw,
            [
                f"How many crimes were recorded in {year} alone?",
                f"The number of crimes from January {year} on, by month.",
            ],
        )
        last = min(last, date(year, 12, 31))
    breakdown = "month" if "by month" in words else ""
    return MeantPart(number, words, replace(population, days=((first, last),)), breakdown)


def draw_reference(draw: Draw, number: str, part: MeantPart) -> MeantPart:
    """A part that speaks of the records of another."""
    breakdown = pick(draw, ["month", "outcome", "quarter"])
    words = pick(
        draw,
        [
            f"Of the crimes in question {part.number}, the number by {breakdown}.",
            f"Please break {part.number} down by {breakdown}.",
            f"As {part.number}, but by {breakdown}.",
            f"The answer to {part.number} by {breakdown}.",
            f"The figures of part {part.number} for each {breakdown}",
        ],
    )
    is_sure = part.population is not None and not part.unclear
    return MeantPart(number, words, part.population, breakdown, unclear=not is_sure)


def write_parts(draw: Draw, scope: Scope, page: Page) -> None:
    """The numbered parts, with subparts or in sections."""
    style = pick(draw, list(NUMBERINGS))
    outer, inner = NUMBERINGS[style]
    shape = pick(draw, ["flat", "flat", "nested", "sections", "inline"])
    is_numbered = style not in ("none", "bullets")
    if shape == "inline" and style not in ("1) a)", "(1) (i)", "a) i."):
        shape = "flat"
    if shape == "sections" and style in ("A. 1.", "none", "bullets"):
        shape = "flat"
    page.tags += [f"numbering {style}", shape]
    count = draw(st.integers(2, 4))
    for position in range(1, count + 1):
        number = outer(position).strip("().:- ").removeprefix("Question ").removeprefix("Part ")
        number = (number.removeprefix("Q") if style != "A. 1." else number) or str(position)
        number = number if is_numbered else str(position)
        if shape == "sections" and position in (1, 3):
            page.lines.append(f"Section {'A' if position == 1 else 'B'}")
        if shape == "sections":
            number = (
                f"{'A' if position < 3 else 'B'}{outer((position - 1) % 2 + 1).strip('().:- ')}"
            )
            mark = outer((position - 1) % 2 + 1)
        else:
            mark = outer(position)
        if shape == "nested" and position == 2:
            write_subparts(draw, scope, page, mark, number, inner)
            continue
        earlier = page.parts if is_numbered and shape != "sections" else []
        part = draw_part(draw, scope, number, earlier)
        part = replace(part, unclear=part.unclear or scope.is_unclear)
        page.parts.append(part)
        page.lines.append(f"{mark} {part.words}".strip())
    if shape == "inline":
        parts = page.lines[-count:]
        page.lines[-count:] = ["; ".join(line.rstrip(".?") for line in parts) + "."]
        page.parts = [replace(part, words=part.words.rstrip(".?")) for part in page.parts]


def write_subparts(
    draw: Draw, scope: Scope, page: Page, mark: str, number: str, inner: Callable[[int], str]
) -> None:
    """A part that leads to parts of its own, and may hold all of them to some records."""
    lead = pick(draw, ["plain", "term", "code"])
    population = scope.population
    words = pick(draw, ["Please also give:", "About the crimes, please state:"])
    if lead == "term":
        name = pick(draw, [name for name in wordings.TERMS if name not in scope.term_names])
        words = pick(
            draw,
            [
                f'For the crimes that also mention "{name}":',
                f'Of the crimes with the word "{name}":',
            ],
        )
        terms = join_terms(*population.terms, [name.casefold()])
        population = replace(population, terms=terms)
    if lead == "code":
        code = pick(draw, scope.codes or list(wordings.CODES))
        words = pick(draw, [f"For offence code {code} alone:", f"For crimes of code {code} only:"])
        population = replace(population, codes=frozenset([code]))
    page.tags.append(f"lead {lead}")
    page.lines.append(f"{mark} {words}".strip())
    inside = replace(scope, population=population, year=0)
    for position in range(1, draw(st.integers(2, 3)) + 1):
        letter = inner(position).strip("().:- ")
        subnumber = f"{number}{letter}"
        breakdown = pick(draw, list(wordings.BREAKDOWNS))
        choice = pick(draw, ["by", "total", "uncounted"])
        if choice == "by":
            sentence = pick(draw, wordings.BREAKDOWNS[breakdown])
            part = MeantPart(subnumber, sentence, inside.population, breakdown)
        elif choice == "total":
            part = MeantPart(subnumber, pick(draw, wordings.TOTALS), inside.population)
        else:
            part = MeantPart(subnumber, pick(draw, wordings.UNCOUNTED), None)
        page.parts.append(part)
        page.lines.append(f"   {inner(position)} {part.words}")


def draw_change(draw: Draw, scope: Scope, page: Page, *, is_numbered: bool) -> str:
    """What a later mail changes; the parts of the page mean that afterwards."""
    kinds = (
        ["nothing"]
        + ["year"] * (scope.year is not None)
        + ["word", "more", "fewer"] * bool(scope.term_names)
    )
    kinds += ["code"] * bool(scope.codes) + ["drop", "drop", "part"] * is_numbered
    kind = pick(draw, kinds)
    page.tags.append(f"change {kind}")
    spare = [name for name in wordings.TERMS if not any(fold_in(name, part) for part in page.parts)]
    spare = [name for name in spare if name not in scope.term_names]
    if kind == "year":
        assert scope.year is not None
        old, new = scope.year, scope.year - 1
        days = ((date(new, 1, 1), date(new, 12, 31)),)
        change_population(page, lambda population: replace(population, days=days))
        return pick(draw, wordings.list_period_changes(str(old), str(new)))
    if kind in ("word", "more", "fewer") and spare:
        return change_terms(draw, scope, page, kind, pick(draw, spare))
    if kind == "code":
        old_code = scope.codes[0]
        new_code = pick(draw, [code for code in wordings.CODES if code not in scope.codes])
        change_population(
            page,
            lambda population: replace(
                population,
                codes=frozenset(
                    new_code if code == old_code else code for code in population.codes
                ),
            ),
        )
        return pick(draw, wordings.list_code_changes(old_code, new_code))
    if kind == "drop":
        position = draw(st.integers(0, len(page.parts) - 1))
        part = page.parts[position]
        page.parts[position] = replace(part, withdrawn=True)
        number = part.number
        if len(number) > 1 and draw(st.booleans()):
            number = f"{number[0]}({number[1:]})"
        return pick(draw, wordings.list_withdrawals(number))
    changed = [
        position
        for position, part in enumerate(page.parts)
        if part.breakdown in ("month", "quarter")
    ]
    if kind == "part" and changed:
        position = pick(draw, changed)
        part = page.parts[position]
        other = {"month": "quarter", "quarter": "month"}[part.breakdown]
        page.parts[position] = replace(part, breakdown=other)
        return pick(draw, wordings.list_part_changes(part.number, part.breakdown, other))
    return pick(
        draw,
        [
            "Thank you for your quick reply.",
            "I confirm that this is my request.",
            "Please let me know if anything is unclear.",
        ],
    )


def change_terms(draw: Draw, scope: Scope, page: Page, kind: str, new_words: str) -> str:
    """What a later mail changes of the terms."""
    old_words = scope.term_names[-1]
    base = [name.casefold() for name in scope.term_names]
    if kind == "fewer" and len(base) == 1:
        return "Thank you for your help."
    names = base if kind == "more" else base[:-1]
    names = names if kind == "fewer" else [*names, new_words.casefold()]
    scoped = frozenset(base)
    change_population(
        page,
        lambda population: replace(
            population,
            terms=join_terms(*(names if terms == scoped else terms for terms in population.terms)),
        ),
    )
    if kind == "word":
        return pick(draw, wordings.list_word_changes(old_words, new_words))
    if kind == "more":
        return pick(draw, wordings.list_word_additions(new_words))
    return pick(draw, wordings.list_word_removals(old_words))


def fold_in(name: str, part: MeantPart) -> bool:
    """Whether a part speaks of a term."""
    return name.casefold() in part.words.casefold()


def change_population(page: Page, change: Callable[[Population], Population]) -> None:
    """Change what each part counts."""
    page.parts = [
        replace(part, population=change(part.population)) if part.population else part
        for part in page.parts
    ]


@st.composite
def meant_letters(draw: Draw) -> MeantLetter:
    """A letter of any kind, with what it means."""
    scope = draw(draw_scope())
    page = Page()
    page.lines.append("Dear Sir or Madam,")
    after = write_scope(draw, scope, page)
    write_parts(draw, scope, page)
    page.lines += [*after, "Yours faithfully,", "Ada Example"]
    changes: tuple[str, ...] = ()
    is_numbered = not {"numbering none", "numbering bullets", "sections"} & set(page.tags)
    if draw(st.booleans()):
        changes = (draw_change(draw, scope, page, is_numbered=is_numbered),)
        page.tags += changes
    ending, content = write_file(draw, page, changes)
    return MeantLetter(
        ending, content, tuple(page.parts), tuple(scope.clauses.items()), changes, tuple(page.tags)
    )


def write_file(draw: Draw, page: Page, changes: tuple[str, ...]) -> tuple[str, bytes]:
    """The paragraphs as a file, with a later mail."""
    gap = pick(draw, ["\n\n", "\n"])
    text = gap.join(page.lines)
    if not changes:
        ending = pick(draw, [".txt", ".eml", ".docx"])
        if ending == ".docx":
            return ending, write_word(draw, page)
        if ending == ".eml":
            return ending, make_mail(text + "\n", subject=SUBJECT).as_bytes()
        head = HEAD.format(sent="4 September 2023 09:10", subject=SUBJECT)
        return ending, (head + text + "\n").encode()
    later = "\n".join(["Hello,", "", *changes, "", "Regards", "Ada Example"])
    mails = [
        HEAD.format(sent="12 September 2023 11:30", subject=f"RE: {SUBJECT}") + later,
        HEAD.format(sent="4 September 2023 09:10", subject=SUBJECT) + text,
    ]
    return ".txt", "\n\n".join(mails if draw(st.booleans()) else mails[::-1]).encode()


def write_word(draw: Draw, page: Page) -> bytes:
    """A document of Word; its parts may stand in a table."""
    document = docx.Document()
    document.add_paragraph("Your reference: FOI/2023/0417")
    document.add_paragraph("4 September 2023")
    words = {part.words for part in page.parts}
    rows = [
        position
        for position, line in enumerate(page.lines)
        if any(line.endswith(text) for text in words)
    ]
    as_table = "flat" in page.tags and not {"numbering none", "numbering bullets"} & set(page.tags)
    as_table = as_table and draw(st.booleans())
    page.tags.append("table" if as_table else "paragraphs")
    table = None
    for position, line in enumerate(page.lines):
        if not (as_table and position in rows):
            document.add_paragraph(line)
            continue
        if table is None:
            table = document.add_table(rows=0, cols=2)
            if draw(st.booleans()):
                cells = table.add_row().cells
                cells[0].text, cells[1].text = "No.", "Question"
        cells = table.add_row().cells
        text = next(text for text in words if line.endswith(text))
        cells[0].text, cells[1].text = line.removesuffix(text).strip(), text
    return save_word(document)


@st.composite
def plain_letters(draw: Draw) -> MeantLetter:
    """A letter as plain as an office could wish, about which nothing is to be asked."""
    population, days, _ = draw_days(draw)
    page = Page()
    limits = pick(draw, ["terms", "codes", "terms codes"]).split()
    clauses = []
    if "codes" in limits:
        codes = draw(
            st.lists(st.sampled_from(list(wordings.CODES)), min_size=1, max_size=2, unique=True)
        )
        population = replace(population, codes=frozenset(codes))
        noun = "codes" if len(codes) > 1 else "code"
        clauses.append(f"with the Home Office {noun} {wordings.join(codes, 'and')}")
    clauses.append(days)
    if "terms" in limits:
        names = draw(st.lists(st.sampled_from(wordings.TERMS), min_size=1, max_size=3, unique=True))
        population = replace(population, terms=join_terms([name.casefold() for name in names]))
        clauses.append(
            f"where the text mentions {wordings.join([f'{chr(34)}{name}{chr(34)}' for name in names], 'or')}"
        )
    page.lines = [
        "Dear Sir or Madam,",
        f"Please answer these questions about crimes {' '.join(clauses)}:",
    ]
    breakdowns = {
        **wordings.PLAIN_PARTS,
        **{f"victims {bands}": words for bands, words in wordings.BANDS.items()},
    }
    style = pick(draw, ["1. (a)", "1) a)", "(1) (i)", "Question 1: i)", "a) i."])
    page.tags = [f"numbering {style}", "flat", *clauses]
    mark = NUMBERINGS[style][0]
    for position in range(1, draw(st.integers(1, 4)) + 1):
        breakdown = pick(draw, list(breakdowns))
        words = pick(draw, breakdowns[breakdown])
        number = mark(position).removeprefix("Question").strip("().: ")
        page.parts.append(MeantPart(number, words, population, breakdown))
        page.lines.append(f"{mark(position)} {words}")
    page.lines += ["Yours faithfully,", "Ada Example"]
    ending, content = write_file(draw, page, ())
    return MeantLetter(ending, content, tuple(page.parts), tags=tuple(page.tags))

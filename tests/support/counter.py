"""A naive counter: the counting rule in plain Python over plain records, written apart from foidex."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, NamedTuple

from tests.support.oracle import cleaned, in_scope, mentions, text_of, variants

Record = dict[str, Any]


def code(written: str) -> str:
    """The canonical form of the codes the tests use."""
    plain = written.upper().replace("-", "/")
    if len(plain) == 5 and plain.isdigit():
        plain = f"{plain[:3]}/{plain[3:]}"
    category, slash, sub = plain.partition("/")
    return f"{category.lstrip('0')}{slash}{sub.lstrip('0') if slash else ''}"


#: What covers the codes the tests use, by hand.
COVERED_BY = {
    "21": {"21"},
    "22B": {"22B", "22"},
    "22A": {"22A", "22"},
    "88/1": {"88/1", "88A", "88"},
    "88/2": {"88/2", "88A", "88"},
    "88/3": {"88/3", "88D", "88"},
    "88E": {"88E", "88"},
    "71/17": {"71/17", "71"},
    "71/1": {"71/1", "71"},
    "86/2": {"86/2", "86"},
    "8N": {"8N", "8"},
    "46": {"46"},
    "49": {"49"},
    "28E": {"28E", "28"},
}


def covered(written: str, codes: list[str]) -> bool:
    return bool(COVERED_BY[code(written)] & set(codes))


class Counter:
    """The records of a scope, and what may be asked of them."""

    def __init__(
        self,
        records: list[Record],
        *,
        terms: list[str] | None = None,
        codes: list[str] | None = None,
        start: date = date.min,
        end: date = date.max,
    ) -> None:
        self.everything = {record["crime_ref"]: record for record in records}
        records_in_scope = [
            record
            for record in records
            if in_scope(record, start, end)
            and (codes is None or covered(record["offence_code"], codes))
            and (terms is None or any(self.says(record, term) for term in terms))
        ]
        self.left_out = {
            status: sum(record.get("status") == status for record in records_in_scope)
            for status in ("cancelled", "transferred")
        }
        self.records = [r for r in records_in_scope if r.get("status", "recorded") == "recorded"]

    @staticmethod
    def says(record: Record, term: str) -> bool:
        text = text_of(record)
        if "." in term:
            return mentions(text, [term])
        return mentions(text, variants(term))

    def of_codes(self, codes: list[str]) -> int:
        return sum(covered(record["offence_code"], codes) for record in self.records)

    def by_code(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for record in self.records:
            found[code(record["offence_code"])] = found.get(code(record["offence_code"]), 0) + 1
        return found

    def saying(self, term: str) -> int:
        return sum(self.says(record, term) for record in self.records)

    def saying_none(self, terms: list[str]) -> int:
        return sum(not any(self.says(record, term) for term in terms) for record in self.records)

    def linked(self, codes: list[str]) -> int:
        return sum(
            any(self._link(link, codes) for link in r.get("linked", [])) for r in self.records
        )

    def _link(self, link: dict[str, str], codes: list[str]) -> bool:
        written = link.get("offence_code")
        if written is None:
            named = self.everything.get(link["crime_ref"])
            written = named["offence_code"] if named else None
        return written is not None and covered(written, codes)

    def victims(self) -> list[dict[str, Any]]:
        return [victim for record in self.records for victim in record.get("victims", [])]

    def ages(self) -> list[int]:
        return [one["age"] for one in self.victims() if one.get("age") is not None]

    def aged(self, low: int, high: int) -> int:
        return sum(low <= age <= high for age in self.ages())

    def people_aged(self, low: int, high: int) -> int:
        return len(
            {
                one["victim_ref"]
                for one in self.victims()
                if one.get("age") is not None and low <= one["age"] <= high
            }
        )

    def people(self) -> int:
        return len({one["victim_ref"] for one in self.victims()})


# -- every kind of question ------------------------------------------------------------------------
#
# A request is the plain mapping that its file holds. Rows and columns are told by their labels, or
# by their codes where they have some.

GROUPS = {
    "21": "Sexual offences", "22B": "Sexual offences", "22A": "Sexual offences",
    "88/1": "Sexual offences", "88/2": "Sexual offences", "88/3": "Sexual offences",
    "88E": "Sexual offences", "71/17": "Sexual offences", "71/1": "Sexual offences",
    "86/2": "Miscellaneous crimes", "8N": "Violence against the person", "46": "Theft offences",
    "49": "Theft offences", "28E": "Theft offences",
}  # fmt: skip

OUTCOMES = {1: "Charged or summonsed", 8: "Community resolution", 18: "Investigation complete, no suspect identified"}  # fmt: skip

SEXES = {"F": "Female", "M": "Male", "X": "Neither", "U": "Unknown sex"}

SEX_WORDS = {
    "F": "female", "M": "male", "X": "of neither sex", "U": "of unknown sex",
    None: "of a sex that is not recorded",
}  # fmt: skip

MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September",
          "October", "November", "December"]  # fmt: skip

#: What one of a list of people is called.
PEOPLE = {"victims": "victim", "suspects": "suspect"}

Unit = tuple[Record, dict[str, Any] | None]  # an offence, or a victim of it

Holds = Callable[[Unit], bool]


def items(record: Record) -> list[str]:
    """The narrative as what a distance counts: its words, and "" for each thing counted as a word.

    A run of punctuation is one such thing, an underscore in it one more; so is the next log entry;
    a possessive is cut before its 's and after.
    """
    entries = record["narrative"]
    found: list[str] = []
    for entry in [entries] if isinstance(entries, str) else entries:
        text = cleaned(entry)
        end = None
        for word in re.finditer(r"[a-z0-9]+(?:(?<=[a-z])'(?=[a-z])[a-z0-9]+)*", text):
            between = text[end : word.start()] if end is not None else ""
            if re.search(r"[^\s\-\u2010-\u2015\u2212]|\n[^\S\n]*\n", between):
                found.append("")
            found += [""] * len(re.findall("_+", between))
            end = word.end()
            if word[0].endswith("'s"):
                found += [word[0][:-2], "", "s", *([""] if text[end:] else [])]
            else:
                found.append(word[0])
        if text:
            found.append("")
    return found


def places(said: list[str], forms: list[str]) -> list[tuple[int, int]]:
    """Where the forms stand: from the first word to after the last."""
    return [
        (start, start + len(form.split(" ")))
        for form in forms
        for start in range(len(said))
        if said[start : start + len(form.split(" "))] == form.split(" ")
    ]


def says(record: Record, wording: Any) -> bool:
    """Whether a record mentions a term, as a request writes it."""
    if isinstance(wording, str):
        return Counter.says(record, wording)
    exact = wording.get("variants") == "none"
    spellings = [wording["term"], *wording.get("aliases", [])]
    if not any(_spelled(record, one, exact=exact) for one in spellings):
        return False
    for other in wording.get("with", []):
        if isinstance(other, str) or "within" not in other:
            term = other if isinstance(other, str) else other["term"]
            if not Counter.says(record, term):
                return False
            continue
        said = items(record)
        ours = [place for one in spellings for place in places(said, _forms(one, exact=exact))]
        theirs = places(said, _forms(other["term"], exact=False))
        gaps = [max(b[0] - a[1], a[0] - b[1]) for a in ours for b in theirs]
        if not any(0 <= gap <= int(other["within"]) for gap in gaps):
            return False
    return True


def _spelled(record: Record, term: str, *, exact: bool) -> bool:
    if not exact or "." in term:
        return Counter.says(record, term)
    return mentions(text_of(record), _forms(term, exact=exact))


def _forms(term: str, *, exact: bool) -> list[str]:
    return [" ".join(re.split(r"[\s-]+", term.casefold()))] if exact else variants(term)


class Days(NamedTuple):
    start: date
    end: date
    label: str

    def hold(self, record: Record) -> bool:
        return self.start <= date.fromisoformat(record["recorded_on"]) <= self.end

    def meet(self, other: Days) -> bool:
        return self.start <= other.end and other.start <= self.end


def said_day(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def days(written: Any) -> Days:
    """A period of a request: its days, or a year as text."""
    if isinstance(written, dict):
        start, end = date.fromisoformat(written["from"]), date.fromisoformat(written["to"])
        label = written.get("label") or f"from {said_day(start)} to {said_day(end)}"
        return Days(start, end, label)
    year = int(written[:4])
    if "/" in written:
        return Days(date(year, 4, 1), date(year + 1, 3, 31), written)
    return Days(date(year, 1, 1), date(year, 12, 31), written)


def unit_of_time(name: str, day: date) -> Days:
    """The month, quarter or year that a day is of."""
    year, month = day.year, day.month
    if name == "day":
        return Days(day, day, said_day(day))
    if name == "calendar_year":
        return Days(date(year, 1, 1), date(year, 12, 31), str(year))
    if name == "financial_year":
        first = year if month > 3 else year - 1
        return Days(date(first, 4, 1), date(first + 1, 3, 31), f"{first}/{str(first + 1)[2:]}")
    first = month if name == "month" else (month - 1) // 3 * 3 + 1
    last = month if name == "month" else first + 2
    end = date(year + (last == 12), last % 12 + 1, 1) - timedelta(days=1)
    label = MONTHS[first - 1] if name == "month" else f"{MONTHS[first - 1]} to {MONTHS[last - 1]}"
    return Days(date(year, first, 1), end, f"{label} {year}")


class Naive:
    """The answer to a request, counted one record after the other."""

    def __init__(self, records: list[Record], request: dict[str, Any], categories: dict[str, Any]) -> None:  # fmt: skip
        self.everything = {record["crime_ref"]: record for record in records}
        self.request = request
        self.categories = categories
        self.in_scope = [one for one in records if self._in_scope(one, request)]
        self.left_out = {
            status: sum(one.get("status") == status for one in self.in_scope)
            for status in ("cancelled", "transferred")
        }

    def _in_scope(self, record: Record, scope: dict[str, Any]) -> bool:
        periods = self._periods(scope)
        if periods and not any(one.hold(record) for one in periods):
            return False
        if offences := scope.get("offences"):
            codes = [code(one) for row in offences for one in row["codes"]]
            if not covered(record["offence_code"], codes):
                return False
        if (terms := scope.get("mentions")) and not any(says(record, one) for one in terms):
            return False
        return all(
            self._meets(record, name, values) for name, values in scope.get("where", {}).items()
        )

    @staticmethod
    def _periods(scope: dict[str, Any]) -> list[Days]:
        written = [scope["period"]] if "period" in scope else scope.get("periods", [])
        return [days(one) for one in written]

    def _meets(self, record: Record, name: str, values: Any) -> bool:
        if name in PEOPLE.values():
            return any(_is_such_a_person(one, values) for one in record.get(f"{name}s", []))
        if name == "sex":
            return any(one.get("sex") in values for one in record.get("victims", []))
        if name == "offence_group":
            return GROUPS[code(record["offence_code"])] in values
        held = record.get(name)
        return any(str(one).lower() in [v.lower() for v in values] for one in _many(held))

    def answer(self, question: dict[str, Any]) -> Table:
        """The table of a question, and its facts."""
        within = question.get("within", {})
        scope = {key: self.request[key] for key in ("period", "periods", "offences") if key in self.request}  # fmt: skip
        if "period" in within or "periods" in within:
            scope.pop("period", None)
            scope.pop("periods", None)
        scope |= within
        records = [one for one in self.in_scope if self._in_scope(one, within)]
        periods = self._periods(scope)  # type: ignore[arg-type]
        whole = self._table(question, records, scope)  # type: ignore[arg-type]
        timed = question["kind"] in ("cross", "overlap", "list") or question.get("by") in TIMES
        if question.get("present"):
            whole.keep_present()
        if len(periods) < 2 or timed:
            return whole
        for period in periods:
            held = [one for one in records if period.hold(one)]
            narrow = {key: value for key, value in scope.items() if key != "periods"} | {
                "period": {"from": str(period.start), "to": str(period.end)}
            }
            whole.beside(self._table(question, held, narrow), period.label)  # type: ignore[arg-type]
        return whole

    def _table(self, question: dict[str, Any], records: list[Record], scope: dict[str, Any]) -> Table:  # fmt: skip
        kind = question["kind"]
        sides = {  # type: ignore[no-untyped-call]
            "offences": lambda: ["offence_row" if scope.get("offences") else "offence", None],
            "keywords": lambda: [
                {"keywords": question["keywords"]},
                "offence_row" if question.get("each_offence") and scope.get("offences") else None,
            ],
            "linked": lambda: [{"linked": question["codes"]}, None],
            "victims": lambda: [{"bands": question.get("bands", [])}, None],
            "suspects": lambda: [{"bands": question.get("bands", [])}, None],
            "by": lambda: [question["by"], None],
            "cross": lambda: [question["rows"], question["columns"]],
            "list": lambda: [{"list": question["fields"]}, None],
            "overlap": lambda: [{"overlap": question["keywords"]}, {"together": question["keywords"]}],
        }[kind]()  # fmt: skip
        of_victims = any(_is_of_victims(one) for one in sides)  # type: ignore[attr-defined]
        unit = question.get("count") or ("victims" if of_victims else "offences")
        unit = kind if kind == "suspects" else unit
        if "status" not in sides:  # type: ignore[operator]
            records = [one for one in records if one.get("status", "recorded") == "recorded"]
        units: list[Unit] = (
            [(one, person) for one in records for person in one.get(unit, [])]
            if unit in PEOPLE
            else [(one, None) for one in records]
        )
        rows, columns = (self._axis(side, records, scope, unit) for side in sides)  # type: ignore[attr-defined]
        table = Table(unit, units, rows, columns)
        if kind == "linked":
            linked = [self._linked(question["codes"], one) for one in units]
            table.facts = {"linked": sum(linked)}
        elif kind == "overlap":
            many = [sum(says(one[0], term) for term in question["keywords"]) for one in units]
            table.facts = {"any": sum(n > 0 for n in many), "several": sum(n > 1 for n in many)}
        elif kind in PEOPLE:
            person = PEOPLE[kind]
            ages = [one["age"] for _, one in units if one and one.get("age") is not None]
            table.facts = {
                "offences": len(records),
                f"offences_without_{person}": sum(not one.get(kind) for one in records),
            }
            if nameless := sum(one is not None and f"{person}_ref" not in one for _, one in units):
                table.facts[f"{kind}_without_reference"] = nameless
            if question.get("youngest"):
                youngest = table.facts["youngest"] = min(ages, default=None)
                if question.get("youngest_sex"):
                    sexes = {one.get("sex") for _, one in units if one and _age(one) == youngest}
                    words = [SEX_WORDS[sex] for sex in (*SEXES, None) if sex in sexes]
                    table.facts["youngest_sex"] = (
                        None
                        if youngest is None
                        else f"{', '.join(words[:-1])} and {words[-1]}"
                        if len(words) > 1
                        else words[0]
                    )
            if all(one and f"{person}_ref" in one for _, one in units):
                table.people(f"{person}_ref")
        return table

    def _linked(self, codes: list[str], unit: Unit) -> bool:
        found = []
        for link in unit[0].get("linked", []):
            named = self.everything.get(link.get("crime_ref", ""), {})
            found.append(link.get("offence_code") or named.get("offence_code"))
        return any(one and covered(one, [code(c) for c in codes]) for one in found)

    def _axis(self, side: Any, records: list[Record], scope: dict[str, Any], unit: str) -> dict[str, Holds]:  # noqa: C901, PLR0911  # fmt: skip
        """The buckets of one side, by label."""
        if side is None:
            return {}
        if isinstance(side, dict) and "by" in side:
            side = side["by"]
        if isinstance(side, str):
            return self._field(side, records, scope, unit)
        if "periods" in side:
            return {(one := days(w)).label: lambda u, p=one: p.hold(u[0]) for w in side["periods"]}  # type: ignore[misc]
        if "list" in side:
            return self._combinations(side["list"], records, scope, unit)
        if "linked" in side:
            each: dict[str, Holds] = {
                code(one): lambda u, c=one: self._linked([c], u)  # type: ignore[misc]
                for one in side["linked"]
            }
            return each | {"No such link": lambda u: not self._linked(side["linked"], u)}
        if "bands" in side:
            bands = [(int(one.get("from", 0)), int(one.get("to", 120))) for one in side["bands"]]
            found: dict[str, Any] = {
                one.get("label") or _band(*band): lambda v, b=band: (
                    _age(v) is not None and b[0] <= _age(v) <= b[1]
                )
                for one, band in zip(side["bands"], bands, strict=True)
            }
            other = "Any other known age" if bands else "Age known"
            found[other] = lambda v: (
                _age(v) is not None and not any(low <= _age(v) <= high for low, high in bands)
            )
            return _of_victims(found | {"Age not known": lambda v: _age(v) is None}, unit)
        terms = next(iter(side.values()))
        wanted: dict[str, Holds] = {_said(t): lambda u, t=t: says(u[0], t) for t in terms}  # type: ignore[misc]

        def mentioned(u: Unit) -> int:
            return sum(says(u[0], t) for t in terms)

        if "together" in side:
            return {
                "Only one of these": lambda u: mentioned(u) == 1,
                "With another": lambda u: mentioned(u) > 1,
                **{f"With {label}": holds for label, holds in wanted.items()},
            }
        if "overlap" in side:
            wanted |= {
                "Any of these": lambda u: mentioned(u) > 0,
                "Two or more of these": lambda u: mentioned(u) > 1,
                "All of these": lambda u: mentioned(u) == len(terms),
            }
        return wanted | {"None of these": lambda u: mentioned(u) == 0}

    def _combinations(self, fields: list[Any], records: list[Record], scope: dict[str, Any], unit: str) -> dict[str, Holds]:  # fmt: skip
        """Each combination of values that a record, or a victim, has."""
        timeless = {name: one for name, one in scope.items() if not name.startswith("period")}
        axes = [self._axis(field, records, timeless, unit) for field in fields]

        def said(u: Unit) -> str:
            return "; ".join(
                next(label for label, holds in axis.items() if holds(u)) for axis in axes
            )

        units = [
            (one, person)
            for one in records
            for person in (one.get(unit, []) if unit in PEOPLE else [None])
        ]
        return {label: lambda u, x=label: said(u) == x for label in dict.fromkeys(map(said, units))}  # type: ignore[misc]  # fmt: skip

    def _field(self, name: str, records: list[Record], scope: dict[str, Any], unit: str) -> dict[str, Holds]:  # fmt: skip
        if name in TIMES:
            periods = self._periods(scope)
            every = (
                [one.start + timedelta(days=n) for one in periods for n in range((one.end - one.start).days + 1)]
                if periods
                else [date.fromisoformat(one["recorded_on"]) for one in records]
            )  # fmt: skip
            times = sorted({unit_of_time(name, day) for day in every})
            return {one.label: lambda u, p=one: p.hold(u[0]) for one in times}  # type: ignore[misc]
        if name == "sex":
            sexes: dict[str, Any] = {
                label: lambda v, s=sex: v.get("sex") == s for sex, label in SEXES.items()
            }
            return _of_victims(sexes | {"Sex not recorded": lambda v: v.get("sex") is None}, unit)
        if name == "offence_row":
            rows = [[code(one) for one in row["codes"]] for row in scope["offences"]]
            return {
                ", ".join(sorted(codes)): lambda u, c=codes: covered(u[0]["offence_code"], c)  # type: ignore[misc]
                for codes in rows
            }
        if name == "status":
            return {
                one.capitalize(): lambda u, s=one: u[0].get("status", "recorded") == s  # type: ignore[misc]
                for one in ("recorded", "cancelled", "transferred")
            }
        read: Callable[[Record], list[str]]
        known: list[str] | None = None
        if name == "offence":
            read = lambda r: [code(r["offence_code"])]  # noqa: E731
        elif name == "offence_group":
            read = lambda r: [GROUPS[code(r["offence_code"])]]  # noqa: E731
        elif name == "outcome":
            read = lambda r: [f"{one} {OUTCOMES[one]}" for one in _many(r.get("outcome"))]  # noqa: E731
        else:
            category = self.categories[name]
            known = category.get("values")
            if category.get("type") == "boolean":
                known = ["Yes", "No"]
            read = lambda r: [{True: "Yes", False: "No"}.get(one, str(one)) if isinstance(one, bool) else str(one) for one in _many(r.get(name))]  # noqa: E731  # fmt: skip
        labels = known or sorted({label for one in records for label in read(one)}, key=_natural)
        found: dict[str, Holds] = {label: lambda u, x=label: x in read(u[0]) for label in labels}  # type: ignore[misc]
        missing: dict[str, Holds] = {"Not recorded": lambda u: not read(u[0])}
        some = known is not None or any(not read(one) for one in records)
        told = found | (missing if some else {})
        if known is None or category.get("many"):
            return told
        asked = [
            one["where"][name] for one in (self.request, scope) if name in one.get("where", {})
        ]
        said = {"true": "Yes", "false": "No"}
        held = [{said.get(value, value) for value in values} for values in asked]
        return {label: holds for label, holds in told.items() if all(label in one for one in held)}


class Table:
    """A naive table: ``cells`` are the units in each row and column; None is the whole."""

    def __init__(self, unit: str, units: list[Unit], rows: dict[str, Holds], columns: dict[str, Holds]) -> None:  # fmt: skip
        self.unit = unit
        self.rows: list[str | None] = [*rows, None]
        self.columns = [unit.capitalize(), *columns]
        self.cells: dict[tuple[str | None, str], list[Unit]] = {}
        self.numbers: dict[tuple[str | None, str], int] = {}
        self.facts: dict[str, Any] = {}
        for row, in_row in [*rows.items(), (None, lambda _: True)]:
            held = [one for one in units if in_row(one)]
            self.cells[row, self.columns[0]] = held
            for column, in_column in columns.items():
                self.cells[row, column] = [one for one in held if in_column(one)]

    def people(self, reference: str) -> None:
        """Add the column of different people."""
        self.columns.append("Different people")
        for row in self.rows:
            held = self.cells[row, self.columns[0]]
            self.cells[row, "Different people"] = held
            self.numbers[row, "Different people"] = len({one[reference] for _, one in held if one})  # fmt: skip

    def keep_present(self) -> None:
        """Leave out the rows that count nothing."""
        self.rows = [row for row in self.rows if row is None or self.cells[row, self.columns[0]]]

    def number(self, row: str | None, column: str) -> int:
        """How many a cell counts; a row that is not there counts none."""
        return self.numbers.get((row, column), len(self.cells.get((row, column), [])))

    def references(self, row: str | None, column: str) -> set[str]:
        """The records behind a cell."""
        return {record["crime_ref"] for record, _ in self.cells.get((row, column), [])}

    def beside(self, other: Table, label: str) -> None:
        """Add the columns of one period."""
        first = [one for one in self.columns if not one.startswith("@")]
        alone = len(first) == 1
        for column in first:
            name = f"@{label}" if alone else f"@{column}, {label}"
            self.columns.append(name)
            for row in self.rows:
                self.cells[row, name] = other.cells.get((row, column), [])
                self.numbers[row, name] = other.number(row, column)
        self.facts |= {f"{name} [{label}]": value for name, value in other.facts.items()}


TIMES = ("day", "month", "quarter", "calendar_year", "financial_year")


def _is_of_victims(side: Any) -> bool:
    if isinstance(side, dict) and "list" in side:
        return any(map(_is_of_victims, side["list"]))
    return side == "sex" or (
        isinstance(side, dict) and ("bands" in side or side.get("by") == "sex")
    )


def _of_victims(found: dict[str, Any], unit: str) -> dict[str, Holds]:
    """Of victims; or, where offences are counted, of records that have such a victim."""
    if unit in PEOPLE:
        return {label: lambda u, f=f: f(u[1]) for label, f in found.items()}  # type: ignore[misc]
    records: dict[str, Holds] = {
        label: lambda u, f=f: any(f(one) for one in u[0].get("victims", []))  # type: ignore[misc]
        for label, f in found.items()
    }
    return records | {"No victim recorded": lambda u: not u[0].get("victims")}


def _is_such_a_person(person: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether one person has the age and one of the sexes that are wanted."""
    if "sex" in wanted and person.get("sex") not in wanted["sex"]:
        return False
    if "age" not in wanted:
        return True
    low, high = int(wanted["age"].get("from", 0)), int(wanted["age"].get("to", 120))
    return _age(person) is not None and low <= _age(person) <= high


def _age(victim: dict[str, Any]) -> Any:
    return victim.get("age")


def _band(low: int, high: int) -> str:
    if low == high:
        return f"Aged {low}"
    if low == 0:
        return f"Aged {high} and under"
    return f"Aged {low} and over" if high == 120 else f"Aged {low} to {high}"


def _many(held: Any) -> list[Any]:
    return held if isinstance(held, list) else [] if held is None else [held]


def _said(wording: Any) -> str:
    if isinstance(wording, str):
        return wording
    more = []
    for other in wording.get("with", []):
        if isinstance(other, str) or "within" not in other:
            more.append(f'with "{other if isinstance(other, str) else other["term"]}"')
        else:
            words = "word" if other["within"] == "1" else "words"
            more.append(f'with "{other["term"]}" within {other["within"]} {words}')
    if wording.get("variants") == "none":
        more.append("exactly so written")
    return f"{wording['term']} ({', '.join(more)})" if more else str(wording["term"])


def _natural(label: str) -> list[Any]:
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in re.findall(r"\d+|\D+", label)]  # fmt: skip

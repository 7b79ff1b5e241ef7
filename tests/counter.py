"""A naive counter: the counting rule in plain Python over plain records, written apart from foidex."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests import oracle

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
    "88/3": {"88/3", "88"},
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
        in_scope = [
            record
            for record in records
            if oracle.in_scope(record, start, end)
            and (codes is None or covered(record["offence_code"], codes))
            and (terms is None or any(self.says(record, term) for term in terms))
        ]
        self.left_out = {
            status: sum(record.get("status") == status for record in in_scope)
            for status in ("cancelled", "transferred")
        }
        self.records = [r for r in in_scope if r.get("status", "recorded") == "recorded"]

    @staticmethod
    def says(record: Record, term: str) -> bool:
        text = oracle.text_of(record)
        if "." in term:
            return oracle.mentions(text, [term])
        return oracle.mentions(text, oracle.variants(term))

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

"""Who sent a mail: the name in plain order, and the address."""

from __future__ import annotations

import re
from email.utils import parseaddr
from typing import Final, NamedTuple

_ADDRESS: Final = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")

#: What follows a name in the head of a mail, and is no part of it: "[mailto:...]", "(Newsdesk)".
_ADDITION: Final = re.compile(r"\s*(?:\[[^\]]*\]|\([^)]*\)|<[^>]*>)")

#: After a comma these are no first names: "Brackenbury Stokes, LLP".
_NO_FIRST_NAME: Final = re.compile(
    r"\b(?:ll[pc]|ltd|limited|plc|inc|co|cic|phd|msc|ba|bsc|ma|jp|mp|kc|qc|esq|jr|sr|obe|mbe|cbe)\b",
    re.IGNORECASE,
)

_NAME_PART: Final = re.compile(r"[^\W\d_][\w.'\u2019-]*(?: [^\W\d_][\w.'\u2019-]*){0,2}")


class Sender(NamedTuple):
    """The name, or the address where there is no name; and the address."""

    name: str | None
    address: str | None


def parse_sender(text: str) -> Sender:
    """Who a "From:" names: ``"Prydderch, Ffion" <f@...>`` is Ffion Prydderch."""
    match = _ADDRESS.search(text)
    address = match[0] if match else None
    name = parseaddr(text)[0] if "<" in text and address else text
    name = _ADDITION.sub("", name or text)
    if address:
        name = name.replace(f"mailto:{address}", "").replace(address, "")
    name = " ".join(name.strip(" \t\"'<>;,").split())
    return Sender(turn_name(name) or address, address)


def turn_name(name: str) -> str:
    """A name with the first name first: "Prydderch, Ffion" is Ffion Prydderch."""
    last, comma, first = name.partition(",")
    last, first = last.strip(), first.strip()
    if not comma or "," in first or _NO_FIRST_NAME.search(first):
        return name
    if not (_NAME_PART.fullmatch(last) and _NAME_PART.fullmatch(first)):
        return name
    return f"{first} {last}"

"""TODO: say what indexer.commands.shared is for."""

from __future__ import annotations

from enum import StrEnum


class ListFormat(StrEnum):
    """What ``generations`` prints."""

    TABLE = "table"
    JSON = "json"


def print_json(value: object) -> None:
    import msgspec

    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())

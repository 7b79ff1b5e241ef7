"""Read a crime record, or a notice of its deletion, from a JSON line or from Python values.

A record that breaks the contract raises RecordError.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from indexer.records.contract import PLAIN_CONTRACT, RecordContract
from indexer.records.model import DELETED, CrimeRecord, Deletion, RecordError
from indexer.records.validation_messages import (
    describe_shape,
    explain_json_error,
    explain_record_error,
    explain_unknown_field,
)

_LINE_DECODER: Final = msgspec.json.Decoder()


def parse_record_line(
    line: bytes, contract: RecordContract = PLAIN_CONTRACT
) -> CrimeRecord | Deletion:
    """Read one JSON line. Raises RecordError."""
    try:
        record = contract.decode(line)
    except (ValueError, RecursionError) as error:
        return _parse_deletion(_decode_line(line), error, contract)
    _check_links(record)
    return record


def parse_mapped_line(
    line: bytes, rename_fields: Callable[[Any], Any], contract: RecordContract = PLAIN_CONTRACT
) -> CrimeRecord | Deletion:
    """Read one JSON line whose fields ``rename_fields`` gives our names. Raises RecordError."""
    raw = rename_fields(_decode_line(line))
    if not isinstance(raw, dict):
        raise RecordError(
            f"is {describe_shape(raw)}, not an object. A record is one JSON object a line."
        )
    return parse_record_mapping(raw, contract)


def _decode_line(line: bytes) -> Any:
    try:
        # Without its end, a line that is cut short reads as truncated and not as malformed.
        return _LINE_DECODER.decode(line.rstrip())
    except RecursionError:
        raise RecordError("is nested too deeply to be a record. Correct the line.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordError(explain_json_error(error)) from None


def parse_record_mapping(
    raw: dict[str, Any], contract: RecordContract = PLAIN_CONTRACT
) -> CrimeRecord | Deletion:
    """Read a record of Python values, such as a joined CSV row. Raises RecordError."""
    try:
        record = msgspec.convert(raw, contract.type)
    except msgspec.ValidationError as error:
        return _parse_deletion(raw, error, contract)
    _check_links(record)
    return record


def _parse_deletion(raw: Any, error: Exception, contract: RecordContract) -> Deletion:
    """Read what is not a record as a notice of deletion, or raise RecordError."""
    if not isinstance(raw, dict) or raw.get("status") != DELETED:
        raise RecordError(explain_record_error(error, raw, contract)) from None
    if unknown := next((name for name in raw if name not in contract.fields), None):
        raise RecordError(explain_unknown_field(unknown, "", contract)) from None
    try:
        return msgspec.convert(raw, Deletion)
    except msgspec.ValidationError as wrong:
        raise RecordError(explain_record_error(wrong, raw, contract)) from None


def _check_links(record: CrimeRecord) -> None:
    for index, link in enumerate(record.linked):
        if link.crime_ref is None and link.offence_code is None:
            raise RecordError(
                f'"linked[{index}]" names neither a crime_ref nor an offence_code. '
                "Give one, or leave the link out."
            )

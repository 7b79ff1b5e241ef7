"""Zip packages (Word files, workbooks) whose bytes depend only on their content. Pure."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo


def fix_zip_timestamps(package: bytes, moment: datetime) -> bytes:
    """A zip file with the same time stamp on every entry."""
    stamp = moment.astimezone(UTC).timetuple()[:6]
    buffer = io.BytesIO()
    with ZipFile(io.BytesIO(package)) as old, ZipFile(buffer, "w", ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(ZipInfo(entry.filename, stamp), old.read(entry), ZIP_DEFLATED)
    return buffer.getvalue()

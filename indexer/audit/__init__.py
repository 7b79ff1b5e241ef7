"""The audit log: a chained record of every query and every erasure."""

from __future__ import annotations

from typing import Final

AUDIT_LOG_NAME: Final = "audit.jsonl"

AUDIT_KEY_NAME: Final = "audit.key"

#: The folder beside the log for the evidence files of answers.
BASIS_FOLDER_NAME: Final = "basis"

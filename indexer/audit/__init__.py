"""The audit log: a chained record of every query and every erasure."""

from __future__ import annotations

from typing import Final

AUDIT_LOG_NAME: Final = "audit.jsonl"

AUDIT_KEY_NAME: Final = "audit.key"

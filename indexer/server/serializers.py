"""Serializers for the client: JSON bodies by msgspec, and bulk bodies joined as bytes."""

from __future__ import annotations

from typing import Any

import msgspec
from elasticsearch.serializer import JsonSerializer, NdjsonSerializer


class JsonBodySerializer(JsonSerializer):
    """JSON by msgspec, several times faster than the standard library."""

    def json_dumps(self, data: Any) -> bytes:
        """The JSON of a value."""
        return msgspec.json.encode(data)

    def json_loads(self, data: bytes) -> Any:
        """The value of a JSON text."""
        return msgspec.json.decode(data)


class BulkBodySerializer(NdjsonSerializer):
    """Joins lines that are bytes already in one copy: a bulk body takes megabytes."""

    def dumps(self, data: Any) -> bytes:
        """The body of a bulk request."""
        if isinstance(data, list) and all(type(line) is bytes for line in data):
            return b"\n".join([*data, b""])
        return super().dumps(data)

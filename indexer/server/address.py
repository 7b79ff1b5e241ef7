"""The address of a server, with its credentials, which no message or repr ever shows."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

SUPPORTED_MAJOR: Final = 9


class ServerAddress(Struct, frozen=True):
    """Where a server is, and how to log in.

    ``other_urls`` are further addresses of the same cluster; ``timeout`` is in seconds;
    ``is_embedded`` says that foidex started it itself.
    """

    url: str
    user: str | None = None
    password: str | None = None
    ca_cert: str | None = None
    timeout: int = 60
    other_urls: tuple[str, ...] = ()
    api_key: str | None = None
    fingerprint: str | None = None
    retries: int = 5
    is_embedded: bool = False

    def __repr__(self) -> str:
        return f"ServerAddress({self.redacted_urls})"

    @property
    def urls(self) -> tuple[str, ...]:
        """Every address."""
        return (self.url, *self.other_urls)

    @property
    def redacted_urls(self) -> str:
        """The addresses as messages may show them: without user or password."""
        return ", ".join(map(redact_server_url, self.urls))


def redact_server_url(url: str) -> str:
    """An address without user or password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")

"""Connects to Elasticsearch: credentials, trust, retries, and the version the server must have."""

from __future__ import annotations

import base64
import random
import socket
import ssl
import time
from typing import Any, Final
from urllib.parse import urlsplit

import elasticsearch
from elastic_transport import Urllib3HttpNode
from elasticsearch import Elasticsearch

from indexer.errors import ConfigurationError, ServerError
from indexer.server.address import SUPPORTED_MAJOR, ServerAddress, redact_server_url
from indexer.server.serializers import BulkBodySerializer, JsonBodySerializer
from indexer.server.server_errors import (
    make_product_error,
    make_version_error,
    translate_client_errors,
)

_FIRST_PAUSE: Final = 0.5

_LONGEST_PAUSE: Final = 10

_JSON_TYPES: Final = ("application/json", "application/vnd.elasticsearch+json")

_LINES_TYPES: Final = ("application/x-ndjson", "application/vnd.elasticsearch+x-ndjson")

#: How many addresses are asked what they speak, to say why none answers.
_MAX_PROBES: Final = 3

_RETRY_STATUSES: Final = (429, 502, 503, 504)


class _BackoffNode(Urllib3HttpNode):
    """A node that gets a pause after it answered that it is busy.

    The client itself pauses only for broken connections.
    """

    _busy_answers = 0

    def perform_request(self, *args: Any, **kwargs: Any) -> Any:
        """Pause, longer each time it was busy in a row, and send a request."""
        if self._busy_answers:
            longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (self._busy_answers - 1))
            time.sleep(longest * random.uniform(0.5, 1))  # noqa: S311 - spreads the load
        answer = super().perform_request(*args, **kwargs)
        self._busy_answers = self._busy_answers + 1 if answer.meta.status in _RETRY_STATUSES else 0
        return answer


def connect_server(address: ServerAddress) -> Elasticsearch:
    """A client of a server that foidex can use. Raises ServerError."""
    client = build_client(address)
    try:
        with translate_client_errors(address):
            _ask_any_server(client, address)
    except ServerError:
        if url := next((url for url in address.urls[:_MAX_PROBES] if speaks_tls(url)), None):
            raise ServerError(
                f"{redact_server_url(url)}: this port speaks TLS. Write https:// in FOIDEX_URL "
                "(server.url)."
            ) from None
        raise
    return client


def _ask_any_server(client: Elasticsearch, address: ServerAddress) -> None:
    """Ask each address once, until one answers: as long as two that never answer take, or as a few
    pauses do."""
    end = time.monotonic() + 2 * address.timeout + _LONGEST_PAUSE
    for left in reversed(range(len(address.urls))):
        try:
            _require_server_version(client.options(max_retries=0), address)
        except (elasticsearch.ApiError, elasticsearch.TransportError) as error:
            may_be_another = not isinstance(error, elasticsearch.ApiError) or (
                error.status_code in _RETRY_STATUSES
            )
            if not left or not may_be_another or time.monotonic() > end:
                raise
        else:
            return


def build_client(address: ServerAddress) -> Elasticsearch:
    """A client of the server; no request is sent yet.

    Its calls are repeated, after growing pauses, if the connection broke or the server is busy.
    Raises ServerError, and ConfigurationError for an authority that cannot be read, or is set for
    an http address.
    """
    trust = _build_trust(address)
    plain = next((url for url in address.urls if urlsplit(url).scheme == "http"), None)
    if trust and plain:
        raise ConfigurationError(
            f"{redact_server_url(plain)}: an authority or a fingerprint is set, and http has no "
            "certificate. Write https:// in FOIDEX_URL (server.url), or unset FOIDEX_CA_CERT and "
            "FOIDEX_FINGERPRINT."
        )
    try:
        return Elasticsearch(
            list(address.urls),
            node_class=_BackoffNode,
            request_timeout=address.timeout,
            max_retries=address.retries,
            retry_on_timeout=True,
            retry_on_status=_RETRY_STATUSES,
            retry_backoff_base=_FIRST_PAUSE,
            retry_backoff_cap=_LONGEST_PAUSE,
            serializers=dict.fromkeys(_JSON_TYPES, JsonBodySerializer())
            | dict.fromkeys(_LINES_TYPES, BulkBodySerializer()),
            **_build_credentials(address),
            **trust,
        )
    except (ValueError, OSError) as error:
        raise ServerError(
            f"{address.redacted_urls}: the connection cannot be set up ({type(error).__name__}). "
            "Check FOIDEX_URL and FOIDEX_CA_CERT."
        ) from None


def _build_credentials(address: ServerAddress) -> dict[str, Any]:
    if address.api_key is not None:
        return {"api_key": address.api_key}
    if address.user is not None or address.password is not None:
        credentials = f"{address.user or 'elastic'}:{address.password or ''}"
        # Of a user and a password apart the client takes ASCII only.
        return {"basic_auth": base64.b64encode(credentials.encode()).decode()}
    return {}


def _build_trust(address: ServerAddress) -> dict[str, Any]:
    if address.fingerprint:
        return {"ssl_assert_fingerprint": address.fingerprint}
    if not address.ca_cert:
        return {}
    location = f"{address.ca_cert} (FOIDEX_CA_CERT, server.ca_cert)"
    try:
        ssl.create_default_context(cafile=address.ca_cert)
    except ssl.SSLError:
        raise ConfigurationError(
            f"{location}: holds no certificate. Write the authority's into it, as PEM."
        ) from None
    except OSError as error:
        raise ConfigurationError(
            f"{location}: cannot be read ({error.strerror}). Check the path and its permissions."
        ) from None
    return {"ca_certs": address.ca_cert}


def speaks_tls(url: str) -> bool:
    """Whether a server with an http address answers in TLS."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        return False
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((parts.hostname, parts.port or 80), timeout=3) as plain,
            context.wrap_socket(plain, server_hostname=parts.hostname),
        ):
            return True
    except (OSError, ValueError):
        return False


def _require_server_version(client: Elasticsearch, address: ServerAddress) -> None:
    # Not client.info(): the embedded core server has no GET /. Only the node that is asked: another
    # one that hangs would delay the answer.
    try:
        answer = client.nodes.info(node_id="_local", filter_path="nodes.*.version").body
        versions = sorted({str(node["version"]) for node in answer["nodes"].values()})
    except (elasticsearch.SerializationError, KeyError, TypeError, AttributeError):
        raise make_product_error(address) from None
    if any(version.partition(".")[0] != str(SUPPORTED_MAJOR) for version in versions):
        raise make_version_error(address, f"Elasticsearch {' and '.join(versions)}")

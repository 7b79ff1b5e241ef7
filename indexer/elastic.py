"""The connection to Elasticsearch: how it is made, what the server must be, what errors mean."""

from __future__ import annotations

import random
import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import elasticsearch
import msgspec
from elastic_transport import Urllib3HttpNode
from elasticsearch import Elasticsearch
from elasticsearch.serializer import JsonSerializer, NdjsonSerializer
from msgspec import Struct

from indexer.errors import (
    ConfigurationError,
    FoidexError,
    NoIndexError,
    RequestError,
    ServerError,
)

MAJOR: Final = 9
_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 10
_JSON_TYPES: Final = ("application/json", "application/vnd.elasticsearch+json")
_LINES_TYPES: Final = ("application/x-ndjson", "application/vnd.elasticsearch+x-ndjson")
#: The status and name of an error that says that nothing may be written, for want of disk.
BLOCKED: Final = (429, "cluster_block_exception")
DISK_FULL: Final = (
    "a disk of the server is full, so it lets nothing be written. Nothing was promoted; make room "
    "there, then try again."
)
_RETRY_ON: Final = (429, 502, 503, 504)
# Elasticsearch marks its answers, but for those of its gate (401, 403) or of a proxy before it.
_PRODUCT: Final = "x-elastic-product"
_MARKED: Final = (400, 404, 405, 406, 500, 501)
_TOO_MUCH: Final = re.compile(
    r"\b(?:too_many_(?:nested_)?clauses|too_many_buckets_exception|content_too_long_exception)\b"
)
_ERROR_NAME: Final = re.compile(r"[a-z_]{1,80}")
_ACTION: Final = re.compile(r"action \[([a-z_:/]{1,100})[^ ]* is unauthorized")
_INDICES: Final = re.compile(r" on (?:restricted )?indices \[([a-z0-9_.,*-]{1,300})\]")
_GRANTED: Final = re.compile(r"by the (index|cluster) privileges \[([a-z_]{1,60})")


class Address(Struct, frozen=True):
    """Where a server is and who we are there. No secret is in any repr.

    ``others`` are further addresses of the same cluster; ``timeout`` is in seconds.
    """

    url: str
    user: str | None = None
    password: str | None = None
    ca_cert: str | None = None
    timeout: int = 60
    others: tuple[str, ...] = ()
    api_key: str | None = None
    fingerprint: str | None = None
    retries: int = 5

    def __repr__(self) -> str:
        return f"Address({self.shown})"

    @property
    def urls(self) -> tuple[str, ...]:
        """Every address."""
        return (self.url, *self.others)

    @property
    def shown(self) -> str:
        """The addresses as messages may show them: without user or password."""
        return ", ".join(map(shown, self.urls))


def shown(url: str) -> str:
    """An address without user or password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")


class _Json(JsonSerializer):
    """Bodies by msgspec: several times quicker than the standard library."""

    def json_dumps(self, data: Any) -> bytes:
        return msgspec.json.encode(data)

    def json_loads(self, data: bytes) -> Any:
        return msgspec.json.decode(data)


class _Lines(NdjsonSerializer):
    """Lines that are bytes already, joined in one copy: a bulk body is a megabyte."""

    def dumps(self, data: Any) -> bytes:
        if isinstance(data, list) and all(type(line) is bytes for line in data):
            return b"\n".join([*data, b""])
        return super().dumps(data)


class _PatientNode(Urllib3HttpNode):
    """A node that is left alone for a while after it said that it is busy.

    The client's own pauses are for broken connections only.
    """

    _busy = 0

    def perform_request(self, *args: Any, **kwargs: Any) -> Any:
        """Pause, the longer the oftener it was busy in a row, and send a request."""
        if self._busy:
            longest = min(_LONGEST_PAUSE, _PAUSE * 2 ** (self._busy - 1))
            time.sleep(longest * random.uniform(0.5, 1))  # noqa: S311 - spreads the load
        answer = super().perform_request(*args, **kwargs)
        self._busy = self._busy + 1 if answer.meta.status in _RETRY_ON else 0
        return answer


def connect(address: Address) -> Elasticsearch:
    """A client of the server, once it is known to be one foidex can use. Raises ServerError."""
    client = unchecked(address)
    try:
        with explained(address):
            # The first contact is not repeated, but every address has its turn.
            _check_version(client.options(max_retries=len(address.others)), address)
    except ServerError:
        if url := next((url for url in address.urls if speaks_tls(url)), None):
            raise ServerError(
                f"{shown(url)}: this port speaks TLS. Write https:// in FOIDEX_URL (server.url)."
            ) from None
        raise
    return client


def unchecked(address: Address) -> Elasticsearch:
    """A client of the server, which has not been asked anything. Raises ServerError, and
    ConfigurationError for an authority that cannot be read, or that http has no use for.

    A call is repeated, after a pause that grows, where the connection broke or the server is busy.
    """
    trust = _trust(address)
    plain = next((url for url in address.urls if urlsplit(url).scheme == "http"), None)
    if trust and plain:
        raise ConfigurationError(
            f"{shown(plain)}: an authority or a fingerprint is set, and http has no certificate. "
            "Write https:// in FOIDEX_URL (server.url), or unset FOIDEX_CA_CERT and "
            "FOIDEX_FINGERPRINT."
        )
    try:
        return Elasticsearch(
            list(address.urls),
            node_class=_PatientNode,
            request_timeout=address.timeout,
            max_retries=address.retries,
            retry_on_timeout=True,
            retry_on_status=_RETRY_ON,
            retry_backoff_base=_PAUSE,
            retry_backoff_cap=_LONGEST_PAUSE,
            serializers=dict.fromkeys(_JSON_TYPES, _Json()) | dict.fromkeys(_LINES_TYPES, _Lines()),
            **_credentials(address),
            **trust,
        )
    except (ValueError, OSError) as error:
        raise ServerError(
            f"{address.shown}: the connection cannot be set up ({type(error).__name__}). "
            "Check FOIDEX_URL and FOIDEX_CA_CERT."
        ) from None


def _credentials(address: Address) -> dict[str, Any]:
    if address.api_key is not None:
        return {"api_key": address.api_key}
    if address.user is not None or address.password is not None:
        return {"basic_auth": (address.user or "elastic", address.password or "")}
    return {}


def _trust(address: Address) -> dict[str, Any]:
    if address.fingerprint:
        return {"ssl_assert_fingerprint": address.fingerprint}
    if not address.ca_cert:
        return {}
    where = f"{address.ca_cert} (FOIDEX_CA_CERT, server.ca_cert)"
    try:
        ssl.create_default_context(cafile=address.ca_cert)
    except ssl.SSLError:
        raise ConfigurationError(
            f"{where}: holds no certificate. Write the authority's into it, as PEM."
        ) from None
    except OSError as error:
        raise ConfigurationError(
            f"{where}: cannot be read ({error.strerror}). Check the path and its rights."
        ) from None
    return {"ca_certs": address.ca_cert}


def speaks_tls(url: str) -> bool:
    """Whether a server whose address says http answers in TLS."""
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


def _check_version(client: Elasticsearch, address: Address) -> None:
    # nodes.info and not info: the embedded core server has no GET /. Only the node spoken to: one
    # that stands still would hold up the answer of all.
    try:
        answer = client.nodes.info(node_id="_local", filter_path="nodes.*.version").body
        versions = sorted({str(node["version"]) for node in answer["nodes"].values()})
    except (elasticsearch.SerializationError, KeyError, TypeError, AttributeError):
        raise _not_elasticsearch(address) from None
    if any(version.partition(".")[0] != str(MAJOR) for version in versions):
        raise _other_version(address, f"Elasticsearch {' and '.join(versions)}")


def _not_elasticsearch(address: Address) -> ServerError:
    return ServerError(f"{address.shown} answers, but is not Elasticsearch. Correct FOIDEX_URL.")


def _other_version(address: Address, what: str) -> ServerError:
    return ServerError(
        f"{address.shown} is {what}; foidex needs {MAJOR}.x. "
        f"Point FOIDEX_URL at a {MAJOR}.x server."
    )


@contextmanager
def explained(address: Address) -> Iterator[None]:
    """Turn the client's errors into ours, without the server's text, which may quote data."""
    try:
        yield
    except elasticsearch.UnsupportedProductError:
        raise _not_elasticsearch(address) from None
    except elasticsearch.ApiError as error:
        if error.status_code in _MARKED and _PRODUCT not in error.meta.headers:
            raise _not_elasticsearch(address) from None
        raise _explain_status(error, address) from None
    except elasticsearch.SSLError as error:
        raise ServerError(f"{address.shown}: {distrust(error)}") from None
    except elasticsearch.ConnectionTimeout:
        raise ServerError(
            f"{address.shown} did not answer within {address.timeout} seconds. "
            "Try again, or raise server.timeout in foidex.toml."
        ) from None
    except elasticsearch.TransportError:
        raise ServerError(
            f"{address.shown} cannot be reached. Is it running, and is FOIDEX_URL right? "
            "Unset FOIDEX_URL to use the embedded server."
        ) from None


def distrust(error: Exception) -> str:
    """What is wrong with a connection by TLS, and what to do."""
    cause: BaseException | None = error
    while cause and not isinstance(cause, ssl.SSLError):
        inner = next((one for one in cause.args if isinstance(one, BaseException)), None)
        cause = inner or cause.__cause__ or cause.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        match cause.verify_code:
            case 9 | 10:
                return (
                    f"its certificate {'is not yet' if cause.verify_code == 9 else 'is no longer'} "
                    "valid. Renew it, or correct this machine's clock."
                )
            case 62 | 64:
                return (
                    "its certificate is for another host. Write the name it is for in FOIDEX_URL "
                    "(server.url)."
                )
            case _:
                return (
                    "its certificate is of no authority we trust. Set FOIDEX_CA_CERT "
                    "(server.ca_cert) to the file of the authority that signed it."
                )
    if "fingerprint" in str(getattr(error, "message", "")).lower():
        return (
            "its certificate has another SHA-256 than FOIDEX_FINGERPRINT (server.fingerprint). "
            "Correct it, once you know that the server is the right one."
        )
    return (
        "it does not speak TLS, or not as we do. Write http:// in FOIDEX_URL (server.url) if it is "
        "meant to be without, and else look at its own settings."
    )


def _lacking(error: elasticsearch.ApiError) -> str:
    """The right that a refusal names. Its text also names the user, so it is not passed on."""
    reason = error.body.get("error", {}) if isinstance(error.body, dict) else {}
    text = str(reason.get("reason", "")) if isinstance(reason, dict) else ""
    action = _ACTION.search(text)
    if not action:
        return ""
    where = _INDICES.search(text)
    granted = _GRANTED.search(text)
    on = f" on {where[1]}" if where else ""
    least = f", which the {granted[1]} privilege {granted[2]} grants" if granted else ""
    return f": it lacks the right {action[1]}{on}{least}"


def _explain_status(  # noqa: PLR0911 - one a status
    error: elasticsearch.ApiError, address: Address
) -> FoidexError:
    # What is no name of an error is a page of some other server.
    kind = error.error if _ERROR_NAME.fullmatch(str(error.error)) else "error"
    if error.status_code == 413 or _TOO_MUCH.search(str(error.body)):
        return RequestError(
            f"{address.shown} does not take so much at once: the request has too many terms, or a "
            "table of too many cells. Ask for fewer, or in several requests."
        )
    match error.status_code:
        case 400 if kind == "media_type_header_exception":
            return _other_version(address, "an older Elasticsearch")
        case 401:
            return ServerError(
                f"{address.shown} refused the API key (401). Set FOIDEX_API_KEY, or correct the "
                "file that FOIDEX_API_KEY_FILE names."
                if address.api_key
                else f"{address.shown} refused the user name or password (401). Set FOIDEX_USER "
                "and FOIDEX_PASSWORD, or correct the file that FOIDEX_PASSWORD_FILE names."
            )
        case 403:
            return ServerError(
                f"{address.shown} does not let this user do that (403){_lacking(error)}. Use a "
                "user with the right, or ask for it; README.md has the roles."
            )
        case 404 if kind == "index_not_found_exception":
            return NoIndexError(
                "there is no live generation to ask. Load records first: foidex load PATH."
            )
        case 429 | 502 | 503 | 504:
            return ServerError(
                f"{address.shown}: {DISK_FULL}"
                if (error.status_code, kind) == BLOCKED
                else f"{address.shown} is too busy or not whole ({error.status_code}, {kind}), "
                f"also after {address.retries} retries. Try again later."
            )
        case status:
            return ServerError(f"{address.shown} refused the call ({status}, {kind}).")

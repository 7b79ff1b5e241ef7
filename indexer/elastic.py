"""The connection to Elasticsearch: how it is made, what the server must be, what errors mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import elasticsearch
import msgspec
from elasticsearch import Elasticsearch
from elasticsearch.serializer import JsonSerializer
from msgspec import Struct

from indexer.errors import FoidexError, NoIndexError, RequestError, ServerError

MAJOR: Final = 9
_RETRIES: Final = 5
_JSON_TYPES: Final = ("application/json", "application/vnd.elasticsearch+json")
_RETRY_ON: Final = (429, 502, 503, 504)
# Elasticsearch marks its answers, but for those of its gate (401, 403) or of a proxy before it.
_PRODUCT: Final = "x-elastic-product"
_MARKED: Final = (400, 404, 405, 406, 500, 501)
_TOO_MUCH: Final = re.compile(
    r"\b(?:too_many_(?:nested_)?clauses|too_many_buckets_exception|content_too_long_exception)\b"
)
_ERROR_NAME: Final = re.compile(r"[a-z_]{1,80}")


class Address(Struct, frozen=True):
    """Where a server is and who we are there. The password is in no repr."""

    url: str
    user: str | None = None
    password: str | None = None
    ca_cert: str | None = None
    timeout: int = 60

    def __repr__(self) -> str:
        return f"Address({self.shown})"

    @property
    def shown(self) -> str:
        """The address as messages may show it: without user or password."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")


class _Json(JsonSerializer):
    """Bodies by msgspec: several times quicker than the standard library."""

    def json_dumps(self, data: Any) -> bytes:
        return msgspec.json.encode(data)

    def json_loads(self, data: bytes) -> Any:
        return msgspec.json.decode(data)


def connect(address: Address) -> Elasticsearch:
    """A client of the server, once it is known to be one foidex can use. Raises ServerError."""
    options: dict[str, Any] = {}
    if address.user is not None or address.password is not None:
        options["basic_auth"] = (address.user or "elastic", address.password or "")
    if address.ca_cert:
        options["ca_certs"] = address.ca_cert
    try:
        client = Elasticsearch(
            address.url,
            request_timeout=address.timeout,
            max_retries=_RETRIES,
            retry_on_timeout=True,
            retry_on_status=_RETRY_ON,
            serializers=dict.fromkeys(_JSON_TYPES, _Json()),
            **options,
        )
    except (ValueError, OSError) as error:
        raise ServerError(
            f"{address.shown}: the connection cannot be set up ({type(error).__name__}). "
            "Check FOIDEX_URL and FOIDEX_CA_CERT."
        ) from None
    with explained(address):
        _check_version(client.options(max_retries=0), address)
    return client


def _check_version(client: Elasticsearch, address: Address) -> None:
    # nodes.info and not info: the embedded core server has no GET /.
    try:
        answer = client.nodes.info(filter_path="nodes.*.version").body
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
    except elasticsearch.SSLError:
        raise ServerError(
            f"{address.shown}: its certificate is not trusted, or it does not speak TLS. "
            "Set FOIDEX_CA_CERT to the authority's file, or correct the address."
        ) from None
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
                f"{address.shown} refused the user name or password (401). "
                "Set FOIDEX_USER and FOIDEX_PASSWORD."
            )
        case 403:
            return ServerError(
                f"{address.shown} does not let this user do that (403). "
                "Use a user with the rights, or ask for them."
            )
        case 404 if kind == "index_not_found_exception":
            return NoIndexError(
                "there is no live generation to ask. Load records first: foidex load PATH."
            )
        case 429 | 502 | 503 | 504:
            return ServerError(
                f"{address.shown} is too busy or not whole ({error.status_code}, {kind}), also "
                f"after {_RETRIES} retries. Try again later."
            )
        case status:
            return ServerError(f"{address.shown} refused the call ({status}, {kind}).")

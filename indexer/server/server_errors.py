"""Translates the client's errors into ours: what is wrong with the server, and what to do.

The server's own text is never passed on, because it may quote records.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import elasticsearch
import urllib3
from msgspec import Struct
from urllib3.util.ssl_match_hostname import CertificateError

from indexer.errors import FoidexError, NoIndexError, RequestError, ServerError
from indexer.server.address import SUPPORTED_MAJOR, ServerAddress

#: The status and type of the error of a server that allows no writes because a disk is full.
WRITE_BLOCK: Final = (429, "cluster_block_exception")

DISK_FULL_MESSAGE: Final = (
    "a disk of the server is full, so it lets nothing be written. Nothing was promoted; make room "
    "there, then try again."
)

# Elasticsearch sets it on its answers, except those of its security layer (401, 403) and those of
# a proxy in front of it.
_PRODUCT_HEADER: Final = "x-elastic-product"

_MARKED_STATUSES: Final = (400, 404, 405, 406, 500, 501)

#: In the answer to a search, or to a question for one document, that is refused because no node
#: holds a part of the index.
_MISSING_SHARDS: Final = ("rejected due to missing shards", "no_shard_available_action_exception")

_TOO_LARGE_TYPES: Final = frozenset(
    {
        "too_many_clauses",
        "too_many_nested_clauses",
        "too_many_buckets_exception",
        "content_too_long_exception",
    }
)

_ERROR_TYPE: Final = re.compile(r"[a-z_]{1,80}")

_REFUSED_ACTION: Final = re.compile(r"action \[([a-z_:/]{1,100})[^ ]* is unauthorized")

_REFUSED_INDICES: Final = re.compile(r" on (?:restricted )?indices \[([a-z0-9_.,*-]{1,300})\]")

_GRANTING_PRIVILEGE: Final = re.compile(r"by the (index|cluster) privileges \[([a-z_]{1,60})")

# OpenSSL's codes of why a certificate is not accepted (X509_V_ERR_... in x509_vfy.h).
_NOT_YET_VALID: Final = 9

_EXPIRED: Final = 10

_OTHER_HOST: Final = (62, 64)

_OTHER_HOST_ADVICE: Final = (
    "its certificate is for another host. Write the name it is for in FOIDEX_URL (server.url)."
)


class ForbiddenError(ServerError):
    """The server works, and does not let this user do what was asked (403)."""


class MissingPrivilege(Struct, frozen=True):
    """What a refused user lacks. ``level`` ("index" or "cluster") and ``privilege`` name the least
    privilege that grants the action; they are empty where the server does not name one."""

    action: str
    indices: str = ""
    level: str = ""
    privilege: str = ""

    def describe(self) -> str:
        """In words."""
        on_indices = f" on {self.indices}" if self.indices else ""
        grant = f", which the {self.level} privilege {self.privilege} grants" if self.level else ""
        return f"the right {self.action}{on_indices}{grant}"


def make_product_error(address: ServerAddress) -> ServerError:
    """The error of an address where something other than Elasticsearch answers."""
    return ServerError(
        f"{address.redacted_urls} answers, but is not Elasticsearch. Correct FOIDEX_URL."
    )


def make_version_error(address: ServerAddress, product: str) -> ServerError:
    """The error of an Elasticsearch of another major version; ``product`` says which."""
    return ServerError(
        f"{address.redacted_urls} is {product}; foidex needs {SUPPORTED_MAJOR}.x. "
        f"Point FOIDEX_URL at a {SUPPORTED_MAJOR}.x server."
    )


@contextmanager
def translate_client_errors(address: ServerAddress) -> Iterator[None]:
    """Raise the client's errors as ours: ServerError, RequestError or NoIndexError."""
    try:
        yield
    except elasticsearch.UnsupportedProductError:
        raise make_product_error(address) from None
    except elasticsearch.ApiError as error:
        if error.status_code in _MARKED_STATUSES and _PRODUCT_HEADER not in error.meta.headers:
            raise make_product_error(address) from None
        raise _explain_status(error, address) from None
    except elasticsearch.SSLError as error:
        raise ServerError(f"{address.redacted_urls}: {explain_tls_error(error)}") from None
    except elasticsearch.ConnectionTimeout:
        raise ServerError(
            f"{address.redacted_urls} did not answer in time. Run foidex doctor: the disk may be "
            "full, or a node down. If it finds nothing, try again, or raise server.timeout "
            f"({address.timeout} seconds) in foidex.toml."
        ) from None
    except elasticsearch.TransportError:
        if address.is_embedded:
            raise ServerError(
                f"the embedded server at {address.redacted_urls} no longer answers. Look at "
                "logs/foidex.log in its home and at this machine's free memory, then start it "
                "again: foidex up"
            ) from None
        raise ServerError(
            f"{address.redacted_urls} cannot be reached. Is it running, and is FOIDEX_URL right? "
            "Unset FOIDEX_URL to use the embedded server."
        ) from None


def explain_tls_error(error: Exception) -> str:
    """What is wrong with a TLS connection, and what to do."""
    causes = list(_iter_causes(error))
    verification = next(
        (cause for cause in causes if isinstance(cause, ssl.SSLCertVerificationError)), None
    )
    if verification is not None:
        return _explain_verification_error(verification)
    if any(isinstance(cause, CertificateError) for cause in causes):
        return _OTHER_HOST_ADVICE
    if any(_is_fingerprint_mismatch(cause) for cause in causes):
        return (
            "its certificate has another SHA-256 than FOIDEX_FINGERPRINT (server.fingerprint). "
            "Correct it, once you know that the server is the right one."
        )
    return (
        "it does not speak TLS, or not as we do. Write http:// in FOIDEX_URL (server.url) if it is "
        "meant to be without; otherwise check its own TLS settings."
    )


def _iter_causes(error: BaseException) -> Iterator[BaseException]:
    """An error and those it was raised from or wraps, outermost first, down to one of OpenSSL."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        if isinstance(cause, ssl.SSLError):
            return
        wrapped = next(
            (argument for argument in cause.args if isinstance(argument, BaseException)), None
        )
        cause = wrapped or cause.__cause__ or cause.__context__


def _explain_verification_error(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code in (_NOT_YET_VALID, _EXPIRED):
        validity = "is not yet" if error.verify_code == _NOT_YET_VALID else "is no longer"
        return f"its certificate {validity} valid. Renew it, or correct this machine's clock."
    if error.verify_code in _OTHER_HOST:
        return _OTHER_HOST_ADVICE
    return (
        "its certificate is not signed by a trusted authority. Set FOIDEX_CA_CERT "
        "(server.ca_cert) to the certificate file of the authority that signed it."
    )


def _is_fingerprint_mismatch(error: BaseException) -> bool:
    """Whether urllib3's own check of the certificate failed, which is that of its fingerprint; an
    SSLError of urllib3 for any other reason wraps the error of OpenSSL."""
    return isinstance(error, urllib3.exceptions.SSLError) and not any(
        isinstance(argument, BaseException) for argument in error.args
    )


def _iter_error_types(body: Any) -> Iterator[str]:
    """Every error type in an error body: its own, its causes', and those of single shards."""
    if isinstance(body, list):
        for item in body:
            yield from _iter_error_types(item)
    elif isinstance(body, dict):
        for key, value in body.items():
            if key == "type" and isinstance(value, str):
                yield value
            else:
                yield from _iter_error_types(value)


def parse_unauthorized_reason(reason: str) -> MissingPrivilege | None:
    """The right that the reason of a 403 names; None where it names none.

    Elasticsearch gives the right only in this English sentence, which also names the user, so the
    sentence itself is not passed on. Where a later version words it otherwise, the message is
    shorter, and nothing else changes.
    """
    action = _REFUSED_ACTION.search(reason)
    if not action:
        return None
    indices = _REFUSED_INDICES.search(reason)
    privilege = _GRANTING_PRIVILEGE.search(reason)
    return MissingPrivilege(
        action[1],
        indices[1] if indices else "",
        privilege[1] if privilege else "",
        privilege[2] if privilege else "",
    )


def _find_missing_privilege(error: elasticsearch.ApiError) -> MissingPrivilege | None:
    body = error.body.get("error") if isinstance(error.body, dict) else None
    return parse_unauthorized_reason(str(body.get("reason"))) if isinstance(body, dict) else None


def _explain_status(  # noqa: PLR0911 - one for each status
    error: elasticsearch.ApiError, address: ServerAddress
) -> FoidexError:
    urls = address.redacted_urls
    # What cannot be an error type comes from another kind of server.
    error_type = error.error if _ERROR_TYPE.fullmatch(str(error.error)) else "error"
    if error.status_code == 413 or not _TOO_LARGE_TYPES.isdisjoint(_iter_error_types(error.body)):
        return RequestError(
            f"{urls} does not accept a request this large: it has too many terms, or a table of "
            "too many cells. Ask for fewer, or split it into several requests."
        )
    match error.status_code:
        case 400 if error_type == "media_type_header_exception":
            return make_version_error(address, "an older Elasticsearch")
        case 401:
            return _make_credentials_error(address)
        case 403:
            missing = _find_missing_privilege(error)
            lacks = f": it lacks {missing.describe()}" if missing else ""
            return ForbiddenError(
                f"{urls} does not let this user do that (403){lacks}. Use a user with the right, "
                "or ask for it; docs/operating.md describes the roles."
            )
        case 404 if error_type == "index_not_found_exception":
            return NoIndexError(
                "there is no live generation to ask. Load records first: foidex refresh (from the "
                "source in foidex.toml) or foidex load PATH."
            )
        case 429 | 502 | 503 | 504 if (error.status_code, error_type) == WRITE_BLOCK:
            return ServerError(f"{urls}: {DISK_FULL_MESSAGE}")
        case 503 if any(reason in str(error.body) for reason in _MISSING_SHARDS):
            remedy = (
                "If it does not open in a minute, its file is damaged; foidex doctor names it."
                if address.is_embedded
                else "Start the nodes that are down; foidex doctor names what is missing."
            )
            return ServerError(
                f"{urls}: no node holds a part of the index (a shard), so no number is given. "
                + remedy
            )
        case 429 | 502 | 503 | 504:
            return ServerError(
                f"{urls} is overloaded or unavailable ({error.status_code}, {error_type}), even "
                f"after retries ({address.retries:,}). Try again later; if that does not help, run "
                "foidex doctor."
            )
        case status:
            return ServerError(f"{urls} refused the call ({status}, {error_type}).")


def _make_credentials_error(address: ServerAddress) -> ServerError:
    if address.api_key:
        return ServerError(
            f"{address.redacted_urls} refused the API key (401). Set FOIDEX_API_KEY, or correct "
            "the file that FOIDEX_API_KEY_FILE names."
        )
    return ServerError(
        f"{address.redacted_urls} refused the user name or password (401). Set FOIDEX_USER and "
        "FOIDEX_PASSWORD, or correct the file that FOIDEX_PASSWORD_FILE names."
    )

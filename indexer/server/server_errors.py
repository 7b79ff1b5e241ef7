"""TODO: say what indexer.server.server_errors is for."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import elasticsearch

from indexer.errors import FoidexError, NoIndexError, RequestError, ServerError
from indexer.server.address import SUPPORTED_MAJOR, ServerAddress

#: The status and name of an error that says that nothing may be written, for want of disk.
WRITE_BLOCK: Final = (429, "cluster_block_exception")

DISK_FULL_MESSAGE: Final = (
    "a disk of the server is full, so it lets nothing be written. Nothing was promoted; make room "
    "there, then try again."
)

# Elasticsearch marks its answers, but for those of its gate (401, 403) or of a proxy before it.
_PRODUCT_HEADER: Final = "x-elastic-product"

_MARKED_STATUSES: Final = (400, 404, 405, 406, 500, 501)

_TOO_LARGE_ERROR: Final = re.compile(
    r"\b(?:too_many_(?:nested_)?clauses|too_many_buckets_exception|content_too_long_exception)\b"
)

_ERROR_NAME: Final = re.compile(r"[a-z_]{1,80}")

_REFUSED_ACTION: Final = re.compile(r"action \[([a-z_:/]{1,100})[^ ]* is unauthorized")

_REFUSED_INDICES: Final = re.compile(r" on (?:restricted )?indices \[([a-z0-9_.,*-]{1,300})\]")

_GRANTING_PRIVILEGE: Final = re.compile(r"by the (index|cluster) privileges \[([a-z_]{1,60})")


def make_product_error(address: ServerAddress) -> ServerError:
    return ServerError(
        f"{address.redacted_urls} answers, but is not Elasticsearch. Correct FOIDEX_URL."
    )


def make_version_error(address: ServerAddress, product: str) -> ServerError:
    return ServerError(
        f"{address.redacted_urls} is {product}; foidex needs {SUPPORTED_MAJOR}.x. "
        f"Point FOIDEX_URL at a {SUPPORTED_MAJOR}.x server."
    )


@contextmanager
def translate_client_errors(address: ServerAddress) -> Iterator[None]:
    """Turn the client's errors into ours, without the server's text, which may quote data."""
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
            f"{address.redacted_urls} did not answer within {address.timeout} seconds. "
            "Try again, or raise server.timeout in foidex.toml."
        ) from None
    except elasticsearch.TransportError:
        raise ServerError(
            f"{address.redacted_urls} cannot be reached. Is it running, and is FOIDEX_URL right? "
            "Unset FOIDEX_URL to use the embedded server."
        ) from None


def explain_tls_error(error: Exception) -> str:
    """What is wrong with a connection by TLS, and what to do."""
    cause: BaseException | None = error
    while cause and not isinstance(cause, ssl.SSLError):
        inner = next(
            (argument for argument in cause.args if isinstance(argument, BaseException)), None
        )
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


def _describe_missing_right(error: elasticsearch.ApiError) -> str:
    """The right that a refusal names. Its text also names the user, so it is not passed on."""
    reason = error.body.get("error", {}) if isinstance(error.body, dict) else {}
    text = str(reason.get("reason", "")) if isinstance(reason, dict) else ""
    action = _REFUSED_ACTION.search(text)
    if not action:
        return ""
    indices = _REFUSED_INDICES.search(text)
    privilege = _GRANTING_PRIVILEGE.search(text)
    on_indices = f" on {indices[1]}" if indices else ""
    grant = f", which the {privilege[1]} privilege {privilege[2]} grants" if privilege else ""
    return f": it lacks the right {action[1]}{on_indices}{grant}"


def _explain_status(  # noqa: PLR0911 - one a status
    error: elasticsearch.ApiError, address: ServerAddress
) -> FoidexError:
    # What is no name of an error is a page of some other server.
    kind = error.error if _ERROR_NAME.fullmatch(str(error.error)) else "error"
    if error.status_code == 413 or _TOO_LARGE_ERROR.search(str(error.body)):
        return RequestError(
            f"{address.redacted_urls} does not take so much at once: the request has too many terms, or a "
            "table of too many cells. Ask for fewer, or in several requests."
        )
    match error.status_code:
        case 400 if kind == "media_type_header_exception":
            return make_version_error(address, "an older Elasticsearch")
        case 401:
            return ServerError(
                f"{address.redacted_urls} refused the API key (401). Set FOIDEX_API_KEY, or correct the "
                "file that FOIDEX_API_KEY_FILE names."
                if address.api_key
                else f"{address.redacted_urls} refused the user name or password (401). Set FOIDEX_USER "
                "and FOIDEX_PASSWORD, or correct the file that FOIDEX_PASSWORD_FILE names."
            )
        case 403:
            return ServerError(
                f"{address.redacted_urls} does not let this user do that (403){_describe_missing_right(error)}. Use a "
                "user with the right, or ask for it; README.md has the roles."
            )
        case 404 if kind == "index_not_found_exception":
            return NoIndexError(
                "there is no live generation to ask. Load records first: foidex load PATH."
            )
        case 429 | 502 | 503 | 504:
            return ServerError(
                f"{address.redacted_urls}: {DISK_FULL_MESSAGE}"
                if (error.status_code, kind) == WRITE_BLOCK
                else f"{address.redacted_urls} is too busy or not whole ({error.status_code}, {kind}), "
                f"also after {address.retries} retries. Try again later."
            )
        case status:
            return ServerError(f"{address.redacted_urls} refused the call ({status}, {kind}).")

"""Checks of the way to one server address: TLS, its certificate, and the server's version."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import certifi
import msgspec

from indexer.doctor.finding import Finding, FindingLevel, Findings, run_check
from indexer.errors import FoidexError
from indexer.server.address import ServerAddress
from indexer.server.connection import connect_server
from indexer.server.server_errors import (
    ForbiddenError,
    explain_tls_error,
    translate_client_errors,
)

_EXPIRY_WARNING: Final = timedelta(days=30)

CALL_SECONDS: Final = 30


class AddressCheck(NamedTuple):
    """The findings about one address. ``answers`` is whether an Elasticsearch foidex can use is
    there; one that only refuses this user is."""

    findings: list[Finding]
    answers: bool


def check_address(address: ServerAddress) -> AddressCheck:
    """Check one address; problems are findings, not errors."""
    findings = run_check("tls", lambda: check_tls(address))
    try:
        return AddressCheck([*findings, *_check_server_version(address)], answers=True)
    except FoidexError as error:
        problem = Finding("server", "problem", str(error))
        return AddressCheck([*findings, problem], isinstance(error, ForbiddenError))


def check_tls(address: ServerAddress) -> Findings:
    """Whether the connection is encrypted, and the server's certificate trusted and valid."""
    parts = urlsplit(address.url)
    if parts.scheme == "http":
        if _is_loopback_host(parts.hostname or ""):
            yield Finding("tls", "ok", f"{address.redacted_urls} is this machine, without TLS.")
        else:
            yield Finding(
                "tls",
                "warning",
                f"{address.redacted_urls}: records and passwords travel unencrypted.",
                "Switch TLS on at the server and write https:// in FOIDEX_URL.",
            )
        return
    trust_anchor = "a public authority"
    if address.ca_cert:
        trust_anchor = address.ca_cert
    if address.fingerprint:
        trust_anchor = "its fingerprint"
    try:
        expiry = _read_certificate_expiry(address)
    except ssl.SSLError as error:
        # With a fingerprint the client does not verify the certificate, so it still connects.
        level: FindingLevel = "warning" if address.fingerprint else "problem"
        yield Finding("tls", level, f"{address.redacted_urls}: {explain_tls_error(error)}")
        return
    except OSError:
        return  # the next check reports it
    remaining = expiry - datetime.now(UTC)
    summary = (
        f"{address.redacted_urls}: its certificate is trusted by {trust_anchor}, and valid until "
        f"{expiry:%d %B %Y}"
    )
    if remaining < _EXPIRY_WARNING:
        yield Finding("tls", "warning", f"{summary}: {remaining.days} days.", "Renew it.")
    else:
        yield Finding("tls", "ok", f"{summary}.")


def _is_loopback_host(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _read_certificate_expiry(address: ServerAddress) -> datetime:
    """When the server's certificate expires. Raises SSLError if it is not trusted, OSError if the
    server cannot be reached."""
    context = ssl.create_default_context(cafile=address.ca_cert or certifi.where())
    if address.fingerprint:
        # Trust the one presented: the client checks its fingerprint when it connects.
        context = ssl.create_default_context(cadata=_fetch_presented_certificate(address))
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    with _open_tls_socket(address, context) as tls_socket:
        certificate: Any = tls_socket.getpeercert()
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)


def _fetch_presented_certificate(address: ServerAddress) -> str:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with _open_tls_socket(address, context) as tls_socket:
        return ssl.DER_cert_to_PEM_cert(tls_socket.getpeercert(binary_form=True) or b"")


def _open_tls_socket(address: ServerAddress, context: ssl.SSLContext) -> ssl.SSLSocket:
    parts = urlsplit(address.url)
    tcp_socket = socket.create_connection((parts.hostname or "", parts.port or 443), timeout=10)
    try:
        return context.wrap_socket(tcp_socket, server_hostname=parts.hostname)
    except BaseException:
        tcp_socket.close()
        raise


def _check_server_version(address: ServerAddress) -> Findings:
    quick = msgspec.structs.replace(address, retries=0, timeout=min(address.timeout, CALL_SECONDS))
    with connect_server(quick) as client, translate_client_errors(quick):
        nodes = client.nodes.info(filter_path="nodes.*.version").body["nodes"]
    versions = " and ".join(sorted({str(node["version"]) for node in nodes.values()}))
    node_count = f"{len(nodes)} nodes" if len(nodes) > 1 else "one node"
    yield Finding(
        "server", "ok", f"{address.redacted_urls} answers: Elasticsearch {versions}, {node_count}."
    )

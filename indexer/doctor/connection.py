"""TODO: say what indexer.doctor.connection is for."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

import certifi
import msgspec

from indexer.doctor.finding import Finding, FindingLevel, Findings, run_check
from indexer.server.address import ServerAddress
from indexer.server.connection import connect_server
from indexer.server.server_errors import explain_tls_error, translate_client_errors

_EXPIRY_WARNING: Final = timedelta(days=30)

CALL_SECONDS: Final = 30


# -- the way to the server -----------------------------------------------------------------------


def check_address(address: ServerAddress) -> list[Finding]:
    return run_check("tls", lambda: _check_tls(address)) + run_check(
        "server", lambda: _check_server_version(address)
    )


def _check_tls(address: ServerAddress) -> Findings:
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
        # Who goes by a fingerprint connects all the same.
        level: FindingLevel = "warning" if address.fingerprint else "problem"
        yield Finding("tls", level, f"{address.redacted_urls}: {explain_tls_error(error)}")
        return
    except OSError:
        return  # which the next look tells
    remaining = expiry - datetime.now(UTC)
    summary = f"{address.redacted_urls}: its certificate is trusted by {trust_anchor}, and valid until {expiry:%d %B %Y}"
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
    """When the server's certificate runs out. Raises SSLError where it is not trusted."""
    context = ssl.create_default_context(cafile=address.ca_cert or certifi.where())
    if address.fingerprint:
        # Whatever it is: the client checks the fingerprint when it connects.
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

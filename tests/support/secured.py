"""A real server that speaks TLS, with certificates made here, and with users of few rights."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import elasticsearch
import msgspec
import pytest
import trustme

from indexer.server.address import ServerAddress
from indexer.server.connection import build_client
from indexer.server.embedded import config, process
from indexer.server.embedded.config import CONFIG_TEMPLATE
from indexer.server.embedded.home import ServerHome
from indexer.server.embedded.process import (
    fetch_embedded_server,
    start_embedded_server,
    stop_embedded_server,
)
from tests.support.server import SILENT, end_home, new_home, settings_for

TLS = """\
xpack.security.http.ssl.enabled: true
xpack.security.http.ssl.key: http.key
xpack.security.http.ssl.certificate: http.crt
resource.reload.interval.high: 1s
"""

HOST = "127.0.0.1"


class Secured(NamedTuple):
    """A real server that speaks TLS, and the authority of its certificate."""

    address: ServerAddress
    authority: trustme.CA
    folder: Path
    home: Path

    @property
    def ca(self) -> str:
        return str(self.folder / "ca.pem")

    def admit(self, name: str, password: str, privileges: str) -> None:
        """Let a user in who has only these privileges, as roles.yml writes them."""
        salt = os.urandom(32)
        digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 10_000, 32)
        packed = "$".join(base64.b64encode(part).decode() for part in (salt, digest))
        for file, line in (
            ("roles.yml", f"{name}:\n{privileges}"),
            ("users", f"{name}:{{PBKDF2}}10000${packed}\n"),
            ("users_roles", f"{name}:{name}\n"),
        ):
            with (self.home / "config" / file).open("a") as config:
                config.write(line)
        address = msgspec.structs.replace(self.address, user=name, password=password)
        until = time.monotonic() + 30
        with build_client(address) as client:
            while client.options(ignore_status=401).security.authenticate().meta.status == 401:
                assert time.monotonic() < until, "the server did not take the user"
                time.sleep(0.2)

    def present(self, certificate: trustme.LeafCert) -> None:
        """Let the server present another certificate; it looks for one every second."""
        write(self.home / "config", certificate)
        expected = ssl.PEM_cert_to_DER_cert(certificate.cert_chain_pems[0].bytes().decode())
        until = time.monotonic() + 30
        while presented(self.address.url) != expected:
            assert time.monotonic() < until, "the server did not take the certificate"
            time.sleep(0.2)


def write(config: Path, certificate: trustme.LeafCert) -> None:
    # In place: the server's user keeps its rights.
    (config / "http.key").write_bytes(certificate.private_key_pem.bytes())
    (config / "http.crt").write_bytes(certificate.cert_chain_pems[0].bytes())


def presented(url: str) -> bytes:
    """The certificate a server presents, in DER."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    port = int(url.rpartition(":")[2])
    with (
        socket.create_connection((HOST, port), timeout=5) as plain,
        context.wrap_socket(plain) as talk,
    ):
        return talk.getpeercert(binary_form=True) or b""


@contextmanager
def running(folder: Path) -> Iterator[Secured]:
    """A server set up as the embedded one, but with TLS; its authority is in the folder."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    trustme.CA().cert_pem.write_to_path(folder / "other.pem")
    home = new_home()
    options = settings_for(home)
    fetch_embedded_server(options, SILENT)  # from then on the home is the server's
    write(home / "config", authority.issue_cert(HOST))
    found: list[ServerAddress] = []

    def answers(server_home: ServerHome, port: int) -> bool:
        address = ServerAddress(
            f"https://{HOST}:{port}",
            "elastic",
            server_home.read_password(),
            str(folder / "ca.pem"),
            5,
        )
        with build_client(address) as client:
            try:
                client.options(max_retries=0).cluster.health(wait_for_status="yellow")
            except elasticsearch.TransportError:
                return False
        found.append(address)
        return True

    try:
        # Patched while it starts alone: other servers start while this one runs.
        with pytest.MonkeyPatch.context() as patch:
            off = "xpack.security.http.ssl.enabled: false\n"
            assert off in CONFIG_TEMPLATE
            patch.setattr(config, "CONFIG_TEMPLATE", CONFIG_TEMPLATE.replace(off, TLS))
            patch.setattr(process, "is_server_ready", answers)
            start_embedded_server(options, SILENT)
        yield Secured(found[-1], authority, folder, home)
    finally:
        stop_embedded_server(options, SILENT)
        end_home(home)

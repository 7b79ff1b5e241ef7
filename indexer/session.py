"""What the commands of one run share: settings, progress and the connection, each made once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from indexer.progress import Progress

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from indexer.audit.log import AuditRun
    from indexer.config.model import Settings
    from indexer.server.address import ServerAddress


class _KeptClient:
    """A client that all threads use until a call fails; the next one then connects again."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._connected: tuple[Elasticsearch, ServerAddress] | None = None

    @contextmanager
    def lend(self, find_address: Callable[[], ServerAddress]) -> Iterator[Elasticsearch]:
        """The client, connected where there is none. Raises as ``Session.client``."""
        from indexer.errors import ServerError
        from indexer.server.connection import connect_server
        from indexer.server.server_errors import translate_client_errors

        connected = self._connected
        if connected is None:  # threads that come at once each connect, and the last one's is kept
            address = find_address()
            connected = self._connected = (connect_server(address), address)
        client, address = connected
        try:
            with translate_client_errors(address):
                yield client
        except ServerError:
            self._drop(client)
            raise

    def _drop(self, failed: Elasticsearch) -> None:
        """Let the next call connect again. Other threads may still use the client that failed."""
        with self._lock:
            if self._connected and self._connected[0] is failed:
                self._connected = None

    def close(self) -> None:
        """Close the client, if there is one."""
        with self._lock:
            if self._connected:
                self._connected[0].close()
            self._connected = None


class Session:
    """One run of the command line. ``config`` is the foidex.toml named on it, if any, ``workers``
    the number of processes that prepare records, and ``signed_in`` who uses the workbench."""

    def __init__(self) -> None:
        self.config: Path | None = None
        self.quiet = False
        self.workers: int | None = None
        self.signed_in: str | None = None
        self._settings: Settings | None = None
        self._address: ServerAddress | None = None
        self._remote: ServerAddress | None = None
        self._kept: _KeptClient | None = None

    @property
    def settings(self) -> Settings:
        """The settings, read when they are first needed. Raises ConfigurationError."""
        from indexer.config.loader import load_settings
        from indexer.config.secrets import find_exposed_secrets
        from indexer.records.offences.active import select_offence_table

        if self._settings is None:
            self._settings = load_settings(config=self.config)
            if warning := find_exposed_secrets(self._settings):
                self.progress.warn(f"{warning} Run: chmod o-r {self._settings.file}")
            select_offence_table(self._settings.offences.own, read_again=True)
        select_offence_table(self._settings.offences.own)
        return self._settings

    @property
    def progress(self) -> Progress:
        """The display of progress."""
        return Progress(quiet=self.quiet)

    def run(self, command: str) -> AuditRun:
        """A run of a command that the audit log must record: a query or an erasure."""
        from indexer.audit import AUDIT_LOG_NAME
        from indexer.audit.log import AuditLog, AuditRun
        from indexer.version import VERSION

        settings = self.settings
        log = AuditLog(settings.audit_folder / AUDIT_LOG_NAME) if settings.audit.log else None
        return AuditRun(log, command, VERSION, settings.sudo_user, self.signed_in)

    def for_person(self, name: str) -> Session:
        """The session of someone who is signed in: the audit log names them."""
        session = copy(self)
        session.signed_in = name
        return session

    def address(self) -> ServerAddress:
        """The server's address; starts the embedded server if no address is set."""
        from indexer.server.embedded.process import start_embedded_server

        if self._address is None:
            self._address = self.remote() or start_embedded_server(self.settings, self.progress)
        return self._address

    def running(self) -> bool:
        """Whether a server can be used without starting one. Raises EmbeddedError."""
        from indexer.server.embedded.process import find_embedded_address

        if self._address is None:
            self._address = self.remote() or find_embedded_address(self.settings)
        return self._address is not None

    def remote(self) -> ServerAddress | None:
        """The address in the settings, or None if the embedded server is used.

        Raises ConfigurationError for a secret that cannot be read.
        """
        from indexer.server.address import ServerAddress

        server = self.settings.server
        if not server.urls:
            return None
        if self._remote is not None:  # once, so that a warning about a secret is given once
            return self._remote
        self._remote = ServerAddress(
            url=server.urls[0],
            other_urls=server.urls[1:],
            user=server.user,
            password=self._secret(server.password, server.password_file, "server.password_file"),
            api_key=self._secret(server.api_key, server.api_key_file, "server.api_key_file"),
            ca_cert=server.ca_cert,
            fingerprint=server.fingerprint,
            timeout=server.timeout,
            retries=server.retries,
        )
        return self._remote

    def _secret(self, value: str | None, file: str | None, setting: str) -> str | None:
        from indexer.config.secrets import read_secret

        return read_secret(Path(file), setting, self.progress) if file else value

    def reset(self) -> None:
        """Discard the settings and the address, after ``config`` changed."""
        self._settings = None
        self._address = None
        self._remote = None

    @contextmanager
    def client(self) -> Iterator[Elasticsearch]:
        """A client of the server, whose errors become FoidexErrors."""
        from indexer.server.connection import connect_server
        from indexer.server.server_errors import translate_client_errors

        if self._kept:
            with self._kept.lend(self.address) as client:
                yield client
            return
        address = self.address()
        with connect_server(address) as client, translate_client_errors(address):
            yield client

    def keep_client(self) -> None:
        """Use one client for all threads from now on, as a service does; ``close`` closes it."""
        self._kept = _KeptClient()

    def close(self) -> None:
        """Close the client that is kept, if there is one."""
        if self._kept:
            self._kept.close()


@cache
def get_session() -> Session:
    """The session of this process."""
    return Session()


def start_session() -> Session:
    """A new session for this process. Nothing that an earlier run read is used again."""
    get_session.cache_clear()
    return get_session()

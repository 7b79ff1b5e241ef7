"""What the commands of one run share: settings, progress, and the connection, each made once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from indexer import secret
from indexer.progress import Progress

if TYPE_CHECKING:  # slow to import, and not needed to print a help text
    from elasticsearch import Elasticsearch

    from indexer.audit import Run
    from indexer.elastic import Address
    from indexer.settings import Settings


class Session:
    """One run of the command line."""

    def __init__(self) -> None:
        self.config: Path | None = None
        self.quiet = False
        self._settings: Settings | None = None
        self._address: Address | None = None
        self._remote: Address | None = None

    @property
    def settings(self) -> Settings:
        """The settings, read when first needed. Raises ConfigurationError."""
        from indexer import settings

        if self._settings is None:
            self._settings = settings.load(config=self.config)
        return self._settings

    @property
    def progress(self) -> Progress:
        """Where progress goes."""
        return Progress(quiet=self.quiet)

    def run(self, command: str) -> Run:
        """A run of a command that asks or forgets, which the audit log is to hold."""
        from indexer.audit import NAME, Log, Run
        from indexer.refresh import VERSION

        settings = self.settings
        log = Log(settings.audit_folder / NAME) if settings.audit.log else None
        return Run(log, command, VERSION, settings.sudo_user)

    def address(self) -> Address:
        """The server's address; starts the embedded server where none is set."""
        from indexer import embedded

        if self._address is None:
            self._address = self.remote() or embedded.up(self.settings, self.progress)
        return self._address

    def running(self) -> bool:
        """Whether there is a server to ask without starting one. Raises EmbeddedError."""
        from indexer import embedded

        if self._address is None:
            self._address = self.remote() or embedded.running(self.settings)
        return self._address is not None

    def remote(self) -> Address | None:
        """The address that the settings give; None where the embedded server is used.

        Raises ConfigurationError for a secret that cannot be read.
        """
        from indexer import elastic

        server = self.settings.server
        if not server.urls:
            return None
        if self._remote is not None:  # once, so that a secret is warned of once
            return self._remote
        self._remote = elastic.Address(
            url=server.urls[0],
            others=server.urls[1:],
            user=server.user,
            password=self._secret(server.password, server.password_file, "server.password_file"),
            api_key=self._secret(server.api_key, server.api_key_file, "server.api_key_file"),
            ca_cert=server.ca_cert,
            fingerprint=server.fingerprint,
            timeout=server.timeout,
            retries=server.retries,
        )
        return self._remote

    def _secret(self, given: str | None, file: str | None, setting: str) -> str | None:
        return secret.read(Path(file), setting, self.progress) if file else given

    def reset(self) -> None:
        """Forget what was read, after ``config`` changed."""
        self._settings = None
        self._address = None
        self._remote = None

    @contextmanager
    def client(self) -> Iterator[Elasticsearch]:
        """A client whose errors are ours."""
        from indexer import elastic

        address = self.address()
        with elastic.connect(address) as client, elastic.explained(address):
            yield client


@cache
def session() -> Session:
    """The session of this process."""
    return Session()

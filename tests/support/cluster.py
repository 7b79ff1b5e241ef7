"""Three nodes of the embedded server's distribution on this machine, as one cluster, for tests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil
from elasticsearch import ApiError, Elasticsearch, TransportError

from indexer.server.address import ServerAddress
from indexer.server.connection import connect_server
from indexer.server.embedded.account import SERVER_ACCOUNT, make_account
from indexer.server.embedded.process import fetch_embedded_server
from indexer.server.server_errors import translate_client_errors
from tests.support.server import SILENT, settings_for, write_jvm_options

NODES: Final = 3

_START_SECONDS: Final = 240

_CONFIG: Final = """\
cluster.name: foidex-test
node.name: {name}
network.host: 127.0.0.1
http.port: {http}
transport.port: {transport}
discovery.seed_hosts: [{seeds}]
cluster.initial_master_nodes: [{names}]
path.data: {folder}/data
path.logs: {folder}/logs
path.repo: {repository}
cluster.routing.allocation.disk.watermark.low: 1gb
cluster.routing.allocation.disk.watermark.high: 500mb
cluster.routing.allocation.disk.watermark.flood_stage: 250mb
cluster.info.update.interval: 10s
# A node that stops answering is given up within seconds, not half a minute.
cluster.fault_detection.follower_check.timeout: 3s
cluster.fault_detection.follower_check.retry_count: 2
cluster.fault_detection.leader_check.timeout: 3s
cluster.fault_detection.leader_check.retry_count: 2
cluster.routing.allocation.node_concurrent_recoveries: 8
xpack.security.enabled: false
"""


class Node:
    """One node, which may be killed, paused and started again."""

    def __init__(self, distribution: Path, folder: Path, config: str, port: int) -> None:
        self.address = ServerAddress(f"http://127.0.0.1:{port}", timeout=30)
        self._distribution = distribution
        self._folder = folder
        for name in ("config", "data", "logs", "tmp"):
            (folder / name).mkdir(parents=True)
        for name in ("jvm.options", "log4j2.properties"):
            source = distribution / "config" / name
            (folder / "config" / name).write_bytes(source.read_bytes())
        (folder / "config" / "elasticsearch.yml").write_text(config)
        write_jvm_options(folder / "config")

    def start(self) -> None:
        """Start it, and do not wait until it answers."""
        user, group = _identity()
        for path in (self._folder, *self._folder.rglob("*")):
            if user is not None and group is not None:
                os.chown(path, user, group)
        self._process = subprocess.Popen(
            [str(self._distribution / "bin" / "elasticsearch")],
            cwd=self._folder,
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "HOME": str(self._folder / "tmp"),
                "ES_PATH_CONF": str(self._folder / "config"),
                "ES_TMPDIR": str(self._folder / "tmp"),
                "ES_JAVA_OPTS": "-Xms512m -Xmx512m",
                "LANG": "C.UTF-8",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            user=user,
            group=group,
            extra_groups=[] if user is not None else None,
        )

    def _signal(self, number: signal.Signals) -> None:
        own = psutil.Process(self._process.pid)
        for process in (*own.children(recursive=True), own):
            process.send_signal(number)

    def kill(self) -> None:
        """End it at once, as a machine that loses its power does."""
        if self._process.poll() is None:
            self._signal(signal.SIGKILL)
        self._process.wait(30)

    def pause(self) -> None:
        """Let it stand still, with its connections open."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)


class Cluster:
    """Three nodes."""

    def __init__(self, home: Path) -> None:
        distribution = fetch_embedded_server(settings_for(home), SILENT)
        ports = free_ports(2 * NODES)
        http, transport = ports[:NODES], ports[NODES:]
        names = [f"n{number}" for number in range(NODES)]
        self.repository = home / "repository"
        self.nodes = [
            Node(
                distribution,
                home / name,
                _CONFIG.format(
                    name=name,
                    http=http[number],
                    transport=transport[number],
                    seeds=", ".join(f'"127.0.0.1:{port}"' for port in transport),
                    names=", ".join(names),
                    folder=home / name,
                    repository=self.repository,
                ),
                http[number],
            )
            for number, name in enumerate(names)
        ]
        for node in self.nodes:
            node.start()
        self.wait()

    def wait(self, nodes: int = NODES, status: str = "green", through: int = 0) -> None:
        """Until so many nodes are together and every index is whole, or it fails."""
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            with self.client(through) as client:
                try:
                    found = client.cluster.health(
                        wait_for_nodes=str(nodes), wait_for_status=status, timeout="5s"
                    )
                    if not found["timed_out"]:
                        return
                except (ApiError, TransportError):
                    pass
            time.sleep(0.5)
        msg = f"{nodes} nodes were not together in {_START_SECONDS} seconds"
        raise TimeoutError(msg)

    def client(self, node: int = 0) -> Elasticsearch:
        """A plain client of one node."""
        return Elasticsearch(self.nodes[node].address.url, request_timeout=10, max_retries=0)

    @contextmanager
    def ours(self, node: int = 0) -> Iterator[Elasticsearch]:
        """A client as foidex makes it, of one node alone."""
        address = self.nodes[node].address
        with connect_server(address) as client, translate_client_errors(address):
            yield client

    def master(self) -> int:
        """The number of the node that leads the others."""
        with self.client() as client:
            return int(str(client.cat.master(h="node").body).strip().removeprefix("n"))

    def stop(self) -> None:
        """End every node."""
        for node in self.nodes:
            node.kill()


def free_ports(number: int) -> list[int]:
    """Ports nobody listens on now."""
    probes = [socket.socket() for _ in range(number)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def _identity() -> tuple[int | None, int | None]:
    return make_account(SERVER_ACCOUNT) if os.geteuid() == 0 else (None, None)

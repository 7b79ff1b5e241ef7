"""TODO: say what indexer.server.embedded.config is for."""

from __future__ import annotations

from typing import Final

BACKUPS_FOLDER: Final = "backups"

# What is in memory is records' text: a server that dies leaves none of it behind.
NO_DUMPS_OPTIONS: Final = "-XX:-HeapDumpOnOutOfMemoryError -XX:-CreateCoredumpOnCrash"

START_SECONDS: Final = 120

CONFIG_TEMPLATE: Final = """\
# Written by foidex at every start; change foidex.toml instead.
cluster.name: foidex
node.name: foidex
node.portsfile: true
network.host: 127.0.0.1
http.port: {port}
transport.port: 9300-9399
discovery.type: single-node
path.data: {data}
path.logs: {logs}
path.repo: {backups}
action.destructive_requires_name: true
cluster.routing.allocation.disk.watermark.low: 1gb
cluster.routing.allocation.disk.watermark.high: 500mb
cluster.routing.allocation.disk.watermark.flood_stage: 250mb
xpack.security.enabled: true
xpack.security.http.ssl.enabled: false
xpack.security.transport.ssl.enabled: false
"""

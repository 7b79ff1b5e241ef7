"""What keeps foidex from working here, or soon will: looked at one by one, each with its remedy.

Changes nothing and starts nothing; into a repository of backups the server writes a file that it
removes. What it may not look at is told, not passed over. No finding
holds a user name, a password or a record's text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec
from elasticsearch import Elasticsearch

from indexer.config.model import Settings
from indexer.doctor.cluster import check_clock_skew, check_cluster_health, check_disk_space
from indexer.doctor.connection import CALL_SECONDS, check_address
from indexer.doctor.finding import Finding, Findings, run_check
from indexer.doctor.index import (
    check_backup_repository,
    check_live_generation,
    check_refresh_lock,
    check_unfinished_generations,
)
from indexer.doctor.machine import check_configuration, check_embedded_server, check_home_folder
from indexer.doctor.privileges import check_privileges
from indexer.errors import FoidexError
from indexer.server.address import ServerAddress
from indexer.server.connection import build_client
from indexer.server.embedded.process import find_embedded_address
from indexer.server.server_errors import translate_client_errors
from indexer.session import Session

_FORBIDDEN_MARK: Final = "(403)"


def examine_setup(session: Session) -> list[Finding]:
    """Every finding, in the order in which one would look."""
    findings = run_check("configuration", lambda: check_configuration(session))
    if findings[-1].level == "problem":
        return findings
    settings = session.settings
    findings += run_check("home folder", lambda: check_home_folder(settings.home))
    if not settings.server.urls:
        findings += run_check("embedded server", lambda: check_embedded_server(settings))
        address = _suppress_reported_errors(lambda: find_embedded_address(settings))
    else:
        address = session.remote()
        assert address is not None
        for url in address.urls:
            findings += check_address(msgspec.structs.replace(address, url=url, other_urls=()))
        refused = [
            finding
            for finding in findings
            if finding.check == "server" and finding.level == "problem"
        ]
        if len(refused) == len(address.urls) and not any(
            _FORBIDDEN_MARK in finding.message for finding in refused
        ):
            return findings
    return findings + (_run_server_checks(settings, address) if address else [])


def has_no_problems(findings: list[Finding]) -> bool:
    """Whether there is no problem; warnings are none."""
    return all(finding.level != "problem" for finding in findings)


def format_findings(findings: list[Finding]) -> str:
    """The findings for a person, one a line, the remedy below."""
    lines = []
    for finding in findings:
        lines.append(f"{finding.level:<8} {finding.check:<16} {finding.message}")
        if finding.remedy:
            lines.append(f"{'':<25} {finding.remedy}")
    return "".join(f"{line}\n" for line in lines)


def _suppress_reported_errors(
    find_address: Callable[[], ServerAddress | None],
) -> ServerAddress | None:
    try:
        return find_address()
    except FoidexError:  # which has been told
        return None


# -- the server ----------------------------------------------------------------------------------


def _run_server_checks(settings: Settings, address: ServerAddress) -> list[Finding]:
    alias = settings.index.alias
    quick = msgspec.structs.replace(address, retries=1, timeout=min(address.timeout, CALL_SECONDS))
    probes: dict[str, Callable[[Elasticsearch], Findings]] = {
        "rights": lambda client: check_privileges(client, alias),
        "clock": lambda client: check_clock_skew(client, settings.refresh.lease_seconds),
        "health": lambda client: check_cluster_health(client, alias),
        "disk": check_disk_space,
        "generation": lambda client: check_live_generation(client, alias),
        "unfinished": lambda client: check_unfinished_generations(client, alias),
        "lock": lambda client: check_refresh_lock(client, alias),
        "backups": lambda client: check_backup_repository(client, settings),
    }
    findings: list[Finding] = []
    with build_client(quick) as client:
        for check, probe in probes.items():

            def explained(probe: Callable[[Elasticsearch], Findings] = probe) -> Findings:
                with translate_client_errors(quick):
                    yield from probe(client)

            findings += run_check(check, explained)
    return [_downgrade_forbidden(finding) for finding in findings]


def _downgrade_forbidden(finding: Finding) -> Finding:
    """A look that this user is not allowed is no problem in itself."""
    if finding.level == "problem" and _FORBIDDEN_MARK in finding.message:
        return Finding(finding.check, "warning", "this user may not look at it (403).")
    return finding

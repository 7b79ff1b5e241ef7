"""Examines a setup for what keeps foidex from working, or soon will; each finding has its remedy.

It changes nothing and starts nothing, except that a test file is written, and removed, where foidex
writes: into the folders of the audit log, report and metrics, and by the server into the backup
repository. A check that this user may not make is reported. No finding holds a user
name, a password or a record's text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Protocol

import msgspec
from elasticsearch import Elasticsearch

from indexer.config.model import Settings
from indexer.doctor.account import check_server_account
from indexer.doctor.cluster import check_clock_skew, check_cluster_health, check_disk_space
from indexer.doctor.connection import CALL_SECONDS, check_address
from indexer.doctor.finding import FORBIDDEN_MESSAGE, FORBIDDEN_REMEDY, Finding, Findings, run_check
from indexer.doctor.index import (
    check_backup_repository,
    check_erasures,
    check_foreign_indices,
    check_live_generation,
    check_record_count,
    check_refresh_lock,
    check_text_damage,
    check_unfinished_generations,
)
from indexer.doctor.machine import (
    check_audit_folder,
    check_configuration,
    check_embedded_server,
    check_home_folder,
    check_private_files,
    check_profile_of_source,
    check_refresh_outputs,
)
from indexer.doctor.privileges import check_privileges
from indexer.errors import FoidexError
from indexer.server.address import ServerAddress
from indexer.server.connection import build_client
from indexer.server.embedded.process import find_embedded_address
from indexer.server.server_errors import ForbiddenError, translate_client_errors
from indexer.session import Session


class SessionProbe(Protocol):
    """A check of what lies above the index, such as the ledger of releases."""

    def __call__(self, session: Session, *, server_answers: bool) -> Findings:
        """What it finds. Raises FoidexError."""


def examine_setup(
    session: Session, probes: Mapping[str, SessionProbe] = MappingProxyType({})
) -> list[Finding]:
    """Every finding, from the configuration to the index, and those of ``probes`` by name."""
    findings = run_check("configuration", lambda: check_configuration(session))
    if findings[-1].level == "problem":
        return findings
    settings = session.settings
    findings += run_check("profile", lambda: check_profile_of_source(settings))
    findings += run_check("home folder", lambda: check_home_folder(settings.home))
    findings += run_check("private files", lambda: check_private_files(settings))
    findings += run_check("audit folder", lambda: check_audit_folder(settings))
    findings += run_check("outputs", lambda: check_refresh_outputs(settings))
    address = session.remote()
    if address is None:
        findings += run_check("embedded server", lambda: check_embedded_server(settings))
        findings += run_check("server account", lambda: check_server_account(settings))
        address = _find_embedded_address(settings)
        server_answers = address is not None
    else:
        checks = [
            check_address(msgspec.structs.replace(address, url=url, other_urls=()))
            for url in address.urls
        ]
        findings += [finding for check in checks for finding in check.findings]
        server_answers = any(check.answers for check in checks)
    if address and server_answers:
        findings += _run_server_checks(settings, address)
    for check, probe in probes.items():
        findings += run_check(check, partial(probe, session, server_answers=server_answers))
    return findings


def has_no_problems(findings: list[Finding]) -> bool:
    """Whether no finding is a problem; warnings are not."""
    return all(finding.level != "problem" for finding in findings)


def _find_embedded_address(settings: Settings) -> ServerAddress | None:
    """The address of the running embedded server; None where its check reported an error."""
    try:
        return find_embedded_address(settings)
    except FoidexError:
        return None


def _run_server_checks(settings: Settings, address: ServerAddress) -> list[Finding]:
    alias = settings.index.alias
    quick = msgspec.structs.replace(address, retries=1, timeout=min(address.timeout, CALL_SECONDS))
    probes: dict[str, Callable[[Elasticsearch], Findings]] = {
        "rights": lambda client: check_privileges(client, alias),
        "clock": lambda client: check_clock_skew(client, settings.refresh.lease_seconds),
        "health": lambda client: check_cluster_health(
            client, alias, is_embedded=address.is_embedded
        ),
        "disk": check_disk_space,
        "generation": lambda client: check_live_generation(client, alias, settings.categories),
        "records": lambda client: check_record_count(client, alias),
        "text": lambda client: check_text_damage(client, alias),
        "erasures": lambda client: check_erasures(client, alias),
        "foreign indices": lambda client: check_foreign_indices(client, alias),
        "unfinished": lambda client: check_unfinished_generations(client, alias),
        "lock": lambda client: check_refresh_lock(client, alias),
        "backups": lambda client: check_backup_repository(client, settings),
    }
    findings: list[Finding] = []
    with build_client(quick) as client:
        for check, probe in probes.items():
            findings += run_check(check, partial(_run_probe, check, probe, client, quick))
    return findings


def _run_probe(
    check: str,
    probe: Callable[[Elasticsearch], Findings],
    client: Elasticsearch,
    address: ServerAddress,
) -> Findings:
    """A probe with our errors; one that this user may not make is a warning, not a problem."""
    try:
        with translate_client_errors(address):
            yield from probe(client)
    except ForbiddenError:
        yield Finding(check, "warning", FORBIDDEN_MESSAGE, FORBIDDEN_REMEDY)

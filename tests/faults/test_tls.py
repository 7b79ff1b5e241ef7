"""The run's one server that speaks TLS, asked and examined: certificates, users of few rights."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from indexer.doctor.finding import Finding
from indexer.errors import ConfigurationError, ServerError
from indexer.server.address import ServerAddress
from indexer.server.connection import build_client, connect_server
from tests.support.command_line import PASSWORD, CommandLine, Outcome, require_refusal
from tests.support.findings import UNSOUND, list_findings, sole_finding
from tests.support.secured import HOST, Secured, presented

RECORD = {"crime_ref": "A", "recorded_on": "2019-06-01", "offence_code": "22B", "narrative": "x"}


@pytest.fixture
def ask(foidex: CommandLine, secured: Secured) -> Callable[..., Outcome]:
    """Ask the server that speaks TLS for its status, with what changes the environment."""

    def run(url: str = secured.address.url, **changes: str) -> Outcome:
        foidex.environment["FOIDEX_PASSWORD"] = secured.address.password or ""
        return foidex("generations", **{"FOIDEX_URL": url, "FOIDEX_USER": "elastic", **changes})

    return run


def test_a_server_with_tls_answers_who_trusts_its_authority(
    ask: Callable[..., Outcome], secured: Secured
) -> None:
    outcome = ask(FOIDEX_CA_CERT=secured.ca)
    assert (outcome.code, outcome.err) == (0, "")


def test_a_fingerprint_is_trust_enough(ask: Callable[..., Outcome], secured: Secured) -> None:
    digest = hashlib.sha256(presented(secured.address.url)).hexdigest()
    colons = ":".join(digest[n : n + 2] for n in range(0, 64, 2)).upper()
    for fingerprint in (digest, colons):
        assert ask(FOIDEX_FINGERPRINT=fingerprint).code == 0
    other = digest[:-2] + ("00" if digest[-2:] != "00" else "11")
    told = "its certificate has another SHA-256 than FOIDEX_FINGERPRINT"
    require_refusal(ask(FOIDEX_FINGERPRINT=other), ServerError, told)


@pytest.mark.parametrize("authority", ["", "other.pem"], ids=["none", "another"])
def test_a_certificate_of_an_unknown_authority_is_told(
    ask: Callable[..., Outcome], secured: Secured, authority: str
) -> None:
    trusted = {"FOIDEX_CA_CERT": str(secured.folder / authority)} if authority else {}
    told = f"{secured.address.url}: its certificate is not signed by a trusted authority. Set FOIDEX_CA_CERT"
    require_refusal(ask(**trusted), ServerError, told)


def test_a_certificate_for_another_host_is_told(
    ask: Callable[..., Outcome], secured: Secured
) -> None:
    url = secured.address.url.replace(HOST, "localhost")
    told = f"{url}: its certificate is for another host. Write the name it is for in FOIDEX_URL"
    require_refusal(ask(url, FOIDEX_CA_CERT=secured.ca), ServerError, told)


def test_a_certificate_for_a_name_is_told_to_who_asks_by_number(
    ask: Callable[..., Outcome], secured: Secured
) -> None:
    """The client's own check refuses it, before that of OpenSSL."""
    named = secured.authority.issue_cert("search.example.org")
    try:
        secured.present(named)
        told = f"{secured.address.url}: its certificate is for another host. Write the name"
        require_refusal(ask(FOIDEX_CA_CERT=secured.ca), ServerError, told)
    finally:
        secured.present(secured.authority.issue_cert(HOST))


def test_a_certificate_out_of_its_time_is_told(
    ask: Callable[..., Outcome], secured: Secured
) -> None:
    now = datetime.now(UTC)
    good = secured.authority.issue_cert(HOST)
    expired = secured.authority.issue_cert(HOST, not_after=now - timedelta(days=1))
    try:
        secured.present(expired)
        told = f"{secured.address.url}: its certificate is no longer valid. Renew it"
        require_refusal(ask(FOIDEX_CA_CERT=secured.ca), ServerError, told)
    finally:
        secured.present(good)


def test_plain_http_to_a_port_of_tls_is_told(ask: Callable[..., Outcome], secured: Secured) -> None:
    url = secured.address.url.replace("https", "http")
    told = f"{url}: this port speaks TLS. Write https:// in FOIDEX_URL (server.url)."
    require_refusal(ask(url), ServerError, told)


@pytest.mark.parametrize("trust", [{"ca_cert": True}, {"fingerprint": "ab" * 32}])
def test_plain_http_with_a_certificate_to_check_is_told(
    secured: Secured, trust: dict[str, Any]
) -> None:
    if "ca_cert" in trust:
        trust = {"ca_cert": secured.address.ca_cert}
    url = secured.address.url.replace("https", "http")
    with pytest.raises(ConfigurationError) as told:
        build_client(ServerAddress(url, **trust))
    assert str(told.value).startswith(f"{url}: an authority or a fingerprint is set")
    assert "Write https:// in FOIDEX_URL (server.url), or unset FOIDEX_CA_CERT" in str(told.value)


def test_tls_to_a_plain_port_is_told(ask: Callable[..., Outcome], server: ServerAddress) -> None:
    url = server.url.replace("http:", "https:")
    told = f"{url}: it does not speak TLS, or not as we do. Write http:// in FOIDEX_URL"
    require_refusal(ask(url), ServerError, told)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "authority.pem (FOIDEX_CA_CERT, server.ca_cert): cannot be read (No such file"),
        ("text", "authority.pem (FOIDEX_CA_CERT, server.ca_cert): holds no certificate"),
    ],
)
def test_a_file_of_no_authority_is_told(
    foidex: CommandLine, tmp_path: Path, content: str | None, told: str
) -> None:
    path = tmp_path / "authority.pem"
    if content:
        path.write_text(content)
    outcome = foidex("generations", FOIDEX_URL="https://127.0.0.1:9", FOIDEX_CA_CERT=str(path))
    require_refusal(outcome, ConfigurationError, told)


# -- the doctor ----------------------------------------------------------------------------------


def reached(secured: Secured, **changes: str) -> dict[str, str]:
    return {
        "FOIDEX_URL": secured.address.url,
        "FOIDEX_USER": "elastic",
        "FOIDEX_PASSWORD": secured.address.password or "",
        "FOIDEX_CA_CERT": secured.ca,
        **changes,
    }


def test_a_certificate_is_told_with_how_it_is_trusted_and_until_when(
    foidex: CommandLine, secured: Secured
) -> None:
    level, told = sole_finding(list_findings(foidex, 0, reached(secured)), "tls")
    assert level == "ok"
    assert f"is trusted by {secured.ca}, and valid until" in told
    soon = secured.authority.issue_cert(HOST, not_after=datetime.now(UTC) + timedelta(days=9, hours=1))  # fmt: skip
    try:
        secured.present(soon)
        level, told = sole_finding(list_findings(foidex, 0, reached(secured)), "tls")
        assert (level, told[-19:]) == ("warning", ": 9 days. Renew it.")
        digest = hashlib.sha256(presented(secured.address.url)).hexdigest()
        by_fingerprint = reached(secured, FOIDEX_FINGERPRINT=digest)
        del by_fingerprint["FOIDEX_CA_CERT"]
        level, told = sole_finding(list_findings(foidex, 0, by_fingerprint), "tls")
        assert level == "warning"
        assert "is trusted by its fingerprint" in told
    finally:
        secured.present(secured.authority.issue_cert(HOST))


def test_a_certificate_that_is_not_trusted_is_a_problem(
    foidex: CommandLine, secured: Secured
) -> None:
    other = str(secured.folder / "other.pem")
    found = list_findings(foidex, UNSOUND, reached(secured, FOIDEX_CA_CERT=other))
    assert sole_finding(found, "tls")[0] == "problem"
    assert "is not signed by a trusted authority" in sole_finding(found, "tls")[1]


def test_a_full_disk_is_a_problem(foidex: CommandLine, secured: Secured) -> None:
    with connect_server(secured.address) as client:
        key = "cluster.routing.allocation.disk.watermark"
        names = ("low", "high", "flood_stage")
        client.cluster.put_settings(persistent={f"{key}.{name}": "900pb" for name in names})
        try:
            level, told = sole_finding(list_findings(foidex, UNSOUND, reached(secured)), "disk")
        finally:
            client.cluster.put_settings(persistent={f"{key}.{name}": None for name in names})
    assert level == "problem"
    assert "below its flood_stage watermark: its indices can only be read." in told


ASKS = """\
  cluster: [monitor]
  indices:
    - names: ["mine", "mine-*"]
      privileges: [read, view_index_metadata, monitor]
"""

REFRESHES = """\
  cluster: [monitor]
  indices:
    - names: ["mine", "mine-*"]
      privileges: [read, write, create_index, manage]
    - names: ["mine.lock"]
      privileges: [read, write, create_index]
"""

NOTHING = """\
  cluster: []
"""


def test_the_rights_that_are_told_are_those_that_are_needed(
    foidex: CommandLine, secured: Secured
) -> None:
    """One user may do nothing, one ask, one refresh: each says so, and can."""
    users = {
        name: reached(secured, FOIDEX_USER=name, FOIDEX_PASSWORD=PASSWORD, FOIDEX_INDEX="mine")
        for name in ("zqxnobody", "zqxasker", "zqxrefresher")
    }
    for name, rights in zip(users, (NOTHING, ASKS, REFRESHES), strict=True):
        secured.admit(name, PASSWORD, rights)
    path = foidex.write("records.jsonl", msgspec.json.encode(RECORD))

    found = list_findings(foidex, UNSOUND, users["zqxnobody"])
    _, _, find, *others = found["rights"]
    assert find == Finding(
        "rights",
        "problem",
        "this user may not find records: it lacks cluster:monitor/nodes/info on the cluster; read, "
        "view_index_metadata on mine.",
        "If it is to, give it the role foidex_analyst of docker/elasticsearch/roles.yml.",
    )
    assert [one.level for one in others] == ["problem"] * 2
    assert sole_finding(found, "disk") == (
        "warning",
        "this user may not look at it (403). Run foidex doctor as a user who may, such as the "
        "server's administrator.",
    )

    assert [one.level for one in list_findings(foidex, 0, users["zqxrefresher"])["rights"]] == ["ok", "warning", "ok", "ok", "warning"]  # fmt: skip
    for _ in range(2):
        loaded = foidex("load", path, **users["zqxrefresher"])
        assert loaded.code == 0, loaded.err
    source = foidex.write("foidex.toml", b'[source]\npaths = ["records.jsonl"]\n[refresh]\nkeep = 2\n')  # fmt: skip
    for words in (("refresh", "--incremental"), ("rollback",), ("prune", "--keep", "1")):
        done = foidex("--config", source, *words, **users["zqxrefresher"])
        assert done.code == 0, done.err

    assert [one.level for one in list_findings(foidex, 0, users["zqxasker"])["rights"]] == ["ok", "warning", "ok", "warning", "warning"]  # fmt: skip
    for words in (("count", "x"), ("find", "x"), ("status",), ("generations",)):
        done = foidex(*words, **users["zqxasker"])
        assert done.code == 0, done.err
    refused = foidex("load", path, **users["zqxasker"])
    assert refused.code == 5
    assert "does not let this user do that (403)" in refused.err

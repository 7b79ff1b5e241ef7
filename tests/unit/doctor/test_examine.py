"""The doctor's findings about this machine, and what it makes of a server's words."""

from __future__ import annotations

import errno
import os
import pwd
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from indexer.commands.doctor import tabulate_findings
from indexer.commands.shared import format_table
from indexer.doctor.cluster import compute_required_bytes, describe_cluster_health
from indexer.doctor.connection import check_tls
from indexer.doctor.examine import examine_setup, has_no_problems
from indexer.doctor.finding import Finding
from indexer.doctor.privileges import list_missing_privileges
from indexer.server.address import ServerAddress
from indexer.server.embedded import process
from indexer.session import Session

GB = 1 << 30


def found(monkeypatch: pytest.MonkeyPatch, home: Path, **environment: str) -> list[Finding]:
    monkeypatch.setenv("FOIDEX_HOME", str(home))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return examine_setup(Session())


def test_an_embedded_server_that_does_not_run_is_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "start_embedded_server", lambda *_: pytest.fail("it was started"))
    findings = found(monkeypatch, tmp_path / "home")
    assert [(one.check, one.level) for one in findings] == [
        ("configuration", "ok"),
        ("home folder", "ok"),
        ("embedded server", "ok"),
    ]
    assert "it is not running; it starts when it is needed" in findings[-1].message
    assert has_no_problems(findings)
    assert not (tmp_path / "home").exists()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody can enter, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path


def test_what_a_copy_left_open_to_everybody_is_a_warning(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy of the audit folder that was put back has the modes that the copy was made with."""
    home = open_folder / "home"
    key, evidence = home / "audit" / "audit.key", home / "audit" / "basis" / "a.jsonl.gz"
    evidence.parent.mkdir(parents=True)
    for path in (home, home / "audit", evidence.parent):
        path.chmod(0o755)
    for file in (key, evidence):
        file.touch()
        file.chmod(0o644)

    def list_warnings() -> list[str]:
        findings = found(monkeypatch, home)
        return [one.message for one in findings if one.check == "private files"]

    assert list_warnings() == [f"every user of this machine can read {key}."]
    key.chmod(0o600)
    assert list_warnings() == [f"every user of this machine can read {evidence}."]
    evidence.parent.chmod(0o700)
    assert list_warnings() == []
    evidence.parent.chmod(0o755)
    open_folder.chmod(0o700)  # nobody else reaches the home
    assert list_warnings() == []


def test_a_home_that_others_can_write_to_or_read_the_server_in_is_a_warning(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that was made with umask 000, also if the server is elsewhere."""
    home = open_folder / "home"
    records = home / "data" / "indices" / "records"
    records.parent.mkdir(parents=True)
    records.touch()
    for path in (records.parent, home / "data", home):
        path.chmod(0o755)
    records.chmod(0o644)

    def list_warnings() -> list[tuple[str, str | None]]:
        findings = found(monkeypatch, home)
        return [(one.message, one.remedy) for one in findings if one.check == "private files"]

    readable = (
        f"every user of this machine can read {records}.",
        f"Run: chmod -R go= {home / 'data'}",
    )
    assert list_warnings() == [readable]
    home.chmod(0o777)
    writable, second = list_warnings()
    assert second == readable
    assert writable[0] == (
        f"every user of this machine can write to {home}, and so replace any folder in it."
    )
    (home / "data").chmod(0o700)
    home.chmod(0o755)
    assert list_warnings() == []


def test_a_password_of_the_server_that_others_can_read_is_a_warning(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = open_folder / "home"
    home.mkdir()
    home.chmod(0o755)
    password = home / "password"
    password.touch()

    def list_warnings() -> list[tuple[str, str | None]]:
        findings = found(monkeypatch, home)
        return [(one.message, one.remedy) for one in findings if one.check == "private files"]

    password.chmod(0o644)
    assert list_warnings() == [
        (f"every user of this machine can read {password}.", f"Run: chmod go= {password}")
    ]
    home.chmod(0o700)
    assert list_warnings() == []
    home.chmod(0o755)
    password.chmod(0o600)
    assert list_warnings() == []


def test_what_a_group_of_several_can_read_is_a_warning(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A group of the owner alone is nobody else; another may only be let into the folder by it."""
    home = open_folder / "home"
    key = home / "audit" / "audit.key"
    key.parent.mkdir(parents=True)
    for path in (home, key.parent):
        path.chmod(0o750)
    key.touch()
    key.chmod(0o640)

    def list_warnings(members: list[str]) -> list[str]:
        group = SimpleNamespace(gr_name=owner.pw_name, gr_mem=members)
        monkeypatch.setattr("grp.getgrgid", lambda _: group)
        findings = found(monkeypatch, home)
        return [one.message for one in findings if one.check == "private files"]

    owner = pwd.getpwuid(os.geteuid())
    assert list_warnings([]) == list_warnings([owner.pw_name]) == []
    told = [f"the group {owner.pw_name} can read {key}."]
    assert list_warnings([owner.pw_name, "colleague"]) == told
    home.chmod(0o710)
    assert list_warnings(["colleague"]) == told
    home.chmod(0o700)
    assert list_warnings(["colleague"]) == []
    home.chmod(0o750)
    key.chmod(0o600)
    assert list_warnings(["colleague"]) == []


def test_an_embedded_server_that_is_not_installed_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    last = found(monkeypatch, tmp_path)[-1]
    assert (last.level, last.remedy) == (
        "problem",
        "Run: pip install 'foidex[embedded]', or set FOIDEX_URL.",
    )


def test_a_wrong_configuration_ends_the_examination(tmp_path: Path) -> None:
    for environment, told in [
        ({"FOIDEX_URL": "nowhere"}, "FOIDEX_URL (or server.url) is not an address"),
        ({"FOIDEX_URL": "https://h:1", "FOIDEX_CA_CERT": "no.pem"}, "no.pem (FOIDEX_CA_CERT"),
        ({"FOIDEX_URL": "http://h:1", "FOIDEX_API_KEY_FILE": "no.key"}, "no.key (server.api_key_file)"),
    ]:  # fmt: skip
        with pytest.MonkeyPatch.context() as patch:
            (finding,) = found(patch, tmp_path, **environment)
        assert (finding.check, finding.level) == ("configuration", "problem")
        assert told in finding.message
    assert not has_no_problems([finding])


def test_a_profile_that_a_refresh_would_refuse_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "foidex.toml"
    config.write_text(
        '[source]\npaths = ["x.csv"]\n[source.profile.fields]\ncrime_ref = {column = "DECIDE"}\n'
    )
    findings = found(monkeypatch, tmp_path, FOIDEX_CONFIG=str(config))
    (problem,) = [finding for finding in findings if finding.check == "profile"]
    assert problem.level == "problem"
    assert "is not decided yet: fields.crime_ref" in problem.message


def test_a_home_that_is_no_folder_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    finding = found(monkeypatch, tmp_path / "file" / "home")[1]
    assert (finding.check, finding.level) == ("home folder", "problem")


def test_a_home_whose_path_is_too_long_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("x" * 300, "/".join(["x" * 200] * 25)):
        finding = found(monkeypatch, tmp_path / name)[1]
        assert (finding.check, finding.level) == ("home folder", "problem")
        assert finding.message.endswith("cannot be used (File name too long).")


def test_a_report_and_metrics_that_cannot_be_written_are_problems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refresh would say so when it has done all its work."""
    home, config = tmp_path / "home", tmp_path / "foidex.toml"
    config.write_text('[refresh]\nreport = "report.json"\nmetrics = "node/foidex.prom"\n')

    def problems() -> list[str]:
        findings = found(monkeypatch, home, FOIDEX_CONFIG=str(config))
        return [one.message for one in findings if one.check == "outputs"]

    metrics = home / "node" / "foidex.prom"
    told = f"{metrics} ([refresh] metrics) cannot be written: there is no such folder."
    assert problems() == [told]
    (home / "node").mkdir(parents=True)
    assert problems() == []
    (home / "report.json").mkdir()
    (only,) = problems()
    assert only.endswith(
        "report.json ([refresh] report) cannot be written: there is a folder of that name."
    )


def list_problems(monkeypatch: pytest.MonkeyPatch, home: Path, config: Path) -> list[str]:
    findings = found(monkeypatch, home, FOIDEX_CONFIG=str(config))
    return [f"{one.check}: {one.message}" for one in findings if one.level == "problem"]


def test_a_full_disk_below_the_audit_log_or_the_report_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command would end with exit code 11. Nothing stays of what was tried."""
    home, config = tmp_path / "home", tmp_path / "foidex.toml"
    config.write_text('[refresh]\nreport = "report.json"\n')
    folders = [home, home / "audit", home / "audit" / "basis"]
    folders[-1].mkdir(parents=True)
    assert list_problems(monkeypatch, home, config) == []
    full: list[int] = []

    def sync(handle: int) -> None:
        size, folder = os.fstat(handle).st_size, os.fstat(handle).st_dev
        full.append(size)
        assert folder == tmp_path.stat().st_dev
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", sync)
    assert list_problems(monkeypatch, home, config) == [
        f"audit folder: {home / 'audit'} cannot be written: less than 1 MB is left there. "
        "Commands that must be logged end with exit code 11.",
        f"outputs: {home / 'report.json'} ([refresh] report) cannot be written: less than 1 MB is "
        "left there.",
    ]
    assert full == [1_000_000] * 2
    assert sorted(home.rglob("*")) == folders[1:]


@pytest.mark.parametrize("name", ["audit.jsonl", "audit.jsonl.lock"])
def test_an_audit_log_that_cannot_be_opened_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    config = tmp_path / "foidex.toml"
    config.touch()
    folder = tmp_path / "home" / "audit"
    (folder / name).mkdir(parents=True)
    told = [
        f"audit folder: {folder / name} cannot be written: Is a directory. Commands that must be "
        "logged end with exit code 11."
    ]
    assert list_problems(monkeypatch, tmp_path / "home", config) == told
    config.write_text("[audit]\nlog = false\n")
    assert list_problems(monkeypatch, tmp_path / "home", config) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
def test_a_folder_that_this_account_may_not_write_to_is_a_problem(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that root made; or a file of another user where everyone's files are their own."""
    home, shared = open_folder / "home", open_folder / "shared"
    config = open_folder / "foidex.toml"
    config.write_text(
        f'[audit]\nfolder = "{open_folder / "audit"}"\n[refresh]\n'
        f'report = "{shared / "report.json"}"\nmetrics = "{open_folder / "foidex.prom"}"\n'
    )
    for folder in (home, shared, open_folder / "audit"):
        folder.mkdir()
    shared.chmod(0o1777)
    (shared / "report.json").touch()
    os.chown(home, 65534, 65534)
    os.seteuid(65534)
    try:
        problems = list_problems(monkeypatch, home, config)
    finally:
        os.seteuid(0)
    assert problems == [
        f"audit folder: {open_folder / 'audit'} cannot be written: Permission denied. Commands "
        "that must be logged end with exit code 11.",
        f"outputs: {shared / 'report.json'} ([refresh] report) cannot be written: it belongs to "
        "another user, in a folder in which everyone's files are their own.",
        f"outputs: {open_folder / 'foidex.prom'} ([refresh] metrics) cannot be written: "
        "Permission denied.",
    ]
    os.chown(home, 0, 0)
    assert list_problems(monkeypatch, home, config) == []  # root may


def test_passwords_in_the_clear_are_a_warning_but_on_this_machine() -> None:
    for url, level in [
        ("http://search.example.org:9200", "warning"),
        ("http://10.0.0.7:9200", "warning"),
        ("http://127.0.0.1:9200", "ok"),
        ("http://localhost:9200", "ok"),
        ("http://[::1]:9200", "ok"),
    ]:
        (finding,) = check_tls(ServerAddress(url))
        assert finding.level == level


@pytest.mark.parametrize(
    ("mark", "headroom", "needed"),
    [
        ("1gb", None, GB),
        ("500mb", "200GB", 500 * GB / 1024),
        ("85%", None, 150 * GB),
        ("0.85", None, 150 * GB),
        ("85%", "200GB", 150 * GB),
        ("85%", "100GB", 100 * GB),
        ("85%", "-1", 150 * GB),
    ],
)
def test_a_watermark_is_bytes_or_a_share_up_to_a_headroom(
    mark: str, headroom: str | None, needed: float
) -> None:
    held = {"low": mark} | ({"low.max_headroom": headroom} if headroom else {})
    settings = {
        "persistent": {},
        "defaults": {"cluster": {"routing": {"allocation": {"disk": {"watermark": held}}}}},
    }
    assert compute_required_bytes(settings, "low", 1000 * GB) == pytest.approx(needed)
    assert compute_required_bytes({}, "low", 1000 * GB) == 0


def test_missing_rights_are_told_by_where() -> None:
    answer = {
        "cluster": {"monitor": False},
        "index": {"crimes": {"read": True, "write": False, "manage": False}},
    }
    assert list_missing_privileges(answer) == ["monitor on the cluster", "manage, write on crimes"]


def test_findings_are_a_line_each_with_the_remedy_below() -> None:
    findings = [
        Finding("clock", "ok", "the clocks agree."),
        Finding("disk", "problem", "it is full.", "Free some."),
    ]
    assert format_table(tabulate_findings(findings), "<<<") == [
        "ok       clock  the clocks agree.",
        "problem  disk   it is full.",
        "                Free some.",
    ]
    assert msgspec.json.decode(msgspec.json.encode(findings))[1]["remedy"] == "Free some."


def test_shards_that_are_still_being_opened_are_not_called_lost() -> None:
    """After a start, the server opens its shards one by one and reports the colour red."""
    opening = describe_cluster_health("red", 0, 3)
    assert opening.level == "warning"
    assert opening.message.startswith("3 shards are still being opened")
    assert "Bring the missing node back" not in str(opening.remedy)
    lost = describe_cluster_health("red", 2, 1)
    assert (lost.level, lost.message[:9]) == ("problem", "2 shards ")
    assert describe_cluster_health("yellow", 2, 0).level == "warning"
    assert describe_cluster_health("green", 0, 0).level == "ok"


def test_shards_that_are_on_no_node_are_named_with_what_helps() -> None:
    """The embedded server is one node: none can be brought back. A rollback is no way out, because
    it reads which records the live generation forgot."""
    lost = describe_cluster_health("red", 2, 0, ["crimes-1", "crimes.lock"])
    assert lost.message.startswith("2 shards are on no node (crimes-1, crimes.lock), so counts")
    assert str(lost.remedy).startswith("Bring the missing node back. If none is missing,")
    embedded = describe_cluster_health("red", 1, 0, ["crimes.lock"], is_embedded=True)
    assert embedded.message.startswith("1 shard is on no node (crimes.lock), so")
    assert str(embedded.remedy).startswith("Restart the server (foidex down, foidex up).")
    assert "## Damaged data" in Path("docs/operating.md").read_text(encoding="utf-8")

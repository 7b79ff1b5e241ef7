"""The workbench as it is run for a team: as a service, behind a proxy with TLS, and watched."""

from __future__ import annotations

import base64
import os
import re
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from queries.review.types import DrawnRecord
from queries.reviewing.store.review_store import open_store
from tests.support.command_line import PROGRAM
from tests.support.paths import ROOT
from tests.support.serving import SECRET, Service
from tests.support.stored_reviews import make_review

UNIT = ROOT / "docker" / "systemd" / "foidex-workbench.service"

REQUEST = "reference: FOI/1\ntitle: Hushed words\nmentions: [Snapchat]\nquestions: [{id: Q1, kind: offences}]\n"

#: What root may do in spite of a file's mode.
_OVERRIDES = "-dac_override,-dac_read_search"


def read_metrics(text: str) -> dict[str, float]:
    """Each sample by its name and the values of its labels."""
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A served workbench without a server of records; nothing here needs one."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FOIDEX_")}
    served = Service(
        tmp_path,
        kept | {"FOIDEX_HOME": str(tmp_path / "home")},
        settings='[workbench]\nhosts = ["localhost:8443"]\n',
    )
    (tmp_path / "requests").mkdir()
    (tmp_path / "requests" / "a.yaml").write_text(REQUEST)
    served.start()
    yield served
    served.stop()


def test_who_watches_the_workbench_sees_numbers_and_no_names(service: Service) -> None:
    anna, dan = service.browser("anna"), service.browser("dan")
    assert anna.get("/requests/a.yaml").status_code == 200
    assert anna.get("/requests/none.yaml").status_code == 404
    assert dan.get("/requests/new").status_code == 403
    assert httpx2.get(f"{service.url}/", headers={"X-Forwarded-User": "anna"}).status_code == 401
    shown = httpx2.get(f"{service.url}/metrics")
    assert shown.status_code == 200
    assert shown.headers["content-type"].startswith("text/plain; version=0.0.4")
    metrics = read_metrics(shown.text)
    assert metrics["foidex_workbench_requests_total 2xx"] >= 2
    assert metrics["foidex_workbench_requests_total 4xx"] == 3
    assert metrics["foidex_workbench_requests_total 5xx"] == 0
    assert metrics["foidex_workbench_sign_ins_refused_total"] == 1
    assert metrics["foidex_workbench_roles_refused_total"] == 1
    assert (
        metrics["foidex_workbench_tasks running"] == metrics["foidex_workbench_tasks waiting"] == 0
    )
    assert metrics["foidex_workbench_request_seconds_count"] >= 5
    for text in ("anna", "dan", "a.yaml", "FOI/1", "Hushed", SECRET):
        assert text not in shown.text
    for headers in (
        {"X-Forwarded-User": "anna", "X-Foidex-Proxy-Secret": SECRET},
        {"X-Forwarded-User": "nobody"},
        {"X-Forwarded-User": ""},
    ):
        assert httpx2.get(f"{service.url}/metrics", headers=headers).status_code == 404, headers
    elsewhere = httpx2.get(f"{service.url}/metrics", headers={"Host": "evil.example"})
    assert elsewhere.status_code == 403


def test_a_service_is_stopped_by_a_signal_once_it_has_answered(service: Service) -> None:
    assert service.process
    with socket.create_connection(("127.0.0.1", service.port)) as connection:
        body = "reference=FOI%2F9&title=Tea&words=Snapchat&by_offence=on"
        head = (
            f"POST /requests/new HTTP/1.1\r\nHost: {service.host}\r\nX-Forwarded-User: anna\r\n"
            f"X-Foidex-Proxy-Secret: {SECRET}\r\nSec-Fetch-Site: same-origin\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        connection.sendall(head.encode() + body[:10].encode())
        time.sleep(0.3)
        service.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        connection.sendall(body[10:].encode())
        answered = connection.recv(65_536)
    assert answered.startswith(b"HTTP/1.1 303"), answered
    assert service.process.wait(60) == 143
    assert (service.folder / "requests" / "FOI-9.yaml").exists()
    assert "Traceback" not in service.log.read_text()


def test_the_unit_serves_where_etc_is_read_only_and_stops_cleanly(tmp_path: Path) -> None:
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("root can write anywhere, and setpriv, which could prevent it, is missing")
    etc, state = tmp_path / "etc", tmp_path / "state"
    etc.mkdir()
    state.mkdir(mode=0o700)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FOIDEX_")}
    unit = UNIT.read_text()
    variables = dict(
        line.split("=", 1) for line in re.findall(r"^Environment=(.*)$", unit, re.MULTILINE)
    )
    home = variables["FOIDEX_HOME"].replace("%S/foidex", str(state))
    (folder,) = re.findall(r'^#   folder = "(.*)"$', unit, re.MULTILINE)
    assert folder.startswith("/var/lib/foidex/")
    requests = folder.replace("/var/lib/foidex", str(state))
    service = Service(
        etc, kept | {"FOIDEX_HOME": home}, settings=f'[workbench]\nfolder = "{requests}"\n'
    )
    command = shlex.split(re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)[0])
    assert command == [*command[:1], "--config", "/etc/foidex/foidex.toml", "serve"]
    if os.geteuid() == 0:
        bounds = [f"--bounding-set={_OVERRIDES}", f"--inh-caps={_OVERRIDES}"]
        service.prefix = ["setpriv", *bounds]
    service.log = tmp_path / "serve.log"
    etc.chmod(0o555)
    before = sorted(etc.iterdir())
    try:
        service.start()
        anna = service.browser("anna")
        fields = {"reference": "FOI/9", "title": "Tea", "words": "Snapchat", "by_offence": "on"}
        made = anna.post("/requests/new", **fields)
        assert made.status_code == 200, made.text
        assert service.process
        service.process.send_signal(signal.SIGTERM)
        (success,) = re.findall(r"^SuccessExitStatus=(\d+)$", unit, re.MULTILINE)
        assert service.process.wait(60) == int(success)
    finally:
        etc.chmod(0o755)
        service.stop()
    assert sorted(etc.iterdir()) == before
    assert (Path(requests) / "FOI-9.yaml").exists()
    assert (state / "audit" / "audit.jsonl").exists()


@pytest.fixture
def proxied(service: Service, tmp_path: Path) -> Iterator[str]:
    """The address of the proxy of docker/workbench in front of the service."""
    nginx = os.environ.get("FOIDEX_TEST_NGINX") or shutil.which("nginx")
    if not nginx:
        pytest.skip("nginx is not on this machine; FOIDEX_TEST_NGINX may name one")
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    certificate, key = secrets / "proxy_certificate", secrets / "proxy_key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    hashed = subprocess.run(
        ["openssl", "passwd", "-6", "-stdin"],
        input="a long password", check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    (secrets / "people").write_text(f"anna:{hashed}\nzed:{hashed}\n")
    (secrets / "proxy_secret_header").write_text(
        f'proxy_set_header X-Foidex-Proxy-Secret "{SECRET}";\n'
    )
    text = (ROOT / "docker" / "workbench" / "nginx.conf").read_text()
    text = text.replace("/tmp/", f"{tmp_path}/").replace("/run/secrets/", f"{secrets}/")
    text = text.replace("server workbench:8347", f"server 127.0.0.1:{service.port}")
    if os.geteuid() == 0:
        text = f"user root;\n{text}"
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(text)
    options = ["-p", str(tmp_path), "-c", str(configuration), "-e", "stderr"]
    tested = subprocess.run([nginx, *options, "-t"], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr
    with (tmp_path / "nginx.log").open("w") as log:
        process = subprocess.Popen(
            [nginx, *options, "-g", "daemon off;"], stdout=log, stderr=subprocess.STDOUT
        )
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", 8443), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, (tmp_path / "nginx.log").read_text()
                time.sleep(0.05)
        yield "https://localhost:8443"
        process.terminate()
        process.wait(30)


def test_only_the_proxy_says_who_someone_is(service: Service, proxied: str, tmp_path: Path) -> None:
    context = ssl.create_default_context(cafile=str(tmp_path / "secrets" / "proxy_certificate"))
    with httpx2.Client(base_url=proxied, verify=context, timeout=30) as client:

        def sign(name: str) -> dict[str, str]:
            pair = base64.b64encode(f"{name}:a long password".encode()).decode()
            return {"Authorization": f"Basic {pair}"}

        assert client.get("/").status_code == 401
        page = client.get("/", headers=sign("anna"))
        assert page.status_code == 200
        assert "anna, publisher" in page.text
        assert "strict-transport-security" in page.headers
        forged = {"X-Forwarded-User": "ben", "X-Foidex-Proxy-Secret": SECRET}
        assert "anna, publisher" in client.get("/", headers=sign("anna") | forged).text
        assert client.get("/", headers=sign("zed") | forged).status_code == 401  # not in the list
        assert client.get("/", headers=forged).status_code == 401
        assert client.get("/metrics", headers=sign("anna")).status_code == 404
        fields = {"reference": "FOI/9", "title": "Tea", "words": "Snapchat", "by_offence": "on"}
        same = {"Origin": proxied}
        made = client.post("/requests/new", data=fields, headers=sign("anna") | same)
        assert made.status_code == 303
        assert made.headers["location"] == "/requests/FOI-9.yaml"
        other = {"Origin": "https://evil.example"}
        assert (
            client.post("/requests/new", data=fields, headers=sign("anna") | other).status_code
            == 403
        )
    log = (tmp_path / "nginx.log").read_text()
    assert "POST 303" in log
    for text in ("anna", "FOI-9", "/requests"):
        assert text not in log.replace(str(tmp_path), "")
    signed_in = {
        line.get("signed_in") for line in service.list_log() if line["command"] == "request create"
    }
    assert signed_in == {"anna"}


def read_backup_commands() -> str:
    """The commands that the documentation gives."""
    page = (ROOT / "docs" / "operating.md").read_text("utf-8")
    section = page.split("### Back up the workbench")[1]
    return section.split("```\n")[1]


def make_home(home: Path) -> list[DrawnRecord]:
    """What a workbench keeps, in the folder of its account; the records of a review of it."""
    counted = home / "requests" / "answers" / "a.yaml" / "counted"
    counted.mkdir(parents=True)
    (home / "requests" / "a.yaml").write_text(REQUEST)
    (counted / "20260101T000000000000Z.published.json").write_text("{}")
    (home / "reviews").mkdir(mode=0o700)
    stored, drawn = make_review()
    path = home / "reviews" / "reviews.sqlite"
    with open_store(str(path), home, timedelta(minutes=30)) as store:
        store.create(stored, drawn)
    return drawn


def make_service(folder: Path, home: Path) -> Service:
    """A workbench whose requests are in the home of its account, as its unit has them."""
    folder.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FOIDEX_")}
    settings = f'[workbench]\nfolder = "{home}/requests"\n'
    return Service(folder, kept | {"FOIDEX_HOME": str(home)}, settings=settings)


def unpack_backup(home: Path, restored: Path) -> None:
    """As the documentation says."""
    restored.mkdir()
    archive = home / "workbench.tar.gz"
    subprocess.run(["tar", "--extract", "--file", archive, "-C", restored], check=True)
    (restored / "reviews").mkdir(mode=0o700)
    (restored / "reviews.copy").rename(restored / "reviews" / "reviews.sqlite")
    (restored / "reviews" / "reviews.sqlite").chmod(0o600)


@pytest.mark.parametrize("state", ["running", pytest.param("stopped", marks=pytest.mark.long)])
def test_a_backup_brings_back_requests_versions_answers_and_reviews(
    tmp_path: Path, state: str
) -> None:
    home, restored = tmp_path / "home", tmp_path / "restored"
    drawn = make_home(home)
    service = make_service(tmp_path / "first", home)
    service.start()
    anna = service.browser("anna")
    has_ended = threading.Event()
    saved: list[int] = []

    def edit() -> None:
        while not has_ended.is_set():
            page = anna.get("/requests/a.yaml/edit")
            note = f"# {len(saved)} {'long ' * 2_000}\n"
            text = note + REQUEST.replace("Hushed words", f"Words {len(saved)}")
            anna.press(page, "/requests/a.yaml/edit", text=text)
            saved.append(len(saved))

    editor = threading.Thread(target=edit)
    editor.start()
    while len(saved) < 3:
        time.sleep(0.01)
    if state == "stopped":
        has_ended.set()
        editor.join()
        service.stop()
    commands = read_backup_commands().replace("/var/lib/foidex", str(home))
    commands = commands.replace("/opt/foidex/bin/python", sys.executable)
    done = subprocess.run(["/bin/sh", "-c", commands], capture_output=True, text=True, check=False)
    has_ended.set()
    editor.join()
    service.stop()
    assert done.returncode == 0, done.stderr
    unpack_backup(home, restored)
    again = make_service(tmp_path / "again", restored)
    again.start()
    try:
        page = again.browser("anna").get("/requests/a.yaml")
        assert page.status_code == 200
        assert "earlier version" in page.text
        assert "Words" in page.text
    finally:
        again.stop()
    versions = [*(restored / "requests" / "versions").iterdir()]
    assert len(versions) >= 2
    for path in (*versions, restored / "requests" / "a.yaml"):
        assert path.read_text().endswith("questions: [{id: Q1, kind: offences}]\n"), path
    counted = restored / "requests" / "answers" / "a.yaml" / "counted"
    assert [path.name for path in counted.iterdir()] == ["20260101T000000000000Z.published.json"]
    database = str(restored / "reviews" / "reviews.sqlite")
    with open_store(database, restored, timedelta(minutes=30)) as store:
        assert store.list_population("FOI-1-Q1") == drawn
    assert (restored / "audit" / "audit.jsonl").read_text().count("request change") >= 3


def test_without_a_configuration_the_demonstration_of_the_folder_is_served(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FOIDEX_")}
    service = Service(tmp_path, kept | {"FOIDEX_HOME": str(tmp_path / "home")})
    demo = tmp_path / "foidex-demo"
    demo.mkdir()
    text = (tmp_path / "foidex.toml").read_text()
    (demo / "foidex.toml").write_text(text + '[workbench]\nfolder = "."\n')
    (tmp_path / "proxy.secret").rename(demo / "proxy.secret")
    (tmp_path / "foidex.toml").unlink()
    (demo / "demo.yaml").write_text(REQUEST)
    service.arguments = []
    service.start()
    try:
        assert "Hushed words" in service.browser("anna").get("/").text
    finally:
        service.stop()
    assert "this is the demonstration: foidex-demo/foidex.toml" in service.log.read_text()


def test_no_link_is_given_to_a_port_that_another_program_serves(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FOIDEX_")}
    with socket.create_server(("127.0.0.1", 0)) as other:
        run = subprocess.run(
            [PROGRAM, "serve", "--port", str(other.getsockname()[1])],
            cwd=tmp_path,
            env=kept | {"FOIDEX_HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert run.returncode == 10
    assert "sign-in" not in run.stdout
    assert re.fullmatch(
        r"foidex: 127\.0\.0\.1:\d+ cannot be served \(Address already in use\)\. End what is .*\n",
        run.stderr,
    )


def test_a_secret_that_can_be_guessed_is_refused(tmp_path: Path) -> None:
    """Whoever knows it can say to be anybody."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FOIDEX_")}
    service = Service(tmp_path, kept)
    (tmp_path / "proxy.secret").write_text("hunter2")
    run = subprocess.run(
        [PROGRAM, *service.arguments, "serve", "--port", str(service.port)],
        env=kept | {"FOIDEX_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 10
    assert "the secret has 7 characters" in run.stderr
    assert "hunter2" not in run.stderr

"""The connection: TLS by a real server with certificates made here, credentials, several addresses.

Each fault is one clear message and exit code 5, and no secret is in any message.
"""

from __future__ import annotations

import base64
import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import elasticsearch
import pytest

from indexer.errors import ConfigurationError, ServerError
from indexer.server.address import ServerAddress
from indexer.server.connection import build_client, connect_server
from indexer.session import Session
from tests.support.command_line import PASSWORD, CommandLine, nodes_reply, require_refusal
from tests.support.secured import HOST

# -- credentials ---------------------------------------------------------------------------------


@contextmanager
def listening(*statuses: int) -> Iterator[tuple[str, list[str]]]:
    """A server that gives these answers, then good ones; and the credentials it was shown."""
    shown: list[str] = []
    left = list(statuses)
    body = nodes_reply("9.1.10")

    class Reply(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shown.append(self.headers.get("Authorization", ""))
            self.send_response(left.pop(0) if left else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Elastic-Product", "Elasticsearch")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer((HOST, 0), Reply) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        try:
            yield f"http://{HOST}:{made.server_address[1]}", shown
        finally:
            made.shutdown()
            thread.join()


def address_of(tmp_path: Path, text: str, **environment: str) -> ServerAddress:
    path = tmp_path / "foidex.toml"
    path.write_text(text, encoding="utf-8")
    session = Session()
    session.quiet = False
    session.config = path
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        found = session.remote()
        assert session.remote() is found  # as doctor asks twice
    assert found is not None
    return found


def test_an_api_key_is_shown_to_the_server_and_to_nobody_else(tmp_path: Path) -> None:
    with listening() as (url, shown):
        (tmp_path / "key").write_text(f"{PASSWORD}==\n")
        (tmp_path / "key").chmod(0o600)
        address = address_of(tmp_path, f'[server]\nurl = "{url}"\napi_key_file = "key"')
        with connect_server(address):
            assert shown == [f"ApiKey {PASSWORD}=="]
        assert PASSWORD not in repr(address)
    with listening(401) as (url, shown), pytest.raises(ServerError) as told:
        connect_server(ServerAddress(url, api_key=PASSWORD))
    assert "refused the API key (401). Set FOIDEX_API_KEY, or correct the file" in str(told.value)
    assert PASSWORD not in str(told.value)


def test_a_secret_of_the_environment_takes_the_place_of_the_file_s(tmp_path: Path) -> None:
    text = '[server]\nurl = "http://h:1"\nuser = "u"\npassword = "file"\n'
    (tmp_path / "secret").write_text("mounted\n")
    found = address_of(tmp_path, text, FOIDEX_PASSWORD_FILE=str(tmp_path / "secret"))
    assert (found.user, found.password, found.api_key) == ("u", "mounted", None)
    found = address_of(tmp_path, text, FOIDEX_API_KEY="key")
    assert (found.user, found.password, found.api_key) == (None, None, "key")


def test_a_secret_file_that_others_may_read_is_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "secret"
    path.write_text(PASSWORD)
    text = '[server]\nurl = "http://h:1"\npassword_file = "secret"\n'
    for mode, warned in ((0o644, True), (0o640, True), (0o600, False), (0o400, False)):
        path.chmod(mode)
        address_of(tmp_path, text)
        told = capsys.readouterr().err
        assert told.count("other users can read this secret. Run: chmod 600") == warned
        assert PASSWORD not in told


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"", "has 0 lines, or only an empty one"),
        (b"\n", "has 1 lines, or only an empty one"),
        (b"a\nb\n", "has 2 lines, or only an empty one"),
        (b"\xff", "is not UTF-8 text"),
    ],
)
def test_a_secret_file_that_is_none_is_told(
    tmp_path: Path, content: bytes | None, told: str
) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    text = '[server]\nurl = "http://h:1"\npassword_file = "secret"\n'
    with pytest.raises(ConfigurationError) as refusal:
        address_of(tmp_path, text)
    assert told in str(refusal.value)
    assert "(server.password_file)" in str(refusal.value)


@pytest.mark.parametrize("secret", ["£5-pässwört", "geslo-č-密", "plain"])
def test_a_secret_of_any_characters_also_from_an_editor_that_marks_the_file(
    tmp_path: Path, secret: str
) -> None:
    """A byte order mark is no part of the secret."""
    with listening() as (url, shown):
        for encoding in ("utf-8", "utf-8-sig"):
            (tmp_path / "secret").write_text(f"{secret}\r\n", encoding=encoding, newline="")
            (tmp_path / "secret").chmod(0o600)
            text = f'[server]\nurl = "{url}"\nuser = "ana"\npassword_file = "secret"\n'
            with connect_server(address_of(tmp_path, text)):
                pass
    sent = base64.b64encode(f"ana:{secret}".encode()).decode()
    assert shown == [f"Basic {sent}"] * 2


# -- several addresses and retries ---------------------------------------------------------------


def test_an_address_that_is_down_leaves_the_others(
    server: ServerAddress, foidex: CommandLine
) -> None:
    for url in (f"http://{HOST}:9, {server.url}", f"{server.url},http://{HOST}:9"):
        for _ in range(3):  # whichever comes first
            outcome = foidex("generations", FOIDEX_URL=url)
            assert outcome.code == 0, outcome.err


def test_all_addresses_are_told_where_none_answers(foidex: CommandLine) -> None:
    outcome = foidex("generations", FOIDEX_URL=f"http://u:{PASSWORD}@{HOST}:9,http://{HOST}:10")
    require_refusal(outcome, ServerError, f"http://{HOST}:9, http://{HOST}:10 cannot be reached.")


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_server_is_asked_again_after_a_pause(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    with listening(status, status) as (url, shown), build_client(ServerAddress(url)) as client:
        client.nodes.info()
        assert len(shown) == 3
    assert len(pauses) == 2
    assert 0 < pauses[0] <= 0.5 <= pauses[1] <= 1
    pauses.clear()
    with (
        listening(*[status] * 9) as (url, shown),
        build_client(ServerAddress(url, retries=2)) as client,
        pytest.raises(elasticsearch.ApiError),
    ):
        client.nodes.info()
    assert len(shown) == 3


def test_a_client_that_is_kept_is_used_until_a_call_fails(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    session = Session()
    session.keep_client()
    with session.client() as kept, session.for_person("anna").client() as other:
        assert other is kept
    with pytest.raises(ServerError), session.client():
        raise elasticsearch.ConnectionError("the server is gone")
    with session.for_person("ben").client() as renewed:
        assert renewed is not kept
        assert not renewed.indices.exists(index="test-none")
    session.close()

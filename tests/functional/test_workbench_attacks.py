"""Attacks on the workbench as it is served: what a browser, a proxy or a socket may send to it.

Each line of the threat table of docs/workbench.md has a test here or among those of the pages.
"""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from indexer.config.model import WorkbenchRole
from queries.workbench.app import PAGES
from tests.support.serving import SECRET, Browser, Service

OURS = "Sec-Fetch-Site: same-origin"

NEED_SERVER = ("/publish", "/wording", "/review", "/index", "/reviews")

FORM = "application/x-www-form-urlencoded"

REQUEST = "reference: FOI/1\ntitle: Hushed words\nmentions: [Snapchat]\nquestions: [{id: Q1, kind: offences}]\n"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A served workbench without a server of records; nothing here needs one."""
    folder = tmp_path_factory.mktemp("served")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FOIDEX_")}
    served = Service(folder, kept | {"FOIDEX_HOME": str(folder / "home")})
    (folder / "requests").mkdir()
    (folder / "requests" / "a.yaml").write_text(REQUEST)
    served.start()
    yield served
    served.stop()
    said = served.log.read_text()
    for text in ("Traceback", SECRET, "Hushed", "ZQXCANARY"):
        assert text not in said, said


@pytest.fixture
def anna(service: Service) -> Browser:
    return service.browser("anna")


def send(service: Service, *lines: str, body: bytes = b"", wait: float = 10) -> tuple[int, str]:
    """Send the lines of a request as they are; the status and all that came back."""
    return send_bytes(service, "\r\n".join((*lines, "", "")).encode("latin-1") + body, wait)


def send_bytes(service: Service, content: bytes, wait: float = 10) -> tuple[int, str]:
    with socket.create_connection(("127.0.0.1", service.port), timeout=wait) as connection:
        connection.sendall(content)
        received = b""
        try:
            while piece := connection.recv(65_536):
                received += piece
        except (TimeoutError, ConnectionError):
            pass
    found = re.match(rb"HTTP/1.1 (\d{3})", received)
    return int(found[1]) if found else 0, received.decode("utf-8", "replace")


def anna_lines(service: Service) -> list[str]:
    return [
        f"Host: {service.host}",
        "X-Forwarded-User: anna",
        f"X-Foidex-Proxy-Secret: {SECRET}",
        "Connection: close",
    ]


def post_lines(service: Service, *more: str, length: int | None = None) -> list[str]:
    size = [] if length is None else [f"Content-Length: {length}"]
    return [
        "POST /requests/new HTTP/1.1", *anna_lines(service), f"Content-Type: {FORM}", *size, *more,
    ]  # fmt: skip


def list_requests(service: Service) -> list[str]:
    return sorted(path.name for path in (service.folder / "requests").glob("*.y*ml"))


# -- another site --------------------------------------------------------------------------------

NEW = b"reference=FOI%2F9&title=T&by_offence=on"


@pytest.mark.parametrize(
    "headers",
    [
        ["Sec-Fetch-Site: Same-Origin"],
        ["Sec-Fetch-Site: same-origin, cross-site"],
        ["Sec-Fetch-Site: cross-site", OURS],
        [OURS, "Sec-Fetch-Site: cross-site"],
        ["Sec-Fetch-Site: "],
        ["Origin: http://127.0.0.1:1"],
        ["Origin: http://{host}.evil.example"],
        ["Origin: http://evil@{host}"],
        ["Origin: ftp://{host}"],
        ["Origin: {host}"],
        ["Origin: http://{host}/"],
        ["Origin: null", "Referer: http://{host}/"],
        ["Origin: http://{host}", "Origin: http://evil.example"],
        ["Origin: http://evil.example", "Origin: http://{host}"],
        ["Referer: http://{host}/requests/new"],
    ],
)
def test_a_form_of_another_site_changes_nothing(service: Service, headers: list[str]) -> None:
    more = [line.replace("{host}", service.host) for line in headers]
    status, said = send(service, *post_lines(service, *more, length=len(NEW)), body=NEW)
    assert status == 403, said
    assert list_requests(service) == ["a.yaml"]


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "object"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "websocket"},
        {"sec-fetch-site": "none", "sec-purpose": "prefetch;prerender"},
    ],
)
def test_a_page_of_another_site_opens_none_of_ours(anna: Browser, headers: dict[str, str]) -> None:
    assert anna.get("/requests/a.yaml", **headers).status_code == 403


def test_a_link_is_followed_from_anywhere(anna: Browser) -> None:
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert anna.get("/", **headers, **{"sec-fetch-dest": "document"}).status_code == 200


def test_a_socket_of_a_page_is_not_opened(service: Service) -> None:
    status, said = send(
        service, "GET / HTTP/1.1", *anna_lines(service)[:3], "Connection: Upgrade",
        "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Origin: http://evil.example",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", wait=3,
    )  # fmt: skip
    assert status != 101, said


# -- another name for this machine ----------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    ["{host}.", "{host}.evil.example", "evil.example:{port}", "evil@{host}", "127.1:{port}", "LOCALHOST:{port}",
     "2130706433:{port}", "[::ffff:127.0.0.1]:{port}", "{host},evil.example", ""],
)  # fmt: skip
def test_another_host_name_is_refused(service: Service, host: str) -> None:
    named = host.replace("{host}", service.host).replace("{port}", str(service.port))
    lines = [f"Host: {named}", *anna_lines(service)[1:]]
    status, said = send(service, "GET /requests/a.yaml HTTP/1.1", *lines)
    assert status in (400, 403)
    assert "Hushed" not in said


def test_two_host_names_none_or_one_in_the_target_are_refused(service: Service) -> None:
    lines = anna_lines(service)
    for host in ("Host: evil.example", lines[0]):
        status, _ = send(service, "GET / HTTP/1.1", host, *lines)
        assert status in (400, 403)
    assert send(service, "GET / HTTP/1.1", *lines[1:])[0] in (400, 403)
    for target in ("http://evil.example/requests/a.yaml", "//evil.example/requests/a.yaml"):
        status, said = send(service, f"GET {target} HTTP/1.1", *lines)
        assert status in (400, 403, 404)
        assert "Hushed" not in said


# -- who someone is ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        ["X-Forwarded-User: anna"],
        ["X-Forwarded-User: anna", "X-Foidex-Proxy-Secret: "],
        ["X-Forwarded-User: anna", f"X-Foidex-Proxy-Secret: {SECRET.lower()}"],
        ["X-Forwarded-User: anna", f"X-Foidex-Proxy-Secret: {SECRET.upper()}"],
        ["X-Forwarded-User: anna", f"X-Foidex-Proxy-Secret: {SECRET} x"],
        ["X-Forwarded-User: anna", f"X-Foidex-Proxy-Secret: \xa0{SECRET}"],
        ["X-Forwarded-User: anna", f"X-Foidex-Proxy-Secret: {SECRET}, {SECRET}"],
        ["X-Forwarded-User: anna", f"X_Foidex_Proxy_Secret: {SECRET}"],
        ["X-Forwarded-User: anna", f"Authorization: Bearer {SECRET}"],
        ["X_Forwarded_User: anna", f"X-Foidex-Proxy-Secret: {SECRET}"],
        ["X-Remote-User: anna", f"X-Foidex-Proxy-Secret: {SECRET}"],
        ["X-Forwarded-User: dan", "X-Forwarded-User: anna", f"X-Foidex-Proxy-Secret: {SECRET}"],
        ["X-Forwarded-User: anna", "x-forwarded-user: anna", f"X-Foidex-Proxy-Secret: {SECRET}"],
        ["X-Forwarded-User: anna", f"X-Foidex-Proxy-Secret: {SECRET}", "X-FOIDEX-PROXY-SECRET: x"],
        ["X-Forwarded-User: anna, dan", f"X-Foidex-Proxy-Secret: {SECRET}"],
        ["X-Forwarded-User: Anna", f"X-Foidex-Proxy-Secret: {SECRET}"],
        ["X-Forwarded-User: eve", f"X-Foidex-Proxy-Secret: {SECRET}"],
        ["X-Forwarded-User: anna\xad", f"X-Foidex-Proxy-Secret: {SECRET}"],
        ["Cookie: foidex_session=anna", "X-Forwarded-For: 127.0.0.1"],
    ],
)
def test_nobody_says_who_they_are_but_the_proxy(service: Service, headers: list[str]) -> None:
    status, said = send(
        service, "GET /requests/a.yaml HTTP/1.1", f"Host: {service.host}", "Connection: close", *headers
    )  # fmt: skip
    assert status in (400, 401), said
    assert "Hushed" not in said
    assert SECRET not in said


def test_what_else_a_proxy_may_send_changes_nothing(service: Service) -> None:
    more = [
        "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: ftp", "X-Forwarded-Prefix: /evil",
        "Forwarded: for=evil;host=evil.example;proto=https", "X-HTTP-Method-Override: POST",
        "X-Original-URL: /requests/new", "X-Rewrite-URL: /requests/new", "X-Forwarded-For: \x7f",
    ]  # fmt: skip
    status, said = send(service, "GET /requests/a.yaml HTTP/1.1", *anna_lines(service), *more)
    assert (status, "Hushed words" in said) == (200, True)
    assert "evil" not in said
    assert "set-cookie" not in said.lower()


def test_behind_a_proxy_no_link_signs_anyone_in(service: Service) -> None:
    for path in ("/sign-in", "/sign-in/link"):
        body = b"token=x"
        status, said = send(
            service, f"POST {path} HTTP/1.1", f"Host: {service.host}", OURS, "Connection: close",
            f"Content-Type: {FORM}", f"Content-Length: {len(body)}", body=body,
        )  # fmt: skip
        assert status == 429, said
        assert "set-cookie" not in said.lower()


# -- what a role may not see is not told apart from what is not there -------------------------------


def make_addresses(name: str) -> list[tuple[str, str, WorkbenchRole]]:
    filled = []
    for path, method, role, _ in PAGES:
        address = path.replace("{file}", name).replace("{kind}", "answer")
        for field in ("{document:path}", "{draft}", "{review}"):
            address = address.replace(field, name)
        filled.append((address, method, role))
    return filled


def test_a_page_that_someone_may_not_see_does_not_say_what_is_there(service: Service) -> None:
    """For each page: of a request that is there, of one that is not, and of a name that is none."""
    answers = service.folder / "requests" / "answers" / "a.yaml" / "answer"
    answers.mkdir(parents=True, exist_ok=True)
    (answers / "manifest.json").write_text(
        '{"reference": "A", "generation": "g", "query_hash": "q", "run_at": "2026-01-01T00:00:00Z", '
        '"version": "1", "files": {"FOI-1.answer.json": "00"}}'
    )
    dan = service.browser("dan")
    told = {"a.yaml": [], "none.yaml": [], "zqz": []}  # type: ignore[var-annotated]
    for name, found in told.items():
        for address, method, role in make_addresses(name):
            page = dan.get(address) if method == "GET" else dan.post(address)
            if role != "reader" or "/documents/answer/" in address:
                found.append((page.status_code, page.text.replace(name, "")))
    (answers / "manifest.json").unlink()
    assert {status for status, _ in told["a.yaml"]} == {403}
    assert told["a.yaml"] == told["none.yaml"] == told["zqz"]
    refused = [line["asked"]["page"] for line in service.list_log() if line["command"] == "role refused"]  # fmt: skip
    assert "/requests/{file}/documents/{kind}/{document:path}" in refused


def test_a_draft_of_someone_else_is_as_one_that_is_not_there(service: Service) -> None:
    anna, cara = service.browser("anna"), service.browser("cara")
    letter = b"Dear team,\nHow many offences mention Snapchat?\nYours, Pat Example\n"
    drafted = anna.client.post(
        "/letters/new", files={"letter": ("l.txt", letter)}, headers={"sec-fetch-site": "same-origin"}
    )  # fmt: skip
    address = drafted.url.path
    assert drafted.status_code == 200
    assert address.startswith("/letters/")
    for method in (cara.get, cara.post):
        theirs, none = method(address), method("/letters/AAAAAAAAAAAAAAAAAAAAAA")
        assert (theirs.status_code, theirs.text) == (none.status_code, none.text)
        assert theirs.status_code == 404
    assert address not in cara.get("/letters/new").text
    assert address in anna.get("/letters/new").text


# -- names, paths, templates -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["..%2f..%2ffoidex.toml", "%2e%2e", "..%5cfoidex.toml", "a.yaml%00.txt", "a.yaml%2f..%2fa.yaml", "%c0%ae%c0%ae",
     "A.YAML", "%ef%bd%81.yaml", "a.yaml%20", ".workbench.lock", "versions", "{{7*7}}.yaml", "x" * 9_000 + ".yaml",
     "%0d%0aSet-Cookie:%20x=1.yaml"],
)  # fmt: skip
def test_no_other_file_is_reached_by_a_name(service: Service, name: str) -> None:
    target = f"GET /requests/{name} HTTP/1.1"
    status, said = send(service, target, *anna_lines(service))
    assert status in (400, 404), said
    head = said.partition("\r\n\r\n")[0].lower()
    assert "set-cookie" not in head
    assert "49.yaml" not in said
    assert "signatory" not in said


@pytest.mark.parametrize(
    "title",
    ["{{7*7}}{% for x in y %}", "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onmouseover='x",
     "=HYPERLINK(1)", "a\0b\x1b[31m\x7f\x85\u2028", "\u202etxt", "&#0;&amp;", "${jndi:x}", "x" * 10_000, "\ud83d\ude00"],
)  # fmt: skip
def test_what_a_title_says_is_text_on_every_page(service: Service, title: str) -> None:
    anna = service.browser("anna")
    encoded = quote(title.encode("utf-8", "surrogatepass"))
    reference = f"T/{len(title)}-{ord(title[0])}"
    page = anna.client.post(
        "/requests/new",
        content=f"reference={quote(reference)}&title={encoded}&by_offence=on",
        headers={"sec-fetch-site": "same-origin", "content-type": FORM},
    )
    assert page.status_code in (200, 422)
    pages = [page]
    if page.status_code == 200:
        pages += [
            anna.get("/"),
            anna.get(f"{page.url.path}/form"),
            anna.get(f"{page.url.path}/edit"),
        ]
        (service.folder / "requests" / page.url.path.rpartition("/")[2]).unlink()
    for shown in pages:
        assert shown.status_code in (200, 422)
        for bad in ("<script", "<img", "onmouseover='", ">49", " 49 "):
            assert bad not in shown.text
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", shown.text)


@pytest.mark.parametrize(
    "name",
    ["../../x.yaml", "..\\x.exe", "a.\0yaml", "{{7*7}}.exe", "\u202etxt.exe", "x" * 10_000 + ".exe", "a.exe\r\nX: y", ""],
)  # fmt: skip
def test_the_name_of_a_letter_leads_nowhere(service: Service, anna: Browser, name: str) -> None:
    before = sorted(path for path in service.folder.rglob("*") if "audit" not in path.parts)
    page = anna.client.post(
        "/letters/new",
        files={"letter": (name, b"MZ\x90\x00")},
        headers={"sec-fetch-site": "same-origin"},
    )
    assert page.status_code in (400, 422)
    assert "49.exe" not in page.text
    assert "foidex-letter" not in page.text
    assert sorted(path for path in service.folder.rglob("*") if "audit" not in path.parts) == before


# -- very large, very many, very slow ----------------------------------------------------------------


def test_a_body_without_a_length_or_in_pieces_is_limited(service: Service) -> None:
    assert send(service, *post_lines(service, OURS))[0] == 422  # no length: no body, an empty form
    piece = b"fffff\r\n" + b"a" * 0xFFFFF + b"\r\n"
    lines = post_lines(service, OURS, "Transfer-Encoding: chunked")
    status, said = send(service, *lines, body=piece * 3 + b"0\r\n\r\n")
    assert status in (0, 413), said  # 0: it was cut off before all was sent
    assert list_requests(service) == ["a.yaml"]


def test_what_is_said_of_a_length_is_not_believed(service: Service) -> None:
    hidden = f"GET /requests/a.yaml HTTP/1.1\r\nHost: {service.host}\r\n\r\n".encode()
    for more in (
        ["Transfer-Encoding: chunked", "Content-Length: 4"],
        ["Content-Length: 4", "Content-Length: 40"],
        ["Content-Length: +4"],
        ["Content-Length: -4"],
        ["Content-Length: 4, 4000"],
        ["Transfer-Encoding: identity, chunked"],
        ["Transfer-Encoding : chunked"],
    ):
        body = b"0\r\n\r\n" + hidden
        status, said = send(service, *post_lines(service, OURS, *more), body=body)
        assert status in (400, 422, 501), (more, said)
        assert said.count("HTTP/1.1 ") == 1, (more, said)
    assert list_requests(service) == ["a.yaml"]


def test_a_huge_header_and_many_fields_are_refused(service: Service) -> None:
    status, _ = send(service, "GET / HTTP/1.1", *anna_lines(service), "X-A: " + "a" * 200_000)
    assert status in (0, 400, 431)
    fields = b"a=1&" * 50_000
    status, said = send(service, *post_lines(service, OURS, length=len(fields)), body=fields)
    assert status == 400, said[:500]
    part = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'
    parts = part * 3_000 + b"--b--\r\n"
    lines = [
        line.replace(FORM, "multipart/form-data; boundary=b")
        for line in post_lines(service, OURS, length=len(parts))
    ]
    assert send(service, *lines, body=parts)[0] == 400


def test_a_letter_that_is_too_large_and_a_bomb_are_refused(service: Service, anna: Browser) -> None:
    sent = {"sec-fetch-site": "same-origin"}
    page = anna.client.post(
        "/letters/new", files={"letter": ("a.txt", b"a" * 25_000_001)}, headers=sent
    )
    assert page.status_code == 413
    dan = service.browser("dan")  # who may send no letter sends no more than another form has
    page = dan.client.post(
        "/letters/new", files={"letter": ("a.txt", b"a" * 3_000_000)}, headers=sent
    )
    assert page.status_code == 413


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "FOO"])
def test_another_method_does_nothing_and_echoes_nothing(service: Service, method: str) -> None:
    for more in ((), (OURS,)):
        status, said = send(
            service, f"{method} /requests/a.yaml HTTP/1.1", *anna_lines(service), *more,
            "X-Canary: ZQXCANARY",
        )  # fmt: skip
        assert status in (400, 403, 405), said
        assert "ZQXCANARY" not in said
    assert list_requests(service) == ["a.yaml"]


def test_heads_alone_have_no_text(service: Service) -> None:
    status, said = send(service, "HEAD /requests/a.yaml HTTP/1.1", *anna_lines(service))
    assert status == 200
    assert said.partition("\r\n\r\n")[2] == ""


# -- where a page leads, and what is kept of it ---------------------------------------------------


@pytest.mark.parametrize(
    "target",
    ["/requests/new/", "/reviews/", "//evil.example/", "//evil.example/%2f..", "/%2fevil.example/", "/\\evil.example/",
     "/?next=https://evil.example", "/sign-in?next=//evil.example", "/requests/a.yaml/edit/", "/requests/a.yaml//"],
)  # fmt: skip
def test_no_address_leads_elsewhere(service: Service, target: str) -> None:
    status, said = send(service, f"GET {target} HTTP/1.1", *anna_lines(service))
    assert status in (200, 400, 404), said
    assert "location:" not in said.partition("\r\n\r\n")[0].lower()
    assert 'href="//' not in said
    assert "https://evil" not in said


def test_no_page_is_kept_in_a_cache(service: Service) -> None:
    anna = service.browser("anna")
    pages = [
        anna.get(address) if method == "GET" else anna.post(address)
        for address, method, _ in make_addresses("a.yaml")
        if "/answer" not in address and not address.endswith(NEED_SERVER)
    ]
    pages += [anna.get("/nothing"), anna.get("/health"), anna.client.put("/")]
    assert len(pages) > 10
    for page in pages:
        assert page.headers["cache-control"] == "no-store", page.url
        assert page.headers["x-content-type-options"] == "nosniff"
        assert "server" not in page.headers


def test_a_line_of_the_log_is_one_line_whatever_was_sent(service: Service, anna: Browser) -> None:
    reference = 'FOI/1\n{"command": "sign-in", "signed_in": "eve"}\r\n'
    page = anna.post("/requests/new", reference=reference, title="T", by_offence="on")
    assert page.status_code in (200, 422)
    if page.status_code == 200:
        (service.folder / "requests" / page.url.path.rpartition("/")[2]).unlink()
    lines = service.list_log()
    assert {line["signed_in"] for line in lines if line["command"] == "sign-in" and not line["exit_code"]} <= {
        "anna", "ben", "cara", "dan"
    }  # fmt: skip


def test_who_keeps_a_form_open_does_not_keep_others_out(service: Service, anna: Browser) -> None:
    """Many forms that are begun and never sent."""
    lines = "\r\n".join([*post_lines(service, OURS, length=1_000), "", "a"]).encode()
    held = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(60)]
    try:
        for connection in held:
            connection.sendall(lines)
        begun = time.monotonic()
        assert anna.get("/").status_code == 200
        assert time.monotonic() - begun < 20
    finally:
        for connection in held:
            connection.close()


def test_without_a_log_no_page_changes_anything(service: Service, anna: Browser) -> None:
    log = Path(service.folder, "home", "audit", "audit.jsonl")
    kept = log.with_name("kept")
    log.rename(kept)
    log.mkdir()
    try:
        page = anna.post("/requests/new", reference="FOI/8", title="T", by_offence="on")
        assert page.status_code == 422
        assert "It could not be saved" in page.text
        dan = service.browser("dan")
        assert dan.get("/requests/a.yaml/records").status_code == 500
        assert dan.post("/requests/a.yaml/answer").status_code == 500
    finally:
        log.rmdir()
        kept.rename(log)
    assert list_requests(service) == ["a.yaml"]

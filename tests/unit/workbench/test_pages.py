"""The pages of the workbench without a server: who sees what, forms, and what a browser may send."""

from __future__ import annotations

import html
import itertools
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from indexer.errors import OutputError
from queries.workbench.access.people import Person, ProxySignIn, Sessions
from queries.workbench.app import PAGES
from queries.workbench.files.answer_sets import find_answer_folder
from queries.workbench.files.request_files import RequestFile, RequestFolder
from queries.workbench.pages.requests.listing import remember_requests
from queries.workbench.visit import Visit
from tests.support.browsing import (
    HOST,
    OURS,
    Browsing,
    make_workbench,
    text_of,
)
from tests.support.serving import read_hidden

FORM = {"reference": "FOI/1", "title": "Apps", "by_offence": "on", "received": "2026-11-02"}


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FOIDEX_HOME", str(tmp_path / "home"))
    (tmp_path / "foidex.toml").write_text("")
    return tmp_path / "foidex.toml"


@pytest.fixture
def browsing(config: Path) -> Browsing:
    return Browsing(make_workbench(config))


def test_nobody_sees_a_page_without_signing_in(browsing: Browsing) -> None:
    for path, method, _, _ in PAGES:
        address = path.replace("{file}", "a.yaml").replace("{kind}", "answer")
        address = address.replace("{document:path}", "x").replace("{draft}", "x")
        page = browsing.get(address) if method == "GET" else browsing.post(address)
        assert page.status_code == 401, path
        assert "not signed in" in text_of(page)


def test_each_page_refuses_a_role_that_is_too_low(browsing: Browsing) -> None:
    browsing.sign_in(role="reader")
    browsing.workbench.requests.create("a.yaml", "reference: A\n")
    refused = []
    for path, method, role, _ in PAGES:
        address = path.replace("{file}", "a.yaml").replace("{kind}", "published")
        address = address.replace("{document:path}", "x").replace("{draft}", "x")
        page = browsing.get(address) if method == "GET" else browsing.post(address)
        if page.status_code == 403:
            refused.append((path, method))
            assert "This needs the role of" in text_of(page)
        is_kept = role != "reader" or "/documents/answer/" in address
        assert (page.status_code == 403) == is_kept, (path, method)
    assert ("/requests/{file}/records", "GET") in refused


def test_a_request_is_made_by_the_form_and_listed_with_its_deadline(browsing: Browsing) -> None:
    browsing.sign_in()
    page = browsing.post("/requests/new", **FORM)
    assert str(page.url).endswith("/requests/FOI-1.yaml")
    assert "1 December 2026" in text_of(page)
    listed = text_of(browsing.get("/"))
    assert "FOI/1" in listed
    assert "Not answered" in listed


def test_the_form_comes_back_with_what_is_wrong_and_what_was_typed(browsing: Browsing) -> None:
    browsing.sign_in()
    page = browsing.post("/requests/new", title="<b>Apps</b>", until="2018-01-01")
    assert page.status_code == 422
    assert "Error: New request" in page.text
    assert 'href="#reference"' in page.text
    assert 'value="&lt;b&gt;Apps&lt;/b&gt;"' in page.text
    assert "<b>Apps" not in page.text
    assert "Enter both days of the period" in text_of(page)
    assert browsing.workbench.requests.list_names() == []


def test_a_reference_that_is_taken_is_said_in_the_form(browsing: Browsing) -> None:
    browsing.sign_in()
    browsing.post("/requests/new", **FORM)
    page = browsing.post("/requests/new", **(FORM | {"title": "Others"}))
    assert page.status_code == 422
    assert "there is a request of this name" in text_of(page)


def test_text_that_is_no_request_is_saved_and_what_is_wrong_is_said(browsing: Browsing) -> None:
    browsing.sign_in()
    browsing.post("/requests/new", **FORM)
    version = re.findall(
        'name="version" value="(.*?)"', browsing.get("/requests/FOI-1.yaml/edit").text
    )
    page = browsing.post(
        "/requests/FOI-1.yaml/edit", text="reference: A\r\ntitel: T\r\n", version=version[0]
    )
    assert "This request cannot be answered yet" in text_of(page)
    assert '"titel" is not a key' in text_of(page)
    assert str(browsing.workbench.requests.path) not in page.text
    assert browsing.workbench.requests.read("FOI-1.yaml").text == "reference: A\ntitel: T\n"
    assert "Cannot be read" in text_of(browsing.get("/"))


def test_two_people_who_change_one_request_are_told(browsing: Browsing) -> None:
    browsing.sign_in()
    browsing.post("/requests/new", **FORM)
    version = re.findall(
        'name="version" value="(.*?)"', browsing.get("/requests/FOI-1.yaml/edit").text
    )[0]
    browsing.post("/requests/FOI-1.yaml/edit", text="theirs", version=version)
    page = browsing.post("/requests/FOI-1.yaml/edit", text="mine", version=version)
    assert page.status_code == 409
    assert "Someone else saved this request" in text_of(page)
    assert ">\nmine</textarea>" in page.text
    assert "theirs" in page.text
    newer = re.findall('name="version" value="(.*?)"', page.text)[0]
    browsing.post("/requests/FOI-1.yaml/edit", text="both", version=newer)
    assert browsing.workbench.requests.read("FOI-1.yaml").text == "both"


def test_without_a_server_the_index_says_so(browsing: Browsing) -> None:
    browsing.sign_in()
    assert "No server is running" in text_of(browsing.get("/index"))


@pytest.mark.parametrize("address", ["/nothing", "/requests/x.txt", "/requests/%2e%2e%2fa.yaml"])
def test_what_is_not_there_is_said_without_a_traceback(browsing: Browsing, address: str) -> None:
    browsing.sign_in()
    page = browsing.get(address)
    assert page.status_code == 404
    assert "Page not found" in text_of(page)
    assert "Traceback" not in page.text


# -- text that was typed is never lost ----------------------------------------------------------


def end_session(browsing: Browsing) -> None:
    """The session ends by itself: nothing was opened for longer than it lasts."""
    browsing.workbench.sessions = Sessions(0.0, itertools.count(0, 10).__next__)
    browsing.client.cookies.set(
        "foidex_session",
        browsing.workbench.sessions.start(Person("anna", "administrator")),
        domain="127.0.0.1",
    )


def test_what_was_typed_when_the_session_ended_is_sent_again_after_signing_in(
    browsing: Browsing,
) -> None:
    browsing.sign_in()
    browsing.post("/requests/new", **FORM)
    opened = browsing.workbench.requests.read("FOI-1.yaml")
    text = "reference: FOI/1\ntitle: <b>T</b>\n" + "# a long remark\n" * 20_000
    end_session(browsing)
    page = browsing.post("/requests/FOI-1.yaml/edit", text=text, version=opened.version)
    assert page.status_code == 401
    assert "What you typed is below, and is not saved" in text_of(page)
    assert page.headers["cache-control"] == "no-store"
    assert "<b>T</b>" not in page.text
    assert browsing.workbench.requests.read("FOI-1.yaml") == opened
    form = page.text.split('action="/requests/FOI-1.yaml/edit"')[1]
    typed = html.unescape(re.findall("<textarea[^>]*>\n(.*?)</textarea>", form, re.DOTALL)[0])
    hidden = dict(re.findall('type="hidden" name="(.*?)" value="(.*?)"', form))
    browsing.workbench.sessions = Sessions(3600)
    browsing.client.cookies.clear()
    browsing.sign_in()
    browsing.post("/requests/FOI-1.yaml/edit", text=typed, **hidden)
    assert browsing.workbench.requests.read("FOI-1.yaml").text == text


def test_nothing_is_shown_again_where_nothing_was_typed(browsing: Browsing) -> None:
    page = browsing.post("/requests/FOI-1.yaml/answer")
    assert page.status_code == 401
    assert "What you typed" not in text_of(page)


def test_who_never_signed_in_sends_little(browsing: Browsing) -> None:
    page = browsing.post("/requests/new", title="a" * 100_001)
    assert page.status_code == 413
    assert "This is too large" in text_of(page)
    assert 'class="top"' in page.text


def test_a_new_link_is_printed_where_foidex_was_started(browsing: Browsing) -> None:
    assert browsing.post("/sign-in/link").status_code == 429  # there is nowhere to print it
    assert "ask for a new one" not in text_of(browsing.get("/"))
    printed: list[str] = []
    anna = Person("anna", "reader")
    browsing.workbench.print_link = lambda: printed.append(browsing.workbench.links.issue(anna))
    assert "ask for a new one" in text_of(browsing.get("/"))
    page = browsing.post("/sign-in/link")
    assert printed[0] not in page.text
    assert browsing.post("/sign-in", token=printed[0]).status_code == 200


@pytest.mark.parametrize("path", ["/requests/FOI-1.yaml/edit", "/requests/new"])
def test_what_cannot_be_saved_is_shown_again(browsing: Browsing, config: Path, path: str) -> None:
    browsing.sign_in()
    browsing.post("/requests/new", **FORM)
    opened = browsing.workbench.requests.read("FOI-1.yaml")
    log = config.parent / "home" / "audit" / "audit.jsonl"
    log.unlink()
    log.mkdir()
    fields = {
        **FORM,
        "reference": "FOI/2",
        "title": "mine",
        "text": "mine",
        "version": opened.version,
    }
    page = browsing.post(path, **fields)
    assert page.status_code == 422
    assert "mine" in page.text
    assert "It could not be saved" in text_of(page)
    assert str(config.parent) not in page.text
    assert browsing.workbench.requests.list_names() == ["FOI-1.yaml"]
    assert browsing.workbench.requests.read("FOI-1.yaml") == opened


def test_a_form_to_publish_without_a_preview_publishes_nothing(browsing: Browsing) -> None:
    """Nobody looked at it, or the workbench was started again since."""
    browsing.sign_in()
    browsing.post("/requests/new", **FORM)
    address = "/requests/FOI-1.yaml/publish"
    page = browsing.get(address)
    assert "See what would go out" in text_of(page)
    assert 'value="publish"' not in page.text
    for preview in ("", "of-a-run-before"):
        sent = browsing.post(address, **read_hidden(page), do="publish", preview=preview)
        assert sent.status_code == 409
        assert "Nothing was published" in text_of(sent)
        assert f'href="{address}"' in sent.text
    assert browsing.workbench.tasks.find("publish FOI-1.yaml") is None


def test_a_form_to_preview_that_is_sent_twice_does_it_once(browsing: Browsing) -> None:
    browsing.sign_in()
    browsing.post("/requests/new", **FORM)
    fields = read_hidden(browsing.get("/requests/FOI-1.yaml/publish"))
    sent = [browsing.post("/requests/FOI-1.yaml/publish", **fields, do="preview") for _ in range(2)]
    assert sent[0].url == sent[1].url
    browsing.finish(f"preview FOI-1.yaml {sent[0].url.params['preview']}")
    assert sum(browsing.workbench.tasks.count_states().values()) == 1


def test_what_is_counted_is_the_version_that_the_form_found(
    browsing: Browsing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Someone writes the file by hand at that moment."""
    browsing.sign_in()
    browsing.post("/requests/new", **FORM)
    read, files = RequestFolder.read, []

    def read_and_change(folder: RequestFolder, name: str) -> RequestFile:
        files.append(read(folder, name))
        (folder.path / name).write_text(files[0].text.replace("title: Apps", "title: Changed"))
        return files[-1]

    works: list[Any] = []
    monkeypatch.setattr(browsing.workbench.tasks, "start", lambda *given: works.append(given))
    monkeypatch.setattr(RequestFolder, "read", read_and_change)
    browsing.client.post("/requests/FOI-1.yaml/answer", headers=OURS, follow_redirects=False)
    [(_, _, work)] = works
    assert work.args[-1].read().title == "Apps"


# -- the audit log -----------------------------------------------------------------------------


def list_log(config: Path) -> list[dict[str, Any]]:
    log = config.parent / "home" / "audit" / "audit.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_who_came_wrote_and_was_refused_is_in_the_audit_log(
    browsing: Browsing, config: Path
) -> None:
    browsing.post("/sign-in", token="wrong-token")
    browsing.sign_in()
    browsing.post("/requests/new", **FORM)
    first = browsing.workbench.requests.read("FOI-1.yaml").version
    text = "reference: FOI/1\ntitle: hushed words\n"
    browsing.post("/requests/FOI-1.yaml/edit", text=text, version=first)
    second = browsing.workbench.requests.read("FOI-1.yaml").version
    browsing.post("/requests/FOI-1.yaml/edit", text=text, version=second)  # changes nothing
    browsing.post("/requests/FOI-1.yaml/edit", text="other", version=first)  # a conflict
    browsing.post("/sign-out")
    browsing.sign_in("ben", "reader")
    browsing.get("/requests/FOI-1.yaml/answer")
    lines = [
        (line["command"], line.get("signed_in"), line["exit_code"], line.get("asked"))
        for line in list_log(config)
        if not line.get("begins")
    ]
    begun = [line for line in list_log(config) if line.get("begins")]
    outcomes = [line for line in list_log(config) if line.get("of")]
    assert [line["command"] for line in begun] == ["request create", "request change"]
    assert [line["asked"] for line in outcomes] == [line["asked"] for line in begun]
    assert lines == [
        ("sign-in", None, 1, {"refused": "no such link"}),
        ("sign-in", "anna", 0, None),
        ("request create", "anna", 0, {"file": "FOI-1.yaml", "after": first}),
        ("request change", "anna", 0, {"file": "FOI-1.yaml", "before": first, "after": second}),
        ("sign-out", "anna", 0, None),
        ("sign-in", "ben", 0, None),
        ("role refused", "ben", 1, {"page": "/requests/{file}/answer", "needs": "reviewer"}),
    ]
    assert [line.get("reference") for line in outcomes] == ["FOI/1"] * 2
    written = str(list_log(config))
    assert "hushed" not in written
    assert "wrong-token" not in written


def test_a_change_that_fails_is_not_logged_as_done(
    browsing: Browsing, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browsing.sign_in()
    browsing.post("/requests/new", **FORM)
    version = browsing.workbench.requests.read("FOI-1.yaml").version

    def fail(*_: object) -> None:
        raise OutputError("the disk is full")

    monkeypatch.setattr(browsing.workbench.requests, "save", fail)
    browsing.post("/requests/FOI-1.yaml/edit", text="reference: A\ntitle: B\n", version=version)
    begun, failed = list_log(config)[-2:]
    assert (begun["command"], begun["begins"]) == ("request change", True)
    assert failed["exit_code"] == OutputError.exit_code
    assert [line["exit_code"] for line in list_log(config) if line.get("of")] == [0, 11]


def test_without_a_log_nothing_is_written_and_nobody_is_signed_in(
    browsing: Browsing, config: Path
) -> None:
    folder = config.parent / "home" / "audit"
    (folder / "audit.jsonl").mkdir(parents=True)
    token = browsing.workbench.links.issue(Person("anna", "administrator"))
    page = browsing.post("/sign-in", token=token)
    assert page.status_code == 500
    assert str(config.parent) not in page.text
    assert browsing.get("/").status_code == 401


def test_a_proxy_signs_someone_in_once_a_visit_and_strangers_are_logged(config: Path) -> None:
    proxy = ProxySignIn("X-User", "X-Secret", "s3cret", {"anna": "reader"})
    browsing = Browsing(make_workbench(config, proxy))
    known = {"X-User": "anna", "X-Secret": "s3cret"}
    for _ in range(3):
        browsing.get("/", **known)
    browsing.get("/", **(known | {"X-User": "eve"}))
    assert [
        (line["command"], line.get("signed_in"), line["exit_code"]) for line in list_log(config)
    ] == [("sign-in", "anna", 0), ("sign-in", None, 1)]
    for _ in range(40):
        browsing.get("/")
    assert len(list_log(config)) <= 21  # a flood of strangers does not flood the log


# -- what protects the pages -----------------------------------------------------------------------


def test_every_answer_keeps_to_itself(browsing: Browsing) -> None:
    browsing.sign_in()
    for address in ("/", "/nothing", "/sign-in", "/health", "/style.css"):
        headers = browsing.get(address).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script" not in policy.replace("default-src", "")
        assert "unsafe" not in policy
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == (
            "max-age=300" if address == "/style.css" else "no-store"
        )


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "cross-site", "origin": f"http://{HOST}"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {},
    ],
)
def test_a_form_of_another_site_changes_nothing(
    browsing: Browsing, headers: dict[str, str]
) -> None:
    browsing.sign_in()
    page = browsing.client.post("/requests/new", data=FORM, headers=headers)
    assert page.status_code == 403
    assert browsing.workbench.requests.list_names() == []


def test_an_old_browser_that_sends_only_its_origin_is_served(browsing: Browsing) -> None:
    browsing.sign_in()
    page = browsing.client.post("/requests/new", data=FORM, headers={"origin": f"http://{HOST}"})
    assert page.status_code == 200
    assert browsing.workbench.requests.list_names() == ["FOI-1.yaml"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:80", ""])
def test_another_host_name_is_refused_even_for_reading(browsing: Browsing, host: str) -> None:
    browsing.sign_in()
    assert browsing.get("/", host=host).status_code == 403


def test_a_link_works_once_and_opening_it_does_not_use_it_up(browsing: Browsing) -> None:
    browsing.sign_in()
    token = browsing.workbench.links.issue(browsing_person(browsing))
    other = Browsing(browsing.workbench)
    assert other.get(f"/sign-in?token={token}").status_code == 200
    assert other.get("/").status_code == 401
    assert other.post("/sign-in", token=token).status_code == 200
    assert other.get("/").status_code == 200
    assert Browsing(browsing.workbench).post("/sign-in", token=token).status_code == 403


def browsing_person(browsing: Browsing) -> Person:
    del browsing
    return Person("ben", "reader")


def test_a_cookie_chosen_beforehand_is_not_taken_over_by_signing_in(browsing: Browsing) -> None:
    browsing.client.cookies.set("foidex_session", "chosen", domain="127.0.0.1")
    browsing.sign_in()
    other = Browsing(browsing.workbench)
    other.client.cookies.set("foidex_session", "chosen", domain="127.0.0.1")
    assert other.get("/").status_code == 401


def test_the_cookie_is_for_this_site_and_no_script(browsing: Browsing) -> None:
    token = browsing.workbench.links.issue(browsing_person(browsing))
    sent = browsing.client.post(
        "/sign-in", data={"token": token}, headers=OURS, follow_redirects=False
    )
    cookie = sent.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_signing_out_ends_the_session_on_the_server(browsing: Browsing) -> None:
    browsing.sign_in()
    copy = dict(browsing.client.cookies)
    browsing.post("/sign-out")
    assert browsing.get("/").status_code == 401
    other = Browsing(browsing.workbench)
    other.client.cookies.update(copy)
    assert other.get("/").status_code == 401


def test_who_signs_in_as_someone_else_is_no_longer_who_they_were(browsing: Browsing) -> None:
    """The role of before is gone from this browser, and from a copy of its cookie."""
    browsing.sign_in("anna", "publisher")
    copy = dict(browsing.client.cookies)
    browsing.sign_in("ben", "reader")
    assert browsing.get("/requests/new").status_code == 403
    other = Browsing(browsing.workbench)
    other.client.cookies.update(copy)
    assert other.get("/requests/new").status_code == 401


def test_tokens_cannot_be_tried_without_end(browsing: Browsing) -> None:
    statuses = [browsing.post("/sign-in", token=str(number)).status_code for number in range(30)]
    assert set(statuses[:20]) == {403}
    assert set(statuses[20:]) == {429}


def test_a_body_that_is_too_large_is_refused(browsing: Browsing) -> None:
    browsing.sign_in()
    page = browsing.client.post(
        "/requests/new", content=b"a" * 2_000_001, headers={**OURS, "content-type": "text/plain"}
    )
    assert page.status_code == 413


def test_before_signing_in_only_few_bytes_are_taken(browsing: Browsing) -> None:
    page = browsing.client.post("/letters/new", content=b"a" * 10_001, headers=OURS)
    assert page.status_code == 413
    page = browsing.client.post("/sign-in", content=b"token=x", headers=OURS)
    assert page.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"},
        {"sec-fetch-site": "same-origin", "sec-purpose": "prefetch"},
    ],
)
def test_a_page_is_opened_by_a_person_and_not_fetched_by_another(
    browsing: Browsing, headers: dict[str, str]
) -> None:
    browsing.sign_in()
    assert browsing.client.get("/", headers=headers).status_code == 403


def test_a_link_from_elsewhere_is_followed(browsing: Browsing) -> None:
    browsing.sign_in()
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert browsing.client.get("/", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=x; charset=punycode"]
)
def test_a_form_that_cannot_be_read_ends_in_a_page_and_no_traceback(
    browsing: Browsing, content_type: str, caplog: pytest.LogCaptureFixture
) -> None:
    browsing.sign_in()
    body = b'--x\r\nContent-Disposition: form-data; name="reference"\r\n\r\n\xff\r\n--x--\r\n'
    page = browsing.client.post(
        "/requests/new", content=body, headers={**OURS, "content-type": content_type}
    )
    assert page.status_code in (400, 422, 500)
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "Traceback" not in page.text + caplog.text


def test_a_request_that_is_too_long_is_not_saved(browsing: Browsing) -> None:
    browsing.sign_in()
    browsing.post("/requests/new", **FORM)
    opened = browsing.workbench.requests.read("FOI-1.yaml")
    page = browsing.post("/requests/FOI-1.yaml/edit", text="a" * 1_000_001, version=opened.version)
    assert page.status_code == 422
    assert "Nothing was saved" in text_of(page)
    assert browsing.workbench.requests.read("FOI-1.yaml") == opened


def test_documents_that_cannot_be_read_do_not_take_the_list_away(browsing: Browsing) -> None:
    browsing.sign_in()
    browsing.post("/requests/new", **FORM)
    folder = browsing.workbench.requests.path / "answers" / "FOI-1.yaml" / "answer"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("[]")
    page = browsing.get("/")
    assert page.status_code == 200
    assert "Documents cannot be read" in text_of(page)


def test_a_broken_request_is_listed_with_its_reason_and_hides_no_other(
    browsing: Browsing,
) -> None:
    browsing.sign_in()
    browsing.post("/requests/new", **FORM)
    folder = browsing.workbench.requests.path
    (folder / "a.yaml").write_text("reference: A\ntitel: T\n")
    (folder / "b.yaml").write_bytes(b"\xff\xfe\x00")
    (folder / "c.yaml").mkdir()
    (folder / "d.yaml").symlink_to(folder / "FOI-1.yaml")
    (folder / "e.yaml").write_text("[" * 3_000)
    os.mkfifo(folder / "f.yaml")
    page = browsing.get("/")
    text = text_of(page)
    assert page.status_code == 200
    assert "FOI/1" in text
    assert '"titel" is not a key' in text
    assert "b.yaml: is not UTF-8 text" in text
    assert text.count("Cannot be read") == 6
    assert str(folder) not in page.text
    for name in ("a.yaml", "b.yaml", "c.yaml", "d.yaml", "e.yaml", "f.yaml"):
        assert browsing.get(f"/requests/{name}").status_code in (200, 400)


def test_only_requests_that_changed_are_read_again(
    browsing: Browsing, monkeypatch: pytest.MonkeyPatch
) -> None:
    browsing.sign_in()
    for number in range(5):
        browsing.post("/requests/new", **(FORM | {"reference": f"FOI/{number}"}))
    remember_requests(browsing.workbench)  # as at the start of the server
    read: list[str] = []
    parse = Visit.read_request

    def read_noted(visit: Visit, name: str, *rest: Any) -> Any:
        read.append(name)
        return parse(visit, name, *rest)

    monkeypatch.setattr(Visit, "read_request", read_noted)
    assert "FOI/3" in text_of(browsing.get("/"))
    assert read == []
    opened = browsing.workbench.requests.read("FOI-3.yaml")
    changed = opened.text.replace("Apps", "Maps")
    browsing.workbench.requests.save("FOI-3.yaml", changed, opened.version)
    (browsing.workbench.requests.path / "FOI-4.yaml").unlink()
    text = text_of(browsing.get("/"))
    assert read == ["FOI-3.yaml"]
    assert "Maps" in text
    assert "FOI/4" not in text


def test_documents_that_cannot_be_put_in_their_place_are_a_fault_of_the_machine(
    browsing: Browsing, caplog: pytest.LogCaptureFixture
) -> None:
    """The page says where it is and what to do, and the operator's alerts count it."""
    browsing.sign_in()
    browsing.post("/requests/new", **FORM)
    folder = find_answer_folder(browsing.workbench.requests, "FOI-1.yaml", "published")
    folder.mkdir(parents=True)
    (folder / ".foidex-new").write_text("in its way")
    for address in ("/requests/FOI-1.yaml", "/requests/FOI-1.yaml/publish"):
        caplog.clear()
        page = browsing.get(address)
        assert page.status_code == 500
        text = text_of(page)
        assert "Tell whoever looks after foidex: answers/FOI-1.yaml/published" in text
        assert "cannot be put in their place" in text
        assert "Let the account that runs foidex read and write this folder" in text
        assert str(folder.parent) not in text
        assert [record.getMessage() for record in caplog.records] == [
            "a page failed: UnreadableError"
        ]
    assert browsing.get("/").status_code == 200


def test_a_file_in_a_form_is_refused(browsing: Browsing) -> None:
    browsing.sign_in()
    page = browsing.client.post(
        "/requests/new", data=FORM, files={"reference": ("a.yaml", b"x")}, headers=OURS
    )
    assert page.status_code == 400


def test_behind_a_proxy_only_the_proxy_says_who_someone_is(config: Path) -> None:
    proxy = ProxySignIn("X-User", "X-Secret", "s3cret", {"anna": "reader"})
    browsing = Browsing(make_workbench(config, proxy))
    known = {"X-User": "anna", "X-Secret": "s3cret"}
    assert browsing.get("/", **known).status_code == 200
    assert browsing.get("/requests/new", **known).status_code == 403
    assert browsing.get("/").status_code == 401
    assert browsing.get("/", **{"X-User": "anna"}).status_code == 401
    token = browsing.workbench.links.issue(browsing_person(browsing))
    assert browsing.post("/sign-in", token=token).status_code == 429
    assert browsing.get("/").status_code == 401

"""From a letter to a request in the workbench: every doubt is put to the officer, nothing is kept."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from queries.request.reader import parse_request
from queries.workbench.access.people import Person
from queries.workbench.files.drafts import Drafts
from tests.support.browsing import OURS, Browsing, make_workbench, text_of

LETTER = """\
From: Pat Example <pat@example.org>
Sent: Monday, 2 November 2026 09:12
To: foi@example.org
Subject: Request

Dear team,

1. How many offences recorded between 1 April 2024 and 31 March 2025 mention "Snapchat" or "Kik"?
2. How many of them led to an arrest?
3. How many were some kind of stalking?

Thank you,
Pat Example
"""


@pytest.fixture
def browsing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Browsing:
    monkeypatch.setenv("FOIDEX_HOME", str(tmp_path / "home"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "foidex.toml").write_text("")
    found = Browsing(make_workbench(tmp_path / "foidex.toml"))
    found.sign_in()
    return found


def send(browsing: Browsing, content: bytes, name: str = "letter.txt") -> Any:
    files = {"letter": (name, content)}
    return browsing.client.post("/letters/new", files=files, headers=OURS)


def test_a_letter_becomes_a_request_whose_doubts_were_put(
    browsing: Browsing, tmp_path: Path
) -> None:
    page = send(browsing, LETTER.encode())
    assert page.status_code == 200
    text = text_of(page)
    assert "The letter has 3 parts." in text
    assert "led to an arrest" in text
    assert "Not covered" in text
    names = sorted(set(re.findall(r'name="(confirm-\d+)"', page.text)))
    saved = browsing.post(page.url.path, reference="FOI/9", **dict.fromkeys(names, "0"))
    assert saved.url.path == "/requests/FOI-9.yaml"
    written = browsing.workbench.requests.read("FOI-9.yaml").text
    request = parse_request(written)
    assert request.confirmations == ()
    assert [mention.label for mention in request.scope.mentions] == ["Snapchat", "Kik"]
    assert "Pat Example" not in re.sub(r"to: .*", "", written)
    lines = (tmp_path / "home" / "audit" / "audit.jsonl").read_text().splitlines()
    logged = [json.loads(line) for line in lines]
    assert [(line["command"], line["signed_in"]) for line in logged] == [
        ("sign-in", "anna"), ("draft", "anna"), ("request draft", "anna"), ("request draft", "anna"),
    ]  # fmt: skip
    letter = hashlib.sha256(LETTER.encode()).hexdigest()
    assert [line.get("begins") for line in logged[2:]] == [True, None]
    assert (
        logged[2]["asked"]
        == logged[3]["asked"]
        == {
            "file": "FOI-9.yaml",
            "after": hashlib.sha256(written.encode()).hexdigest(),
            "letter": letter,
            "left_open": 0,
        }
    )
    assert "letter.txt" not in "".join(lines)
    assert "Pat" not in "".join(lines)
    assert list((tmp_path / "home" / "letters").glob("*")) == []
    assert list((tmp_path / "temporary").iterdir()) == []


def test_the_page_says_what_was_drafted_and_when_it_came(browsing: Browsing) -> None:
    page = send(browsing, LETTER.encode())
    text = text_of(page)
    assert "Period 2024-04-01 to 2025-03-31 Words Snapchat; Kik Offences All" in text
    assert "A table of the offences. Only some of these records: 8Q: stalking." in text
    assert 'name="received" type="date" value="2026-11-02"' in page.text
    assert "Subject Freedom of Information request Who asks Pat Example" in text
    assert "While it is DRAFT, the request asks for it, and is not answered" in text
    wrong = browsing.post(page.url.path, reference="FOI/9", received="soon")
    assert wrong.status_code == 422
    assert "enter a day, such as 2026-11-02" in text_of(wrong)
    saved = browsing.post(page.url.path, reference="FOI/9", received="2026-11-04")
    assert "Answer due 3 December 2026" in text_of(saved)
    request = parse_request(browsing.workbench.requests.read("FOI-9.yaml").text)
    assert request.letter is not None
    assert str(request.letter.received) == "2026-11-04"


def test_what_is_left_open_stays_to_be_confirmed(browsing: Browsing) -> None:
    page = send(browsing, LETTER.encode())
    entries = len(set(re.findall(r'name="(confirm-\d+)"', page.text)))
    assert entries > 0
    assert "What is it?" not in text_of(page)
    saved = browsing.post(page.url.path, reference="FOI/9")
    request = parse_request(browsing.workbench.requests.read("FOI-9.yaml").text)
    assert len(request.confirmations) == entries
    assert f"{entries} to confirm" in text_of(saved)


def test_what_is_to_be_written_in_the_file_stays_to_be_confirmed(browsing: Browsing) -> None:
    page = send(browsing, LETTER.encode())
    draft = browsing.workbench.drafts.find(page.url.path.rpartition("/")[2], "anna")
    assert draft is not None
    later = {
        f"confirm-{number}": str(place)
        for number, entry in enumerate(draft.drafted.draft.confirmations)
        for place, choice in enumerate(entry.choices)
        if choice.stays_open
    }
    assert later
    browsing.post(page.url.path, reference="FOI/9", **later)
    request = parse_request(browsing.workbench.requests.read("FOI-9.yaml").text)
    left = len([name for name in later if name != "confirm-0"])
    assert len(request.confirmations) >= left


def test_without_a_reference_it_stays_to_be_confirmed(browsing: Browsing) -> None:
    page = send(browsing, LETTER.encode())
    browsing.post(page.url.path, reference="")
    request = parse_request(browsing.workbench.requests.read("DRAFT.yaml").text)
    assert "reference" in request.confirmations[0].question


def test_a_reference_that_is_taken_keeps_what_was_chosen(browsing: Browsing) -> None:
    browsing.workbench.requests.create("FOI-9.yaml", "reference: A\n")
    page = send(browsing, LETTER.encode())
    again = browsing.post(page.url.path, reference="FOI/9", **{"confirm-1": "0"})
    assert again.status_code == 422
    assert "there is a request of this name" in text_of(again)
    assert re.search(r'name="confirm-1" value="0" checked', again.text)
    assert browsing.workbench.requests.read("FOI-9.yaml").text == "reference: A\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("letter.txt", b""),
        ("letter.exe", b"MZ"),
        ("../../etc/passwd", b"x"),
        ("letter.docx", b"PK\x03\x04 not a zip"),
        ("letter.pdf", b"%PDF-1.7 nothing"),
        ("letter.eml", b"\x00" * 100),
        ("letter.\ud7ff", b"x"),
    ],
)
def test_a_file_that_is_no_letter_is_refused_in_the_form(
    browsing: Browsing, tmp_path: Path, name: str, content: bytes
) -> None:
    page = send(browsing, content, name)
    assert page.status_code in (200, 422)
    if page.status_code == 422:
        assert "There is a problem" in text_of(page)
        assert str(tmp_path) not in page.text
    assert list((tmp_path / "home" / "letters").glob("*")) == []
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_letter_that_is_too_large_is_refused(browsing: Browsing) -> None:
    assert send(browsing, b"a" * 25_000_001).status_code == 413


def test_a_reader_sends_no_letter(browsing: Browsing) -> None:
    token = browsing.workbench.links.issue(Person("ben", "reader"))
    browsing.post("/sign-in", token=token)
    assert send(browsing, LETTER.encode()).status_code in (400, 403)


def test_a_draft_that_was_saved_is_not_open_any_more(browsing: Browsing) -> None:
    page = send(browsing, LETTER.encode())
    browsing.post(page.url.path, reference="FOI/9")
    assert browsing.get(page.url.path).status_code == 404
    assert browsing.post(page.url.path, reference="FOI/10").status_code == 404
    assert browsing.workbench.requests.list_names() == ["FOI-9.yaml"]


def test_what_is_to_be_changed_in_the_file_stays_to_be_confirmed(browsing: Browsing) -> None:
    page = send(
        browsing, LETTER.replace("arrest?", "arrest?\n4. How many near hospitals?").encode()
    )
    left = re.findall(
        r'for="(confirm-\d+)-(\d+)">[^<]*<span class="hint">\(by form, after you saved\)', page.text
    )
    assert left
    browsing.post(page.url.path, reference="FOI/9", **dict(left))
    request = parse_request(browsing.workbench.requests.read("FOI-9.yaml").text)
    names = set(re.findall(r'name="(confirm-\d+)"', page.text))
    assert len(request.confirmations) == len(names)


def test_nobody_else_sees_a_draft(browsing: Browsing) -> None:
    page = send(browsing, LETTER.encode())
    other = Browsing(browsing.workbench)
    other.sign_in("ben", "administrator")
    assert other.get(page.url.path).status_code == 404
    assert other.post(page.url.path, reference="FOI/9").status_code == 404
    assert browsing.get(page.url.path).status_code == 200


def test_a_draft_that_is_not_saved_can_be_gone_on_with_and_is_forgotten(
    browsing: Browsing,
) -> None:
    seconds = 0.0
    browsing.workbench.drafts = Drafts(60, lambda: seconds)
    page = send(browsing, LETTER.encode())
    assert f'href="{page.url.path}"' in browsing.get("/letters/new").text
    other = Browsing(browsing.workbench)
    other.sign_in("ben", "administrator")
    assert page.url.path not in other.get("/letters/new").text
    seconds = 61.0
    assert page.url.path not in browsing.get("/letters/new").text
    assert browsing.get(page.url.path).status_code == 404


def test_many_drafts_of_one_person_push_out_nobody_elses(browsing: Browsing) -> None:
    send(browsing, LETTER.encode())
    drafts = browsing.workbench.drafts
    (draft,) = drafts.list_for("anna").values()
    for _ in range(250):
        drafts.add(replace(draft, person="ben"))
    assert len(drafts.list_for("anna")) == 1
    assert len(drafts.list_for("ben")) == 99


def test_a_draft_that_lacks_only_its_reference_says_so(browsing: Browsing) -> None:
    certain = LETTER.replace("3. How many were some kind of stalking?\n", "")
    text = text_of(send(browsing, certain.encode()))
    assert "The letter has 2 parts. Only its reference is not known." in text
    named = text_of(send(browsing, certain.replace("Request", "FOI2026/00001").encode()))
    assert "While it is DRAFT" not in named


def test_only_two_letters_are_read_at_a_time(
    browsing: Browsing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("queries.workbench.pages.letters.MAX_WAIT_SECONDS", 0.05)
    slots = browsing.workbench.letter_slots
    assert slots.acquire(blocking=False)
    assert slots.acquire(blocking=False)
    page = send(browsing, LETTER.encode())
    assert "Other letters are being read now" in text_of(page)
    slots.release()
    assert send(browsing, LETTER.encode()).url.path != "/letters/new"


def test_a_letter_that_was_being_read_when_foidex_was_killed_is_forgotten(
    browsing: Browsing, tmp_path: Path
) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    letters = tmp_path / "home" / "letters"
    left, others = letters / f"{process.pid}-00", letters / f"{os.getppid()}-00"
    for folder in (left, others):
        folder.mkdir(parents=True)
        (folder / "letter.txt").write_text(LETTER)
    config = browsing.workbench.session.config
    make_workbench(config)
    assert list(letters.iterdir()) == [others]  # another one runs, and reads it now


@pytest.mark.parametrize("name", ["letter.\0txt", "letter.txt\0", "letter", "letter.a b", ".txt"])
def test_a_name_that_a_browser_would_not_send_is_a_kind_that_is_not_read(
    browsing: Browsing, name: str
) -> None:
    page = send(browsing, LETTER.encode(), name)
    assert page.status_code == 422
    assert "The file: is not a kind of letter" in text_of(page)

"""Letters before and after the answer in the browser, and the earlier versions of a request."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from indexer.audit import AUDIT_LOG_NAME
from indexer.files import DOCUMENT_PERMISSIONS
from queries.documents.content.context import make_document_settings
from queries.documents.notice_files import prepare_notice, write_notice_files
from queries.request.reader import parse_request
from queries.workbench.files.answer_sets import find_answer_folder
from tests.support.browsing import Browsing, make_workbench, text_of
from tests.support.force import FORCE_TOML

FILE = "FOI-1.yaml"

PAGE = f"/requests/{FILE}"

TEXT = """\
# A remark of the officer.
reference: FOI/1
title: Apps
questions:
  - {id: Q1, kind: offences}
letter: {to: Mr D. Hale, received: 2026-11-02}
"""


@pytest.fixture
def browsing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Browsing:
    monkeypatch.setenv("FOIDEX_HOME", str(tmp_path / "home"))
    (tmp_path / "foidex.toml").write_text(FORCE_TOML)
    found = Browsing(make_workbench(tmp_path / "foidex.toml"))
    found.sign_in("anna", "reviewer")
    found.workbench.requests.create(FILE, TEXT)
    return found


def read_fields(page: Any) -> dict[str, str]:
    """What a browser sends of the form, without what is chosen or typed in it."""
    return {
        name: html.unescape(text)
        for name, text in re.findall(
            r'<input [^>]*name="(.*?)"[^>]* value="(.*?)"', page.text, re.DOTALL
        )
    }


def save(browsing: Browsing, **typed: str) -> Any:
    return browsing.post(
        f"{PAGE}/letters", **{**read_fields(browsing.get(f"{PAGE}/letters")), **typed}
    )


def list_offered(page: Any) -> set[str]:
    return set(re.findall(rf'href="{PAGE}/letters/(\w+)/txt"', page.text))


def test_each_letter_says_what_it_needs_and_is_written_once_that_is_there(
    browsing: Browsing, tmp_path: Path
) -> None:
    assert f'href="{PAGE}/letters"' in browsing.get(PAGE).text
    page = browsing.get(f"{PAGE}/letters")
    assert list_offered(page) == {"acknowledgement"}
    assert 'fill in "What you need to know" below' in text_of(page)
    saved = save(
        browsing,
        clarification="Which years do you mean?\r\n\r\nAnd which districts?",
        extension_sections="31(1)(a), 30",
        review_received="2026-12-20",
        review_outcome="part",
        review_reasons="One year was left out.",
    )
    assert saved.status_code == 200
    assert list_offered(saved) == {"acknowledgement", "clarification", "extension", "review"}
    text = browsing.workbench.requests.read(FILE).text
    assert text.startswith("# A remark of the officer.")
    letter = parse_request(text, FILE).letter
    assert letter.to == "Mr D. Hale"
    assert letter.clarification.split("\n\n") == [
        "Which years do you mean?",
        "And which districts?",
    ]
    assert letter.extension
    assert letter.extension.sections == ("31(1)(a)", "30")
    assert letter.review
    assert (letter.review.outcome, letter.review.reasons) == ("part", "One year was left out.")
    log = (tmp_path / "home" / "audit" / "audit.jsonl").read_text()
    assert {line["command"] for line in map(json.loads, log.splitlines())} >= {"request change"}
    assert "Which years" not in log


def test_a_letter_is_what_the_command_line_writes(browsing: Browsing, tmp_path: Path) -> None:
    settings = make_document_settings(browsing.workbench.session.settings)
    context = prepare_notice(parse_request(TEXT, FILE), "acknowledgement", settings)
    write_notice_files(
        context, "acknowledgement", tmp_path / "out", DOCUMENT_PERMISSIONS, force=False
    )
    for ending, start in {"txt": b"", "html": b"<!DOCTYPE", "docx": b"PK", "pdf": b"%PDF"}.items():
        sent = browsing.get(f"{PAGE}/letters/acknowledgement/{ending}")
        written = (tmp_path / "out" / f"FOI-1.acknowledgement.{ending}").read_bytes()
        assert sent.content.startswith(start)
        assert sent.content == written, ending
        shown = "inline" if ending == "txt" else "attachment"
        name = f'{shown}; filename="FOI-1.acknowledgement.{ending}"'
        assert sent.headers["content-disposition"] == name
        assert "default-src 'none'" in sent.headers["content-security-policy"]


def test_what_is_wrong_is_said_and_nothing_is_saved(browsing: Browsing) -> None:
    wrong = save(browsing, extension_sections="40(2)", clarification="Typed for a while")
    assert wrong.status_code == 422
    assert "no public interest is weighed" in text_of(wrong)
    assert "Typed for a while" in wrong.text
    part = save(browsing, review_received="2026-12-20", extension_reason="It is not simple.")
    assert part.status_code == 422
    for field in ("extension_sections", "review_outcome", "review_reasons"):
        assert f'href="#{field}"' in part.text
    assert "It is not simple." in part.text
    stale = save(browsing, version="0" * 64, clarification="Typed for a while")
    assert stale.status_code == 409
    assert "Someone else saved this request" in text_of(stale)
    assert "Typed for a while" in stale.text
    assert browsing.workbench.requests.read(FILE).text == TEXT
    for address in ("complaint/txt", "acknowledgement/exe", "acknowledgement/..%2fx"):
        assert browsing.get(f"{PAGE}/letters/{address}").status_code == 404
    early = browsing.get(f"{PAGE}/letters/review/pdf")
    assert early.status_code == 400


def test_an_earlier_version_is_shown_and_put_back(browsing: Browsing) -> None:
    assert "None: it was not changed yet" in text_of(browsing.get(f"{PAGE}/versions"))
    opened = browsing.workbench.requests.read(FILE)
    browsing.workbench.requests.save(FILE, TEXT.replace("Apps", "Other apps"), opened.version)
    assert f'href="{PAGE}/versions"' in browsing.get(PAGE).text
    (address,) = re.findall(rf'href="({PAGE}/versions/\d+)"', browsing.get(f"{PAGE}/versions").text)
    page = browsing.get(address)
    assert "title: Apps" in page.text
    back = browsing.post(f"{PAGE}/edit", **read_fields(page))
    assert back.url.path == PAGE
    assert browsing.workbench.requests.read(FILE).text == TEXT
    assert len(browsing.workbench.requests.list_versions(FILE)) == 2
    (browsing.workbench.requests.path / "versions" / f"{FILE}.notes").write_text("Of a colleague.")
    for number in ("999999", "notes", "..%2f000001", "000001.yaml"):
        assert browsing.get(f"{PAGE}/versions/{number}").status_code == 404


def test_an_earlier_version_says_until_when_it_stood_and_who_changed_it(browsing: Browsing) -> None:
    other = Browsing(browsing.workbench)
    other.sign_in("ben", "reviewer")
    for somebody, remark in (
        (browsing, "# 1\n"),
        (other, "# 2\n"),
        (browsing, "# 1\n"),
        (other, ""),
    ):
        fields = read_fields(somebody.get(f"{PAGE}/edit")) | {"text": TEXT + remark}
        assert somebody.post(f"{PAGE}/edit", **fields).status_code == 200
    page = text_of(browsing.get(f"{PAGE}/versions"))
    names = re.findall(r"Version (\d) until \d+ \w+ \d+ at [\d:]+ UTC, when (\w+) changed it", page)
    assert names == [("4", "ben"), ("3", "anna"), ("2", "ben"), ("1", "anna")]
    log = browsing.workbench.session.settings.audit_folder / AUDIT_LOG_NAME
    log.write_text("damaged\n")
    page = text_of(browsing.get(f"{PAGE}/versions"))
    assert "Version 4 Version 3" in page


def test_after_the_answer_the_letter_that_may_follow_it_is_first(browsing: Browsing) -> None:
    titles = re.compile("<h2>(Acknowledgement|Answer to an internal review)</h2>")
    assert titles.findall(browsing.get(f"{PAGE}/letters").text)[0] == "Acknowledgement"
    assert "acknowledgement, request for" in text_of(browsing.get(PAGE))
    folder = find_answer_folder(browsing.workbench.requests, FILE, "published")
    folder.mkdir(parents=True)
    manifest = {
        **dict.fromkeys(("generation", "query_hash", "version"), "x"),
        "reference": "FOI/1",
        "run_at": "2026-11-29T10:00:00+00:00",
        "files": {"FOI-1.answer.json": "00"},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    page = browsing.get(f"{PAGE}/letters")
    assert titles.findall(page.text) == ["Answer to an internal review", "Acknowledgement"]
    assert "The answer was published on 29 November 2026" in text_of(page)
    assert text_of(page).count("It comes before the answer, which is published") == 3
    assert "acknowledgement, request for" not in text_of(browsing.get(PAGE))

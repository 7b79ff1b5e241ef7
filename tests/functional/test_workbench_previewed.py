"""On a real server, the workbench publishes what was previewed, whatever changed since and when."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from queries.answering.publishing import list_releases
from queries.answering.suggestions import find_release_cautions
from queries.workbench.files.answer_sets import find_answer_folder, find_answer_set
from queries.workbench.files.counted_answers import list_counted_answers
from tests.support.browsing import Browsing, open_workbench, text_of
from tests.support.command_line import CommandLine

FILE = "apps.yaml"

PAGE = f"/requests/{FILE}/publish"

REQUEST = """\
reference: FOI/1
title: Snapchat in records
mentions: [Snapchat]
questions:
  - {id: Q1, kind: offences}
"""

#: Withholds numbers below 30, and what a release withholds stays withheld.
STRICT = REQUEST.replace("FOI/1", "FOI/2") + "disclosure: {threshold: 30}\n"

LETTER = re.compile('<pre class="letter">(.*?)</pre>', re.DOTALL)


def make_records(number: int) -> list[dict[str, Any]]:
    """So many records of each of two offences that mention Snapchat, and many that do not."""
    return [
        {
            "crime_ref": f"SYN-{place:03}",
            "recorded_on": "2023-02-01",
            "offence_code": "22B" if place % 2 else "49",
            "narrative": "Snapchat was open." if place < 2 * number else "An email was sent.",
        }
        for place in range(200)
    ]


@pytest.fixture
def browsing(
    environment: dict[str, str],
    load: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Browsing:
    load(make_records(12))
    browsing = Browsing(open_workbench(tmp_path, environment, monkeypatch, apps=REQUEST))
    browsing.sign_in()
    return browsing


@pytest.fixture
def publish_other(foidex: CommandLine, tmp_path: Path) -> Callable[[], None]:
    """What publishes another request, in which all numbers of this one are withheld."""

    def publish() -> None:
        path = tmp_path / "strict.yaml"
        path.write_text(STRICT)
        assert foidex("answer", path, "--publish", "--out", tmp_path / "strict").code == 0

    return publish


def list_references(browsing: Browsing) -> list[str]:
    """The references of the releases in the ledger."""
    return [release.reference for release in list_releases(browsing.workbench.session) or []]


def press_in_vain(browsing: Browsing, previewed: Any) -> Any:
    """Press the button to publish, and find that nothing was; the page with the new preview."""
    before = list_references(browsing)
    page = browsing.press_publish(FILE, previewed)
    assert "Nothing was published" in text_of(page)
    assert list_references(browsing) == before
    assert find_answer_set(browsing.workbench.requests, FILE, "published") is None
    assert list_counted_answers(browsing.workbench.requests, FILE) == []
    new_preview = browsing.workbench.tasks.find_newest(f"preview {FILE} ", "anna")
    assert new_preview
    browsing.finish(new_preview.name)
    return browsing.get(str(page.url))


def test_what_changed_since_the_preview_is_said_and_nothing_is_published(
    browsing: Browsing,
    load: Callable[..., Any],
    publish_other: Callable[[], None],
    tmp_path: Path,
) -> None:
    """One change after another, each of which the next preview has; then that is published."""
    page = browsing.preview(FILE)
    path = tmp_path / "requests" / FILE
    path.write_text(REQUEST + "# by hand\n")
    page = press_in_vain(browsing, page)
    assert "The request was changed since you looked at it" in text_of(page)
    load(make_records(14))
    page = press_in_vain(browsing, page)
    assert "The records were refreshed" in text_of(page)
    assert "12 before, 14 now" in text_of(page)
    assert "14" in LETTER.findall(page.text)[0]
    publish_other()
    page = press_in_vain(browsing, page)
    assert "14 before, not given now" in text_of(page)
    (letter,) = LETTER.findall(page.text)
    page = browsing.press_publish(FILE, page)
    assert "Nothing was published" not in text_of(page)
    assert list_references(browsing) == ["FOI/2", "FOI/1"]
    published = browsing.get(f"/requests/{FILE}/documents/published/FOI-1.letter.txt").text
    sources = "Where the figures come from"  # which has the minute of the count
    assert html.unescape(letter).partition(sources)[0] == published.partition(sources)[0]


def test_what_was_published_elsewhere_since_is_not_published_again(
    browsing: Browsing, foidex: CommandLine, tmp_path: Path
) -> None:
    page = browsing.preview(FILE)
    folder = tmp_path / "requests" / "answers" / FILE / "published"
    assert foidex("answer", tmp_path / "requests" / FILE, "--publish", "--out", folder).code == 0
    before = (folder / "manifest.json").read_bytes()
    page = browsing.press_publish(FILE, page)
    assert "It was published since you looked at it" in text_of(page)
    assert (folder / "manifest.json").read_bytes() == before
    assert list_references(browsing) == ["FOI/1"]


def test_what_was_published_stays_if_the_request_gets_another_reference(
    browsing: Browsing, tmp_path: Path
) -> None:
    """Its own documents follow it: the answers before are kept to be replayed."""
    browsing.press_publish(FILE, browsing.preview(FILE))
    published = tmp_path / "requests" / "answers" / FILE / "published" / "manifest.json"
    before = published.read_bytes()
    for text in (REQUEST, REQUEST.replace("FOI/1", "FOI/9")):
        (tmp_path / "requests" / FILE).write_text(text)
        browsing.post(f"/requests/{FILE}/answer")
        browsing.finish(f"answer {FILE}")
        own = find_answer_set(browsing.workbench.requests, FILE, "answer")
    assert own
    assert own.manifest.reference == "FOI/9"
    page = text_of(browsing.preview(FILE))
    assert 'the answer to "FOI/1", and this request now has the reference "FOI/9"' in page
    assert published.read_bytes() == before
    assert list_references(browsing) == ["FOI/1"]


@pytest.mark.parametrize("change", ["request", "ledger"])
def test_a_change_while_it_is_published_stops_it(
    browsing: Browsing,
    publish_other: Callable[[], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: str,
) -> None:
    """It comes after everything was read and checked once, and before the release is recorded."""
    page = browsing.preview(FILE)
    cautions = "queries.jobs.batch.find_release_cautions"

    def change_first(*arguments: Any) -> tuple[str, ...]:
        monkeypatch.setattr(cautions, find_release_cautions)
        if change == "request":
            (tmp_path / "requests" / FILE).write_text(REQUEST + "# by hand\n")
        else:
            publish_other()
        return find_release_cautions(*arguments)

    monkeypatch.setattr(cautions, change_first)
    page = browsing.press_publish(FILE, page)
    expected = {
        "request": "The request was changed since you looked at it",
        "ledger": "another release was recorded while this one was made",
    }
    assert "Nothing was published What would go out is not what you looked at" in text_of(page)
    assert expected[change] in text_of(page)
    assert list_references(browsing) == (["FOI/2"] if change == "ledger" else [])
    assert not find_answer_folder(browsing.workbench.requests, FILE, "published").exists()
    assert "Published By" not in text_of(page)
    new_preview = browsing.workbench.tasks.find_newest(f"preview {FILE} ", "anna")
    assert new_preview
    browsing.finish(new_preview.name)
    (letter,) = LETTER.findall(browsing.get(str(page.url)).text)
    assert ("[c]" in letter) == (change == "ledger")


def test_nothing_is_published_that_this_person_has_not_looked_at(browsing: Browsing) -> None:
    """Without a preview, with that of another person, or of a workbench that was started again."""
    bare = browsing.get(PAGE)
    assert 'value="publish"' not in bare.text
    assert browsing.press_publish(FILE, bare).status_code == 409
    previewed = browsing.preview(FILE)
    browsing.sign_in("ben", "publisher")
    assert 'value="publish"' not in browsing.get(PAGE).text
    late = browsing.press_publish(FILE, previewed)
    assert late.status_code == 409
    assert "See what would go out" in text_of(late)
    assert list_references(browsing) == []

"""The workbench killed at any moment: what was acknowledged is there, once, and nothing is half."""

from __future__ import annotations

import os
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from indexer.records.sample import generate_records
from queries.reviewing.store.review_store import open_store
from tests.support.command_line import run_command
from tests.support.examples import repeats
from tests.support.serving import Service, read_hidden, read_turn

REQUEST = """\
reference: FOI/{name}
title: Snapchat in records
mentions: [Snapchat]
questions:
  - {{id: Q1, kind: offences}}
"""

LETTER = b"Dear team,\nHow many offences recorded in 2017 mention Snapchat?\nYours, Pat Example\n"


class Killed:
    """A workbench that is killed while something is done in it."""

    def __init__(self, service: Service, environment: dict[str, str], seed: str) -> None:
        self.service = service
        self.environment = environment
        self.chance = random.Random(seed)
        self.anna = service.browser("anna")
        self.requests = service.folder / "requests"
        self.seconds = 0.0

    def run(self, work: Callable[[], Any]) -> Any:
        """Do it undisturbed, and note how long it takes."""
        begun = time.monotonic()
        result = work()
        self.seconds = max(self.seconds, time.monotonic() - begun)
        return result

    def run_killed(self, work: Callable[[], Any]) -> tuple[bool, Any]:
        """Do it, kill the workbench meanwhile, and start it again.

        Whether the kill hit before it was done, and what the browser was told if anything.
        """
        told: list[Any] = []
        done = threading.Event()

        def try_work() -> None:
            try:
                told.append(work())
                done.set()
            except (httpx2.TransportError, AssertionError):
                return  # the workbench went away

        thread = threading.Thread(target=try_work)
        thread.start()
        time.sleep(self.chance.uniform(0, self.seconds))
        hit = not done.is_set()
        assert self.service.kill()
        thread.join()
        if not hit or done.is_set():
            self.seconds *= 0.8
        self.service.start()
        self.check_log()
        return hit and not done.is_set(), told[0] if told else None

    def check_log(self) -> None:
        """The audit log is whole: a line that was cut short stands alone."""
        checked = run_command("audit", "verify", environment=self.environment)
        assert checked.code == 0, checked.err

    def check_no_rest(self) -> None:
        """Nothing that was begun is taken for something that is there."""
        shown = set(re.findall(r'href="/requests/([^"/]*\.yaml)"', self.anna.get("/").text))
        assert shown == {path.name for path in self.requests.glob("*.yaml")}
        assert not list((Path(self.environment["FOIDEX_HOME"]) / "letters").glob("*"))


@pytest.fixture
def unindexed(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Killed]:
    """For what needs no server of records."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FOIDEX_")}
    yield from serve(tmp_path, kept | {"FOIDEX_HOME": str(tmp_path / "home")}, request.node.name)


@pytest.fixture
def killed(
    environment: dict[str, str],
    load: Callable[..., Any],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Iterator[Killed]:
    """With records to count."""
    load(generate_records(2_000))
    yield from serve(tmp_path, environment, request.node.name)


def serve(folder: Path, environment: dict[str, str], seed: str) -> Iterator[Killed]:
    service = Service(folder, environment)
    service.start()
    yield Killed(service, environment, seed)
    service.stop()
    assert "Traceback" not in service.log.read_text()


def hit_often(killed: Killed, kills: int, try_once: Callable[[int], bool]) -> None:
    """Try until so many kills hit while something was under way."""
    hits = 0
    for turn in range(kills * 6):
        hits += try_once(turn)
        if hits >= kills:
            killed.check_no_rest()
            return
    raise AssertionError(f"of {kills} kills only {hits} hit")


@pytest.mark.timeout(3_000)
def test_killed_while_a_request_is_saved(unindexed: Killed) -> None:
    """New requests and changes: whole or as before, each version kept once."""
    killed, anna, requests = unindexed, unindexed.anna, unindexed.requests

    def create(name: str) -> httpx2.Response:
        return anna.post("/requests/new", reference=name, title="T", by_offence="on")

    def change(text: str) -> httpx2.Response:
        page = anna.get("/requests/first.yaml/edit")
        return anna.post("/requests/first.yaml/edit", text=text, **read_hidden(page))

    killed.run(lambda: create("first"))
    expected = (requests / "first.yaml").read_text()
    texts = [expected]

    def try_once(turn: int) -> bool:
        if turn % 2:
            name = f"new-{turn}"
            hit, told = killed.run_killed(lambda: create(name))
            path = requests / f"{name}.yaml"
            if path.exists() or told is not None:
                assert path.read_text() == expected.replace("first", name)
            return hit
        text = f"{expected}# change {turn}\n" + "# more\n" * 20_000
        hit, told = killed.run_killed(lambda: change(text))
        now = (requests / "first.yaml").read_text()
        assert now in (texts[-1], text)
        if told is not None:
            assert now == text
        if now != text:
            change(text)  # as a person does who sees that it is not there
        texts.append(text)
        kept = sorted((requests / "versions").glob("first.yaml.*"))
        assert [path.read_text() for path in kept] == texts[:-1][-20:]
        return hit

    hit_often(killed, repeats(1, 14), try_once)


@pytest.mark.long
@pytest.mark.timeout(3_000)
def test_killed_while_a_letter_is_read(unindexed: Killed) -> None:
    """The letter is gone with the process, and is sent again."""
    killed = unindexed
    sent = {"sec-fetch-site": "same-origin"}

    def send() -> httpx2.Response:
        return killed.anna.client.post(
            "/letters/new", files={"letter": ("l.txt", LETTER)}, headers=sent
        )

    killed.run(send)

    def try_once(turn: int) -> bool:
        del turn
        hit, _ = killed.run_killed(send)
        killed.check_no_rest()
        return hit

    hit_often(killed, repeats(1, 6), try_once)
    assert killed.run(send).status_code == 200


def check_set(killed: Killed, name: str, kind: str) -> str:
    """The set of a request as pages show it: whole, of one run. The run, empty if there is none."""
    page = killed.anna.get(f"/requests/{name}.yaml/{'publish' if kind == 'published' else kind}")
    assert page.status_code == 200, page.text
    links = re.findall(rf'href="(/requests/[^"]*/documents/{kind}/[^"]*)"', page.text)
    runs = set()
    for link in links:
        document = killed.anna.get(link)
        assert document.status_code == 200, document.text
        if link.endswith("answer.json"):
            runs.add(document.json()["provenance"]["run_at"])
    assert len(runs) == bool(links)
    return runs.pop() if runs else ""


@pytest.mark.long
@pytest.mark.timeout(3_000)
def test_killed_while_a_decision_is_made(killed: Killed) -> None:
    """What a reader saw stored is stored, once; what was not is decided again, and nothing else."""
    reader, address = killed.service.browser("cara"), "/reviews/FOI-a-Q1/read"
    killed.requests.mkdir()
    (killed.requests / "a.yaml").write_text(REQUEST.format(name="a"))
    killed.anna.post("/requests/a.yaml/answer")
    killed.anna.await_that("/requests/a.yaml/answer", "row=total")
    fields = {"question": "Q1", "row": "total", "column": "", "criterion": "C", "second": "0"}
    killed.anna.post("/requests/a.yaml/review", **fields, sample="")
    turn = read_turn(reader.get(address))
    stored: list[str] = []

    def list_stored() -> list[str]:
        home = Path(killed.environment["FOIDEX_HOME"])
        with open_store(str(home / "reviews" / "reviews.sqlite")) as store:
            return [decision.reference for decision in store.list_decisions("FOI-a-Q1")]

    def decide() -> dict[str, str]:
        page = reader.post(address, **turn, verdict="relevant")
        assert page.status_code == 200, page.text
        return read_turn(page)

    def note_next(following: dict[str, str]) -> None:
        stored.extend(turn["references"].split("\n"))
        turn.clear()
        turn.update(following)

    note_next(killed.run(decide))

    def try_once(_: int) -> bool:
        hit, following = killed.run_killed(decide)
        expected = [*stored, *turn["references"].split("\n")]
        assert list_stored() in ([stored, expected] if following is None else [expected])
        note_next(decide())  # the same form again, as a person sends it who saw no page
        assert list_stored() == stored
        return hit

    hit_often(killed, repeats(1, 12), try_once)


@pytest.mark.long
@pytest.mark.timeout(3_000)
def test_killed_while_it_counts(killed: Killed) -> None:
    """The documents are those of before or the new ones, and all of one count."""
    killed.requests.mkdir()
    (killed.requests / "a.yaml").write_text(REQUEST.format(name="a"))
    anna = killed.anna

    def count() -> None:
        before = check_set(killed, "a", "answer")
        anna.post("/requests/a.yaml/answer")
        while check_set(killed, "a", "answer") == before:
            time.sleep(0.02)

    killed.run(count)

    def try_once(turn: int) -> bool:
        del turn
        hit, _ = killed.run_killed(count)
        assert check_set(killed, "a", "answer")
        return hit

    hit_often(killed, repeats(1, 8), try_once)


@pytest.mark.long
@pytest.mark.timeout(3_000)
def test_killed_while_it_publishes(killed: Killed) -> None:
    """No documents without a release, none twice; what is recorded but not written is said, and
    publishing again writes it and records nothing."""
    killed.requests.mkdir()
    anna = killed.anna

    def preview(name: str) -> httpx2.Response:
        address = f"/requests/{name}.yaml/publish"
        anna.press(anna.get(address), address, do="preview")
        return anna.await_that(address, 'value="publish"')

    def publish(page: httpx2.Response, name: str) -> None:
        anna.press(page, f"/requests/{name}.yaml/publish", do="publish")
        anna.await_that(f"/requests/{name}.yaml/publish", "/documents/published/")

    def write(name: str) -> None:
        (killed.requests / f"{name}.yaml").write_text(REQUEST.format(name=name))

    def count_releases(name: str) -> int:
        page = anna.get(f"/requests/{name}.yaml/publish").text
        own = page.split('id="releases"')[1].split("<details")[0]
        return len(re.findall(r'<th scope="row">', own))

    write("first")
    page = preview("first")
    killed.run(lambda: publish(page, "first"))

    def try_once(turn: int) -> bool:
        name = f"r{turn}"
        write(name)
        previewed = preview(name)
        hit, told = killed.run_killed(lambda: publish(previewed, name))
        del told
        run = check_set(killed, name, "published")
        releases = count_releases(name)
        page = anna.get(f"/requests/{name}.yaml/publish").text
        assert releases in (0, 1)
        assert releases or not run
        assert ("The documents of the newest release are not here" in page) == bool(
            releases and not run
        )
        if not run:
            publish(preview(name), name)
        assert check_set(killed, name, "published")
        assert count_releases(name) == 1
        return hit

    hit_often(killed, repeats(1, 10), try_once)
    heads = [line["ledger"]["releases"] for line in killed.service.list_log() if "ledger" in line]
    assert heads == sorted(heads)

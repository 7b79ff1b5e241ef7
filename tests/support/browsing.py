"""A browser without a screen for the workbench: it sends what a browser sends, and follows links."""

from __future__ import annotations

import re
import time
import weakref
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from indexer.session import Session
from queries.workbench.access.people import Person, ProxySignIn
from queries.workbench.app import build_workbench_app
from queries.workbench.site import Workbench
from tests.support.force import FORCE_TOML
from tests.support.serving import read_hidden

HOST = "127.0.0.1:8347"

OURS = {"sec-fetch-site": "same-origin"}


class Browsing:
    """One browser at a workbench. Nobody is signed in at first."""

    def __init__(self, workbench: Workbench) -> None:
        self.workbench = workbench
        self.client = TestClient(
            build_workbench_app(workbench, [HOST]),
            base_url=f"http://{HOST}",
            follow_redirects=True,
        )

    def sign_in(self, name: str = "anna", role: Any = "administrator") -> None:
        token = self.workbench.links.issue(Person(name, role))
        assert self.post("/sign-in", token=token).status_code == 200

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers=headers)

    def post(self, path: str, **fields: str) -> Any:
        sent = {name: re.sub(r"\r?\n", "\r\n", text) for name, text in fields.items()}
        return self.client.post(path, data=sent, headers=OURS)

    def finish(self, name: str) -> None:
        """Wait until a task is done, and leave the processor to it."""
        while (task := self.workbench.tasks.find(name)) and task.is_running:
            time.sleep(0.01)

    def preview(self, file: str, **fields: str) -> Any:
        """Have what would go out worked out, and open the page that shows it."""
        address = f"/requests/{file}/publish"
        sent = self.post(address, **(read_hidden(self.get(address)) | fields), do="preview")
        assert sent.status_code == 200, text_of(sent)
        self.finish(f"preview {file} {sent.url.params['preview']}")
        return self.get(str(sent.url))

    def press_publish(self, file: str, previewed: Any) -> Any:
        """Press the button of a page that shows what would go out, and open it when that is done."""
        address = f"/requests/{file}/publish"
        sent = self.post(address, **read_hidden(previewed), do="publish")
        self.finish(f"publish {file}")
        return self.get(str(sent.url)) if sent.status_code == 200 else sent


def make_workbench(config: Any, proxy: ProxySignIn | None = None) -> Workbench:
    """A workbench with the settings of a file."""
    session = Session()
    session.config = config
    session.quiet = True
    workbench = Workbench(session, proxy)
    # As the program does when it stops serving.
    weakref.finalize(workbench, workbench.review_database.close)
    return workbench


def open_workbench(
    folder: Path, environment: Mapping[str, str], patch: pytest.MonkeyPatch, **requests: str
) -> Workbench:
    """A workbench of a force in a folder, in an environment, with these request files; a name is
    that of the file without its ending."""
    for name, value in environment.items():
        patch.setenv(name, value)
    config = folder / "foidex.toml"
    if not config.exists():
        config.write_text(FORCE_TOML)
    workbench = make_workbench(config)
    for name, text in requests.items():
        workbench.requests.create(f"{name}.yaml", text)
    return workbench


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def text_of(page: Any) -> str:
    """What a reader sees of a page, on one line."""
    parser = _Text()
    parser.feed(page.text)
    return re.sub(r"\s+", " ", " ".join(parser.parts)).strip()

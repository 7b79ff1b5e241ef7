"""The workbench as its users run it: a process of `foidex serve`, which may be killed at any moment."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2

from tests.support.command_line import PROGRAM
from tests.support.force import FORCE_TOML

#: Who the proxy of these tests signs in, and as what.
PEOPLE = {"anna": "publisher", "ben": "publisher", "cara": "reviewer", "dan": "reader"}

SECRET = "ZQXPASSWORD-of-the-proxy-that-nobody-guesses"

_PROXY = """
[workbench.proxy]
secret_file = "proxy.secret"
people = {people}
"""


class Service:
    """`foidex serve` behind a proxy, in a folder and an environment of its own.

    ``people`` are those that the proxy signs in, by their roles.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        people: Mapping[str, str] = PEOPLE,
        settings: str = "",
    ) -> None:
        self.folder = folder
        self._environment = dict(environment)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host}"
        self.process: subprocess.Popen[str] | None = None
        self.log = folder / "serve.log"
        self._browsers: list[Browser] = []
        self.arguments = ["--config", str(folder / "foidex.toml")]
        self.prefix: list[str] = []  # what starts the program, if it is not started itself
        listed = ", ".join(f'{name} = "{role}"' for name, role in people.items())
        secret = folder / "proxy.secret"
        secret.write_text(SECRET)
        secret.chmod(0o600)
        proxy = _PROXY.replace("{people}", f"{{{listed}}}")
        (folder / "foidex.toml").write_text(FORCE_TOML + settings + proxy)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [*self.prefix, PROGRAM, *self.arguments, "serve", "--port", str(self.port)],
                cwd=self.folder,
                env=self._environment,
                stdout=log,
                stderr=log,
                text=True,
            )  # fmt: skip
        until = time.monotonic() + 300
        while time.monotonic() < until:
            assert self.process.poll() is None, self.log.read_text()
            try:
                if httpx2.get(f"{self.url}/health", timeout=5).text == "ok\n":
                    return
            except httpx2.TransportError:
                time.sleep(0.02)
        self.kill()
        raise AssertionError("the workbench does not answer")

    def kill(self) -> bool:
        """Kill it at once. Whether that hit: it died of the signal and not before."""
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        return self.process.wait() == -signal.SIGKILL

    def stop(self) -> None:
        """Stop it as Ctrl-C does, if it runs, and close every browser."""
        while self._browsers:
            self._browsers.pop().client.close()
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()

    def browser(self, name: str) -> Browser:
        """A browser of someone whom the proxy signs in."""
        self._browsers.append(Browser(self, name))
        return self._browsers[-1]

    def list_log(self) -> list[dict[str, Any]]:
        """The lines of the audit log."""
        path = Path(self._environment["FOIDEX_HOME"]) / "audit" / "audit.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


class Browser:
    """A browser without a screen, of one person. Redirects are followed unless it is said."""

    def __init__(self, service: Service, name: str) -> None:
        self.name = name
        self.client = httpx2.Client(
            base_url=service.url,
            headers={"X-Forwarded-User": name, "X-Foidex-Proxy-Secret": SECRET},
            follow_redirects=True,
            timeout=120,
        )

    def get(self, path: str, **headers: str) -> httpx2.Response:
        """Open a page."""
        return self.client.get(path, headers=headers)

    def post(self, path: str, **fields: str) -> httpx2.Response:
        """Send a form of ours."""
        return self.client.post(path, data=fields, headers={"sec-fetch-site": "same-origin"})

    def press(self, page: httpx2.Response, path: str, **fields: str) -> httpx2.Response:
        """Press a button of a page: its hidden fields are sent with others."""
        return self.post(path, **{**read_hidden(page), **fields})

    def await_that(self, path: str, part: str) -> httpx2.Response:
        """Open a page again until it has a part, as a person does who waits."""
        until = time.monotonic() + 240
        while time.monotonic() < until:
            page = self.get(path)
            if part in page.text:
                return page
            time.sleep(0.05)
        raise AssertionError(f"{path} never says {part}")


def read_hidden(page: httpx2.Response) -> dict[str, str]:
    """The hidden fields of a page."""
    return dict(re.findall(r'type="hidden" name="(.*?)" value="(.*?)"', page.text))


def read_turn(page: Any) -> dict[str, str]:
    """The fields of the form that decides on a record; none where no record is left."""
    form = page.text.partition('class="decide"')[2].partition("</form>")[0]
    if not form:
        return {}
    fields = dict(re.findall(r'type="hidden" name="(.*?)" value="(.*?)"', form))
    references = re.findall(r"<textarea[^>]*>\n(.*?)</textarea>", form, re.DOTALL)
    return fields | {"references": references[0]}

"""The command ``serve``: the workbench, in a browser."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated, Final

import psutil
import typer

from indexer.errors import ConfigurationError
from indexer.files import open_folder, open_named_input, refuse_planted
from indexer.session import get_session
from queries.commands.options import OPERATE_PANEL
from queries.workbench.access.loopback import is_loopback

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from indexer.config.model import Settings
    from indexer.session import Session
    from queries.workbench.access.people import Person, ProxySignIn
    from queries.workbench.site import Workbench

serve_app = typer.Typer()

#: What ``foidex demo`` leaves, where nothing else is said.
DEMO_CONFIG_PATH: Final = Path("foidex-demo", "foidex.toml")

_INSTALL: Final = (
    "The workbench needs the Python package {}, which is not installed. Install the extra: "
    "pip install 'foidex[workbench]'"
)

_MAX_CONNECTIONS: Final = 100

#: How long pages that are being made are waited for when the workbench is stopped.
_STOP_SECONDS: Final = 30

#: 32 random hexadecimal digits are 128 bits.
_MIN_SECRET_LENGTH: Final = 32

PortOption = Annotated[
    int | None, typer.Option(min=1, max=65_535, help="The port, instead of that of foidex.toml.")
]


@serve_app.command("serve", rich_help_panel=OPERATE_PANEL)
def run_serve_command(port: PortOption = None) -> None:
    """Serve the workbench: requests, answers and documents in a browser, on this machine.

    It prints a link that signs you in once. Stop it with Ctrl-C. Without a foidex.toml, it serves
    the demonstration that foidex demo left in this folder.

    Example: foidex serve
    """
    try:
        import uvicorn  # noqa: F401 - it answers the requests

        from queries.workbench.access.people import Person
        from queries.workbench.app import build_workbench_app
        from queries.workbench.pages.requests.listing import remember_requests
        from queries.workbench.site import Workbench
    except ModuleNotFoundError as error:
        raise ConfigurationError(_INSTALL.format(error.name)) from None

    session = get_session()
    find_demonstration(session)
    settings = session.settings
    workbench_settings = settings.workbench
    proxy = _read_proxy(settings)
    address, port = workbench_settings.address, port or workbench_settings.port
    if proxy is None and not is_loopback(address):
        raise ConfigurationError(
            f"[workbench] address: {address} can be reached from other machines, and nobody there "
            "would have to sign in safely. Remove it, or set up [workbench.proxy]."
        )
    session.quiet = True
    session.keep_client()
    listener = _open_port(address, port)
    workbench = Workbench(session, proxy)
    hosts = [f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")]
    app = build_workbench_app(workbench, [*hosts, *workbench_settings.hosts])
    if proxy is None:
        person = Person(psutil.Process().username(), "administrator")
        workbench.print_link = partial(
            _print_link, workbench, person, f"http://{_host_of_link(address)}:{port}"
        )
        workbench.print_link()
    else:
        print(f"For the proxy: http://{_host_of_link(address)}:{port}", flush=True)
    Thread(target=remember_requests, args=(workbench,), daemon=True).start()
    print("Stop the workbench with Ctrl-C.", file=sys.stderr, flush=True)
    sys.stdout.flush()
    try:
        _answer_requests(app, listener)
    finally:  # what waits does not begin, publishing above all
        workbench.tasks.close()
        workbench.review_database.close()
        session.close()
        listener.close()


def _answer_requests(app: Starlette, listener: socket.socket) -> None:
    """Answer what comes to a port, until a signal ends it."""
    import uvicorn

    options = uvicorn.Config(
        app,
        http="h11",
        ws="none",  # no page of ours opens one
        access_log=False,  # addresses hold references of requests
        server_header=False,
        proxy_headers=False,
        log_level="warning",
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    with suppress(KeyboardInterrupt):
        uvicorn.Server(options).run([listener])


def _open_port(address: str, port: int) -> socket.socket:
    """The port that is served. Raises ConfigurationError before a link to it is given away, which
    could lead to another program there."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, port), family=family)
    except OSError as error:
        reason = (error.strerror or "").partition(" (while")[0]
        raise ConfigurationError(
            f"{_host_of_link(address)}:{port} cannot be served ({reason}). End what is "
            "served there, or choose another port with --port, or in [workbench] of foidex.toml."
        ) from None


def find_demonstration(session: Session) -> None:
    """Serve the demonstration that was made in this folder, if there is no foidex.toml of its own.

    Raises ConfigurationError for one that anybody could have put there.
    """
    settings = session.settings
    is_set = settings.file or settings.server.urls or "FOIDEX_INDEX" in os.environ
    if is_set or not DEMO_CONFIG_PATH.is_file():
        return
    try:
        # Its folder is found without being named, too, and the workbench writes there.
        with open_folder(DEMO_CONFIG_PATH.parent, writes=True):
            pass
        with open_named_input(DEMO_CONFIG_PATH) as file:
            refuse_planted(DEMO_CONFIG_PATH, file.fileno())
    except OSError as error:
        raise ConfigurationError(
            f"{DEMO_CONFIG_PATH}: is not used ({error.strerror}). Name a foidex.toml with --config."
        ) from None
    session.config = DEMO_CONFIG_PATH
    session.reset()
    print(f"There is no foidex.toml here, so this is the demonstration: {DEMO_CONFIG_PATH}.")


def _print_link(workbench: Workbench, person: Person, url: str) -> None:
    token = workbench.links.issue(person)
    print("Open this link in your browser. It signs you in once, within 15 minutes:\n")
    print(f"  {url}/sign-in?token={token}\n", flush=True)


def _host_of_link(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _read_proxy(settings: Settings) -> ProxySignIn | None:
    """The proxy of foidex.toml, if any. Raises ConfigurationError."""
    from indexer.config.model import expand_path
    from indexer.config.secrets import read_secret
    from queries.workbench.access.people import ProxySignIn

    proxy = settings.workbench.proxy
    if proxy is None:
        return None
    setting = "workbench.proxy.secret_file"
    path = settings.folder / Path(expand_path(proxy.secret_file, setting))
    secret = read_secret(path, setting, get_session().progress)
    if len(secret) < _MIN_SECRET_LENGTH:
        raise ConfigurationError(
            f"{path} ({setting}): the secret has {len(secret)} characters, and whoever guesses it "
            f"is anybody. Write one of at least {_MIN_SECRET_LENGTH}, for instance that of: "
            "openssl rand -hex 32"
        )
    if not proxy.people:
        raise ConfigurationError("[workbench.proxy] people: name at least one person and a role.")
    return ProxySignIn(proxy.user_header, proxy.secret_header, secret, proxy.people)

"""Runs the scripts of the distribution, and reads the end of their output or of the log."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from typing import IO, Final

import psutil

from indexer.errors import EmbeddedError
from indexer.files import open_private_file, read_file
from indexer.server.embedded.home import ServerHome
from indexer.server.embedded.leftovers import build_java_environment, remove_attach_sockets
from indexer.server.embedded.waiting import StartTimer, build_slow_advice

_LOG_TAIL_LINES: Final = 15

_LOG_LINE_LENGTH: Final = 300

# The scripts' own Java lives for seconds: the later stage of its compiler costs more than it gives.
_SCRIPT_JAVA_OPTIONS: Final = "-XX:TieredStopAtLevel=1"


def run_script(
    home: ServerHome, script: str, *arguments: str, java_options: str = "", stdin_text: str = ""
) -> tuple[int, str]:
    """Run a script of the distribution; returns its exit code and its output.

    Raises EmbeddedError where it cannot be run or takes too long; then it and all it started are
    killed.
    """
    with open(home.start_log, "w+b", opener=open_private_file) as output:
        child = _start_script(home, script, arguments, java_options, output)
        try:
            _await_script(home, child, script, stdin_text)
        except BaseException:
            _kill_script(child)
            raise
        output.seek(0)
        return child.returncode, output.read().decode(errors="replace")


def _await_script(
    home: ServerHome, child: subprocess.Popen[bytes], script: str, stdin_text: str
) -> None:
    """Wait for a script while it makes progress. Raises EmbeddedError."""
    if child.stdin:
        with suppress(BrokenPipeError), child.stdin:
            child.stdin.write(stdin_text.encode())
    timer = StartTimer(home)
    while child.poll() is None:
        if reason := timer.explain_giving_up(child.pid):
            raise EmbeddedError(
                f"{home.folder}: {script} {reason}, so it was stopped. {build_slow_advice(home)}\n"
                f"{read_log_tail(home)}"
            )
        time.sleep(0.05)


def _kill_script(child: subprocess.Popen[bytes]) -> None:
    """Kill a script and all that it started: it leads a session of its own."""
    started = [child.pid]
    with suppress(psutil.Error):
        started += [one.pid for one in psutil.Process(child.pid).children(recursive=True)]
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    remove_attach_sockets(started)


def _start_script(
    home: ServerHome,
    script: str,
    arguments: tuple[str, ...],
    java_options: str,
    output: IO[bytes],
) -> subprocess.Popen[bytes]:
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home.tmp),
        "ES_PATH_CONF": str(home.config),
        "ES_TMPDIR": str(home.tmp),
        "ES_JAVA_OPTS": java_options,
        "CLI_JAVA_OPTS": _SCRIPT_JAVA_OPTIONS,
        **build_java_environment(home),
        "LANG": "C.UTF-8",
    }
    user, group = home.find_account_ids() or (None, None)
    program = home.distribution / "bin" / script
    try:
        return subprocess.Popen(  # noqa: S603 - the distribution's own scripts
            [str(program), *arguments],
            cwd=home.logs,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=user,
            group=group,
            extra_groups=[] if user is not None else None,
        )
    except OSError as error:
        raise EmbeddedError(
            f"{program}: cannot be run ({error.strerror}). Choose a folder on a disk that "
            "lets programs run with FOIDEX_HOME."
        ) from None


def read_log_tail(home: ServerHome, output: str = "") -> str:
    """The last lines of a script's output, or without any of the server's log; no stack traces."""
    log = home.start_log
    if not output:
        log = home.server_log
        with suppress(OSError):  # not there yet, or no file of the server's
            output = read_file(log).decode(errors="replace")
    lines = [
        f"  {line[:_LOG_LINE_LENGTH]}"
        for line in output.splitlines()
        if line.strip() and not line.lstrip().startswith(("at ", "... "))
    ]
    return "\n".join([f"The last lines of {log}:", *(lines[-_LOG_TAIL_LINES:] or ["  (none)"])])

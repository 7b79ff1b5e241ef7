"""Runs the scripts of the distribution, and reads the end of their output or of the log."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from typing import IO, Final

from indexer.errors import EmbeddedError
from indexer.server.embedded.home import START_SECONDS, ServerHome

_LOG_TAIL_LINES: Final = 15

_LOG_LINE_LENGTH: Final = 300


def run_script(
    home: ServerHome, script: str, *arguments: str, java_options: str = "", stdin_text: str = ""
) -> tuple[int, str]:
    """Run a script of the distribution; returns its exit code and its output.

    Raises EmbeddedError where it cannot be run or takes too long; then it and all it started are
    killed.
    """
    with home.start_log.open("w+b") as output:
        child = _start_script(home, script, arguments, java_options, output)
        try:
            child.communicate(stdin_text.encode(), timeout=START_SECONDS)
        except BaseException as error:
            # The script leads a session of its own; what it started ends with it.
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                raise EmbeddedError(
                    f"{home.folder}: {script} did not end within {START_SECONDS} seconds, so it "
                    "was stopped. Give it more room or less load, then try again.\n"
                    f"{read_log_tail(home)}"
                ) from None
            raise
        output.seek(0)
        return child.returncode, output.read().decode(errors="replace")


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
        log = home.logs / "foidex.log"
        output = log.read_text(errors="replace") if log.exists() else ""
    lines = [
        f"  {line[:_LOG_LINE_LENGTH]}"
        for line in output.splitlines()
        if line.strip() and not line.lstrip().startswith(("at ", "... "))
    ]
    return "\n".join([f"The last lines of {log}:", *(lines[-_LOG_TAIL_LINES:] or ["  (none)"])])

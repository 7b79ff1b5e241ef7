"""Who else can read files that are for their owner only, by the modes of files and folders."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final, NamedTuple


class Readers(NamedTuple):
    """A group of users, or without a number everybody, as a message names them."""

    name: str
    group_id: int | None = None


EVERYBODY: Final = Readers("every user of this machine")


def list_shared_groups(folder: Path) -> list[Readers]:
    """The groups of a file, or of a folder and what is in it, but for those that only its owner is
    in."""
    try:
        group_ids = {folder.lstat().st_gid}
        for parent, _, names in os.walk(folder):
            paths = (Path(parent), *(Path(parent, name) for name in names))
            group_ids |= {path.lstat().st_gid for path in paths}
    except OSError:
        return []  # it is being changed
    return _list_groups(group_ids, folder)


def _list_groups(group_ids: set[int], folder: Path) -> list[Readers]:
    """Those of the groups that have more members than the owner of a folder."""
    try:
        import grp
        import pwd  # neither is on Windows
    except ImportError:
        return []
    try:
        owner = pwd.getpwuid(folder.stat().st_uid)
    except (OSError, KeyError):
        return []  # it is not there, or its owner has no name
    groups = []
    for group_id in sorted(group_ids):
        try:
            group = grp.getgrgid(group_id)
        except KeyError:
            continue  # nobody is in a group without a name
        is_own = group_id == owner.pw_gid and group.gr_name == owner.pw_name
        if not (is_own and {*group.gr_mem} <= {owner.pw_name}):
            groups.append(Readers(f"the group {group.gr_name}", group_id))
    return groups


def find_exposed_file(path: Path, readers: Readers) -> Path | None:
    """A file itself, or one in a folder, that they can read and reach; None where there is none."""
    if not path.is_dir():
        is_exposed = _can_enter(path.parent, readers) and _has_right(
            str(path.parent), path.name, stat.S_IROTH, readers
        )
        return path if is_exposed else None
    if not _can_enter(path, readers):
        return None
    for parent, subfolders, names in os.walk(path):
        open_names = (
            name for name in subfolders if _has_right(parent, name, stat.S_IXOTH, readers)
        )
        subfolders[:] = sorted(open_names)
        for name in sorted(names):
            if _has_right(parent, name, stat.S_IROTH, readers) and not name.endswith(".lock"):
                return Path(parent, name)
    return None


def _can_enter(folder: Path, readers: Readers) -> bool:
    """Whether they can reach what is in a folder; not where modes say nothing, as on Windows."""
    if not hasattr(os, "geteuid"):
        return False
    try:
        return all(_may(path.stat(), stat.S_IXOTH, readers) for path in (folder, *folder.parents))
    except OSError:
        return False  # it is not there, or this user may not look at it


def find_writers(folder: Path) -> Readers | None:
    """Who else may write to a folder itself, can reach it, and so replace what is in it."""
    if not hasattr(os, "geteuid"):
        return None
    for readers in (EVERYBODY, *_list_groups({folder.stat().st_gid}, folder)):
        if _may(folder.stat(), stat.S_IWOTH, readers) and all(
            _may(path.stat(), stat.S_IXOTH, readers) for path in (folder, *folder.parents)
        ):
            return readers
    return None


def _has_right(parent: str, name: str, right: int, readers: Readers) -> bool:
    try:
        return _may(Path(parent, name).lstat(), right, readers)
    except OSError:
        return False


def _may(status: os.stat_result, right: int, readers: Readers) -> bool:
    """Whether readers who do not own a file have a right of others (``S_IROTH``) to it."""
    is_by_group = readers.group_id is not None and status.st_gid == readers.group_id
    return bool(status.st_mode & (right << 3 if is_by_group else right))

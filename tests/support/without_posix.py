"""Runs foidex in a process that lacks what only POSIX systems have, as on Windows.

``hide_posix`` is called in a process of its own, and foidex is imported after it.
"""

from __future__ import annotations

import builtins
import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final

_PACKAGES: Final = ("indexer", "queries")

_MODULES: Final = frozenset(
    {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
)

# Not on Windows, by the documentation of os and signal (3.11).
_OS_NAMES: Final = (
    "chown", "confstr", "ctermid", "fchdir", "fchmod", "fchown", "fork", "forkpty", "getegid",
    "geteuid", "getgid", "getgroups", "getloadavg", "getpgid", "getpgrp", "getpriority",
    "getresuid", "getsid", "getuid", "initgroups", "killpg", "lchown", "lockf", "major", "makedev",
    "mkfifo", "mknod", "nice", "openpty", "pathconf", "pread", "pwrite", "readv", "register_at_fork",
    "sched_getaffinity", "sendfile", "seteuid", "setgid", "setgroups", "setpgid", "setpriority",
    "setsid", "setuid", "statvfs", "sync", "sysconf", "tcgetpgrp", "uname", "wait", "wait3", "wait4",
    "writev", "O_ASYNC", "O_CLOEXEC", "O_DIRECTORY", "O_DSYNC", "O_NOCTTY", "O_NOFOLLOW",
    "O_NONBLOCK", "O_PATH", "O_SYNC", "O_TMPFILE",
)  # fmt: skip

_SIGNAL_NAMES: Final = ("SIGKILL", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM", "alarm", "setitimer")

# They take handles of folders, which Windows does not have.
_PATH_FUNCTIONS: Final = (
    "access", "chmod", "link", "mkdir", "open", "readlink", "rename", "replace", "rmdir", "stat",
    "symlink", "unlink", "utime",
)  # fmt: skip

_HANDLES: Final = ("dir_fd", "src_dir_fd", "dst_dir_fd")


def hide_posix() -> None:
    """Hide it from the modules of foidex that are imported from now on.

    Other packages and the standard library keep it: they have other code for Windows.
    """
    for name in [*sys.modules]:
        if name.partition(".")[0] in _PACKAGES:
            del sys.modules[name]
    substitutes = {"os": _build_os(), "signal": _copy_module(signal, _SIGNAL_NAMES)}
    builtins.__import__ = _without_modules(builtins.__import__, substitutes)


def _copy_module(module: ModuleType, hidden_names: Iterable[str]) -> ModuleType:
    copy = ModuleType(module.__name__)
    for name in set(dir(module)) - set(hidden_names):
        setattr(copy, name, getattr(module, name))
    return copy


def _build_os() -> ModuleType:
    copy: Any = _copy_module(os, _OS_NAMES)
    copy.supports_dir_fd = set()
    for name in _PATH_FUNCTIONS:
        setattr(copy, name, _without_handles(getattr(os, name)))
    copy.open = _without_folders(copy.open)
    assert isinstance(copy, ModuleType)
    return copy


def _without_handles(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        for name in _HANDLES:
            if options.pop(name, None) is not None:
                raise NotImplementedError(f"{name} unavailable on this platform")
        return function(*arguments, **options)

    return call


def _without_folders(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(path: Any, *arguments: Any, **options: Any) -> Any:
        if not isinstance(path, int) and Path(path).is_dir():
            raise PermissionError(13, "Permission denied", str(path))
        return function(path, *arguments, **options)

    return call


def _without_modules(
    function: Callable[..., Any], substitutes: Mapping[str, ModuleType]
) -> Callable[..., Any]:
    def load(name: str, globals: Any = None, *arguments: Any, **options: Any) -> Any:  # noqa: A002
        importer = str((globals or {}).get("__name__", ""))
        if importer.partition(".")[0] in _PACKAGES:
            if name in _MODULES:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            if name in substitutes:
                return substitutes[name]
        return function(name, globals, *arguments, **options)

    return load

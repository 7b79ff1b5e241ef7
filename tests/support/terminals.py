"""The program at a terminal of its own, as a person uses it."""

from __future__ import annotations

import os
import pty
import select
import termios
import time
from contextlib import suppress

from tests.support.command_line import PROGRAM, CommandLine


class Terminal:
    """The program at a terminal of its own."""

    def __init__(self, site: CommandLine, *arguments: str) -> None:
        self.screen = ""
        self.process, self.handle = pty.fork()
        if not self.process:
            os.chdir(site.folder)
            environment = {**site.environment, "SUDO_USER": "ann", "TERM": "xterm"}
            os.execve(PROGRAM, [PROGRAM, *arguments], environment)

    def wait_for(self, text: str, seconds: float = 60) -> str:
        """What is shown up to a text, since the last time."""
        end = time.monotonic() + seconds
        while text not in self.screen:
            assert time.monotonic() < end, self.screen
            if select.select([self.handle], [], [], 1)[0]:
                try:
                    self.screen += os.read(self.handle, 65536).decode()
                except OSError:
                    assert text in self.screen, self.screen
        shown, _, self.screen = self.screen.partition(text)
        return shown + text

    def press(self, key: str) -> None:
        """Press a key when one is waited for: what is typed before is thrown away."""
        end = time.monotonic() + 60
        while termios.tcgetattr(self.handle)[3] & termios.ICANON:
            assert time.monotonic() < end, "no key is waited for"
            time.sleep(0.01)
        os.write(self.handle, key.encode())

    def end(self) -> int:
        with suppress(OSError):
            while os.read(self.handle, 65536):
                pass
        os.close(self.handle)
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])

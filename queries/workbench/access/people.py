"""Who may use the workbench, and as what: a link that works once, or a proxy that signs people in.

Nothing here knows pages. A session holds who someone is, and nothing else.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct
from starlette.datastructures import Headers

from indexer.config.model import WorkbenchRole
from queries.workbench.access.protection import find_single

#: The cookie of a session. It holds a random name of the session, and nothing of the person.
SESSION_COOKIE: Final = "foidex_session"

_MAX_SESSIONS: Final = 1_000

_TOKEN_BYTES: Final = 32

_ROLES: Final[tuple[WorkbenchRole, ...]] = ("reader", "reviewer", "publisher", "administrator")


class Person(Struct, frozen=True):
    """Someone who is signed in. A role includes what those before it may do."""

    name: str
    role: WorkbenchRole

    def may(self, role: WorkbenchRole) -> bool:
        """Whether this person may do what the role is for."""
        return _ROLES.index(self.role) >= _ROLES.index(role)


class SignInLinks:
    """Tokens of links that sign one person in, once, for a limited time. Safe for threads."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._people: dict[str, tuple[Person, float]] = {}

    def issue(self, person: Person) -> str:
        """A new token for a person."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        with self._lock:
            self._people[token] = (person, self._clock() + self._seconds)
        return token

    def redeem(self, token: str) -> Person | None:
        """The person of a token, which is used up by it. None for an unknown, used or old one."""
        with self._lock:
            for issued, (person, ends) in list(self._people.items()):
                if hmac.compare_digest(issued.encode(), token.encode("utf-8", "replace")):
                    del self._people[issued]
                    return person if self._clock() <= ends else None
        return None


class FormTokens:
    """Values that a form bears, each good for one sending. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: dict[str, bool] = {}

    def issue(self) -> str:
        """A new value. The oldest is forgotten where there are too many."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        with self._lock:
            while len(self._tokens) >= _MAX_SESSIONS:
                del self._tokens[next(iter(self._tokens))]
            self._tokens[token] = True
        return token

    def redeem(self, token: str) -> bool:
        """Whether a value is good, which it is not any more afterwards."""
        with self._lock:
            is_good = self._tokens.get(token, False)
            if is_good:
                self._tokens[token] = False
            return is_good

    def was_used(self, token: str) -> bool:
        """Whether a value was good before, as when a form is sent twice."""
        with self._lock:
            return self._tokens.get(token) is False


class Sessions:
    """The sessions of this process, by random names. They end by themselves. Safe for threads."""

    def __init__(self, idle_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: dict[str, tuple[Person, float]] = {}
        self._ended: dict[str, None] = {}

    def start(self, person: Person) -> str:
        """The name of a new session. Where there are too many, the one unused longest ends."""
        name = secrets.token_urlsafe(_TOKEN_BYTES)
        with self._lock:
            while len(self._sessions) >= _MAX_SESSIONS:
                del self._sessions[min(self._sessions, key=lambda old: self._sessions[old][1])]
            self._sessions[name] = (person, self._clock())
        return name

    def find(self, name: str) -> Person | None:
        """The person of a session, which begins to count its idle time again."""
        with self._lock:
            person, used = self._sessions.get(name, (None, 0.0))
            if person is None:
                return None
            if self._clock() - used > self._idle_seconds:
                del self._sessions[name]
                self._ended[name] = None
                while len(self._ended) > _MAX_SESSIONS:
                    del self._ended[next(iter(self._ended))]
                return None
            self._sessions[name] = (person, self._clock())
            return person

    def has_ended(self, name: str) -> bool:
        """Whether a session ended by itself, so that who sends its name may have typed for long."""
        with self._lock:
            return name in self._ended

    def end(self, name: str) -> None:
        """End a session. A copy of its cookie is worth nothing afterwards."""
        with self._lock:
            self._sessions.pop(name, None)


class Visits:
    """Who was here lately, where a proxy signs people in and no session says so."""

    def __init__(self, idle_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._times: dict[str, float] = {}

    def begin(self, name: str) -> bool:
        """Whether someone comes again after the idle time, or for the first time."""
        now = self._clock()
        with self._lock:
            before = self._times.get(name)
            self._times[name] = now
        return before is None or now - before > self._idle_seconds


class ProxySignIn(Struct, frozen=True):
    """Trusts the user name in a header, if another header has the proxy's secret.

    ``people`` has the role of each name; whoever is not in it may do nothing.
    """

    user_header: str
    secret_header: str
    secret: str
    people: Mapping[str, WorkbenchRole]

    def find(self, headers: Headers) -> Person | None:
        """The person that a request names, None unless the secret is right and the name listed.

        Each header must be there once: of two, a browser may have sent the one.
        """
        name = _read_name(find_single(headers, self.user_header) or "")
        if not (self.knows_secret(headers) and name and name in self.people):
            return None
        return Person(name, self.people[name])

    def knows_secret(self, headers: Headers) -> bool:
        """Whether a request has the secret, once."""
        # The bytes as they were sent, each of which is a character of a header.
        secret = (find_single(headers, self.secret_header) or "").encode("latin-1", "replace")
        return hmac.compare_digest(secret, self.secret.encode())


def _read_name(text: str) -> str:
    """A name in a header, whose bytes are characters of Latin-1 by the standard; most proxies send
    UTF-8."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text

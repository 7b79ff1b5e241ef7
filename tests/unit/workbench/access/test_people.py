"""Who is signed in: links that work once, sessions that end, and a proxy that proves itself."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from queries.workbench.access.people import Person, ProxySignIn, Sessions, SignInLinks

ANNA = Person("anna", "publisher")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("reader", ["reader"]),
        ("reviewer", ["reader", "reviewer"]),
        ("publisher", ["reader", "reviewer", "publisher"]),
        ("administrator", ["reader", "reviewer", "publisher", "administrator"]),
    ],
)
def test_a_role_includes_those_before_it(role: str, allowed: list[str]) -> None:
    person = Person("anna", role)  # type: ignore[arg-type]
    every = ("reader", "reviewer", "publisher", "administrator")
    assert [one for one in every if person.may(one)] == allowed  # type: ignore[arg-type]


def test_a_link_signs_in_once() -> None:
    links = SignInLinks(60)
    token = links.issue(ANNA)
    assert links.redeem(token) == ANNA
    assert links.redeem(token) is None


@pytest.mark.parametrize("token", ["", "x", "\udcff", "é" * 50])
def test_an_unknown_link_signs_nobody_in(token: str) -> None:
    links = SignInLinks(60)
    good = links.issue(ANNA)
    assert links.redeem(token) is None
    assert links.redeem(good) == ANNA


def test_an_old_link_signs_nobody_in() -> None:
    clock = Clock()
    links = SignInLinks(60, clock)
    token = links.issue(ANNA)
    clock.now = 61
    assert links.redeem(token) is None


def test_a_session_ends_when_it_is_not_used() -> None:
    clock = Clock()
    sessions = Sessions(60, clock)
    name = sessions.start(ANNA)
    clock.now = 59
    assert sessions.find(name) == ANNA
    clock.now = 118
    assert sessions.find(name) == ANNA
    clock.now = 179
    assert sessions.find(name) is None
    clock.now = 118
    assert sessions.find(name) is None


def test_a_session_that_was_ended_is_not_found_by_a_copy_of_its_cookie() -> None:
    sessions = Sessions(60)
    name, other = sessions.start(ANNA), sessions.start(ANNA)
    sessions.end(name)
    assert sessions.find(name) is None
    assert sessions.find(other) == ANNA


def make_headers(headers: dict[str, str], *more: tuple[str, str]) -> Headers:
    pairs = [*headers.items(), *more]
    return Headers(
        raw=[(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in pairs]
    )


PROXY = ProxySignIn("X-User", "X-Secret", "s3cret", {"anna": "publisher", "": "administrator"})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-User": "anna"},
        {"X-User": "anna", "X-Secret": ""},
        {"X-User": "anna", "X-Secret": "s3cre"},
        {"X-User": "ben", "X-Secret": "s3cret"},
        {"X-User": "ANNA", "X-Secret": "s3cret"},
        {"X-User": "anna", "X-Secret": "\udcff"},
    ],
)
def test_a_proxy_without_its_secret_or_a_stranger_is_nobody(headers: dict[str, str]) -> None:
    assert PROXY.find(make_headers(headers)) is None


def test_a_proxy_with_its_secret_names_a_person_with_their_role() -> None:
    assert PROXY.find(make_headers({"X-User": "anna", "X-Secret": "s3cret"})) == ANNA


@pytest.mark.parametrize("twice", [("X-User", "anna"), ("X-User", "x"), ("x-secret", "s3cret")])
def test_a_header_that_is_there_twice_names_nobody(twice: tuple[str, str]) -> None:
    headers = {"X-User": "anna", "X-Secret": "s3cret"}
    assert PROXY.find(make_headers(headers)) == ANNA
    assert PROXY.find(make_headers(headers, twice)) is None


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_name_with_an_accent_is_known_as_the_proxy_sends_it(encoding: str) -> None:
    proxy = ProxySignIn("X-User", "X-Secret", "s3cr\u00e9t", {"zo\u00eb": "reader"})
    headers = Headers(
        raw=[(b"x-user", "zo\u00eb".encode(encoding)), (b"x-secret", "s3cr\u00e9t".encode())]
    )
    assert proxy.find(headers) == Person("zo\u00eb", "reader")


def test_only_a_session_that_ended_by_itself_is_remembered_as_ended() -> None:
    clock = Clock()
    sessions = Sessions(60, clock)
    name, other = sessions.start(ANNA), sessions.start(ANNA)
    assert not sessions.has_ended(name)
    sessions.end(other)
    clock.now = 61
    assert sessions.find(name) is None
    assert sessions.has_ended(name)
    assert not sessions.has_ended(other)
    assert not sessions.has_ended("chosen")

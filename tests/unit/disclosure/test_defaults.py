"""Publishing is safe without configuration, and refuses what a letter must not lack."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from indexer.config.model import DisclosureSettings
from indexer.errors import DisclosureError
from indexer.session import Session
from queries.answer.types import Disclosure, RuleOverride
from queries.answering.publishing import build_publisher
from queries.disclosure.attack.attacker import Attacker
from queries.disclosure.attack.constraints import build_system
from queries.disclosure.policy import DisclosureSpec, Policy, require_reason, resolve_policy
from queries.disclosure.publisher import Publisher
from queries.layout.prose import describe_overrides, explain_withheld
from tests.support.tables import answer_by_code

MakePublisher = Callable[[str], Publisher]

FORCE = """\
[force]
name = "Example Constabulary"
address = ["1 Example Street"]
contact = "foi@example.org"
signatory = "Information Rights Officer"
"""

EXEMPTION = 'exemption = "Section 40(2) applies."\n'

FILE_LEDGER = '[disclosure]\nledger = "releases.jsonl"\n'


@pytest.fixture
def publisher_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Publisher]:
    """Makes the publisher of a foidex.toml."""
    monkeypatch.setenv("FOIDEX_HOME", str(tmp_path / "home"))

    def make(text: str) -> Publisher:
        session = Session()
        session.config = tmp_path / "foidex.toml"
        session.config.write_text(text)
        return build_publisher(session)

    return make


def test_numbers_below_five_are_withheld_without_configuration() -> None:
    assert resolve_policy(DisclosureSettings(), DisclosureSpec()) == Policy(5)
    assert DisclosureSettings().weaker_rules == {}
    assert DisclosureSettings().ledger is True


def test_rounding_replaces_the_default_threshold() -> None:
    assert resolve_policy(DisclosureSettings(rounding=10), DisclosureSpec()) == Policy(rounding=10)
    assert DisclosureSettings(rounding=5).weaker_rules == {}


@pytest.mark.parametrize(
    ("settings", "key", "rule"),
    [
        (
            DisclosureSettings(threshold=3),
            "threshold",
            "numbers from 3 to 4 are given, where usually they are withheld",
        ),
        (
            DisclosureSettings(threshold=0),
            "threshold",
            "numbers below 5 are given, where usually they are withheld",
        ),
        (
            DisclosureSettings(rounding=3),
            "rounding",
            "numbers are rounded to 3, where usually they are rounded to 5",
        ),
        (
            DisclosureSettings(youngest="give"),
            "youngest",
            "the youngest age is given, where usually it is withheld",
        ),
        (DisclosureSettings(ledger=False), "ledger", "no ledger of releases"),
    ],
)
def test_what_is_weaker_than_the_default_needs_a_reason_which_the_answer_carries(
    settings: DisclosureSettings, key: str, rule: str
) -> None:
    with pytest.raises(DisclosureError) as refusal:
        require_reason(settings, Path("foidex.toml"))
    assert rule in str(refusal.value)
    assert f"Remove {key}," in str(refusal.value)
    assert "[disclosure]\nreason = " in str(refusal.value)
    with_reason = msgspec.structs.replace(settings, reason="agreed by the board")
    require_reason(with_reason, None)
    policy = resolve_policy(with_reason, DisclosureSpec())
    assert policy.overrides == (RuleOverride(rule, "agreed by the board"),)


def test_a_request_that_is_as_strict_as_the_default_carries_no_reason_of_the_force() -> None:
    force = DisclosureSettings(threshold=3, reason="agreed")
    assert resolve_policy(force, DisclosureSpec(threshold=5)).overrides == ()


def test_a_request_below_the_default_needs_a_reason_of_its_own() -> None:
    with pytest.raises(
        DisclosureError, match="numbers from 3 to 4 are given, where usually they are withheld"
    ):
        resolve_policy(DisclosureSettings(), DisclosureSpec(threshold=3))


def test_the_letter_states_each_reason_once_with_the_rules_it_explains() -> None:
    overrides = (
        RuleOverride("numbers from 3 to 4 are given, where usually they are withheld", "agreed."),
        RuleOverride("the youngest age is given, where usually it is withheld", "agreed."),
        RuleOverride(
            "together with earlier answers, 1 number can be worked out that is usually withheld",
            "told in court",
        ),
    )
    assert describe_overrides(Disclosure(3, 0, "give", 0, overrides)) == [
        "Small numbers could identify a person, so we usually withhold or round them. We made an "
        "exception (numbers from 3 to 4 are given, where usually they are withheld; the youngest age is given, where usually it is withheld) for this "
        "reason: agreed.",
        "Small numbers could identify a person, so we usually withhold or round them. We made an "
        "exception (together with earlier answers, 1 number can be worked out that is usually "
        "withheld) for this reason: told in court.",
    ]


def test_nothing_is_published_while_details_of_the_force_are_missing(
    publisher_of: MakePublisher,
) -> None:
    with pytest.raises(DisclosureError) as refusal:
        publisher_of('[force]\nname = "Example Constabulary"\n')
    message = str(refusal.value)
    assert "[force] lacks address, contact and signatory" in message
    assert "Paste this below its line [force]" in message
    pasted = message.partition("\n\n")[2].rpartition("\n\n")[0]
    complete = f'[force]\nname = "Example Constabulary"\n{pasted}\n'
    assert publisher_of(complete).force.exemption


def test_the_details_of_a_force_to_paste_are_a_section_where_there_is_none(
    publisher_of: MakePublisher,
) -> None:
    with pytest.raises(DisclosureError) as refusal:
        publisher_of("")
    pasted = str(refusal.value).partition("\n\n")[2].rpartition("\n\n")[0]
    assert publisher_of(pasted).force.exemption


def test_a_withheld_number_needs_an_exemption(publisher_of: MakePublisher, tmp_path: Path) -> None:
    publisher = publisher_of(FORCE + FILE_LEDGER)
    with pytest.raises(DisclosureError) as refusal:
        publisher.publish(answer_by_code(46, 4, 3), Policy(5))
    assert "exemption" in str(refusal.value)
    assert "below its line [force], with the section that applies:\n\nexemption = " in str(
        refusal.value
    )
    assert not (tmp_path / "releases.jsonl").exists()
    named = publisher_of(FORCE + EXEMPTION + FILE_LEDGER)
    assert named.publish(answer_by_code(46, 4, 3), Policy(5)).answer.disclosure


def test_a_release_without_a_withheld_number_needs_no_exemption(
    publisher_of: MakePublisher,
) -> None:
    publisher = publisher_of(FORCE + FILE_LEDGER)
    assert publisher.publish(answer_by_code(46, 14, 13), Policy(5)).answer.disclosure


def test_the_mark_is_explained_to_a_member_of_the_public() -> None:
    disclosure = Disclosure(5, 0, "withhold", 3)
    assert explain_withheld(disclosure, any_withheld=True) == (
        "[c] means that we are not giving this number. It is less than 5, or someone could use it "
        "to work out a number that is. Numbers this small could identify a person."
    )


def test_an_answer_without_any_number_contradicts_nothing() -> None:
    """As where the records cover none of the days asked about."""
    assert Attacker(build_system([], []), {}).minimise(()).value == 0

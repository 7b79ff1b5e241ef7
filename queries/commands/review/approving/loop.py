"""One text after the other: shown masked, decided, on the disk, and only then the next."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from indexer.errors import ReviewError
from indexer.session import get_session
from indexer.terminal import count_noun, escape_line
from queries.answering.audit_fields import request_fields
from queries.answering.texts.release_texts import ReleaseTexts
from queries.commands.review.screen import BACK_KEY, QUIT_KEY, Screen
from queries.evidence.masking import Span, find_words
from queries.request.reader import Request
from queries.reviewing.approvals import (
    Approval,
    ApprovalKey,
    ApprovalState,
    ReleaseText,
    choose_holding,
    describe_decision,
)
from queries.reviewing.store.approval_store import ApprovalLostError, ApprovalStore

_APPROVE_KEY: Final = "a"

_REFUSE_KEY: Final = "r"

_HIDE_KEY: Final = "h"

_KEY_WORDS: Final = {
    _APPROVE_KEY: "approve",
    _REFUSE_KEY: "refuse",
    _HIDE_KEY: "hide more words",
    BACK_KEY: "back",
    QUIT_KEY: "quit",
}

_MAX_WORDS_LENGTH: Final = 200


class ApprovalOptions(Struct, frozen=True):
    """Who decides, of which list, and whether texts that are decided are read again."""

    reviewer: str
    key: ApprovalKey
    include_decided: bool


class ApprovalLoop:
    """Gives a person one text after the other, until none is left or they quit."""

    def __init__(
        self,
        store: ApprovalStore,
        request: Request,
        release: ReleaseTexts,
        screen: Screen,
        options: ApprovalOptions,
    ) -> None:
        self._store = store
        self._request = request
        self._release = release
        self._screen = screen
        self._options = options
        self._texts = {text.reference: text for text in release.texts}
        self._seen: set[str] = set()  # what was shown since the command began
        self._history = self._list_own_decisions()

    def run(self) -> bool:
        """Read until the end; whether it was reached. Raises ReviewError and OutputError."""
        reference = self._find_next()
        while True:
            if reference is None:
                if not self._history:
                    return True
                self._screen.say("\nThat was the last text.")
                if self._screen.read_key([BACK_KEY, QUIT_KEY]) == QUIT_KEY:
                    return True
                reference = self._history.pop()
            key = self._read_text(self._texts[reference])
            if key == QUIT_KEY:
                return False
            if key == BACK_KEY:
                if not self._history:
                    self._screen.say("Cannot go back: there is no decision of yours before this.")
                else:
                    self._seen.discard(reference)
                    reference = self._history.pop()
                continue
            reference = self._find_next()

    def read_state(self) -> ApprovalState:
        """The decisions that hold now. Raises ReviewError."""
        return choose_holding(self._release.texts, self._store.read_last(self._options.key))

    def _list_own_decisions(self) -> list[str]:
        """The texts that the person decided on before, the oldest decision first."""
        decisions = [
            decision
            for decision in self.read_state().decisions.values()
            if decision.approved_by == self._options.reviewer
        ]
        return [
            decision.reference
            for decision in sorted(decisions, key=lambda decision: decision.number)
        ]

    def _find_next(self) -> str | None:
        state = self.read_state()
        for reference in self._texts:
            is_open = reference not in state.decisions
            if (is_open or self._options.include_decided) and reference not in self._seen:
                return reference
        return None

    def _read_text(self, text: ReleaseText) -> str:
        """Have a text decided, and return the key that did it, or QUIT_KEY or BACK_KEY."""
        self._seen.add(text.reference)
        self._log_opening(text)
        last = self._store.read_last(self._options.key).get(text.reference)
        decided = last if last is not None and text.is_decided_by(last) else None
        hidden: tuple[Span, ...] = decided.hidden if decided else ()
        notes = [*filter(None, [describe_decision(last, decided, self._options.reviewer)])]
        while True:
            self._show(text, hidden, notes)
            key = self._screen.read_key([*_KEY_WORDS], _KEY_WORDS)
            if key == _HIDE_KEY:
                hidden, notes = self._hide_words(text, hidden)
                continue
            if key in (_APPROVE_KEY, _REFUSE_KEY):
                self._decide(text, hidden if key == _APPROVE_KEY else (), key, last)
            return key

    def _decide(
        self, text: ReleaseText, hidden: tuple[Span, ...], key: str, last: Approval | None
    ) -> None:
        decision = Approval(
            text.reference,
            text.content_hash,
            text.hash_shown(hidden),
            hidden,
            key == _APPROVE_KEY,
            self._options.reviewer,
            "",
        )
        try:
            self._store.decide(self._options.key, text, last, decision)
        except ApprovalLostError as error:
            self._screen.say(f"Not stored: {error}")
            return
        if text.reference in self._history:
            self._history.remove(text.reference)
        self._history.append(text.reference)

    def _hide_words(
        self, text: ReleaseText, hidden: tuple[Span, ...]
    ) -> tuple[tuple[Span, ...], list[str]]:
        """What is hidden after the person has typed words, and a note about it."""
        words = self._screen.read_line(
            "Words to hide wherever they stand in this text; a blank line shows again what you hid."
        )[:_MAX_WORDS_LENGTH]
        if not words:
            return (), ["Only what the mask hides is hidden."]
        spans = find_words(text.text, words)
        if not spans:
            return hidden, ["Those words are not in the text. Type them as they stand there."]
        places = count_noun(len(spans), "place", "places")
        return tuple(sorted({*hidden, *spans})), [f"Hidden in {places}."]

    # -- what is shown -----------------------------------------------------------------------------

    def _show(self, text: ReleaseText, hidden: tuple[Span, ...], notes: list[str]) -> None:
        state = self.read_state()
        key = self._options.key
        heading = (
            f"Texts of {key.question}, {key.request_reference}: "
            f"{state.approved + state.refused:,} of {len(state.texts):,} decided."
        )
        title = f"{text.reference}  {text.recorded_on.isoformat()}  {text.offence_code}"
        pairs = zip(text.headings, text.values, strict=True)
        self._screen.show_heading(
            heading,
            title,
            ["The list shows: " + "; ".join(f"{name}: {value}" for name, value in pairs)],
        )
        self._screen.say("")
        self._screen.say(escape_line(f"  {text.mask(hidden)}"))
        for note in notes:
            self._screen.say(f"\n{note}")

    def _log_opening(self, text: ReleaseText) -> None:
        """A line of the audit log, before the text is shown."""
        with get_session().run("review approve") as run:
            run.add_fields(**request_fields(self._request))
            run.add_opened_reference(text.reference, question=self._options.key.question)
            run.write(generation=self._release.generation, records=1)


def describe_state(key: ApprovalKey, state: ApprovalState) -> str:
    """How far the texts of a list are, in a sentence. Raises ReviewError if there is none."""
    if not state.texts:
        raise ReviewError(
            f"{key.question}: no line has enough records for its texts to be given. List fewer or "
            "coarser fields."
        )
    return (
        f"{key.question}: {len(state.texts):,} texts, {state.approved:,} approved, "
        f"{state.refused:,} refused, {state.open:,} open."
    )

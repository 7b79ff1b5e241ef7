"""The pages from a letter to a request: send the file, confirm what is not certain, save."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from starlette.responses import Response

from indexer.errors import FoidexError, LetterError
from indexer.files import write_file
from indexer.records.offences.lookup import describe_offence
from queries.drafting.draft import Choice, Confirmation
from queries.drafting.limited_draft import draft_within_limits
from queries.drafting.readers import read_letter
from queries.drafting.request_mapping import NO_REFERENCE, apply_choice
from queries.drafting.request_text import write_request_text
from queries.spec.yaml_text import parse_yaml
from queries.workbench.error_text import describe_error
from queries.workbench.files.drafts import OpenDraft
from queries.workbench.files.letter_folder import hold_letter_folder
from queries.workbench.forms.edit_form import EditForm, show_request
from queries.workbench.forms.question_fields import describe_question
from queries.workbench.forms.request_form import name_request_file
from queries.workbench.saving import DraftedFrom, create_file
from queries.workbench.visit import Visit, redirect

_LEFT_OPEN = "open"

#: What the draft asks of every record, by the field of its form.
_SCOPE: Final = {"periods": "Period", "mentions": "Words", "where": "Other conditions"}

#: An ending of the name that a browser sends, which can be anything.
_ENDING: Final = re.compile(r"\.[a-z0-9]{1,9}")

#: How long a letter waits while others are read.
MAX_WAIT_SECONDS = 60


class ShownConfirmation(Struct, frozen=True):
    """Something to confirm: the name of its field, and the place in the letter in words."""

    name: str
    place: str
    entry: Confirmation


def show_letter_form(visit: Visit) -> Response:
    """The form that takes a letter, and the drafts that this person has not saved yet."""
    return _show_form(visit, "")


def draft_from_letter(visit: Visit) -> Response:
    """Read a letter and draft a request from it. The file is not kept."""
    upload = visit.upload
    if upload is None or not upload.content:
        return _show_form(visit, "Choose the file of a letter")
    slots = visit.workbench.letter_slots
    if not slots.acquire(timeout=MAX_WAIT_SECONDS):
        return _show_form(visit, "Other letters are being read now. Send it again in a minute")
    try:
        draft = _read_draft(visit, upload.name, upload.content)
    except LetterError as error:
        return _show_form(visit, describe_error(error))
    finally:
        slots.release()
    return redirect(f"/letters/{visit.workbench.drafts.add(draft)}")


def show_confirmations(visit: Visit) -> Response:
    """What is not certain, sentence by sentence, and what became of the letter's parts."""
    draft = visit.workbench.drafts.find(visit.parameters["draft"], visit.person.name)
    if draft is None:
        return _say_gone(visit)
    return _show_draft(visit, draft, {}, "")


def save_confirmed(visit: Visit) -> Response:
    """Work the choices into the request, and save it. What is left open stays to be confirmed."""
    name = visit.parameters["draft"]
    draft = visit.workbench.drafts.find(name, visit.person.name)
    if draft is None:
        return _say_gone(visit)
    mapping = _apply_choices(draft, visit.form)
    if reference := visit.form.get("reference", "").strip():
        mapping = {**mapping, "reference": reference}
    try:
        mapping = _set_received(mapping, visit.form.get("received", "").strip())
    except ValueError:
        problem = "Received on: enter a day, such as 2026-11-02"
        return _show_draft(visit, draft, visit.form, problem)
    file_name = name_request_file(str(mapping["reference"]))
    drafted = DraftedFrom(draft.digest, len(mapping.get("confirm", ())))
    try:
        text = write_request_text(mapping, draft.digest)
        create_file(visit, file_name, text, str(mapping["reference"]), drafted)
    except FoidexError as error:
        return _show_draft(visit, draft, visit.form, describe_error(error))
    visit.workbench.drafts.remove(name)
    return redirect(f"/requests/{file_name}")


def _show_form(visit: Visit, problem: str) -> Response:
    return visit.render(
        "new_letter.html",
        422 if problem else 200,
        problem=problem,
        drafts=visit.workbench.drafts.list_for(visit.person.name),
        days=visit.session.settings.workbench.draft_days,
    )


def _read_draft(visit: Visit, name: str, content: bytes) -> OpenDraft:
    # The reader takes a file, which it opens in a process of its own with limits.
    ending = Path(name).suffix.lower()
    ending = ending if _ENDING.fullmatch(ending) else ""
    with (
        hold_letter_folder(visit.session.settings.home) as folder,
        visit.session.run("draft") as run,
    ):
        path = folder / f"letter{ending}"
        write_file(path, content, private=True)
        try:
            letter = read_letter(path)
        except (
            LetterError
        ) as error:  # with the name of the upload, not of where it was for a moment
            shown_name = f"The file ({ending})" if ending else "The file"
            raise LetterError(str(error).replace(str(path), shown_name)) from None
        drafted = draft_within_limits(letter)
        run.write(reference=drafted.mapping["reference"], arguments={"letter": letter.sha256})
    return OpenDraft(
        drafted,
        letter.sha256,
        visit.person.name,
        datetime.now(UTC),
        tuple(letter.unread_attachments),
    )


def _show_draft(visit: Visit, draft: OpenDraft, chosen: Any, problem: str) -> Response:
    shown = [
        ShownConfirmation(
            f"confirm-{number}",
            f"Part {entry.part}" if entry.part else "The whole request",
            entry,
        )
        for number, entry in enumerate(draft.drafted.draft.confirmations)
        if not _asks_reference(entry)
    ]
    outline = _outline_draft(draft)
    return visit.render(
        "confirm_draft.html",
        422 if problem else 200,
        scope=[(name, outline.values.get(key, "").split("\n")) for key, name in _SCOPE.items()],
        offences=[*_list_offences(draft.drafted.mapping)],
        questions={question.id: describe_question(question) for question in outline.questions},
        received=chosen.get("received", outline.values["received"]),
        confirmations=shown,
        mapping=draft.drafted.mapping,
        parts=draft.drafted.draft.parts,
        unread=draft.unread,
        chosen=chosen,
        problem=problem,
        reference=chosen.get("reference", draft.drafted.mapping["reference"]),
        no_reference=NO_REFERENCE,
        asks_reference=any(map(_asks_reference, draft.drafted.draft.confirmations)),
    )


def _outline_draft(draft: OpenDraft) -> EditForm:
    """The draft as the form of a request would show it."""
    text = write_request_text(draft.drafted.mapping, draft.digest)
    return show_request(parse_yaml(text, "draft").value)


def _list_offences(mapping: Mapping[str, Any]) -> Iterator[str]:
    """The offences of a draft, by code and title."""
    for row in mapping.get("offences", ()):
        for code in row["codes"]:
            title = describe_offence(str(code)).title
            yield f"{code}: {title}" if title else str(code)


def _apply_choices(draft: OpenDraft, form: Any) -> dict[str, Any]:
    mapping = draft.drafted.mapping
    written = mapping.get("confirm", [])
    reference = form.get("reference", "").strip()
    open_entries = []
    for number, entry in enumerate(draft.drafted.draft.confirmations):
        if _asks_reference(entry):
            if reference in ("", NO_REFERENCE):
                open_entries.append(written[number])
            else:
                mapping = {**mapping, "reference": reference}
            continue
        choice = _find_choice(entry, form.get(f"confirm-{number}", _LEFT_OPEN))
        if choice is not None and not choice.stays_open:
            mapping = apply_choice(mapping, choice)
        else:
            open_entries.append(written[number])
    rest = {key: value for key, value in mapping.items() if key != "confirm"}
    return rest | ({"confirm": open_entries} if open_entries else {})


def _set_received(mapping: dict[str, Any], day: str) -> dict[str, Any]:
    """The draft with the day on which the letter came. Raises ValueError."""
    if not day:
        return mapping
    letter = {**mapping.get("letter", {}), "received": date.fromisoformat(day).isoformat()}
    return {**mapping, "letter": letter}


def _find_choice(entry: Confirmation, value: str) -> Choice | None:
    """The choice of a radio button, None if the decision is left open."""
    numbers = {str(number): choice for number, choice in enumerate(entry.choices)}
    return numbers.get(value)


def _asks_reference(entry: Confirmation) -> bool:
    """Whether it is what the field of the reference asks, too."""
    return "reference" in entry.default.changes


def _say_gone(visit: Visit) -> Response:
    return visit.render(
        "message.html",
        404,
        heading="This draft is not open any more",
        message="It was saved, it is too old, or the workbench was started again. If there is no "
        "request of it yet, send the letter again.",
    )

"""The page of publishing: what would go out, what was released before, and the release."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final
from urllib.parse import quote

from msgspec import Struct
from starlette.responses import Response

from indexer.errors import (
    DisclosureError,
    FoidexError,
    RequestError,
    ReviewError,
    UnconfirmedError,
)
from indexer.session import Session
from queries.answering.publishing import list_releases
from queries.disclosure.differencing import LedgerEntry
from queries.documents.content.context import make_document_settings
from queries.workbench.error_text import describe_error
from queries.workbench.files.answer_sets import AnswerSet, find_answer_set
from queries.workbench.files.request_files import RequestFile
from queries.workbench.pages.answers.chosen_reviews import (
    list_answered_reviews,
    list_offered_reviews,
    read_chosen_reviews,
)
from queries.workbench.pages.answers.numbers import ShownTable, list_tables
from queries.workbench.pages.answers.previewing import (
    PreviewChangedError,
    PreviewedRelease,
    ReleaseChoice,
    make_preview,
    publish_previewed,
)
from queries.workbench.tasks import Task, TaskResult
from queries.workbench.visit import Visit, WayOn, redirect

#: How many releases of other requests the page lists.
OTHER_RELEASES: Final = 20

#: How many previews are known at once, of all people: each holds a whole answer in memory.
KEPT_PREVIEWS: Final = 20

_TOO_OLD: Final = (
    "The workbench does not know this preview any more: it was started again since, or many were "
    "made. Look at what would go out again, then publish it."
)


class RefusedRelease(Struct, frozen=True):
    """A release that was not made, as ``changes`` are different since the preview of ``old_token``.

    ``new_token`` is that of the new preview. Both are the last parts of the names of their tasks.
    """

    changes: tuple[str, ...]
    old_token: str
    new_token: str


class ShownPreview(Struct, frozen=True):
    """A preview on the page: its task, and the last part of that one's name."""

    token: str
    task: Task

    @property
    def release(self) -> PreviewedRelease | None:
        """What would go out, once that is worked out."""
        return self.task.result if isinstance(self.task.result, PreviewedRelease) else None


class EarlierReleases(Struct, frozen=True):
    """What the ledger holds: releases of this request and the newest of others, newest first.

    ``problem`` says why they are not known, if they are not. ``is_elsewhere`` says that the newest
    one of this request is not the one whose documents are here.
    """

    of_request: tuple[LedgerEntry, ...] = ()
    others: tuple[LedgerEntry, ...] = ()
    number: int = 0
    problem: str = ""
    is_elsewhere: bool = False


def show_publishing(visit: Visit) -> Response:
    """What would go out, a button to publish exactly that, and what was published."""
    file = visit.open_file()
    request = visit.parse_request(file.text, file.name)
    answer_set = find_answer_set(visit.workbench.requests, file.name, "published")
    task = visit.workbench.tasks.find(f"publish {file.name}")
    refused = _find_refusal(visit, task)
    preview = _find_preview(visit, file.name, refused)
    previewed_release = preview.release if preview else None
    is_changed = previewed_release is not None and previewed_release.version != file.version
    if preview and (is_changed or _is_published_since(preview.task, task)):
        preview = previewed_release = None
    choice = preview.task.choice if preview else None
    return visit.render(
        "publish.html",
        file=file,
        missing=visit.session.settings.force.missing_keys,
        preview=preview,
        previewed_release=previewed_release,
        is_changed=is_changed,
        refused=refused,
        tables=_list_previewed_tables(visit, file, previewed_release),
        reviews=list_offered_reviews(visit, request.reference),
        chosen=choice.reviews if choice else list_answered_reviews(visit, file.name),
        reason=choice.reason if choice else "",
        releases=_find_releases(visit.session, request.reference, answer_set),
        task=task,
        answer_set=answer_set,
        once=visit.workbench.form_tokens.issue(),
        token=visit.workbench.form_tokens.issue(),
    )


def _find_refusal(visit: Visit, task: Task | None) -> RefusedRelease | None:
    """Why this person's last release was not made, unless they look at another preview since."""
    refused = task.result if task and task.person == visit.person.name else None
    if not isinstance(refused, RefusedRelease):
        return None
    is_named = visit.query.get("preview", "") in ("", refused.old_token, refused.new_token)
    return refused if is_named else None


def _find_preview(
    visit: Visit, file_name: str, refused: RefusedRelease | None
) -> ShownPreview | None:
    """The new preview of a refusal, or that of the address, or else this person's newest."""
    tasks, prefix = visit.workbench.tasks, f"preview {file_name} "
    token = refused.new_token if refused else visit.query.get("preview", "")
    task = tasks.find(prefix + token) if token else None
    if task is None or task.person != visit.person.name:
        task = tasks.find_newest(prefix, visit.person.name)
    return ShownPreview(task.name.removeprefix(prefix), task) if task else None


def _is_published_since(preview: Task, task: Task | None) -> bool:
    """Whether the task published after it was worked out what would go out."""
    if task is None or task.ended is None or not isinstance(task.result, TaskResult):
        return False
    return preview.ended is not None and task.ended > preview.ended


def _list_previewed_tables(
    visit: Visit, file: RequestFile, release: PreviewedRelease | None
) -> list[ShownTable]:
    """The tables as they would be released, if that was worked out."""
    if release is None:
        return []
    settings = make_document_settings(visit.session.settings)
    return list_tables(file.name, release.outcome.answer, settings)


def start_publishing(visit: Visit) -> Response:
    """Preview a release, or publish what was previewed. A form that is sent again does nothing."""
    file = visit.open_file()
    tokens = visit.workbench.form_tokens
    if visit.form.get("do") != "publish":
        token = visit.form.get("token", "")
        if not tokens.was_used(token):
            token = _start_preview(visit, _read_choice(visit, file), token)
        return redirect(f"/requests/{file.name}/publish?preview={token}")
    once = visit.form.get("once", "")
    token = visit.form.get("preview", "")
    address = f"/requests/{file.name}/publish?preview={quote(token)}"
    if tokens.was_used(once):
        return redirect(address)
    preview = visit.workbench.tasks.find(f"preview {file.name} {token}")
    previewed_release = preview.result if preview and preview.person == visit.person.name else None
    if not (
        isinstance(previewed_release, PreviewedRelease)
        and previewed_release.documents
        and tokens.redeem(once)
    ):
        way_on = WayOn(f"/requests/{file.name}/publish", "See what would go out")
        return visit.render(
            "message.html", 409, heading="Nothing was published", message=_TOO_OLD, way_on=way_on
        )
    work = partial(_publish, visit, previewed_release, token)
    visit.workbench.tasks.start(f"publish {file.name}", visit.person.name, work)
    return redirect(address)


def _read_choice(visit: Visit, file: RequestFile) -> ReleaseChoice:
    """What a form says is to be previewed. Raises RequestError if the file is not a request."""
    visit.parse_request(file.text, file.name)
    reason = visit.form.get("reason", "").strip()
    return ReleaseChoice(file.name, read_chosen_reviews(visit), reason)


def _start_preview(visit: Visit, choice: ReleaseChoice, token: str = "") -> str:
    """Work out what publishing would do; the last part of the name of the task.

    It is the token of a form, so that a form that is sent twice does it once, or a new one.
    """
    tokens = visit.workbench.form_tokens
    if not (tokens.redeem(token) or tokens.was_used(token)):
        token = tokens.issue()
    name = f"preview {choice.name} {token}"
    work = partial(make_preview, visit, choice)
    visit.workbench.tasks.start(name, visit.person.name, work, choice, KEPT_PREVIEWS)
    return token


def _publish(
    visit: Visit, previewed_release: PreviewedRelease, token: str
) -> TaskResult | RefusedRelease:
    """Publish what was previewed; if something else would go out, or nothing may, preview that."""
    try:
        return publish_previewed(visit, previewed_release)
    except PreviewChangedError as error:
        changes = error.changes
    except (DisclosureError, RequestError, ReviewError, UnconfirmedError) as error:
        changes = (describe_error(error),)
    return RefusedRelease(changes, token, _start_preview(visit, previewed_release.choice))


def _find_releases(
    session: Session, reference: str, answer_set: AnswerSet | None
) -> EarlierReleases:
    try:
        entries = list_releases(session)
    except FoidexError as error:
        return EarlierReleases(problem=str(error))
    if entries is None:
        return EarlierReleases(problem="No server is running, so they are not known.")
    newest = entries[::-1]
    others = [entry for entry in newest if entry.reference != reference]
    of_request = tuple(entry for entry in newest if entry.reference == reference)
    return EarlierReleases(
        of_request,
        tuple(others[:OTHER_RELEASES]),
        len(others),
        is_elsewhere=_is_elsewhere(of_request, answer_set),
    )


def _is_elsewhere(releases: Sequence[LedgerEntry], answer_set: AnswerSet | None) -> bool:
    """Whether the newest release is not the one whose documents are here: they were written to
    another folder, or foidex was killed between recording it and putting them in their place."""
    if not releases or answer_set is None:
        return bool(releases)
    run_at = datetime.fromisoformat(answer_set.manifest.run_at).replace(microsecond=0)
    later = [entry for entry in releases if entry.released_at >= run_at]
    return len(later) > 1 or releases[0].generation != answer_set.manifest.generation

"""The commands of ``foidex review``, in the order of their use."""

from __future__ import annotations

import typer

from queries.commands.review.approving.approve import approving_app
from queries.commands.review.files import files_app
from queries.commands.review.reading import reading_app
from queries.commands.review.start import start_app
from queries.commands.review.status import status_app

review_app = typer.Typer(
    help="Read hits, or a random sample of them, and decide which are relevant; approve texts.",
    no_args_is_help=True,
)

for app in (start_app, reading_app, status_app, files_app, approving_app):
    review_app.add_typer(app)

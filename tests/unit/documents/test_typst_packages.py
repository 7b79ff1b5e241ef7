"""A template that is set by Typst uses packages of its own folder, and downloads none."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from indexer.errors import ConfigurationError
from queries.documents.content.context import DocumentSettings, build_document_context
from queries.documents.content.templates import copy_templates
from queries.documents.formats.pdf import render_letter_pdf
from tests.support.answers import FORCE, sample_answer


@pytest.mark.parametrize("namespace", ["preview", "local"])
def test_a_package_is_read_from_the_folder_of_templates_and_not_downloaded(
    tmp_path: Path, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is downloaded is code of others, and says that a letter is being written."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    copy_templates(tmp_path)
    template = tmp_path / "letter.typ.j2"
    template.write_text(
        f'{template.read_text()}\n#import "@{namespace}/words:1.0.0": note\n#note\n'
    )
    context = build_document_context(
        sample_answer(1234), DocumentSettings(FORCE, date(2024, 2, 3), tmp_path)
    )
    elsewhere = tmp_path / "home" / ".local" / "share" / "typst" / "packages"
    for folder in (elsewhere, tmp_path / "packages"):
        with pytest.raises(ConfigurationError, match="and none is downloaded"):
            render_letter_pdf(context)
        package = folder / namespace / "words" / "1.0.0"
        package.mkdir(parents=True)
        (package / "typst.toml").write_text(
            '[package]\nname = "words"\nversion = "1.0.0"\nentrypoint = "words.typ"\n'
        )
        (package / "words.typ").write_text('#let note = "Words of our own."\n')
    assert render_letter_pdf(context).startswith(b"%PDF")

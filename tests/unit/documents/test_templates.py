"""A force's own templates: used first, safe, and explained where they are wrong."""

from __future__ import annotations

import importlib.util
import io
import os
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import docx
import pypdf
import pytest

from indexer.config.loader import load_settings
from indexer.errors import ConfigurationError, FoidexError, OutputError
from indexer.files import PUBLIC
from queries.documents.content.context import DocumentSettings, build_document_context
from queries.documents.content.templates import copy_templates, has_template
from queries.documents.formats.docx import render_letter_docx
from queries.documents.formats.letter import render_letter_html, render_letter_text
from queries.documents.formats.pdf import render_letter_pdf, render_letter_typst
from queries.documents.formats.report import render_report_html, render_report_text
from queries.documents.notice_files import write_notice_files
from tests.support.answers import FORCE, sample_answer
from tests.support.paths import ROOT
from tests.support.rendered import rendered

DAY = date(2018, 8, 15)


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def edit_word(folder: Path, edit: Callable[[docx.document.Document], object]) -> None:
    path = folder / "letter.docx"
    document = docx.Document(str(path))
    edit(document)
    document.save(str(path))


def word_text(own: Path) -> str:
    made = docx.Document(
        io.BytesIO(rendered(render_letter_docx, sample_answer(1), FORCE, DAY, own))
    )
    return "\n".join(paragraph.text for paragraph in made.paragraphs)


def test_what_is_edited_in_the_copied_letterhead_stands_in_the_next_letter(tmp_path: Path) -> None:
    copy_templates(tmp_path)
    edit_word(
        tmp_path,
        lambda document: document.paragraphs[0].insert_paragraph_before("Data Office, {{ force.name }}"),
    )  # fmt: skip
    assert word_text(tmp_path).startswith("Data Office, Example <Constabulary>\n")


def test_a_template_of_the_force_comes_first_and_ours_for_the_rest(tmp_path: Path) -> None:
    write(tmp_path, "letter.txt.j2", "Ours: {{ answer.reference }}\n")
    assert rendered(render_letter_text, sample_answer(1), FORCE, DAY, tmp_path) == "Ours: FOI/1\n"
    assert rendered(render_report_text, sample_answer(1), FORCE, DAY, tmp_path) == rendered(
        render_report_text, sample_answer(1), FORCE, DAY
    )


def test_a_phrase_of_the_force_is_in_every_document(tmp_path: Path) -> None:
    write(tmp_path, "questions/offences.j2", "We found {{ question.total | words }}.")
    write(tmp_path, "annex.j2", "# Our method\nWe counted.\n- once\n")
    given = (sample_answer(1), FORCE, DAY, tmp_path)
    in_pdf = pypdf.PdfReader(io.BytesIO(rendered(render_letter_pdf, *given)))
    texts = (
        rendered(render_letter_text, *given),
        rendered(render_letter_html, *given),
        rendered(render_report_html, *given),
        word_text(tmp_path),
        "".join(page.extract_text() for page in in_pdf.pages),
    )
    assert all("We found one." in text for text in texts)
    assert all("Our method" in text for text in texts[2:])


@pytest.mark.parametrize("name", ["letter.txt.j2", "letter.html.j2", "letter.typ.j2", "report.html.j2", "annex.j2", "questions/keywords.j2"])  # fmt: skip
def test_an_unknown_name_is_told_with_file_line_and_the_names(name: str, tmp_path: Path) -> None:
    path = write(tmp_path, name, "one\n\n{{ nonsense }}\n")
    given = (sample_answer(1), FORCE, DAY, tmp_path)
    renderer = {"letter.html.j2": render_letter_html, "letter.typ.j2": render_letter_typst, "report.html.j2": render_report_html}.get(name, render_letter_text)  # fmt: skip
    with pytest.raises(ConfigurationError) as refused:
        rendered(renderer, *given)
    message = str(refused.value)
    assert message.startswith(f'{path}:3: there is no "nonsense".')
    assert ("question" if name.startswith("questions") else "provenance") in message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{{ answer.refrence }}", 'Did you mean "reference"?'),
        ("{{ force.nam }}", 'Did you mean "name"?'),
        ("{{ letter.too }}", 'Did you mean "to"?'),
        ("{% for x in %}", "Expected"),
        ("{{ answer.reference | nofilter }}", "nofilter"),
        ("{{ day | wrapped }}", "split"),
        ("{% include 'missing.j2' %}", "there is no template missing.j2"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ answer.__class__.__mro__ }}", "__class__"),
        ("{{ ''.__class__ }}", "unsafe"),
        ("{{ answer.__init__.__globals__ }}", "__init__"),
        ("{{ '%s' | attr('__class__') | string }}", "__class__"),
        ("{{ range(10000000) | list }}", "range"),
    ],
)
def test_what_is_wrong_with_a_template_is_one_message_with_its_line(
    text: str, told: str, tmp_path: Path
) -> None:
    path = write(tmp_path, "letter.txt.j2", f"first\n{text}\n")
    with pytest.raises(ConfigurationError) as refused:
        rendered(render_letter_text, sample_answer(1), FORCE, DAY, tmp_path)
    assert str(refused.value).startswith(f"{path}:2: ")
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{{ nonsense }}", 'at "{{ nonsense }}": there is no "nonsense"'),
        ("{{ force.nam }}", 'Did you mean "name"?'),
        ("{% for x in %}", "Expected"),
        ("{{ ''.__class__ }}", "unsafe"),
        ("{%p if letter.to %}", "Unexpected end"),
    ],
)
def test_a_wrong_tag_in_word_is_told_with_the_words_around_it(
    text: str, told: str, tmp_path: Path
) -> None:
    copy_templates(tmp_path)
    edit_word(tmp_path, lambda document: document.add_paragraph(text))
    with pytest.raises(ConfigurationError) as refused:
        word_text(tmp_path)
    assert str(refused.value).startswith(str(tmp_path / "letter.docx"))
    assert told in str(refused.value)


CODE = [
    "{{ cycler.__init__.__globals__.os.system('touch MADE') }}",
    "{{ lipsum.__globals__['os'].popen('touch MADE').read() }}",
    "{{ ().__class__.__base__.__subclasses__() }}",
    "{{ self.__init__.__globals__.__builtins__.open('MADE', 'w') }}",
    "{{ '{0.__class__.__base__}'.format(1) }}",
    "{{ answer.questions.append(1) }}",
    "{% include '/etc/hostname' %}",
    "{% include '../secret' %}",
]


@pytest.mark.parametrize("text", CODE)
def test_a_template_runs_no_code(text: str, tmp_path: Path) -> None:
    """Nor does it read a file that is no template; in text, web page, Typst and Word alike."""
    folder, made = tmp_path / "templates", tmp_path / "made"
    (tmp_path / "secret").write_text("zqxwvkjhyp")
    attack = text.replace("MADE", str(made))
    given = (sample_answer(1), FORCE, DAY, folder)
    for name, renderer in (
        ("letter.txt.j2", render_letter_text),
        ("letter.html.j2", render_letter_html),
        ("letter.typ.j2", render_letter_typst),
    ):
        path = write(folder, name, attack)
        with pytest.raises(ConfigurationError):
            rendered(renderer, *given)
        path.unlink()
    copy_templates(folder, force=True)
    edit_word(folder, lambda document: document.add_paragraph(attack))
    with pytest.raises(ConfigurationError):
        word_text(folder)
    assert not made.exists()


@pytest.mark.parametrize(
    "read", ['read("../secret")', 'read("/etc/hostname")', 'include "../secret"']
)
def test_a_letter_in_typst_reads_no_other_file(read: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("zqxwvkjhyp")
    write(tmp_path / "templates", "letter.typ.j2", f"#{read}\n")
    with pytest.raises(ConfigurationError):
        rendered(render_letter_pdf, sample_answer(1), FORCE, DAY, tmp_path / "templates")


def test_a_word_template_that_is_none_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, "letter.docx", "not a zip")
    with pytest.raises(ConfigurationError, match=f"{re.escape(str(path))}: is not a Word file"):
        word_text(tmp_path)


def test_a_mistake_in_typst_is_told_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, "letter.typ.j2", "#set document(title: [x])\n#nonsense()\n")
    with pytest.raises(
        ConfigurationError, match=r"line 2 once filled in.*unknown variable: nonsense"
    ) as refused:
        rendered(render_letter_pdf, sample_answer(1), FORCE, DAY, tmp_path)
    assert str(refused.value).startswith(str(path))


@pytest.mark.parametrize("name", ["letter.txt.j2", "letters/acknowledgement.j2"])
@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", ["folder", "pipe", "dangling link", "circle", "long name"])
def test_a_template_that_is_there_and_cannot_be_read_is_not_left_out(
    tmp_path: Path, name: str, kind: str
) -> None:
    """With ours in its place, the letter would have other words than the force's."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "dangling link":
            path.symlink_to("disk/that/is/not/there")
        case "circle":
            path.symlink_to(path.name)
        case _:
            name = "x" * 300
    with pytest.raises(
        ConfigurationError, match=r": cannot be read \(.+\)\. Put a file of your own"
    ):
        has_template(tmp_path, name)
    if name == "letter.txt.j2":
        with pytest.raises(ConfigurationError, match=r"letter\.txt\.j2: cannot be read"):
            rendered(render_letter_text, sample_answer(1), FORCE, DAY, tmp_path)


def test_a_folder_of_templates_on_a_disk_that_is_not_there_is_not_left_out(tmp_path: Path) -> None:
    (tmp_path / "letters").symlink_to("disk/that/is/not/there")
    with pytest.raises(ConfigurationError, match=r"letters: cannot be read"):
        has_template(tmp_path, "letters/acknowledgement.j2")
    assert not has_template(tmp_path, "sections/notice.j2")


def test_a_template_in_another_encoding_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "letter.txt.j2").write_bytes("Dear all\n\nThe fee is £450.".encode("cp1252"))
    with pytest.raises(ConfigurationError, match=r"letter\.txt\.j2:3: is not UTF-8 text"):
        rendered(render_letter_text, sample_answer(1), FORCE, DAY, tmp_path)


def test_the_mark_that_notepad_puts_first_is_not_printed(tmp_path: Path) -> None:
    copy_templates(tmp_path)
    path = tmp_path / "letter.txt.j2"
    text = rendered(render_letter_text, sample_answer(1), FORCE, DAY, tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert rendered(render_letter_text, sample_answer(1), FORCE, DAY, tmp_path) == text


@pytest.mark.parametrize(
    "text", ["{% if 1 %}" * 3_000, "{{ " + "(" * 5_000 + "1" + ")" * 5_000 + " }}"]
)
def test_a_template_that_is_nested_too_deep_is_one_message(tmp_path: Path, text: str) -> None:
    write(tmp_path, "letter.txt.j2", text)
    with pytest.raises(
        ConfigurationError, match="calls itself and does not end, or is nested too deep"
    ):
        rendered(render_letter_text, sample_answer(1), FORCE, DAY, tmp_path)


def name_folder_of_templates(folder: Path) -> None:
    config = write(folder.parent, "foidex.toml", f'[templates]\nfolder = "{folder.name}"\n')
    _ = load_settings({}, config).own_templates


def write_review(folder: Path) -> None:
    context = build_document_context(sample_answer(1), DocumentSettings(FORCE, DAY))
    write_notice_files(context, "review", folder, PUBLIC, force=False)


@pytest.mark.parametrize("use", [copy_templates, name_folder_of_templates, write_review])
def test_a_name_of_a_folder_that_is_too_long_is_one_message(
    tmp_path: Path, use: Callable[[Path], object]
) -> None:
    with pytest.raises(FoidexError, match=r"is not a folder|name too long"):
        use(tmp_path / ("x" * 300))


def test_copied_templates_replace_nothing_unless_forced(tmp_path: Path) -> None:
    copied = copy_templates(tmp_path / "mine")
    names = {path.relative_to(tmp_path / "mine").as_posix() for path in copied}
    assert {"letter.docx", "letter.typ.j2", "questions/keywords.j2", "README.md"} <= names
    (tmp_path / "mine" / "letter.txt.j2").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="already has"):
        copy_templates(tmp_path / "mine")
    assert (tmp_path / "mine" / "letter.txt.j2").read_text(encoding="utf-8") == "mine"
    copy_templates(tmp_path / "mine", force=True)
    assert (tmp_path / "mine" / "letter.txt.j2").read_text(encoding="utf-8") != "mine"


def test_the_folder_of_foidex_toml_is_relative_to_it_and_must_exist(tmp_path: Path) -> None:
    config = write(tmp_path, "foidex.toml", '[templates]\nfolder = "mine"\n')
    with pytest.raises(ConfigurationError, match="foidex templates init"):
        _ = load_settings({}, config).own_templates
    (tmp_path / "mine").mkdir()
    assert load_settings({}, config).own_templates == tmp_path / "mine"
    assert load_settings({}, write(tmp_path, "other.toml", "")).own_templates is None


def test_the_names_in_the_readme_of_the_templates_are_the_names() -> None:

    told = (ROOT / "templates" / "README.md").read_text(encoding="utf-8")
    names = build_document_context(sample_answer(1), DocumentSettings(FORCE, DAY)).names
    missing = {name for name in names if f"`{name}`" not in told}
    assert not missing
    files = {path.name for path in (ROOT / "templates").iterdir() if path.is_file()}
    assert {name for name in files if f"`{name}`" not in told} == {"README.md"}


def test_the_word_letter_that_ships_is_what_its_program_makes() -> None:
    """Text by text, as another version of the library may write other bytes."""
    path = ROOT / ".ci" / "letterhead.py"
    if not path.is_file():
        pytest.skip("not a checkout")
    spec = importlib.util.spec_from_file_location("letterhead", path)
    assert spec
    assert spec.loader
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    made = docx.Document(io.BytesIO(program.make()))
    shipped = docx.Document(str(ROOT / "templates" / "letter.docx"))
    for one, other in zip(made.element.body.iter(), shipped.element.body.iter(), strict=True):
        assert (one.tag, one.text, dict(one.attrib)) == (other.tag, other.text, dict(other.attrib))

"""foidex.toml that is wrong: the message names its line, and reading it needs little memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from indexer.config.loader import load_settings
from indexer.config.toml_text import parse_toml
from indexer.errors import ConfigurationError


def refuse(folder: Path, text: str) -> str:
    """What is said of a foidex.toml, after its name."""
    path = folder / "foidex.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as error:
        load_settings({}, path)
    return str(error.value).removeprefix(f"{path}:")


PROFILE = "[source.profile.fields]\n"

KINDS = "control, escape, html, invisible, mojibake, rtf, spreadsheet"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[refresh]\nkeep = 3\nmax_rejcts = 1", '3: [refresh] has an unknown key "max_rejcts". Did you mean "max_rejects"?'),
        ("# max_rejcts\nrefresh.max_rejcts = 1", '2: [refresh] has an unknown key "max_rejcts". Did you mean "max_rejects"?'),
        ("refresh = {keep = 3, max_rejcts = 1}", '1: [refresh] has an unknown key "max_rejcts". Did you mean "max_rejects"?'),
        ('[force]\nunit = """\nmax_rejcts = 1\n"""\n[refresh]\nmax_rejcts = 1', '6: [refresh] has an unknown key "max_rejcts". Did you mean "max_rejects"?'),
        ('[[refresh.canaries]]\nterm = "a"\nleast = 1\n[[refresh.canaries]]\nterm = "b"\nlest = 1', '6: [refresh.canaries[1]] has an unknown key "lest". Did you mean "least"?'),
        ('[source]\nrepair = ["ftfy"]', f'2: "source.repair[0]": is not one of {KINDS}. Correct the value.'),
        ('[source]\nrepair = [\n  "html",\n  "mojibak",\n]', f'2: "source.repair[1]": is not one of {KINDS}. Did you mean "mojibake"?'),
        ('[source]\nrequire = ["md5"]', '2: "source.require[0]": is not one of count, sha256. Correct the value.'),
        ('[categories.a]\nmany = true\n[categories.b]\ntype = "text"', '4: "categories.b.type": is not one of boolean, integer, keyword. Correct the value.'),
        (f'{PROFILE}crime_ref = {{column = "A", digits = "7"}}', '2: "source.profile.fields.crime_ref.digits": is not a whole number, which has no quotes. Correct the value.'),
        ('[source.profile]\nafter_blank_rows = "stop"', '2: "source.profile.after_blank_rows": is not one of read, skip. Correct the value.'),
        ('[categories.b]\ntipe = "text"', '2: [categories.b] has an unknown key "tipe". Did you mean "type"?'),
        ('[output]\nmode = "999"', '2: "output.mode": expected three octal digits that let the owner read and write, such as "640". Correct the value.'),
        ("a = 1\n[server]\n[server]", "3: gives a key or a section that was given before. Keep one of the two."),
        ('[server]\nurl = "x\n', '2: is not TOML. This line must be a section in brackets, such as [source], or a key and its value, such as keep = 3 or name = "text", with text in quotes and every quote and bracket closed. Correct it.'),
        ('[server]\nurl = ["x"', ' is not TOML. The last line must be a section in brackets, such as [source], or a key and its value, such as keep = 3 or name = "text", with text in quotes and every quote and bracket closed. Correct it.'),
        (f"a = {'9' * 5000}", " has a number that is too large. Correct the file."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    assert refuse(tmp_path, text) == message


@pytest.mark.parametrize(
    "text",
    [
        "{} = 1",
        "[{}]",
        "x = {{ y = 1, {} = 2 }}",
        'x = {{ y = "\\" ", {} = "2" }}',
        'x = {{ y = """\n" """, {} = "2" }}',
        "x = {{ y = '''\n' ''', {} = 2 }}",
        '# """\n{} = 1',
    ],
)
@pytest.mark.parametrize("key", [".".join(["a"] * 50_000), ' . "a b"' * 20_000, "\t.'a'" * 20_000])
def test_a_key_of_many_parts_takes_no_memory(tmp_path: Path, text: str, key: str) -> None:
    tracemalloc.start()
    message = refuse(tmp_path, text.format(key.removeprefix(" . ").removeprefix("\t.")))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "has a key of more than 16 parts (a.b.c), which no setting has." in message
    assert peak < 20_000_000


def test_dots_in_texts_and_comments_are_no_keys() -> None:
    dots = "a." * 100
    text = f'# {dots}\nx = "{dots}"\ny = """\n{dots}"""\nz = [1.5, 2.5, "{dots}"]\na.b.c = 1\n'
    document = parse_toml(text.encode(), "foidex.toml")
    assert document.value["a"] == {"b": {"c": 1}}
    assert document.find_line("$.a.b.c") == 6
    assert document.find_line("$.z") == 5
    assert document.find_line("$.missing") is None


def test_a_backslash_in_double_quotes_is_named() -> None:
    """As in a path of Windows, of which it is not said otherwise what is wrong."""
    text = 'index = 1\npaths = ["C:\\Users\\foi\\x.csv"]\n'
    with pytest.raises(ConfigurationError, match=r"^f\.toml:2: has a backslash in double quotes"):
        parse_toml(text.encode(), "f.toml")
    assert parse_toml(text.replace('"', "'").encode(), "f.toml").value["paths"]

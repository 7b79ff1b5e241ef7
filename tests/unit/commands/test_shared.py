"""Tables of aligned columns, in a pipe and on narrow terminals."""

from __future__ import annotations

from indexer.commands.shared import format_table

ROWS = [
    ("name", "records", "sources"),
    ("crimes-1", "1,234", "a-long-name.jsonl, another-long-name.jsonl, third-long-name.jsonl"),
    ("x", "7", ""),
]


def test_pipe_gets_one_line_a_row() -> None:
    assert format_table(ROWS, "<><") == [
        "name      records  sources",
        f"crimes-1    1,234  {ROWS[1][2]}",
        "x               7",
    ]


def test_terminal_gets_the_last_column_wrapped_and_words_whole() -> None:
    assert format_table(ROWS, "<><", 50) == [
        "name      records  sources",
        "crimes-1    1,234  a-long-name.jsonl,",
        "                   another-long-name.jsonl,",
        "                   third-long-name.jsonl",
        "x               7",
    ]


def test_narrow_terminal_gets_the_last_column_on_lines_of_its_own() -> None:
    assert format_table(ROWS, "<><", 42) == [
        "name      records",
        "    sources",
        "crimes-1    1,234",
        "    a-long-name.jsonl,",
        "    another-long-name.jsonl,",
        "    third-long-name.jsonl",
        "x               7",
    ]

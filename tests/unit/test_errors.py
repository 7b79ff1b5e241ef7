"""The expected errors and their exit codes."""

from __future__ import annotations

from indexer.errors import FoidexError, list_exit_codes


def test_every_error_has_an_exit_code_of_its_own_with_a_summary() -> None:
    codes = list_exit_codes()
    assert [code for code, _ in codes] == [*range(23), 129, 130, 143]
    assert len({summary for _, summary in codes}) == len(codes)
    for error in FoidexError.__subclasses__():
        if error.__module__ == "indexer.errors":
            assert (error.exit_code, error.summary) in codes
            assert {"exit_code", "summary"} <= vars(error).keys()

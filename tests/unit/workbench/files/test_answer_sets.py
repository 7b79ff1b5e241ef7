"""The documents of an answer in the workbench: a manifest that someone else wrote is one message."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.errors import OutputError
from queries.workbench.files.answer_sets import find_answer_folder, find_answer_set
from queries.workbench.files.request_files import RequestFolder


@pytest.mark.parametrize("files", ["{}", '{"a.letter.txt": "00"}'])
def test_a_manifest_without_an_answer_is_one_message(tmp_path: Path, files: str) -> None:
    requests = RequestFolder(tmp_path)
    folder = find_answer_folder(requests, "a.yaml", "answer")
    folder.mkdir(parents=True)
    head = '"reference": "A", "generation": "g", "query_hash": "q", "run_at": "r", "version": "1"'
    (folder / "manifest.json").write_text(f'{{{head}, "files": {files}}}')
    with pytest.raises(OutputError, match="its manifest lists no answer"):
        find_answer_set(requests, "a.yaml", "answer")

"""Lists of terms that a request names once and uses in several places: ``{list: platforms}``.

Pure. A use is replaced by the terms before the file is read further, so whatever counts, explains
or repeats a request knows nothing of lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from indexer.suggestions import suggest_name
from queries.spec.problem import Problem

#: The key of a request under which it names lists.
LISTS_KEY: Final = "lists"

_LIST_KEY: Final = "list"

#: The keys whose value may be a use of a list.
_TERM_KEYS: Final = ("keywords", "mentions")


class ExpandedRequest:
    """The values of a request file with the lists in the place of their uses.

    ``problems`` are uses of lists that there are not; ``paths`` are where lists are used.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        lists = values.get(LISTS_KEY)
        self._lists: Mapping[str, Any] = lists if isinstance(lists, dict) else {}
        self.problems: list[Problem] = []
        self.paths: list[str] = []
        self.values = {
            name: value if name == LISTS_KEY else self._expand(value, name, f"$.{name}")
            for name, value in values.items()
        }

    def list_reported(self, problems: list[Problem]) -> Iterator[Problem]:
        """The problems without those of a list where it is used: they are reported where it is
        written."""
        wrong_uses = [problem.path for problem in self.problems]
        if any(problem.path.startswith(f"$.{LISTS_KEY}") for problem in problems):
            wrong_uses = self.paths
        for problem in problems:
            if not problem.path.startswith(tuple(wrong_uses)):
                yield problem

    def _expand(self, value: Any, key: str, path: str) -> Any:
        if isinstance(value, list):
            return [
                self._expand(entry, key, f"{path}[{number}]") for number, entry in enumerate(value)
            ]
        if not isinstance(value, dict):
            return value
        if key in _TERM_KEYS and _LIST_KEY in value and not path.endswith("]"):
            return self._use_list(value, path)
        return {name: self._expand(entry, name, f"{path}.{name}") for name, entry in value.items()}

    def _use_list(self, value: dict[str, Any], path: str) -> Any:
        name = str(value[_LIST_KEY])
        self.paths.append(path)
        if len(value) > 1:
            other = next(key for key in value if key != _LIST_KEY)
            message = f'"{other[:60]}" is not a key beside list:. Write only {{list: {name[:60]}}}.'
        elif name in self._lists:
            return self._lists[name]
        else:
            known = f"The lists are {', '.join(self._lists)}." if self._lists else "There are none."
            message = (
                f'there is no list "{name[:60]}" under lists:.{suggest_name(name, self._lists)} '
                f"{known}"
            )
        self.problems.append(Problem(path, message))
        return None

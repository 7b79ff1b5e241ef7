"""The text of a drafted request file: YAML, with comments that name the parts of the letter."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Final

import yaml

from queries.drafting.draft import Draft

_WIDTH: Final = 100

#: Keys whose values are text in which a requester may be named; terms and codes are none.
_PROSE_KEYS: Final = frozenset(
    {"title", "text", "not_covered", "note", "label", "question", "sentence", "choices", "default"}
)

# Within the lengths of RFC 5321 (4.5.3.1) and RFC 1035: a long word is searched once, not from each
# of its letters.
_MAIL_ADDRESS: Final = re.compile(r"[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")

_REQUESTER: Final = "the requester"

_HEAD: Final = """\
# Drafted from a letter (SHA-256 {digest}).
# Check every part against the letter, then: foidex lint. A request with entries under confirm: is
# not answered: decide each, correct the request where it is wrong, and remove the entry.
"""


class _Dumper(yaml.SafeDumper):
    """Writes every value as text, as request files are read: a day or a number needs no quotes."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - as the class above has it

    def ignore_aliases(self, data: Any) -> bool:
        """Never refer to a value above, as request files have no anchors."""
        del data
        return True


def _represent_text(dumper: yaml.SafeDumper, value: Any) -> yaml.ScalarNode:
    text = ("false", "true")[value] if isinstance(value, bool) else str(value)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, "|" if "\n" in text else None)


class _BlockMapping(dict[str, Any]):
    """A mapping with a line for each key."""


class _BlockList(list[Any]):
    """A list with a line for each entry."""


def _represent_block_mapping(dumper: yaml.SafeDumper, value: _BlockMapping) -> yaml.MappingNode:
    return dumper.represent_mapping("tag:yaml.org,2002:map", value.items(), flow_style=False)


def _represent_block_list(dumper: yaml.SafeDumper, value: _BlockList) -> yaml.SequenceNode:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=False)


for _kind in (str, int, bool):
    _Dumper.add_representer(_kind, _represent_text)
_Dumper.add_representer(_BlockMapping, _represent_block_mapping)
_Dumper.add_representer(_BlockList, _represent_block_list)


def write_request_text(mapping: dict[str, Any], digest: str) -> str:
    """The text of a request file. ``digest`` is the hash of the letter's file.

    Each question has a comment with the number of the letter's part.
    """
    pieces = [_HEAD.format(digest=digest)]
    for key, value in mapping.items():
        if key not in ("questions", "confirm") or not value:
            laid_out = _lay_out(value) if key == "letter" else value
            pieces.append(_dump(_BlockMapping({key: laid_out})))
            continue
        pieces.append(f"{key}:\n")
        for entry in value:
            number = entry.get("id") if key == "questions" else entry.get("part")
            part_name = f"Part {number} of the letter" if number else "The whole letter"
            pieces.append(f"# {_plain(part_name)}\n{_dump(_BlockList([_lay_out(entry)]))}")
    return "".join(pieces)


def _lay_out(entry: dict[str, Any]) -> _BlockMapping:
    """An entry with a line for each key; what is in it stays on one line if it can."""
    return _BlockMapping(
        {key: _BlockList(value) if key == "choices" else value for key, value in entry.items()}
    )


def _dump(value: Any) -> str:
    text: str = yaml.dump(
        value,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=_WIDTH,
        default_flow_style=None,
    )
    return text


def _plain(text: str) -> str:
    """A text that may stand in a comment of one line."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def list_requester_names(draft: Draft, names: Collection[str]) -> list[str]:
    """What the requester is called, the longest first; ``names`` are those in the mails' heads."""
    requester_names = {draft.head.sender or "", *names}
    return sorted((name for name in requester_names if len(name) > 2), key=len, reverse=True)


def remove_requester(value: Any, names: Collection[str], key: str = "") -> Any:
    """A request mapping in which no prose but ``letter.to`` names the requester."""
    if isinstance(value, dict):
        return {
            name: entry if name == "letter" else remove_requester(entry, names, name)
            for name, entry in value.items()
        }
    if isinstance(value, list):
        return [remove_requester(entry, names, key) for entry in value]
    if not isinstance(value, str) or key not in _PROSE_KEYS:
        return value
    for name in names:
        words = r"\s+".join(map(re.escape, name.split()))
        value = re.sub(rf"(?<!\w){words}(?!\w)", _REQUESTER, value, flags=re.IGNORECASE)
    return _MAIL_ADDRESS.sub(_REQUESTER, value)

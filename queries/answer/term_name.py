"""The name of a term in conditions, which says which other terms it is made of. Pure.

- ``live stream~1f2e3d4c`` is a plain term: its words, and a hash of the forms that count. ``!``
  after the words says that only these words count.
- ``alpha~1f2e3d4c @ 5 beta~5d6c7b8a`` are two plain terms with at most 5 words between them.
- ``facebook~0a1b2c3d = facebook~1f2e3d4c + fb~5d6c7b8a & app~9e8d7c6b`` is a term as requested, and
  its formula: any of the first (``+``), with (``&``) another. Names before version 4 of the answers
  end before ``=``, so nothing is known about what they are made of.

The words of a term contain single spaces between letters or digits, so the separators occur in no
term.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import combinations
from typing import Final, NamedTuple, TypeAlias

_CACHE_SIZE: Final = 16_384

_DEFINITION: Final = " = "

_AND: Final = " & "

_OR: Final = " + "

_NEAR: Final = re.compile(r" @ (\d+) ")

EXACT_MARK: Final = "!"

#: Any of some atoms. An atom is a plain term, or two of them near each other.
Clause: TypeAlias = frozenset[str]

#: All of some clauses, none of which follows from another.
TermFormula: TypeAlias = frozenset[Clause]


class NearTerms(NamedTuple):
    """Two plain terms with at most ``max_distance`` words between them, in either order."""

    first: str
    second: str
    max_distance: int


def build_plain_name(words: Iterable[str], digest: str, *, exact: bool = False) -> str:
    """The name of a plain term, from its words and a hash of its forms."""
    label = " ".join(words).replace("|", "/")
    return f"{label}{EXACT_MARK if exact else ''}~{digest}"


def build_near_name(first: str, second: str, max_distance: int) -> str:
    """The name of two plain terms near each other, the same in either order."""
    left, right = sorted((first, second))
    return f"{left} @ {max_distance} {right}"


def define_name(name: str, clauses: Iterable[Iterable[str]]) -> str:
    """The name of a term that is made of others: all of the clauses, each any of its atoms."""
    return f"{name}{_DEFINITION}{format_formula(_reduce_formula(map(frozenset, clauses)))}"


@lru_cache(_CACHE_SIZE)
def parse_formula(name: str) -> TermFormula:
    """What a name says that a term is made of; a plain term is made of itself."""
    _, _, definition = name.rpartition(_DEFINITION)
    return _reduce_formula(frozenset(clause.split(_OR)) for clause in definition.split(_AND))


@lru_cache(_CACHE_SIZE)
def format_formula(formula: TermFormula) -> str:
    """The formula as a name: the same for equal formulas."""
    return _AND.join(sorted(_OR.join(sorted(clause)) for clause in formula))


def normalise_name(name: str) -> str:
    """The name without what a term was called in its request."""
    return format_formula(parse_formula(name))


def read_digest(name: str) -> str:
    """The hash of what a term counts; "" for a name that only a formula is."""
    label, defined, definition = name.rpartition(_DEFINITION)
    is_formula = not defined and any(mark in definition for mark in (_AND, _OR, " @ "))
    return "" if is_formula else (label or definition).rpartition("~")[2]


def parse_near_terms(atom: str) -> NearTerms | None:
    """The two terms of an atom; None if it is a plain term."""
    match = _NEAR.search(atom)
    if match is None:
        return None
    return NearTerms(atom[: match.start()], atom[match.end() :], int(match[1]))


def list_plain_terms(name: str) -> list[str]:
    """The plain terms that a term is made of, in order."""
    plain_terms: set[str] = set()
    for clause in parse_formula(name):
        for atom in clause:
            near_terms = parse_near_terms(atom)
            plain_terms |= {near_terms.first, near_terms.second} if near_terms else {atom}
    return sorted(plain_terms)


def atom_implies(narrow: str, wide: str) -> bool:
    """Whether every record that has one atom has the other."""
    if narrow == wide:
        return True
    near_terms = parse_near_terms(narrow)
    if near_terms is None:
        return False
    wide_near = parse_near_terms(wide)
    if wide_near is None:
        return wide in (near_terms.first, near_terms.second)
    return wide_near[:2] == near_terms[:2] and near_terms.max_distance <= wide_near.max_distance


def clause_implies(narrow: Clause, wide: Clause) -> bool:
    """Whether every record that has any atom of one clause has any of the other."""
    return all(any(atom_implies(atom, other) for other in wide) for atom in narrow)


def formula_implies(narrow: TermFormula, wide: TermFormula) -> bool:
    """Whether every record that a formula counts is counted by the other, as far as both say."""
    return all(any(clause_implies(clause, other) for clause in narrow) for other in wide)


def join_names(names: Iterable[str]) -> frozenset[str]:
    """Names of which any is mentioned, without those that others imply; atoms stand alone."""
    formulas = {parse_formula(name) for name in names}
    atoms = _reduce_clause(
        frozenset(
            atom
            for formula in formulas
            if len(formula) == 1
            for clause in formula
            for atom in clause
        )
    )
    several = [formula for formula in formulas if len(formula) > 1]
    rest = {
        format_formula(formula)
        for formula in several
        if not any(clause_implies(clause, atoms) for clause in formula)
        and not any(formula != other and formula_implies(formula, other) for other in several)
    }
    return atoms | rest


def _reduce_clause(clause: Clause) -> Clause:
    return frozenset(
        atom
        for atom in clause
        if not any(atom != other and atom_implies(atom, other) for other in clause)
    )


def _reduce_formula(clauses: Iterable[Clause]) -> TermFormula:
    """The clauses without those that follow from another."""
    reduced = {_reduce_clause(clause) for clause in clauses}
    return frozenset(
        clause
        for clause in reduced
        if not any(clause != other and clause_implies(other, clause) for other in reduced)
    )


# -- phrases -----------------------------------------------------------------------------------


def list_presumed_parts(atom: str, others: Iterable[str]) -> list[list[str]]:
    """The atoms that a reader will suppose every record with this one has, too: all of one of the
    lists. There is a list for each order in which its words may stand.

    A phrase contains its parts ("xbox live" and "xbox"), also near each other, an exact wording is
    a wording of the term, and two ways to write one term are the same. Of two terms with no word
    between them, one or the other phrase is written. Only a wording that joins or splits words
    otherwise ("xboxlive") is an exception.
    """
    candidates = [candidate for candidate in others if candidate != atom]
    return [
        [candidate for candidate in candidates if wording.contains(candidate)]
        for wording in _list_wordings(atom)
    ]


#: Where words stand in a text: the first, and the one after the last.
_Span: TypeAlias = tuple[int, int]


class _Wording(NamedTuple):
    """A text with an atom, by the words that are written at each span, joined.

    ``loose`` are the spans of terms that may also be written otherwise.
    """

    written_at: dict[str, list[tuple[_Span, tuple[str, ...]]]]
    loose: frozenset[_Span]

    def contains(self, atom: str) -> bool:
        """Whether every such text has an atom."""
        near_terms = parse_near_terms(atom)
        if near_terms is None:
            return bool(self._find_spans(atom))
        return any(
            0 <= start - end <= near_terms.max_distance
            for first_term, second_term in (
                (near_terms.first, near_terms.second),
                (near_terms.second, near_terms.first),
            )
            for _, end in self._find_spans(first_term)
            for start, _ in self._find_spans(second_term)
        )

    def _find_spans(self, plain_term: str) -> list[_Span]:
        words, is_exact = _split_label(plain_term)
        return [
            span
            for span, written in self.written_at.get("".join(words), ())
            if not is_exact or (written == words and span not in self.loose)
        ]


@lru_cache(_CACHE_SIZE)
def _list_wordings(atom: str) -> tuple[_Wording, ...]:
    """The texts that an atom stands for: of two terms, in either order, as far apart as may be."""
    near_terms = parse_near_terms(atom)
    if near_terms is None:
        return (_spell_wording([atom], 0),)
    orders = dict.fromkeys(
        [(near_terms.first, near_terms.second), (near_terms.second, near_terms.first)]
    )
    return tuple([_spell_wording(order, near_terms.max_distance) for order in orders])


def _spell_wording(plain_terms: Sequence[str], distance: int) -> _Wording:
    written_at: dict[str, list[tuple[_Span, tuple[str, ...]]]] = {}
    loose: set[_Span] = set()
    runs: list[tuple[int, tuple[str, ...]]] = []
    for plain_term in plain_terms:
        words, is_exact = _split_label(plain_term)
        first, run = runs[-1] if runs else (0, ())
        start = first + len(run) + (distance if runs else 0)
        if not is_exact:
            loose.add((start, start + len(words)))
        if runs and not distance:
            runs[-1] = first, (*run, *words)
        else:
            runs.append((start, words))
    for first, run in runs:
        for start, end in combinations(range(len(run) + 1), 2):
            written = run[start:end]
            written_at.setdefault("".join(written), []).append(
                ((first + start, first + end), written)
            )
    return _Wording(written_at, frozenset(loose))


@lru_cache(_CACHE_SIZE)
def _split_label(atom: str) -> tuple[tuple[str, ...], bool]:
    """The words of a plain term, and whether only these count."""
    label, _, _ = atom.rpartition("~")
    words = tuple(label.removesuffix(EXACT_MARK).split())
    return words, label.endswith(EXACT_MARK)

"""Words of a part that no rule read: a limit that is not understood must not be lost in silence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from indexer.records.offences import load_offence_table
from queries.drafting.composing.offence_rows import find_offence_rows
from queries.drafting.composing.reading import PartReading
from queries.drafting.phrases.bands import cover_bands, find_bands
from queries.drafting.phrases.breakdowns import SUSPECTS, VICTIMS, cover_breakdowns
from queries.drafting.phrases.codes import find_codes
from queries.drafting.phrases.date_tokens import find_date_tokens
from queries.drafting.phrases.gaps import cover_gaps
from queries.drafting.phrases.named_offences import NamedOffence
from queries.drafting.phrases.plain_text import NUMBER_WORDS
from queries.drafting.phrases.terms import TermPhrase, cover_terms
from queries.drafting.structure.roles import COUNT_OFF_WORDS

_WORD: Final = re.compile(r"[A-Za-z][A-Za-z'-]*")

_BRACKETS: Final = re.compile(r"\([^()]*\)")

#: Words that say nothing about which records are counted: of grammar, of asking and of counting.
_PLAIN_TEXT: Final = """
firstly secondly thirdly fourth fifth sixth seventh eighth ninth tenth lastly finally final know
least treated i'm interested key return returns returned inclusive appeared appearing classed counting
a about above according across additionally age aged ages all alone along also always am among
an and annual another answer any anyone anything app appear appears apply apps april are
aren't as ask asked asking at august available away back band bands based be because been
before being belong below besides best between both boy boys bracket brackets break breakdown
brief broad broken but by calendar calender came can case cases categories category chart
clarify class classes classification classifications classified code codes column columns
combined come comes common commonest complete concern concerned concerning concerns connected contain contained
containing contains could count counted counts county crime crime's crimes criminal data
database date dates day days december describe described did different distinct distinction
divided do does don't done dont down during each early either else end ended ending entire etc
even ever every everything exactly excel fall fallen falling falls far february female females
figure figures file files finally financial find fine first fiscal five foi following follows
for force force's form format forms forth found four free frequent from fully further fy gave
gender generally get girl girls give given gives giving go goes good grand great grid group
grouped grouping groups had has have having held help helpful here hold home how however i i'd
i'll i've ideal if important in incident incidents incl include included includes including
individual individually information instance instances into involve involved involves
involving is isn't it item its itself january july june just keep keyword keywords kind kinds
known last latest led less let like likewise line link linked links list listed lists log
logged long look looking made make makes making male males man many march may me mean
meaning meant men mention mentioned mentioning mentions might month monthly months more most
much my name named namely names national need needed neither next no none nor not note
november now nowhere number numbers occur occurred occurring october of offence offence's
offences office officer often old older on once one ones only or order originally other others
otherwise our out outcome outcomes over overall own page part parts past people per perfect
period periods person persons phrase phrases place places platform platforms please pls police
possible possibly present previous provide provided purposes put q quarter quarterly query
question questions ranked rather receive received recent record recorded recording records
refer reference referred referring refers regard regarding relate related relating relevant
report reported reports request requested require resolved respect respective respectively
result resulted resulting results row rows s said same say search searched second see seen
send separate separated separately september set sex sexes shall should show showing shown
shows side since single site sites six so some sort specific specifically specified split
spreadsheet state stated states statistics still subject such sum supply suspect suspects
system systems table take taken taking tax tell term terms text than thank thanks that
that's the their them themselves then there thereof these they third this those three through
throughout thus thx time times to together too top total totals toward two type types u under
until up upon us use used useful using various victim victim's victims want wanted was wasn't
way we we'd website websites well went were what when where whether which while who whole
whom whose will wish with within without woman women word words would write written year
yearly years you youngest your yours
"""

_PLAIN_WORDS: Final = frozenset(_PLAIN_TEXT.split())

#: Those of them that only ask for a number. Each of the others ("victim", "first", "linked") may limit what is
#: counted, and in a part that is nothing but such words it does.
_COUNTING_TEXT: Final = """
a about above across again all also altogether am an and any are as ask asked asking at be been
both by can case cases confirm could count counted counts crime crimes criminal data did do does
each every figure figures find following for force force's from further give given had has have
held hold how i i'd i'm i've if in incident incidents information into is it like list listed
log logged many me meet meeting mention mentioned mentions might my need number numbers of offence
offences on our out over overall part parts per please pls police possible provide provided query
question questions receive received record recorded recording records report reported reports
request requested respectively results same say send should show so state stated such supply take
taken tell than thank thanks that the their them there these they this those to together total
totals type types us was we were what when where which who will wish with would you your crime
database system systems dates date days day period periods year years month months within during
between since until up time times whole term terms word words keyword keywords text any these
appear appeared appears contain contained containing contains featuring include included includes including
involve involved involves involving refer referred refers name names named
"""

_COUNTING_WORDS: Final = frozenset(_COUNTING_TEXT.split())

_LIMITING_TEXT: Final = """
more less least most no not none nor neither never without only first last second third linked link
same different still again before after prior earlier later alone once twice both either other others
another next previous open known
"""

#: Plain words that may limit what is counted wherever they stand: how many, which, and not.
_LIMITING_WORDS: Final = frozenset([*_LIMITING_TEXT.split(), *NUMBER_WORDS])

_PEOPLE_TEXT: Final = """
victim victims suspect suspects person persons people male males female females man men woman women
boy boys girl girls old older
"""

#: Plain words that are about people, in a question that counts none.
_PEOPLE_WORDS: Final = frozenset(_PEOPLE_TEXT.split())

_PERIOD_ENDS: Final = re.compile(
    r"\b(?:start|beginning|end) of(?= )|\bon or (?:after|before)\b|\btwelve months\b", re.IGNORECASE
)

#: The law under which somebody asks, which limits nothing.
_LAW: Final = re.compile(
    r"\bFreedom of Information(?: \(Scotland\))? Act\b|\bEnvironmental Information Regulations\b"
    r"|\bFOIS?A?\b",
    re.IGNORECASE,
)

_AGAINST_CODES: Final = re.compile(r"\bagainst (?=(?:the )?(?:following )?codes?\b)", re.IGNORECASE)

#: The law beside a code, which describes it.
_STATUTE: Final = re.compile(
    r"\bsections? \w+ of the (?:[A-Z]\w+ (?:(?:and|of|etc\.?) )?){1,6}Act\b"
)

_COUNTED_OFF: Final = re.compile(rf"^\W*(?:and |then )?{COUNT_OFF_WORDS}\s*[,:]", re.IGNORECASE)

#: Where a term is looked for, which limits nothing.
_IN_THE_TEXT: Final = re.compile(
    r"\bin (?:the |their )?(?:\w+ )?narratives?\b|\bthe narratives? (?=mention|contain|includ|refer|sa(?:y|id))",
    re.IGNORECASE,
)

_COUNTED_NOUN: Final = re.compile(
    r"\b(?:how many|numbers? of|amount of|list) (?:of )?(?:the |these |those |your |such )?(?P<noun>[a-z-]+)",
    re.IGNORECASE,
)

#: Words that say what the outcome of a record is, where it is counted by outcome.
_OUTCOME_WORDS: Final = "charge charged charges summons summonsed caution cautioned action"

_MAX_LISTED: Final = 8

#: Words that begin alike describe the same in the title of a code: "dangerous", "dangerously".
_STEM: Final = 4


def counts_other_things(reading: PartReading) -> bool:
    """Whether a part counts what is neither records nor people in them: "how many dogs"; or people
    of a kind that no rule read: "how many victims were postal workers"."""
    leftover = {word.casefold() for word in find_leftover(reading)}
    if reading.terms.terms or reading.rows or reading.named:
        return False
    nouns = {match["noun"].casefold() for match in _COUNTED_NOUN.finditer(reading.part.text)}
    is_about_people = VICTIMS.search(reading.part.text) or SUSPECTS.search(reading.part.text)
    return bool(nouns & leftover) or bool(is_about_people and leftover)


def find_conditions(reading: PartReading, other_words: str = "") -> list[str]:
    """The words of a part that do more than ask for a number of what ``other_words`` say."""
    return find_unread_words(
        reading.part.text, reading.terms, reading.named, other_words, _COUNTING_WORDS
    )


def find_leftover(
    reading: PartReading, other_words: str = "", *, counts_people: bool = True
) -> list[str]:
    """The words of a part that no rule read and that say more than that something is counted.

    Brackets beside a code, and the words of its title, only describe it. ``other_words`` are words that the scope accounts for.
    """
    text = f"{reading.lead}\n{_COUNTED_OFF.sub('', reading.part.text)}"
    if "outcome" in reading.breakdowns:
        other_words = f"{other_words} {_OUTCOME_WORDS}"
    if "offence_group" in reading.breakdowns:
        text = _BRACKETS.sub(" ", text)  # examples of groups
    plain_words = _PLAIN_WORDS - _LIMITING_WORDS
    if not counts_people:
        plain_words -= _PEOPLE_WORDS
    leftover = find_unread_words(text, reading.terms, reading.named, other_words, plain_words)
    table = load_offence_table()
    titles = [table.title(code) for row in reading.rows for code in row.codes]
    stems = {word.casefold()[:_STEM] for word in _WORD.findall(" ".join(titles))}
    return [word for word in leftover if word.casefold()[:_STEM] not in stems]


def find_unread_words(
    text: str,
    terms: TermPhrase,
    named: Sequence[NamedOffence],
    other_words: str = "",
    plain_words: frozenset[str] = _PLAIN_WORDS,
) -> list[str]:
    """The words of a text that no rule read and that are not among ``plain_words``."""
    has_rows = bool(find_offence_rows(text))
    text = _AGAINST_CODES.sub(" ", text)
    for phrase in reversed(find_codes(text)):
        text = f"{text[: phrase.begin]} {text[phrase.stop :]}"
    if has_rows:
        text = _STATUTE.sub(" ", _BRACKETS.sub(" ", text))
    if terms.terms or terms.excluded:
        text = cover_terms(text)
    text = cover_gaps(cover_breakdowns(cover_bands(text) if find_bands(text) else text))
    text = _IN_THE_TEXT.sub(" ", _LAW.sub(" ", _PERIOD_ENDS.sub(" ", text)))
    for token in reversed(find_date_tokens(text)):
        text = f"{text[: token.begin]} {text[token.stop :]}"
    for offence in named:
        text = re.sub(re.escape(offence.words), " ", text, flags=re.IGNORECASE)
    names = [
        name
        for term in terms.terms
        for name in (term.term, *term.aliases, *(name for name, _ in term.required))
    ]
    scope_words = {word.casefold() for word in _WORD.findall(" ".join([other_words, *names]))}
    leftover = (
        word
        for word in dict.fromkeys(_WORD.findall(text))
        if word.casefold().strip("'-") not in plain_words | scope_words and len(word) > 2
    )
    return list(leftover)[:_MAX_LISTED]

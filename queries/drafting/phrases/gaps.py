"""Finds what a text asks for that no question of a request file answers, and says why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from queries.drafting.draft import GapKind


class Gap(NamedTuple):
    """What is asked for, and a sentence that says why no count of records answers it."""

    kind: GapKind
    words: str
    why: str


class _Rule(NamedTuple):
    kind: GapKind
    pattern: re.Pattern[str]
    why: str


def _make_rule(kind: GapKind, pattern: str, why: str) -> _Rule:
    return _Rule(kind, re.compile(pattern, re.IGNORECASE), why)


_RULES: Final = (
    _make_rule(
        "stop and search",
        r"\bstop[- ](?:and|&)[- ]search\w*|\bstops? and search\w*",
        "Stops and searches are not in the crime records.",
    ),
    _make_rule("arrests", r"\barrest\w*", "Arrests are not in the crime records."),
    _make_rule(
        "convictions",
        r"\bconvict\w*|\bsentenc(?:ed|ing|es)\b|(?<!same )(?<!first )(?<!one )(?<!each )\bsentence\b|\bfound guilty\b|\bprosecut\w*|\bimprison\w*|\bjailed\b|\bpleaded\b|\bcourt (?:cases?|results?|outcomes?)\b|\bacquitt\w*",
        "What courts decided is not in the crime records.",
    ),
    _make_rule(
        "percentages",
        r"\bpercentages?\b|\bper ?cent\b|\bproportions?\b|(?<=\d)\s?%|\bas a (?:share|fraction) of\b|\bwhat share\b|\bper (?:1,?000|100,?000|head|capita)\b|\brates? per\b",
        "The share in something wider than the records of this request cannot be worked out from them.",
    ),
    _make_rule(
        "costs",
        r"\bcosts?\b(?! (?:limit|of compliance))|\bspen[dt]\w*|\bbudgets?\b|\bexpenditure\b|\bpaid\b|\bpayments?\b|\bfunding\b|\bhow much\b(?=.{0,25}(?:\u00a3|money|spen|cost))|\bin \u00a3|\boverspend\w*|\bcompensation\b|\b(?:amount|sums?) of money\b|\bvalue(?: \([^()]{1,20}\))? (?:of|lost|stolen|taken)\b|\(\u00a3\)",
        "Money is not in the crime records.",
    ),
    _make_rule(
        "training",
        r"\btraining\b|\btrained\b|\bslides\b|\bcourses?\b",
        "Training is not in the crime records.",
    ),
    _make_rule(
        "policies",
        r"\bpolic(?:y|ies)\b|\bguidance\b|\bprocedures?\b|\bprotocols?\b|\bstanding instructions?\b|\bstrateg(?:y|ies)\b|\bterms of reference\b|\bguidelines?\b|\brisk assessments?\b",
        "Documents such as policies and guidance are not in the crime records.",
    ),
    _make_rule(
        "narratives",
        r"\b(?:summar(?:y|ies)|description|account|synopsis|outline|narrative|details?|particulars|brief)s?\b[^.?;]{0,40}\b(?:what happened|each (?:case|crime|offence|incident|record)|every|case|crime|incidents?|circumstances|offences?)\b"
        r"|\bwhat happened\b|\bcircumstances\b|\bdescribe\b|\baccounts? of\b|\bwhat was (?:stolen|damaged|taken|said|done)\b|\bmodus operandi\b|\bredacted\b|\bfree text of\b|\bverbatim\b",
        "Accounts of what happened would have to be read and written by a person; a count does not answer this.",
    ),
    _make_rule(
        "staff",
        r"\bstaff(?:ing)?\b|\bfull[- ]time[- ]equivalents?\b|\bftes?\b|\bheadcount\b|\bemploy\w*|\bvetting\b|\b(?:dedicated|specialist)\b[^.?;]{0,40}\b(?:team|unit)\b|\bhow many (?:\w+ )?(?:police )?(?:officers|detectives|pcsos)\b|\bnumber of (?:\w+ )?(?:police )?(?:officers|detectives|pcsos)\b",
        "Staff numbers are not in the crime records.",
    ),
    _make_rule(
        "documents",
        r"\bcop(?:y|ies) of\b|\be-?mails?\b(?= (?:about|between|sent|from|concerning))|\binternal e-?mails?\b|\bcorrespondence\b|\bminutes of\b|\bmeetings?\b|\breports? (?:presented|submitted|written|produced|prepared|commissioned)\b|\bcontracts?\b|\bfootage\b|\bphotographs of\b(?! children)|\brecordings?\b(?! of crime)",
        "Documents and correspondence are not in the crime records.",
    ),
    _make_rule(
        "equipment",
        r"\bsoftware\b|\bequipment\b|\bsuppliers?\b|\bvehicles owned\b|\bhow many (?:drones|tasers|cameras|vans|cars|bins) (?:do|does|did|has|have)\b|\bamnesty\b|\blicen[cs](?:e|es|ing)\b",
        "Equipment, suppliers and licences are not in the crime records.",
    ),
    _make_rule(
        "complaints",
        r"\bcomplaints? (?:against|about|made)\b|\bmisconduct\b|\bdisciplin\w+",
        "Complaints and misconduct are not in the crime records.",
    ),
    _make_rule(
        "calls",
        r"\b(?:999|101) calls?\b|\bcalls? (?:to|for|received)\b|\bincident logs?\b(?! and| or)|\bcall[- ]outs?\b|\bdeployments?\b",
        "Calls and incident logs are not crime records.",
    ),
    _make_rule(
        "times",
        r"\b(?:average|mean|median|typical) (?:\w+ )?(?:time|number of (?:days|weeks|months)|length|duration|wait|days)\b|\bhow (?:long|quickly|soon)\b|\bresponse times?\b|\b(?:time|days) (?:taken|between)\b",
        "How long something took is not counted.",
    ),
    _make_rule(
        "people",
        r"\bethnic\w*|\bnationalit(?:y|ies)\b|\breligions?\b|\bdisabilit(?:y|ies)\b|\bsexual orientation\b|\boccupations?\b|\bjobs?\b|\brelationship between\b|\boldest\b|\baverage age\b|\bmean age\b|\bmedian age\b|\bnames? of (?:the |any |each )?(?:victim|suspect|officer|offender|person|school)",
        "What is asked of people is not a field that foidex counts by, unless your force declares it as a category.",
    ),
    _make_rule(
        "places",
        r"\b(?:by|per|each|every|which|what) (?:of your )?(?:\w+ )?(?:district|ward|beat|borough|postcode|town|area|division|station|location|street|constituency|local authority|sector|neighbourhood)s?\b|\bpolicing (?:district|area)s?\b|\b(?:streets|postcodes|wards|districts|boroughs|addresses) with\b|\bwhere (?:they|it|each|these) (?:took place|happened|occurred)\b|\blocations? of\b",
        "The place is not a field that foidex counts by, unless your force declares it as a category.",
    ),
    _make_rule(
        "opinions",
        r"^\W*(?:why\b|what (?:steps|measures|action|is being done|are you doing|do you intend)|does the force (?:believe|consider|think)|do you (?:believe|consider|think))|\bexplain why\b|\b(?:steps|measures) (?:has|have|is|are|being)\b|\byour (?:view|opinion)\b",
        "This asks for an explanation, and not for recorded numbers.",
    ),
)


def find_gaps(text: str) -> list[Gap]:
    """What of a text no question answers, in the order of the rules, each kind once."""
    return list(_iterate_gaps(text))


def cover_gaps(text: str) -> str:
    """The text without the words that ``find_gaps`` goes by."""
    for rule in _RULES:
        text = rule.pattern.sub(" ", text)
    return text


def _iterate_gaps(text: str) -> Iterator[Gap]:
    for rule in _RULES:
        if match := rule.pattern.search(text):
            yield Gap(rule.kind, match[0].strip(), rule.why)

"""Records and the request that the naive counter counts, and the records of the reference request."""

from __future__ import annotations

import json
from datetime import date

from hypothesis import strategies as st

from queries.request.reader import Request, parse_request
from tests.support.counter import Record
from tests.support.paths import DATA

TERMS = ["live stream", "livestreaming", "Snapchat", "Musical.ly", "Whatsapp call"]

SAID = [
    "live stream", "live-stream", "livestream", "live streams", "live. Stream", "livestreaming", "Snap Chat",
    "snapchat.com", "musically", "Musical.ly", "whats app call", "Whatsapp-call", "nothing at all",
]  # fmt: skip

CODES = ["21", "22B", "022A", "88/01", "88-2", "88/3", "88E", "071/17", "71/1", "08602", "8N"]

COUNTED_RECORDS = st.lists(
    st.fixed_dictionaries(
        {
            "recorded_on": st.dates(date(2017, 3, 25), date(2018, 4, 7)).map(date.isoformat),
            "offence_code": st.sampled_from(CODES),
            "narrative": st.lists(st.sampled_from(SAID), max_size=3).map(". ".join)
            | st.lists(st.sampled_from(SAID), max_size=3),
            "status": st.sampled_from(["recorded", "recorded", "recorded", "cancelled", "transferred"]),
            "victims": st.lists(
                st.fixed_dictionaries(
                    {"victim_ref": st.sampled_from("ABCDEFGH")},
                    optional={"age": st.none() | st.integers(0, 120), "sex": st.sampled_from("FM")},
                ),
                max_size=3,
                unique_by=lambda victim: victim["victim_ref"],
            ),
            "linked": st.lists(
                st.fixed_dictionaries({"offence_code": st.sampled_from(CODES)})
                | st.fixed_dictionaries({"crime_ref": st.integers(0, 40).map("R{}".format)}),
                max_size=2,
            ),
        }
    ),
    min_size=1,
    max_size=40,
)  # fmt: skip


def four_questions(terms: list[str], codes: list[str]) -> Request:
    return parse_request(
        json.dumps(
            {
                "reference": "R",
                "title": "T",
                "period": {"from": "2017-04-01", "to": "2018-03-31"},
                **({"mentions": terms} if terms else {}),
                **(
                    {"offences": [{"codes": [code], "label": code} for code in codes]}
                    if codes
                    else {}
                ),
                "questions": [
                    {"id": "Q1", "kind": "offences"},
                    {"id": "Q2", "kind": "keywords", "keywords": TERMS, "each_offence": "true"},
                    {"id": "Q3", "kind": "linked", "codes": ["86/2", "88A", "22"]},
                    {"id": "Q4", "kind": "victims", "youngest": "true", "bands": [
                        {"to": "11"}, {"from": "12", "to": "15"}, {"from": "16", "to": "17"}]},
                ],
            }
        )
    )  # fmt: skip


def reference_records() -> list[Record]:
    return [json.loads(line) for line in (DATA / "reference.jsonl").read_text("utf-8").splitlines()]

"""Generate synthetic records whose every count can be worked out by arithmetic.

Each feature of record ``n`` depends on a remainder: its wording on ``n % 20``, its platform on
``n % 23``, its remark on ``n % 7``, its offence on ``n % 11``, its status on ``n % 17``, its
victims on ``n % 13``, its suspects on ``n % 29``, its links on ``n % 19``, its outcome on
``n % 3``. The moduli share no
factor, so a count of any features, alone or combined, follows from ``total``; the seed only chooses
the filler sentences. Dates are spread evenly over the period. No record describes a real event or
person.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

SAMPLE_FROM: Final = date(2018, 4, 1)

SAMPLE_TO: Final = date(2023, 3, 31)

#: The sentence about live streaming, by n % 20. The first eight are mentions of it.
SAMPLE_WORDINGS: Final = (
    "The account holder offered a live stream to followers.",
    "A live-stream was said to have been offered.",
    "The word livestream appears in the messages provided.",
    "The caller described it as a Live \u2013 Stream on the application.",
    "The report form reads LIVE\nSTREAM across two lines.",
    "The report says that live streaming was mentioned in passing.",
    "Livestreaming is named in the report.",
    "The platform's live-streaming feature was named.",
    "The caller said it was livestreamed, but gave no details.",
    "Several live streams were listed by the provider.",
    "The source named alive stream as the user name.",
    "The caller hoped to speak to someone live. Stream of calls noted by the desk.",
    "The form has a tick box for live/stream/other, left empty.",
    "The caller was lively and spoke musically of the matter.",
    "Ms N attended the desk. The Violator's Team was informed.",
    "No further details were given.",
    "The caller will ring back.",
    "A reference number was given to the caller.",
    "Details were passed to the district.",
    "The desk closed the call.",
)

MENTION_COUNT: Final = 8

#: Platforms by n % 23, each with its spellings, which its records use in turn.
SAMPLE_PLATFORMS: Final = (
    ("Facebook", "face book", "www.facebook.com/example"),
    ("Periscope", "periscope"),
    ("Twitter", "#twitter", "Twitter's"),
    ("Instagram", "insta-gram", "instagram.com"),
    ("Musical.ly", "musical.ly", "www.musical.ly"),
    ("Live.ly", "live.ly"),
    ("Twitch", "twitch.tv"),
    ("YouTube", "You Tube", "youtube"),
    ("Facetime", "Face Time", "face-time"),
    ("Skype", "skype"),
    ("Whatsapp call", "whatsapp-call", "whats app call"),
    ("Snapchat", "Snap Chat", "@snapchat"),
    ("Omegle", "omegle.com"),
    ("Sarahah", "sarahah"),
    ("Steam", "steam"),
    ("Discord", "discord"),
    ("Tumblr", "tumblr.com"),
    ("Yellow", "yellow"),
    ("Yubo", "yubo"),
    ("Google hangouts", "google-hangouts", "Google Hangouts"),
    ("Oovoo", "oovoo"),
    ("Xbox live", "XBox Live", "xboxlive"),
    ("Playstation network", "play station network", "Playstation-Network"),
)

#: Remarks by n % 7, each with its wordings, which its records use in turn.
SAMPLE_REMARKS: Final = (
    ("An e-scooter was left there.", "An electric scooter was there.", "An escooter was seen."),
    ("It was found on TikTok.", "It was found on Tik Tok.", "The word tik-tok is on the form."),
    ("They had met on the Hinge app.", "The profile was on Hinge, an app for meeting people."),
    ("A hinge of the door was loose.",),
    ("",),
    ("",),
    ("",),
)  # fmt: skip

#: Home Office outcome types by n % 3; None is an outcome not recorded.
SAMPLE_OUTCOMES: Final = (18, 1, None)

#: Offence codes by n % 11, as forces write them.
SAMPLE_OFFENCES: Final = (
    "21", "22B", "088/01", "88-2", "88E", "71/17", "08602", "8N", "46", "49", "28E",
)  # fmt: skip

_FILLING_SENTENCES: Final = (
    "The report was received by the control room and a log was opened.",
    "The caller was given the log number and told what would happen next.",
    "The desk officer checked the address and the contact details.",
    "Enquiries were made with the provider of the service, without reply so far.",
    "The matter was passed to the neighbourhood team for information.",
    "A statement is to be arranged at a time that suits the caller.",
    "The log was reviewed by a supervisor and left open.",
    "The device was not examined at this stage.",
    "An appointment was made for the following week.",
    "The account named in the report had been closed by the time of the call.",
    "The caller was advised to keep any messages and not to reply to them.",
    "A copy of the form was placed on file.",
    "The log was linked to an earlier report and then reviewed.",
    "No lines of enquiry remained at the time of the review.",
    "The caller agreed to be contacted by telephone or by letter.",
    "The record was updated after a conversation with the reporting office.",
)


def assign_recorded_date(number: int, total: int) -> date:
    """The date of record ``number`` of ``total``."""
    days = (SAMPLE_TO - SAMPLE_FROM).days + 1
    return SAMPLE_FROM + timedelta(days=number * days // total)


def generate_records(total: int, seed: int = 0, prefix: str = "77") -> Iterator[dict[str, Any]]:
    """Yield ``total`` records of the input contract, the same for the same arguments."""
    chance = random.Random(seed)  # noqa: S311 - sentences, not secrets
    for number in range(total):
        day = assign_recorded_date(number, total)
        yield {
            "crime_ref": _build_reference(prefix, number, day),
            "recorded_on": day.isoformat(),
            "offence_code": SAMPLE_OFFENCES[number % 11],
            **_choose_status(number),
            "narrative": _compose_narrative(number, chance),
            **_choose_victims(number),
            **_choose_linked(number, prefix, total),
            **({"outcome": outcome} if (outcome := SAMPLE_OUTCOMES[number % 3]) else {}),
            "updated_at": f"{day.isoformat()}T03:00:00Z",
        }


def generate_practice_records(total: int, seed: int = 0) -> Iterator[dict[str, Any]]:
    """The records of ``generate_records`` to practise on, a third of them with suspects."""
    for number, record in enumerate(generate_records(total, seed)):
        yield record | _choose_suspects(number)


def _build_reference(prefix: str, number: int, day: date) -> str:
    return f"{prefix}/{number:07d}/{day:%y}"


def _choose_status(number: int) -> dict[str, str]:
    return {"status": ("cancelled", "transferred")[number % 17]} if number % 17 < 2 else {}


def _compose_narrative(number: int, chance: random.Random) -> list[str]:
    spellings = SAMPLE_PLATFORMS[number % 23]
    spelling = spellings[number // 23 % len(spellings)]
    filling = chance.choices(_FILLING_SENTENCES, k=7)
    remarks = SAMPLE_REMARKS[number % 7]
    remark = remarks[number // 7 % len(remarks)]
    return [
        " ".join(filling[:3]),
        " ".join(
            filter(
                None,
                (
                    filling[3],
                    SAMPLE_WORDINGS[number % 20],
                    filling[4],
                    f"The service named was {spelling}.",
                    remark,
                ),
            )
        ),
        " ".join(filling[5:]),
    ]


def _choose_victims(number: int) -> dict[str, Any]:
    """No victim, two, one of unknown age, that of the record before, or one aged 9 to 19."""
    kind = number % 13
    if kind == 0:
        return {}
    if kind == 1:
        return {
            "victims": [
                {"victim_ref": f"V-{number}-1", "age": 11, "sex": "F"},
                {"victim_ref": f"V-{number}-2", "age": 14, "sex": "M"},
            ]
        }
    if kind == 2:
        return {"victims": [{"victim_ref": f"V-{number}", "sex": "F"}]}
    if kind == 3:
        return {"victims": [{"victim_ref": f"V-{number - 1}", "age": 15, "sex": "F"}]}
    return {"victims": [{"victim_ref": f"V-{number}", "age": kind + 6, "sex": "MF"[kind % 2]}]}


def _choose_suspects(number: int) -> dict[str, Any]:
    """By n % 29: two suspects, one of unknown age, one aged 15 to 36, or none."""
    kind = number % 29
    if kind == 0:
        return {
            "suspects": [
                {"suspect_ref": f"S-{number}-1", "age": 16, "sex": "M"},
                {"suspect_ref": f"S-{number}-2", "age": 17, "sex": "F"},
            ]
        }
    if kind == 1:
        return {"suspects": [{"suspect_ref": f"S-{number}", "sex": "M"}]}
    if kind < 10:
        age, sex = 3 * kind + 9, "MF"[kind % 3 == 0]
        return {"suspects": [{"suspect_ref": f"S-{number}", "age": age, "sex": sex}]}
    return {}


def _choose_linked(number: int, prefix: str, total: int) -> dict[str, Any]:
    """A code, the reference of the record before, a reference that no record has, or nothing."""
    kind = number % 19
    if kind == 0:
        return {"linked": [{"offence_code": "086/02"}]}
    if kind == 1:
        before = _build_reference(prefix, number - 1, assign_recorded_date(number - 1, total))
        return {"linked": [{"crime_ref": before}]}
    if kind == 2:
        return {"linked": [{"crime_ref": f"{prefix}/X{number:06d}/99"}]}
    return {}

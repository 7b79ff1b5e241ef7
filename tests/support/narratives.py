"""Real text, where it is at hand, the terms to look for in it, and records made of texts."""

from __future__ import annotations

from typing import Any

from tests.support.paths import ROOT

REAL = ROOT.parent / "shared" / "data" / "real_narratives.jsonl"

#: The terms of the reference request, and words and names that real text is full of.
TERMS = [
    "live stream", "live-stream", "livestream", "livestreaming", "live streaming", "live-streaming",
    "Facebook", "Periscope", "Twitter", "Instagram", "Musical.ly", "Live.ly", "Twitch", "YouTube",
    "Facetime", "Skype", "Whatsapp call", "Snapchat", "Omegle", "Steam", "Discord", "Tumblr", "Yellow",
    "Google hangouts", "Xbox live", "Playstation network", "police", "tear gas", "pepper spray",
    "rubber bullet", "rubber bullets", "press pass", "zip ties", "AL.com", "U.S.", "3M", "black lives matter",
    "no", "s", "car", "bike lane", "x-ray", "lawsuit", "flash bang", "flashbang", "less lethal", "mayor",
    "mayor's office", "journalist's", "O'Brien", "don't", "officer's", "point blank", "body cam", "11 p.m",
]  # fmt: skip


def as_records(texts: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {"crime_ref": ref, "recorded_on": "2020-06-01", "offence_code": "8N", "narrative": text}
        for ref, text in texts.items()
    ]

"""What a foidex.toml says about a force that may publish."""

from __future__ import annotations

#: All that a letter prints, with the exemption that a withheld number needs.
FORCE_TOML = """\
[force]
name = "Example Constabulary"
address = ["1 Example Street", "Exampleton"]
contact = "foi@example.org"
signatory = "Information Rights Officer"
exemption = "We rely on section 40(2) of the Freedom of Information Act 2000."
"""

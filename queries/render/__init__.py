"""The answer rendered. Everything is rendered from the answer, and nothing is counted here.

``view`` works out what documents need; templates print it. Word, PDF, spreadsheets and charts need
the extra "reports" and have modules of their own, imported where they are used.
"""

from queries.render.letters import letter_html, letter_text, report_text
from queries.render.phrases import left_out, moment, number
from queries.render.text import WIDTH

__all__ = ["WIDTH", "left_out", "letter_html", "letter_text", "moment", "number", "report_text"]

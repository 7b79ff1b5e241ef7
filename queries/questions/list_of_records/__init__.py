"""Kind ``list``: the records in scope, or their victims, by fields, each combination once."""

from queries.questions.list_of_records.list_question import TEXT_FIELD, ListQuestion

__all__ = ["TEXT_FIELD", "ListQuestion"]

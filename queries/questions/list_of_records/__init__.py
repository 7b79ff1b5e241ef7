"""Kind ``list``: the records in scope, or their victims, by fields, each combination once."""

from queries.questions.list_of_records.list_question import ListQuestion

__all__ = ["ListQuestion"]

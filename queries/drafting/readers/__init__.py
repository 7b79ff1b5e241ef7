"""Read the file of a letter: text, mail, Word or PDF."""

from queries.drafting.readers.open_letter import read_letter

__all__ = ["read_letter"]

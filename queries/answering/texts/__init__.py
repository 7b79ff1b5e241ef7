"""Texts in lists: which ones a list would show, and an answer with those that are approved."""

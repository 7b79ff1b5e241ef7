"""Turns a request into an answer: search, checks, audit log. Also estimates and ad hoc counts."""

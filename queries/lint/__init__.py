"""Checks the wording of a request against the records: near misses and unintended spellings."""

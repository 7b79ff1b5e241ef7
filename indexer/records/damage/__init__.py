"""Damaged text: what was wrong with a narrative before foidex read it, and what can be repaired."""

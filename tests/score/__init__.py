"""Scores the drafts of letters against what a right draft holds: ``make score``."""

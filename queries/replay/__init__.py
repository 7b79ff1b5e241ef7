"""Replays: an answer asked again, and which records changed its numbers since."""

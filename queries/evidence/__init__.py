"""The records behind the numbers: lists, explanations, and the evidence file for a replay."""

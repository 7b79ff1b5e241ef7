"""An answer: its types, its numbers, the conditions of what they count, and its file."""

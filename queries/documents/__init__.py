"""The documents of an answer: the set in a folder, its manifest, and what has changed."""

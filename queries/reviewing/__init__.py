"""Reviews as people carry them out: whose turn it is, the store of decisions, and their files."""

"""The matching rule: what counts as a mention of a term, and what only comes near. Pure."""

"""What a reader can work out from numbers, and what to withhold so that nobody can."""

"""What phrases of a letter mean, each by rules of its own: days, ages, codes, terms."""

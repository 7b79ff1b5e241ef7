"""Statistical disclosure control: what of an answer may be published, and why no more."""

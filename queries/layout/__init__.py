"""Numbers, text and tables laid out for people: as prose, plain text, CSV or parts of a page."""

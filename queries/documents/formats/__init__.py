"""One module for each format in which an answer is written."""

"""Commands that look closer: counts without a request file, and the records behind numbers."""

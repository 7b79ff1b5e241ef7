"""The crime record: what it may hold, how it is checked, and the document it becomes."""

"""Scopes and tables: which records are counted, and by which rows and columns. Pure."""

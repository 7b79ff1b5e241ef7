"""Readers of tables as they come: delimited text, spreadsheets, JSON and zips of them.

They know how a file is laid out, and nothing of what its columns mean.
"""

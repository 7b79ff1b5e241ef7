"""The commands about files of records, before they are loaded."""

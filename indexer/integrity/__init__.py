"""Checks that a spreadsheet is whole: that what can be read of it is what it says it holds."""

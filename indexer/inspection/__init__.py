"""What a file is: its layout, its columns, and the profile that would read it.

Nothing here decides what the file does not prove, and nothing is shown of its content but shapes,
unless a person asks for it.
"""

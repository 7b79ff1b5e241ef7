"""The commands that ask questions or run whole jobs, one file each."""

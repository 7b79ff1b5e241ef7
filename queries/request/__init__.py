"""Requests: read from a file or built from a command line, and checked."""

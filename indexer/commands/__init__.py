"""The commands that manage the server and the index; only these files print."""

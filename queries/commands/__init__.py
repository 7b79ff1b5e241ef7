"""The commands that ask, a module for those of one kind; ``queries.cli`` mounts them."""

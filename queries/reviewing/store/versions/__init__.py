"""The versions of the store's schema, each a file that makes it from the one before."""

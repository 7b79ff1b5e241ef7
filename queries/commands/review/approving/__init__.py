"""The commands about texts for release: read and decided one by one, and how far that is."""

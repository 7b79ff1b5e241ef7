"""What the officer reads about a release: what it withholds, and why one is refused."""

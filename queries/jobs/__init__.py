"""Jobs of several steps: a folder of requests, the nightly refresh, and the demonstration."""

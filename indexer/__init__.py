"""Load crime records into Elasticsearch, and look after the index and its server."""

"""Records into Elasticsearch."""

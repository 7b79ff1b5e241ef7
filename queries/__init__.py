"""Questions out of Elasticsearch."""

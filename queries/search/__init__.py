"""Runs searches on Elasticsearch, and refuses every response whose numbers may be inexact."""

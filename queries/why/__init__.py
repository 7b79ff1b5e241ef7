"""Why one record counts in a request, or does not: condition by condition, number by number."""

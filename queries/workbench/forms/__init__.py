"""What forms hold: their fields, what is wrong with them, and the request that they make."""

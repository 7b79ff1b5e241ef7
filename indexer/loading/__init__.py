"""Loading: raw records into the documents of one index, in bulk, with every line accounted for."""

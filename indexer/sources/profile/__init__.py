"""The profile at work: the rows of tables become records, as [source.profile] says."""

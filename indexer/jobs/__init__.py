"""Jobs: whole tasks that change the index, such as a refresh or forgetting a record."""

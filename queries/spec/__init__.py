"""What a person writes of scopes and terms, and the term book: typed, strict, with line numbers."""

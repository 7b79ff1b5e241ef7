"""The commands of ``foidex review``: from what mentions a term to what is relevant."""

"""From the parts of a letter to the scope, the questions and what to confirm."""

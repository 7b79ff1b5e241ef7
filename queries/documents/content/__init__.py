"""What every format prints: the context for templates, the templates, and the check of numbers."""

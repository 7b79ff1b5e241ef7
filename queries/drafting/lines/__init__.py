"""From the lines of a letter to its mails and blocks, whatever file they came in. Pure."""

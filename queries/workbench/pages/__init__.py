"""The pages of the workbench, in the officer's order."""

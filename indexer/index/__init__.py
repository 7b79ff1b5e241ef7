"""The index: its mapping, its generations, their lock and their backups."""

"""What the workbench keeps: request files, the documents of answers, open drafts."""

"""Who may use the workbench, and what protects its pages."""

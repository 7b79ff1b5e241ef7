"""The commands of whoever runs foidex: refresh, the workbench and the demonstration."""

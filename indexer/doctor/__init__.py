"""The doctor: checks of the machine, the server and the index, with remedies."""

"""Benchmarks: everything compared runs side by side, in turn, in one run; never a pass or fail."""

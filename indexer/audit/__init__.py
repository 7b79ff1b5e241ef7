"""The audit log: a chained record of every query and every erasure."""

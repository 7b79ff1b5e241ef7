"""From mentioned to relevant: what a random sample of records says about all of them. Pure."""

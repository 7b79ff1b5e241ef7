"""The settings: foidex.toml, environment variables, secrets, and the mapping of field names."""

"""How every process of the hub logs, and whose request a line is about."""

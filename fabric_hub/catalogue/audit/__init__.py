"""The audit log: every event that somebody may have to prove later."""

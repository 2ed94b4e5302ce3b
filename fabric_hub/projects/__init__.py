"""Projects: who is in them, and in which role. Pure."""

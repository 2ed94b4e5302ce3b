"""From a user's options to one job: what they may start, and what it would cost. Pure."""

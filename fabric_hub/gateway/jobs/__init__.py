"""Jobs of sessions: submitted, found again, given more time, and ended, as their users."""

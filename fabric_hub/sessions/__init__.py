"""Sessions: the record of every one that was started, and what is known of it."""

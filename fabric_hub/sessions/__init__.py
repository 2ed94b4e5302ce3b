"""Sessions: what a user may ask for, and the record of every one that was started."""

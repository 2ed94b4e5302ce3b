"""What the service does all the time, without being asked: one lease, one clock."""

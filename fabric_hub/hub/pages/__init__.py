"""What the hub's own pages show."""

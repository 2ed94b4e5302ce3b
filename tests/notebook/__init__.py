"""What runs in a session, in the real image, against a real HTTP server in the hub's place."""

"""HTTP between processes of this machine, on Unix sockets."""

"""What must not break a session: every fault of issue "Trust and speed", on a real Slurm with a real hub."""

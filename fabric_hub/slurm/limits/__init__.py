"""Slurm's limits: what they are, which of them count for a job, and what they leave. Pure."""

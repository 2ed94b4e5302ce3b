"""Slurm's words as types, its notation, and what they mean for a person. No I/O."""

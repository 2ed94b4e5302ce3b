"""The questions to Slurm and the parsers of their answers."""

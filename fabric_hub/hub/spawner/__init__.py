"""The spawner: sessions as Slurm jobs (or local processes) behind JupyterHub's Spawner interface."""

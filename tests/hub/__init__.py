"""A real JupyterHub with its proxy and its service, over a gateway without Slurm."""

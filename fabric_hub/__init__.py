"""Fabric Hub: JupyterHub for a shared GPU supercomputer run by Slurm."""

__version__ = "0.1.0"

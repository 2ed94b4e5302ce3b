"""Changes of JupyterHub's own behaviour: what each does, why, and which test says when it is no longer needed."""

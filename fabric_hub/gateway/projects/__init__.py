"""How Slurm's accounts follow the projects: what there should be, the plan, what was set, and who does it."""

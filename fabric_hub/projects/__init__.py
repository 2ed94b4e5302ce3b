"""Projects: who may use which profile and image, charged to which Slurm account."""

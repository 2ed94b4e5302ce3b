"""The catalogue service: owns datasets, versions, grants and the audit log, and publishes them to the nodes."""

"""The service's verbs: a router for each feature."""

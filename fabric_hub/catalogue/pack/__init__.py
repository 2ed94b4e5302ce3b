"""Versions of datasets, made of directories."""

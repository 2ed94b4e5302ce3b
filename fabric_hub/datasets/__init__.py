"""Datasets as types, and who may use what for which purpose. Pure."""

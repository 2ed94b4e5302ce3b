"""Datasets: the catalogue, who may use what for which purpose, and the trail of it."""

"""Dask clusters of a session: private, within the project's limits, and gone when they should be.

:mod:`.cluster` is what a notebook uses; :mod:`.daemon` is the process that keeps a cluster, :mod:`.hosted_cluster` the
cluster in it; :mod:`.worker_task` runs on the nodes.
"""

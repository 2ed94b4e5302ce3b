"""The gateway: the only process that talks to Slurm for others.

``parse``, ``script``, ``reasons``, ``refusals``, ``pace`` and ``table`` decide and
touch nothing; ``command``, ``accounts``, ``questions``, ``watcher``, ``as_user``,
``gateway`` and ``server`` are the edges. Everybody else uses ``client``.
"""

"""The gateway: the only process that talks to Slurm for others.

``watcher`` and ``limits_watcher`` ask Slurm on a timer, ``queries`` holds the questions and their answers' parsers,
``jobs`` submits, extends and ends jobs as their users. Everybody else uses ``client`` and ``api``.
"""

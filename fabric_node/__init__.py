"""What runs as root on a compute node: it opens datasets to exactly those who may read them.

Slurm's Prolog registers a job, its Epilog takes it off, and a daemon (``serve``) holds the gates: it answers
sessions on a Unix socket, follows the published grants, and heals what a crash left. Standard library only, Python 3.9
or newer, Linux 5.8 or newer; nothing else of Fabric Hub is imported, so that one file can be installed on nodes.
"""

__version__ = "0.1.0"  # that of the hub it comes with

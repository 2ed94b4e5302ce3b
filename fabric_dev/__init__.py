"""A throw-away AI factory in one directory: munge, MariaDB, Slurm, the gateway and the hub.

Everything the embedded run needs lives below one directory, on ports of its own, and
goes when ``fabric-hub down --purge`` is told so. It only writes a site file
(:mod:`.sitefile`); from there on it is the same hub as in production.
"""

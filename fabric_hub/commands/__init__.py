"""The parts of the ``fabric-hub`` command line; each adds its own sub-commands."""

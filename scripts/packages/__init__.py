"""Builds packages for Debian and Enterprise Linux of what a release holds; see :mod:`.__main__`."""

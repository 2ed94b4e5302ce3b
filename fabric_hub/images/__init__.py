"""Building the software environments that sessions run in."""

"""Sessions on another host than the hub's: another network namespace, with an address of its own."""

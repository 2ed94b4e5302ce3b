"""Benchmarks side by side with the peers: ``python -m bench NAME``. What they measured is in docs/benchmarks.md."""

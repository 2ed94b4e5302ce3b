"""Chromium on the whole of an embedded run."""

"""Requests for projects: their policy, their store, and the verbs on them."""

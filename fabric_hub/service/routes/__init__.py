"""The service's API over HTTP: a router for each feature, with the models of its bodies beside it.

No ``from __future__ import annotations`` in these modules: FastAPI reads the annotations of a route.
"""

"""``fabric_lab.service.call()``: the name under which docs/how-to/rest-api.md tells people of :func:`.client.call`."""

from .client import call

__all__ = ["call"]

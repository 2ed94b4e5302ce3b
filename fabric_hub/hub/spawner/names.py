"""Names of hosts in certificates."""

from __future__ import annotations

import ipaddress

# What the name of every user's own host begins with in the hub's certificate. A session's never has it.
ANY_USER = "DNS:*"


def alt_name(host: str) -> str:
    """A host as a certificate's subject alternative name: ``IP:...`` or ``DNS:...``."""
    try:
        return f"IP:{ipaddress.ip_address(host)}"
    except ValueError:
        return f"DNS:{host}"

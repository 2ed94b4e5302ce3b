"""Where sessions send their tokens, and whom they believe to be the hub there."""

from __future__ import annotations

from fabric_hub.config.hub import HubSettings

REMEDY = "leave hub.internal_ssl on: sessions then trust the hub's own authority and no other"


def of_sessions(hub: HubSettings) -> tuple[str, str]:
    """What is so, and what to do about it; "" where nothing is to be done."""
    if hub.internal_ssl:
        port = f"{hub.hub_ip}:{hub.hub_port}"
        return f"sessions call hub and service over internal TLS ({port}) and trust the hub's own authority only", ""
    if plain := " and ".join(hub.plain_addresses):
        return f"sessions send their tokens over plain HTTP to {plain}: who is on the way reads them", REMEDY
    if not hub.url_for_nodes.startswith("https:"):
        return "sessions call hub and service without TLS, and only on this host", ""
    if hub.nodes_ca:
        return f"sessions call the service at {hub.url_for_nodes} and trust the authorities in {hub.nodes_ca} only", ""
    return (
        f"sessions call the service at {hub.url_for_nodes} and trust every authority of their node's store",
        "name the authority of that certificate in hub.nodes_ca, or " + REMEDY,
    )

"""What a site is told while all its users share one web address."""

from __future__ import annotations

from fabric_hub.config.hub import HubSettings

REMEDY = 'Set hub.subdomain_host = "https://hub.example.org", with DNS and a certificate for *.hub.example.org.'


def one_origin(hub: HubSettings) -> str:
    """That a page in one user's session can act as whoever opens it; "" where each user has a host of their own."""
    if hub.subdomain_host:
        return ""
    return "hub and sessions share one web address: a page of one user's session can act as whoever opens it"

"""Whose request it is: the visitor's own address, behind proxies that are trusted to say it. Pure.

Each proxy adds the address of whoever called it at the end of ``X-Forwarded-For``; what stands further left was sent
by that caller. So the visitor is the last one there that is no trusted proxy: whatever a visitor writes stands to the
left of their own address, where nobody looks.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def address(text: str) -> Address | None:
    """An address as its writer meant it: without a port, brackets or a zone; IPv4 also where it is written as IPv6."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and networks of a setting.

    :raises ValueError: one is neither.
    """
    return tuple(ip_network(text, strict=False) for text in texts)


def visitor(forwarded: str, trusted: Iterable[Network]) -> str:
    """The visitor's address by a header ``X-Forwarded-For`` whose last part our own proxy has added.

    :param trusted: the proxies of the site before ours.
    :return: the address; "" where the header has none at that place.
    """
    trusted, nearest = tuple(trusted), ""
    for part in reversed(forwarded.split(",")):
        found = address(part)
        if found is None:  # a trusted proxy wrote no address: the proxy itself is all that is known
            return nearest
        nearest = str(found)
        if not any(found in network for network in trusted):
            return nearest
    return nearest

"""The part of the site's file that is about logs; :mod:`.settings` reads it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from fabric_hub.logs.forwarded import networks
from fabric_hub.types import Frozen, said


def _network(text: str) -> str:
    return str(networks([text])[0])


ProxyAddress = Annotated[
    str, AfterValidator(_network), said("an address or a network, IPv4 or IPv6", "10.1.0.0/24")
]  # fmt: skip


class LogSettings(Frozen):
    """What hub, service, proxy, gateway and catalogue service write to their logs; the agents: ``log`` in node.json."""

    format: Literal["text", "json"] = Field(
        default="text",
        description="text: `time level daemon[code] message key=value`. json: the same, each line one object.",
    )
    trusted_proxies: tuple[ProxyAddress, ...] = Field(
        default=("127.0.0.0/8", "::1/128"),
        description="Proxies of the site before the hub's own, whose word on a visitor's address (X-Forwarded-For) "
        "counts; default: those on the hub's own machine. Empty: nobody's.",
    )

    @property
    def as_json(self) -> bool:
        """Whether lines are JSON."""
        return self.format == "json"

"""What routing decides about a packet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iptables_emu.model.address import show

if TYPE_CHECKING:
    from iptables_emu.host.fib import Route
    from iptables_emu.host.host import Host
    from iptables_emu.packet.packet import Packet

CALL = {"ENETUNREACH": "Network is unreachable", "EHOSTUNREACH": "No route to host", "EACCES": "Permission denied",
        "EINVAL": "Invalid argument"}  # fmt: skip
ERROR_KIND = {"ENETUNREACH": "unreachable", "EHOSTUNREACH": "unreachable", "EACCES": "prohibit", "EINVAL": "blackhole"}

NOWHERE = frozenset({"unreachable", "prohibit", "blackhole", "invalid"})  # kinds: no packet can be sent


@dataclass(frozen=True, slots=True)
class Decision:
    """``kind``: local forward unreachable prohibit blackhole invalid martian; ``error``: ICMP type and code to send.

    ``broadcast``: not to this host alone, also of multicast; ``anycast``: IPv6's subnet router address.
    """

    kind: str
    text: str
    dev: str = ""
    route: Route | None = None
    error: tuple[int, int] | None = None
    broadcast: bool = False
    redirect: bool = False
    anycast: bool = False
    realm: int = 0  # the class of the route, as the realm match reads it

    def mtu(self, host: Host, *, forwarding: bool = False) -> int:
        """The largest packet that goes this way as one."""
        return host.exceptions.mtu(self.route, self.dev, forwarding=forwarding)

    def show_to(self, host: Host, pkt: Packet) -> None:
        """Let a packet know of its route what extensions ask (skb_dst)."""
        pkt.mtu = self.mtu(host)
        pkt.gateway = self.route.gateway4 if self.route else None
        pkt.routed_here = self.ends_here

    @property
    def ends_here(self) -> bool:
        return self.kind == "local" and not self.broadcast

    def source(self, host: Host, towards: int) -> int | None:
        """The source address of a packet of the host's own on this route."""
        family = self.route.family if self.route else 4
        if self.route is not None and self.route.src is not None and (family == 4 or self.route.type != "local"):
            return self.route.src
        if family == 6 and self.route is not None:
            return host.select_source(self.route.dev, 6, towards)
        if self.kind == "local":
            return towards
        hop = towards if self.route is None else self.route.gateway_word
        return host.select_source(self.dev, family, hop)


def way(route: Route, dst: int) -> str:
    """A forwarding decision in words."""
    via = f" via {show(route.via, route.hop_family or route.family)}" if route.via is not None else ""
    learnt = f"ICMP has told of an MTU of {route.pmtu}" if route.pmtu else ""
    redirected = "as an ICMP redirect said" if route.under and route.under.via != route.via else ""
    remarks = ", ".join(filter(None, (route.choice, redirected, learnt)))
    return f"to {show(dst, route.family)}{via} out {route.dev}{f' ({remarks})' if remarks else ''}"


@dataclass(frozen=True, slots=True)
class Source:
    """What the check of a source found: whether it is on the link it came by, and its realm's tag."""

    on_link: bool = False
    tag: int = 0


def class_of(route: Route | None, *tags: int) -> int:
    """The realms of a packet: the route's, each half filled from the tags where it has none (set_class_tag)."""
    found = route.realm if route else 0
    for tag in tags:
        found |= tag & 0xFFFF if not found & 0xFFFF else 0
        found |= tag & 0xFFFF0000 if not found & 0xFFFF0000 else 0
    return found
